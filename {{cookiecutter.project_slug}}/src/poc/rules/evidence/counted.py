"""What was counted on rows, for each kind of problem."""

from __future__ import annotations

from poc.rules.evidence.record import Record


class Confusion(Record):
    """Counts of yes-or-no decisions against the truth; where rows share groups, the same four counts for each group."""

    positives: int
    missed: int
    negatives: int
    false_alarms: int
    by_group: list[tuple[int, int, int, int]] = []


class ClassCounts(Record):
    """Rows of each class (first index) by what they were decided as (second), in the charter's order; and the same for each group."""

    counts: list[list[int]]
    by_group: list[list[list[int]]] = []


class Deviations(Record):
    """Estimates against the truth, one entry per row, or per group of rows that belong together.

    `beyond` counts rows off by more than the tolerance; `over` and `under` add up units too many and too few, `usual_*` those of always
    estimating the median of the train rows.
    """

    rows: list[int]
    beyond: list[int]
    over: list[float]
    under: list[float]
    usual_over: list[float]
    usual_under: list[float]


Counted = Confusion | ClassCounts | Deviations


class Errors(Record):
    """Errors among rows, of one share that the charter limits."""

    errors: int
    rows: int
