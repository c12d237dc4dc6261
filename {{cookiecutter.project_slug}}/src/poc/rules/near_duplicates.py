"""Near-duplicates: rows of a later split that all but repeat a row of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import NearDuplicates

Values = NDArray[np.float32] | NDArray[np.object_]

#: Numbers are all but equal when less than this share of the column's spread apart; the spread is that from its 5 to its 95 % quantile.
#: In a power plant's hours with 41 exact copies (Tüfekci 2014, four columns, 40 % sealed) 17 sealed rows repeat an earlier one exactly. A tolerance
#: of 0.0001 or 0.001 finds those 17, 0.002 finds 19, 0.005 finds 34, and 0.01 finds 180: from there on hours that are merely alike.
TOLERANCE = 0.001
QUANTILES = 0.05, 0.95
#: Distance in tolerances between two categories, or between a missing number and the least: further than almost any numbers lie apart.
FAR = 10 / TOLERANCE
#: Chance is what shuffling within so many rows that are alike gives. Shuffled among all rows, columns that belong together come apart, and honest rows
#: seem copied: of the power plant's 3,828 sealed rows 469 all but repeat an earlier one in temperature and vacuum alone; chance explains 169 of them
#: when all rows are shuffled, 386, 407, 401 and 422 within 256, 64, 32 and 16. Copies planted in 5 % of the rows are refused with each of these.
ALIKE = 32


def near_duplicates(earlier: Mapping[str, Values], later: Mapping[str, Values], *, seed: int) -> NearDuplicates:
    """Count the rows of `later` that all but equal a row of `earlier`, and how many would where columns are combined by chance.

    All but equal are rows with equal categories, missing values at the same places, and numbers less than TOLERANCE apart. The order of rows and
    of columns does not matter. Few or coarse columns make honest rows look alike; `by_chance` counts them, by shuffling each column of `later`
    among rows that are alike. What stays beyond it are copies, or rows that hang together: neighbours in time, parts of one batch.

    Measured on 2 cores with six columns and half of the rows in each split: 10,000 rows take 0.02 s; 200,000 take 0.4 s, or 2.1 s where all are alike.

    Args:
        earlier: columns by name, each shape (n_rows, 1) or (n_rows,), float32 or object.
        later: the same columns of the later split.
        seed: of the shuffling.
    """
    from scipy.spatial import cKDTree

    scaled = [_scaled(np.ravel(earlier[name]), np.ravel(later[name])) for name in sorted(earlier)]
    rows, others = (np.stack(columns, axis=1) for columns in zip(*scaled, strict=True))
    tree = cKDTree(rows)
    others = others[np.lexsort(others.T)]

    def count(asked: NDArray[np.float64]) -> int:
        nearest, _ = tree.query(asked, p=np.inf, distance_upper_bound=1.0)
        return int(np.isfinite(nearest).sum())

    # The tree's own order puts rows side by side that share a leaf, that is rows that are alike.
    alike = others[cKDTree(others, leafsize=ALIKE).indices]
    return NearDuplicates(rows=len(others), found=count(others), by_chance=count(_shuffled(alike, seed)))


def _scaled(earlier: NDArray[Any], later: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a column in tolerances, so that a distance of 1 parts rows; each shape (n_rows,)."""
    both = np.concatenate([earlier, later])
    if both.dtype == object:
        return _parted(_codes(both.astype(str)), len(earlier))
    numbers = both.astype(np.float64)
    known = numbers[: len(earlier)][~np.isnan(numbers[: len(earlier)])]
    low, high = np.quantile(known, QUANTILES) if len(known) else (0.0, 0.0)
    if not high > low:  # a column that hardly ever moves has no spread to measure with: its values are equal or they are not
        return _parted(_codes(numbers), len(earlier))
    numbers /= TOLERANCE * (high - low)
    return _parted(np.where(np.isnan(numbers), np.nanmin(numbers) - FAR, numbers), len(earlier))


def _codes(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.float64) * FAR


def _parted(values: NDArray[np.float64], n_earlier: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return values[:n_earlier], values[n_earlier:]


def _shuffled(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Shuffle each column by itself, within each ALIKE rows that follow each other; shape (n_rows, n_columns)."""
    draw, block = np.random.default_rng(seed), np.arange(len(rows)) // ALIKE
    return np.stack([column[np.lexsort((draw.random(len(rows)), block))] for column in rows.T], axis=1)
