"""A rehearsal by hand: a late feature whose silence costs something."""

from __future__ import annotations

from typing import Any

from builders import a_machine

from poc.rules.evidence import Interval, LiveFeature, Rehearsal, Silence

#: What the model is worth a month on dev with every feature, and without tool wear.
WITH_ALL, WITHOUT_WEAR = Interval(low=60_000, middle=68_800, high=77_000), Interval(low=33_000, middle=41_000, high=49_000)
WEAR = "Tool wear [min]"


def a_rehearsal(**changes: Any) -> Rehearsal:
    """Return what replay of the plain charter's rows would have written."""
    return Rehearsal(
        **{
            "rows": 50,
            "largest_difference": 0.0,
            "decisions_differing": 0,
            "live": [LiveFeature(name=WEAR, known="on its owner's word", missing=0)],
            "late_features": [WEAR],
            "money": WITH_ALL,
            "silences": [Silence(features=[WEAR], money=WITHOUT_WEAR)],
            "request_p50_ms": 0.5,
            "request_p99_ms": 1.0,
            "server_memory_mb": 90.0,
            "machine": a_machine(),
        }
        | changes
    )
