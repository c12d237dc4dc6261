"""Rows that share a group: draws and bounds that treat a group, not a row, as one piece of evidence.

The draws are the Bayesian bootstrap (D. Rubin, 1981) over groups: each group gets a weight from Gamma(1). A share's draws would collapse when few
errors are seen, so a made-up group of the usual size is added to it, half of an error and half of none, each half with a weight from
Gamma(1/2). Where every group has one row this *is* the Beta(errors + 1/2, right + 1/2) posterior; with a whole Gamma(1) on the unfavourable side
alone it is the Clopper-Pearson bound. A share that varies between groups gets the wider interval that it deserves.

Measured (`make value-check`) with 20 to 200 groups, equal and very unequal, correlations of 0, 0.1 and 0.5, and the true share at its limit: wrongly GO
at most 4 % of the time, wrongly NO-GO 5 %; bounds that took every row for itself were wrongly GO up to 46 % of the time. Where the larger groups
are the better ones and there are few, it was wrongly NO-GO 8 %.

Amounts have no largest error to make up, so half of their made-up group is off by twice as much as the usual amount every time is, and half by nothing:
on average it says that the model is no better than none. 90 % intervals of a mean held the truth 80 to 93 % of the time with 20 rows, 89 to 91 % with
200. The fewest where errors are log-normal and the model is no better than the usual amount, and there they erred by flattering.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: So many draws at least, and more where fewer than this many would lie beyond a bound.
DRAWS, MOST_DRAWS, BEYOND = 20_000, 1_000_000, 100
#: Fifty classes have 2,500 kinds of decisions: a million draws of each would take 20 GB.
MOST_NUMBERS = 50_000_000
#: How many weights are held at a time.
CELLS = 4_000_000


def draws_for(beyond: float, numbers: int = 1) -> int:
    """Return how many draws, of so many numbers each, put about `BEYOND` of them beyond a bound that leaves out this share, as long as memory allows."""
    return int(np.clip(BEYOND / beyond, DRAWS, max(DRAWS, min(MOST_DRAWS, MOST_NUMBERS // numbers))))


def weighted_sums(table: Floats, rng: np.random.Generator, n: int) -> Floats:
    """Return draws of the column sums of `table`, shape (n, n_columns), each of its rows (one group each) weighted at random.

    Groups with equal rows share one draw: the sum of m weights from Gamma(1) is one from Gamma(m).
    """
    kinds, times = np.unique(table, axis=0, return_counts=True)
    at_once = max(1, CELLS // max(1, len(kinds)))
    return np.concatenate([rng.standard_gamma(times, size=(min(at_once, n - done), len(kinds))) @ kinds for done in range(0, n, at_once)])


def usual_size(rows: Floats) -> float:
    """Return the size of the group that a row finds itself in, on average; 1 without rows."""
    total = float(np.sum(rows))
    return float(np.sum(np.square(rows))) / total if total else 1.0


def count_as(rows: NDArray[np.intp]) -> int:
    """Return as how many rows, each for itself, those of groups count (L. Kish, "Survey Sampling", 1965), rounded down; `rows` of each group.

    All rows by the usual size of a group. Where groups are equal, `bounds` are those of so many rows; where they are not, nearly.
    """
    squares = int(np.sum(np.square(rows)))
    return int(np.sum(rows)) ** 2 // squares if squares else 0


def smoothed(errors: Floats, rows: Floats, size: float, rng: np.random.Generator) -> Floats:
    """Return draws of a share from draws of its weighted errors and rows, both shape (n,), with the made-up group of one half and one half."""
    wrong, right = (size * rng.standard_gamma(0.5, len(rows)) for _ in range(2))
    return (errors + wrong) / (rows + wrong + right)


def bounds(errors: Floats, rows: Floats, confidence: float, *, draws: int | None = None) -> tuple[float, float]:
    """Return one-sided bounds, lower and upper, of a share counted in groups; `errors` and `rows` per group, both shape (n_groups,).

    NaN for counts that cannot be, and where there is no row.
    """
    table = np.column_stack([errors, rows]).astype(np.float64)
    if not ((table[:, 0] >= 0) & (table[:, 0] <= table[:, 1])).all() or not table[:, 1].sum() > 0:
        return float("nan"), float("nan")
    table = table[table[:, 1] > 0]
    rng = np.random.default_rng(0)  # the same counts have the same bounds
    sums = weighted_sums(table, rng, draws or draws_for(1 - confidence))
    added = usual_size(table[:, 1]) * rng.standard_gamma(1.0, len(sums))
    upper = np.quantile((sums[:, 0] + added) / (sums[:, 1] + added), confidence)
    lower = np.quantile(sums[:, 0] / (sums[:, 1] + added), 1 - confidence)
    return float(lower), float(upper)
