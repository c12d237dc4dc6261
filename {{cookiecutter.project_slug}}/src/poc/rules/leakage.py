"""Leaks: how well one column alone gives the answer away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: A number with no more distinct values than this may be a code in disguise, and is tried as a category too.
CODES = 50


def auc(scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the chance that a positive ranks above a negative, ties counting half; NaN without one of each.

    The rank sum of Mann and Whitney (1947): (sum of the positives' mean ranks - p (p + 1) / 2) / (p * n).
    """
    positive = np.asarray(labels) == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative or np.isnan(scores).any():
        return float("nan")
    _, tied, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mean_rank[tied.reshape(-1)][positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def concordance(scores: NDArray[np.floating[Any]], truth: NDArray[Any]) -> float:
    """Return the chance that of two rows with different amounts the larger ranks higher, ties counting half; NaN where all amounts are the same.

    What the AUC is for yes or no: F. Harrell's C (1982), that is (1 + Somers' D) / 2, with D from Kendall's tau-b and the numbers of tied pairs.
    """
    from scipy.stats import kendalltau

    def untied(values: NDArray[Any]) -> float:
        ties = np.unique(values, return_counts=True)[1].astype(np.float64)
        return len(values) * (len(values) - 1) / 2 - float((ties * (ties - 1) / 2).sum())

    of_scores, of_truth = untied(scores), untied(truth)
    if not of_truth or np.isnan(scores).any():
        return float("nan")
    if not of_scores:
        return 0.5
    return (1 + float(kendalltau(scores, truth).statistic) * float(np.sqrt(of_scores / of_truth))) / 2


def alone(
    problem: str,
    train_column: NDArray[Any],
    train_labels: NDArray[Any],
    dev_column: NDArray[Any],
    dev_labels: NDArray[Any],
    kind: Literal["number", "category"],
) -> float:
    """Return how well one column ranks dev, whichever way round: `auc_alone`, for several classes that of the class it tells best from the rest."""
    if problem != "multiclass":
        return auc_alone(train_column, train_labels, dev_column, dev_labels, kind, rank=auc if problem == "binary" else concordance)
    return max(auc_alone(train_column, train_labels == at, dev_column, dev_labels == at, kind) for at in np.unique(train_labels))


def auc_alone(
    train_column: NDArray[Any],
    train_labels: NDArray[np.integer[Any]],
    dev_column: NDArray[Any],
    dev_labels: NDArray[np.integer[Any]],
    kind: Literal["number", "category"],
    *,
    rank: Callable[[NDArray[Any], NDArray[Any]], float] = auc,
) -> float:
    """Return how well one column ranks dev's positives, or its amounts, whichever way round: 0.5 is chance, 1 gives the answer away.

    A number is tried with its missing values (NaN) below and above all others, since being missing may itself tell; columns have shape
    (n_rows,) or (n_rows, 1). NaN when dev lacks positives or negatives.
    """
    train, dev = np.ravel(train_column), np.ravel(dev_column)
    if kind == "category":
        return _either_way(rank(_positive_rates(train, train_labels, dev), dev_labels))
    numbers = np.nan_to_num(dev.astype(np.float64), nan=np.nan, posinf=np.finfo(np.float64).max, neginf=np.finfo(np.float64).min)
    found = [_either_way(rank(np.where(np.isnan(numbers), end, numbers), dev_labels)) for end in (-np.inf, np.inf)]
    if len(np.unique(train)) <= CODES:
        found.append(_either_way(rank(_positive_rates(train.astype(str), train_labels, dev.astype(str)), dev_labels)))
    return max(found)


def _either_way(area: float) -> float:
    return max(area, 1 - area)


def _positive_rates(train: NDArray[Any], labels: NDArray[np.integer[Any]], dev: NDArray[Any]) -> NDArray[np.float64]:
    """Replace each category by its share of positives in train, or by its mean amount; one not seen there by that of all."""
    categories, code = np.unique(train.astype(str), return_inverse=True)
    rate = np.bincount(code.reshape(-1), weights=labels, minlength=len(categories)) / np.maximum(np.bincount(code.reshape(-1)), 1)
    known = dict(zip(categories.tolist(), rate.tolist(), strict=True))
    overall = float(np.mean(labels)) if len(labels) else 0.0
    return np.array([known.get(value, overall) for value in dev.astype(str).tolist()], dtype=np.float64)
