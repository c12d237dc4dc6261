"""The value curve: what alerting from each threshold on would be worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import BinaryCharter
from poc.rules.evidence import Confusion, CurvePoint
from poc.rules.thresholds import as_float32, candidates, confusion_at
from poc.rules.value import money_interval

#: As many thresholds as a picture of a hand's width can show.
POINTS = 60


def value_curve(
    probabilities: NDArray[Any], labels: NDArray[np.integer[Any]], charter: BinaryCharter, *, chosen: float, seed: int, groups: NDArray[Any] | None = None
) -> list[CurvePoint]:
    """Return money per period against today's process at thresholds from "flag everything" to "flag nothing", the chosen one among them.

    The net benefit of decision curves (A. Vickers and E. Elkin, 2006) in money: true alerts weighed against false ones by what they cost, over
    all thresholds, with the interval that so many rows leave. Thresholds are spread evenly over the missed share, and one at 0 flags everything.
    """
    p = as_float32(probabilities)
    thresholds, _, _ = candidates(p, np.ravel(labels) == 1)
    spread = thresholds[np.unique(np.linspace(0, len(thresholds) - 1, POINTS).round().astype(int))]
    return [_point(threshold, confusion_at(p, labels, threshold, groups), charter, seed) for threshold in sorted({0.0, *map(float, spread), chosen})]


def _point(threshold: float, seen: Confusion, charter: BinaryCharter, seed: int) -> CurvePoint:
    return CurvePoint(
        threshold=threshold,
        missed_share=seen.missed / seen.positives if seen.positives else float("nan"),
        false_alarm_share=seen.false_alarms / seen.negatives if seen.negatives else float("nan"),
        money=money_interval(charter, seen, seed=seed),
    )
