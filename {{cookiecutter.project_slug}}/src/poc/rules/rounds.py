"""Rounds in which every variant is timed once: which of them count, and what two variants are to each other in those that do."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval
from poc.rules.latency import median_bounds

Floats = NDArray[np.float64]
#: A round counts if something else took at most this share of the time before, during and after it.
MOST_LOST = 0.05
#: With fewer rounds that count there is no ratio: the machine was too busy.
FEWEST = 8
NOTHING = Interval(low=0.0, middle=math.nan, high=math.inf)


def that_count(lost: Floats) -> NDArray[np.bool_]:
    """Say of each round whether it counts; `lost` holds shares of time lost, shape (n_rounds, n_probes), and one that is not known speaks against it."""
    found: NDArray[np.bool_] = np.all(lost <= MOST_LOST, axis=1)
    return found


def is_enough(counts: NDArray[np.bool_]) -> bool:
    """Say whether enough rounds count."""
    return int(counts.sum()) >= FEWEST


def paired_ratio(own: Floats, other: Floats, counts: NDArray[np.bool_], confidence: float) -> Interval:
    """Bound the median of own / other over the rounds that count, shape (n_rounds,) each; a slow minute slows both and leaves their ratio alone.

    The bounds are the sign test turned round (`median_bounds`): they ask of the ratios only that rounds are independent, so models are loaded anew in
    each. Where a model comes to lie in memory changes its speed by up to 4 %, the same in all rounds of one loading: two copies of one file, loaded
    once, were found different in three trials of ten at 95 % confidence, and in one of twenty when loaded in each round.
    """
    return median_bounds(own[counts] / other[counts], confidence) if is_enough(counts) else NOTHING
