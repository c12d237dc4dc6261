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


def mean_over(rounds: Floats, counts: NDArray[np.bool_], confidence: float) -> Interval:
    """Bound the mean of what rounds cost, shape (n_rounds,), from both sides at once by Student's t over the rounds that count.

    A million calls cost their sum, so rare slow rows have to weigh what they take: a median leaves them out. Where too few rounds count, all are taken,
    and nothing is said from below: other work on a machine only adds to what a call takes, but by how much is not known.
    """
    from scipy.special import stdtrit  # not before everything is timed

    of = rounds[counts] if is_enough(counts) else rounds
    middle, freedom = float(of.mean()), len(of) - 1
    beside = float(stdtrit(freedom, (1 + confidence) / 2) * of.std(ddof=1) / math.sqrt(len(of))) if freedom else math.inf
    return Interval(low=max(0.0, middle - beside) if is_enough(counts) else 0.0, middle=middle, high=middle + beside)
