"""Latency as statistics: percentiles with bounds that assume nothing about the distribution, steadiness, arrivals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval


def percentile_bounds(samples: NDArray[np.float64], p: float, confidence: float) -> Interval:
    """Bound a percentile by order statistics, each side at `confidence`; too few samples give an infinite upper bound.

    The k-th smallest of n samples lies above the p-quantile with chance P(Binomial(n, p) < k). Source: H. A. David and H. N. Nagaraja,
    "Order Statistics", 3rd edition, section 7.1.
    """
    ordered = np.sort(samples)
    n = len(ordered)
    if n == 0:
        return Interval(low=0.0, middle=math.nan, high=math.inf)
    below = np.cumsum(_binomial_chances(n, p))  # below[k] = P(Binomial <= k)
    upper = int(np.searchsorted(below, confidence - 1e-12))  # the smallest k with P(Binomial <= k) >= confidence
    lower = int(np.searchsorted(below, 1.0 - confidence, side="right")) - 1
    return Interval(
        low=float(ordered[lower]) if lower >= 0 else 0.0,
        middle=float(np.quantile(ordered, p)),
        high=float(ordered[upper]) if upper < n else math.inf,
    )


def _binomial_chances(n: int, p: float) -> NDArray[np.float64]:
    """Return P(Binomial(n, p) = k) for k = 0..n, shape (n + 1,)."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    k = np.arange(n + 1)
    chances: NDArray[np.float64] = np.exp(factorials[n] - factorials[k] - factorials[n - k] + k * math.log(p) + (n - k) * math.log1p(-p))
    return chances


def is_steady(medians: Sequence[float], tolerance: float = 0.02, windows: int = 3) -> bool:
    """Say whether the last windows agree within the tolerance, so that timing may begin."""
    last = list(medians)[-windows:]
    return len(last) == windows and max(last) <= (1.0 + tolerance) * min(last)


def arrivals(rate_per_s: float, n: int, seed: int) -> NDArray[np.float64]:
    """Draw Poisson arrival times in seconds from a start, shape (n,): users do not wait for each other."""
    gaps: NDArray[np.float64] = np.random.default_rng(seed).exponential(1.0 / rate_per_s, n)
    return np.cumsum(gaps)
