"""What a service knows at a moment: readings are taken in as they arrive, and each question gets what had arrived by then."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Moments = NDArray[np.float64] | NDArray[np.int64]


@dataclass(kw_only=True)
class OnlineStore:
    """The newest event of each key among what has arrived: what a table in memory beside the model would hold."""

    _newest: dict[Hashable, tuple[float, int]] = field(default_factory=dict)

    def take(self, key: Hashable, event: float, reading: int) -> None:
        """Take in a reading that arrives now: an older event replaces no newer one, the same event is corrected."""
        known = self._newest.get(key)
        if known is None or event >= known[0]:
            self._newest[key] = (event, reading)

    def newest(self, key: Hashable) -> int | None:
        """Return the number of the reading that is known for a key, if any is."""
        known = self._newest.get(key)
        return None if known is None else known[1]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Readings in the order of their file: whose they are, when each was true, and when it was there to be used; moments of one clock."""

    keys: Sequence[Hashable]
    event: Moments
    arrived: Moments


def known_at(stream: Stream, keys: Sequence[Hashable], moments: Moments) -> NDArray[np.intp]:
    """Replay readings and decisions in order of time; return for each decision which reading is known of its key, -1 for none, shape (n_decisions,).

    What arrives at the very moment of a decision is there.
    """
    store, found = OnlineStore(), np.full(len(moments), -1, dtype=np.intp)
    arrivals = iter(np.argsort(stream.arrived, kind="stable").tolist())
    arrived, events, decided = stream.arrived.tolist(), stream.event.tolist(), moments.tolist()
    coming = next(arrivals, None)
    for row in np.argsort(moments, kind="stable").tolist():
        while coming is not None and arrived[coming] <= decided[row]:
            store.take(stream.keys[coming], events[coming], coming)
            coming = next(arrivals, None)
        known = store.newest(keys[row])
        found[row] = -1 if known is None else known
    return found
