"""Answer Poisson arrivals as they come, look at the p99 in between, and stop when it tells or the time allowed is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval, LatencyVerdict
from poc.rules.latency import LOOKS, calls_by, corrected, latency_verdict, most_beyond, percentile_bounds
from poc.rules.queueing import calls_alike, seconds_for
from poc.tools.machine import Clocks

Floats = NDArray[np.float64]
#: Idle time beyond this is cut: nobody is in the queue meanwhile, and a rate of one a minute takes no hours. What a call costs after a long idle
#: time is the first call's figure.
LONGEST_IDLE_S = 0.0005
#: Each look's calls come in so many turns, between those of other variants, so that a disturbance hits all alike.
TURNS = 4
#: The call that does nothing is made once for so many calls of a variant.
CALLS_A_NULL = 4
FEWEST_CALLS = 20


class OpenLoop:
    """Poisson arrivals, answered in order by one worker; latency counts from the intended arrival, so that waiting shows.

    Its time stands still between turns: a queue that has built up is there when it goes on. `computed_s` holds what each answer computed, shape (n,).
    """

    def __init__(self, call: Callable[[], None], rate_per_s: float, seed: int, clocks: Clocks) -> None:
        self._call, self._rate, self._clocks = call, rate_per_s, clocks
        self._draw = np.random.default_rng(seed)
        self._now = self._due = 0.0
        self.computed_s: Floats = np.empty(0)

    def answer(self, n: int) -> Floats:
        """Answer the next n arrivals; seconds from arrival to answer, shape (n,)."""
        clock, computing, call = self._clocks.wall, self._clocks.cpu, self._call
        due = self._due + np.cumsum(self._draw.exponential(1.0 / self._rate, n))
        latencies, computed = np.empty(n), np.empty(n)
        start = clock() - self._now
        for i in range(n):
            start -= max(0.0, due[i] - (clock() - start) - LONGEST_IDLE_S)
            while clock() - start < due[i]:
                pass  # a sleeping process wakes late by more than the call takes
            computed_before = computing()
            call()
            latencies[i] = clock() - start - due[i]
            computed[i] = computing() - computed_before
        self._now, self._due = clock() - start, float(due[-1])
        self.computed_s = np.append(self.computed_s, computed)
        return latencies


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a latency is held against: the charter's limit at its rate and confidence, and how many seconds there are for each variant on average."""

    limit_ms: float
    rate_per_s: float
    confidence: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rounds back to back told of a variant: how long a call takes, how many calls say as much as one, and the p99 that follows from them."""

    service_s: float
    alike: float
    own_p99_ms: float


@dataclass(kw_only=True)
class Looked:
    """What the looks at one variant found: latencies in ms, shape (n_calls,), the bounds of their p99, what the machine itself adds, and the verdict.

    `alike` calls say as much as one: what rounds told, or more where the answers among arrivals, which are more, turn out to vary more.
    `next_calls` would have been made by the next look, in so many seconds altogether, had there been time for them; infinite if none was left out.
    """

    alike: float
    latencies_ms: Floats = field(default_factory=lambda: np.empty(0))
    p99_ms: Interval = field(default_factory=lambda: Interval(low=0.0, middle=np.nan, high=np.inf))
    null_p99_ms: float = np.nan
    looks: int = 0
    verdict: LatencyVerdict = "INCONCLUSIVE"
    next_calls: float = np.inf
    next_seconds: float = np.inf


def look(calls: Mapping[str, Callable[[], None]], known: Mapping[str, Known], asked: Asked, clocks: Clocks, *, seed: int) -> dict[str, Looked]:
    """Look at each variant's p99 until it is within the limit or shown to be beyond it, all looks are taken, or the time for all is over.

    The time is shared: what variants far within the limit leave is spent on those that are close to it.
    """
    loops = {name: OpenLoop(call, asked.rate_per_s, seed + i, clocks) for i, (name, call) in enumerate(calls.items(), 1)}
    null, idle = OpenLoop(_nothing, asked.rate_per_s, seed, clocks), np.empty(0)
    found = {name: Looked(alike=known[name].alike) for name in calls}
    shuffle = np.random.default_rng(seed)
    over = clocks.wall() + asked.seconds * len(calls)
    open_ = list(calls)
    for number in range(1, LOOKS + 1):
        share = (over - clocks.wall()) / max(1, len(open_))
        more = {name: _calls_that_fit(number, found[name], known[name], asked, share) for name in open_}
        open_ = [name for name in open_ if more[name]]
        for turn in range(TURNS):
            for name in shuffle.permutation(open_):
                n = more[name] // TURNS + (turn < more[name] % TURNS)
                found[name].latencies_ms = np.append(found[name].latencies_ms, loops[name].answer(n) * 1e3)
                idle = np.append(idle, null.answer(-(-n // CALLS_A_NULL)) * 1e3)
        for name in open_:
            _judge(found[name], known[name], asked, idle, loops[name].computed_s)
        open_ = [name for name in open_ if _is_open(found[name], asked)]
    return found


def _is_open(so_far: Looked, asked: Asked) -> bool:
    """Say whether another look may tell: there was time for this one, and noise has not pushed more calls beyond the limit than a PASS can bear."""
    is_lost = so_far.verdict == "NOISY" and (so_far.latencies_ms > asked.limit_ms).sum() > most_beyond(asked.confidence, alike=so_far.alike)
    return so_far.verdict in ("INCONCLUSIVE", "NOISY") and so_far.next_calls == np.inf and not is_lost


def _calls_that_fit(number: int, so_far: Looked, known: Known, asked: Asked, share_s: float) -> int:
    """Return how many calls lead to the next look if there is time for them; what there is time for if it is the first; else none, noting what is needed."""
    so_far.next_calls = calls_by(number, asked.confidence, alike=so_far.alike)
    missing = so_far.next_calls - len(so_far.latencies_ms)
    so_far.next_seconds = _seconds(so_far.next_calls, known, asked)
    if _seconds(missing, known, asked) <= share_s:
        so_far.next_calls = so_far.next_seconds = np.inf
        return int(np.ceil(missing))
    return max(FEWEST_CALLS, int(share_s / _seconds(1, known, asked))) if number == 1 else 0


def _seconds(calls: float, known: Known, asked: Asked) -> float:
    null = seconds_for(calls / CALLS_A_NULL, asked.rate_per_s, 0.0, LONGEST_IDLE_S)
    return seconds_for(calls, asked.rate_per_s, known.service_s, LONGEST_IDLE_S) + null


def _judge(looked: Looked, known: Known, asked: Asked, idle_ms: Floats, computed_s: Floats) -> None:
    looked.looks += 1
    looked.alike = max(looked.alike, calls_alike(asked.rate_per_s, computed_s))
    looked.p99_ms = percentile_bounds(looked.latencies_ms, 0.99, corrected(asked.confidence), alike=looked.alike)
    looked.null_p99_ms = float(np.quantile(idle_ms, 0.99))
    looked.verdict = latency_verdict(looked.p99_ms, asked.limit_ms, looked.null_p99_ms, own_p99_ms=known.own_p99_ms)


def _nothing() -> None:
    """Do nothing: what is measured of it is the machine's."""
