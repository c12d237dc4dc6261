"""Drift: how far a column's distribution moved between two sets of rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32] | NDArray[np.object_]

BINS = 10
#: A category rarer than the most frequent ones counts with all others: hundreds of rare ones would differ by chance alone.
MOST_CATEGORIES = 20
#: Jensen-Shannon divergence in bits, 0 for equal and 1 for disjoint distributions; a mean that moves by one standard deviation gives about 0.13.
LIMIT = 0.1
#: Chance that any of all comparisons passes what is allowed for chance, where nothing has moved.
ERROR = 0.01


def divergence(one: Values, other: Values) -> float:
    """Compare two columns by Jensen-Shannon divergence, in bits; missing values count as a category of their own.

    Source: J. Lin, "Divergence measures based on the Shannon entropy", 1991. Numbers are binned by the quantiles of `one`; a value that
    many rows share is a quantile itself, and has a bin to itself.
    """
    p, q = _shares(one, other)
    middle = (p + q) / 2
    return float((_entropy_gain(p, middle) + _entropy_gain(q, middle)) / 2)


def beyond_chance(one: Values, other: Values, comparisons: int) -> float:
    """Return by how much two columns diverge more than two samples of one distribution do in all but few of so many comparisons, in bits.

    Few rows diverge by chance alone. In samples of one distribution over k bins, 8 ln 2 / (1/n1 + 1/n2) times the divergence follows
    a chi-square distribution of k - 1 degrees of freedom: second-order expansion, M. L. Menendez et al., "The Jensen-Shannon divergence",
    Journal of the Franklin Institute 334B, 1997.
    """
    bins = int(np.count_nonzero(np.add(*_shares(one, other))))
    return divergence(one, other) - allowance(bins, len(one), len(other), comparisons)


def allowance(bins: int, n_one: int, n_other: int, comparisons: int) -> float:
    """Return how far samples of one distribution diverge by chance, in bits: a quantile that one comparison passes with ERROR / comparisons."""
    from scipy.special import chdtri

    if bins < 2:
        return 0.0
    return float(chdtri(bins - 1, ERROR / comparisons)) * (1 / n_one + 1 / n_other) / (8 * math.log(2))


def _shares(one: Values, other: Values) -> list[NDArray[np.float64]]:
    """Return the share of each column's values in each bin, shape (n_bins,)."""
    codes = _number_codes(one, other) if one.dtype != object else _category_codes(one, other)
    return [np.bincount(part, minlength=max(each.max(initial=0) for each in codes) + 1) / max(len(part), 1) for part in codes]


def _entropy_gain(p: NDArray[np.float64], m: NDArray[np.float64]) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / m[there])).sum())


def _number_codes(one: NDArray[Any], other: NDArray[Any]) -> list[NDArray[np.intp]]:
    one, other = one.ravel(), other.ravel()
    known = one[np.isfinite(one)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1), method="inverted_cdf")) if len(known) else np.empty(0)
    return [np.where(np.isfinite(part), _bin(edges, part), 2 * len(edges) + 1) for part in (one, other)]


def _bin(edges: NDArray[np.floating[Any]], values: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Give each value its bin: an even number between two edges, an odd one on an edge."""
    return np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")


def _category_codes(one: NDArray[Any], other: NDArray[Any]) -> list[NDArray[np.intp]]:
    values, counts = np.unique(one.ravel().astype(str), return_counts=True)
    frequent = values[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
    code = {value: number for number, value in enumerate(frequent.tolist())}
    return [np.array([code.get(value, len(code)) for value in part.ravel().astype(str).tolist()], dtype=np.intp) for part in (one, other)]
