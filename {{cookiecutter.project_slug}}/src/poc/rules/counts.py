"""What was counted on rows: shares to hold against limits, and draws of the errors that money is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules import groups
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.evidence import ByCost, ClassCounts, Confusion, Counted, Deviations, InGroups

Floats = NDArray[np.float64]
#: The amount that needs no model: the median of the train rows, estimated every time.
USUAL = "the usual amount every time"
#: What the limit of an amount is a share of.
ALL_ROWS = "rows"
#: How the name of a class's limit begins.
MISSED_OF = "missed_share of "


@dataclass(frozen=True, kw_only=True)
class CountedShare:
    """Errors among rows, the charter's limit on their share, and the same counts per group, shape (n_groups, 2), where rows share groups."""

    name: str
    errors: int
    rows: int
    limit: float
    by_group: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class LimitedShare:
    """A share that the charter limits, and among which rows."""

    name: str
    limit: float
    among: str


def limited_shares(charter: Charter) -> list[LimitedShare]:
    """List the shares that the charter limits."""
    match charter:
        case BinaryCharter(limits=limits):
            return [
                LimitedShare(name="missed_share", limit=float(limits.missed_share), among="positives"),
                LimitedShare(name="false_alarm_share", limit=float(limits.false_alarm_share), among="negatives"),
            ]
        case MulticlassCharter(limits=limits):
            return [LimitedShare(name=_missed(name), limit=float(limit), among=_rows_of(name)) for name, limit in limits.missed_share.items()]
        case AmountCharter(limits=limits):
            return [LimitedShare(name="beyond_tolerance_share", limit=float(limits.beyond_tolerance_share), among=ALL_ROWS)]
    raise TypeError(f"a charter of an unknown kind: {charter.problem}")


def sorts_of(charter: Charter, truth: NDArray[Any]) -> dict[str, int]:
    """Count the rows of each sort that `limited_shares` may speak of; `truth` as labels are kept (`steps.target`)."""
    return {sort: int(rows.sum()) for sort, rows in _by_sort(charter, truth).items()}


def sorts_in_groups(charter: Charter, truth: NDArray[Any], group_of: NDArray[Any] | None) -> dict[str, InGroups]:
    """Say of the rows of each sort in how many groups they lie and as how many they count; `group_of`, shape (n_rows,), None where rows share none."""
    if group_of is None:
        return {}
    return {sort: _in_groups(np.unique(group_of[rows], return_counts=True)[1]) for sort, rows in _by_sort(charter, truth).items()}


def _in_groups(rows: NDArray[np.intp]) -> InGroups:
    return InGroups(groups=len(rows), count_as=groups.count_as(rows))


def _by_sort(charter: Charter, truth: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
    match charter:
        case BinaryCharter():
            return {"positives": truth == 1, "negatives": truth != 1}
        case MulticlassCharter(data=data):
            return {_rows_of(name): truth == at for at, name in enumerate(data.classes)}
    return {ALL_ROWS: np.ones(len(truth), dtype=np.bool_)}


def counted_shares(charter: Charter, counted: Counted) -> list[CountedShare]:
    """List the shares that the charter limits, as counted.

    Raises:
        TypeError: the counts are of another kind of problem than the charter.
    """
    table: Floats
    match charter, counted:
        case BinaryCharter(), Confusion() as seen:
            table = np.array(seen.by_group, dtype=np.float64).reshape(-1, 4)
            found = [(seen.missed, seen.positives, table[:, [1, 0]]), (seen.false_alarms, seen.negatives, table[:, [3, 2]])]
        case MulticlassCharter(data=data, limits=limits), ClassCounts() as seen:
            found = [_missed_of(seen, data.classes.index(name)) for name in limits.missed_share]
        case AmountCharter(), Deviations() as seen:
            table = np.column_stack([seen.beyond, seen.rows]).astype(np.float64)
            found = [(sum(seen.beyond), sum(seen.rows), table if max(seen.rows, default=0) > 1 else table[:0])]
        case _:
            raise TypeError(f"{type(counted).__name__} is not what a {charter.problem} problem counts")
    return [
        CountedShare(name=limited.name, errors=errors, rows=rows, limit=limited.limit, by_group=by_group if len(by_group) else None)
        for limited, (errors, rows, by_group) in zip(limited_shares(charter), found, strict=True)
    ]


def _missed_of(seen: ClassCounts, i: int) -> tuple[int, int, Floats]:
    by_group = np.array([[sum(group[i]) - group[i][i], sum(group[i])] for group in seen.by_group], dtype=np.float64)
    rows = sum(seen.counts[i])
    return rows - seen.counts[i][i], rows, by_group


def _missed(name: str) -> str:
    return f"{MISSED_OF}{name!r}"


def sorts_counted(counted: Counted, by_cost: ByCost | None = None) -> str:
    """Say how many rows of each sort were counted, for people."""
    match counted:
        case Confusion():
            return f"{counted.positives:,} positives, {counted.negatives:,} others"
        case ClassCounts():
            names = by_cost.classes if by_cost else [f"class {at}" for at in range(len(counted.counts))]
            return ", ".join(f"{sum(row):,} {name}" for name, row in zip(names, counted.counts, strict=True))
        case Deviations():
            return f"{sum(counted.rows):,} rows"


def in_words(share: str) -> str:
    """Say what is wrong with the rows that a limited share counts: `missed`, `'scrap' missed`, `false alarms`, `beyond the tolerance`."""
    known = {"missed_share": "missed", "false_alarm_share": "false alarms", "beyond_tolerance_share": "beyond the tolerance"}
    return known.get(share) or f"{share.removeprefix(MISSED_OF)} missed"


def _rows_of(name: str) -> str:
    return f"rows of {name!r}"


def drawn_errors(counted: Counted, rng: np.random.Generator, n: int) -> tuple[Floats, Mapping[str, Floats]]:
    """Draw errors as `rules.stakes` takes them, the draws on the last axis; and those of policies that are counted on the same rows.

    Shares of independent rows are drawn from Jeffreys' posterior, Beta(errors + 1/2, right + 1/2) (Brown, Cai and DasGupta, "Interval estimation
    for a binomial proportion", 2001). For k classes it is Dirichlet(counts + 1/k) (Berger, Bernardo and Sun, "Overall objective priors", 2015), of
    which Jeffreys' is the case of two: with 1/2 for each of ten classes, nine tenths of what is made up would be errors, and of 20 rows, 2 % of
    them wrong, no interval held the truth. Amounts and groups by `rules.groups`.
    """
    match counted:
        case Confusion(by_group=[]):
            pairs = ((counted.missed, counted.positives), (counted.false_alarms, counted.negatives))
            return np.stack([rng.beta(errors + 0.5, rows - errors + 0.5, n) for errors, rows in pairs]), {}
        case Confusion():
            table = np.array(counted.by_group, dtype=np.float64)
            sums = groups.weighted_sums(table, rng, n)
            return np.stack([groups.smoothed(sums[:, at + 1], sums[:, at], groups.usual_size(table[:, at]), rng) for at in (0, 2)]), {}
        case ClassCounts():
            return _drawn_decisions(counted, rng, n), {}
        case Deviations():
            return _drawn_amounts(counted, rng, n)


def _drawn_amounts(counted: Deviations, rng: np.random.Generator, n: int) -> tuple[Floats, Mapping[str, Floats]]:
    """Return draws of the mean units over and under, shape (2, n), and those of the usual amount.

    Half of the made-up group is off by twice as much as the usual amount, half by nothing: on average it says that the model is no better than none.
    """
    table = np.column_stack([counted.rows, counted.over, counted.under, counted.usual_over, counted.usual_under]).astype(np.float64)
    sums, usual = groups.weighted_sums(table, rng, n).T, _usual_errors(counted)[:, None]
    off, right = groups.usual_size(table[:, 0]) * rng.standard_gamma(0.5, (2, n))
    rows = sums[0] + off + right
    return (sums[1:3] + 2 * usual * off) / rows, {USUAL: (sums[3:] + usual * (off + right)) / rows}


def _usual_errors(counted: Deviations) -> Floats:
    """Return the mean units over and under of the usual amount, shape (2,); without rows they are not numbers, and prove nothing."""
    n = sum(counted.rows)
    return np.array([sum(counted.usual_over), sum(counted.usual_under)]) / n if n else np.full(2, np.nan)


def _drawn_decisions(counted: ClassCounts, rng: np.random.Generator, n: int) -> Floats:
    """Return draws of which share of each class is decided as each class, shape (k, k, n)."""
    k = len(counted.counts)
    if counted.by_group:
        table = np.array(counted.by_group, dtype=np.float64).reshape(-1, k * k)
        sums = groups.weighted_sums(table, rng, n).T.reshape(k, k, n)
        sizes = _usual_sizes(counted)
        weights = sums + sizes[:, None, None] * rng.standard_gamma(1 / k, (k, k, n))
    else:
        weights = rng.standard_gamma(np.array(counted.counts, dtype=np.float64)[:, :, None] + 1 / k, (k, k, n))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def expected_errors(counted: Counted) -> Floats:
    """Return the errors' posterior means, without draws, as `rules.stakes` takes them; where rows share groups, nearly."""
    match counted:
        case Confusion():
            table = np.array(counted.by_group, dtype=np.float64).reshape(-1, 4)
            added = np.array([groups.usual_size(table[:, at]) for at in (0, 2)])
            wrong, rows = np.array([counted.missed, counted.false_alarms]), np.array([counted.positives, counted.negatives])
            return np.asarray((wrong + added / 2) / (rows + added), dtype=np.float64)
        case ClassCounts():
            counts = np.array(counted.counts, dtype=np.float64) + _usual_sizes(counted)[:, None] / len(counted.counts)
            return np.asarray(counts / counts.sum(axis=1, keepdims=True))
        case Deviations():
            n, size = sum(counted.rows), groups.usual_size(np.array(counted.rows))
            units = np.array([sum(counted.over), sum(counted.under)], dtype=np.float64) + size * _usual_errors(counted)
            return np.asarray(units / (n + size))


def _usual_sizes(counted: ClassCounts) -> Floats:
    """Return, for each class, the size of the group that one of its rows finds itself in, shape (k,); 1 where rows share none."""
    k = len(counted.counts)
    of_class = np.array(counted.by_group, dtype=np.float64).reshape(-1, k, k).sum(axis=2)
    return np.array([groups.usual_size(of_class[:, i]) for i in range(k)])
