"""The target as each kind of problem reads it: yes or no, one of the charter's classes, an amount, or a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.errors import Problem
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.tools import frames

if TYPE_CHECKING:
    import pandas as pd

#: As many of a target's values as an error names.
SHOWN_VALUES = 5
#: How labels are kept, by kind of problem: 0 or 1, the class's number in the charter's order, or the amount itself.
DTYPES = {"binary": np.int8, "multiclass": np.int8, "regression": np.float64, "count": np.float64}


def target_problems(table: pd.DataFrame, charter: Charter) -> Iterator[Problem]:
    """List what keeps the target from saying of every row what the charter's kind of problem asks."""
    yield from without(table, charter.data.target, "target", "how they ended")
    match charter:
        case BinaryCharter():
            yield from _not_yes_or_no(charter, sorted(set(frames.categories_of(table, charter.data.target)) - {""}))
        case MulticlassCharter():
            yield from _other_classes(charter, sorted(set(frames.categories_of(table, charter.data.target)) - {""}))
        case AmountCharter():
            yield from _no_amounts(charter, table[charter.data.target])


def without(table: pd.DataFrame, column: str | None, role: str, unknown: str) -> Iterator[Problem]:
    """Refuse rows that lack a column which the charter gives a role."""
    if column and (missing := int((frames.categories_of(table, column) == "").sum())):
        yield Problem(
            what=f"{missing:,} rows have no {column!r}: it is not known {unknown}",
            where=f"charter.yaml, data.{role}",
            fix=f"give every row its {role}, or drop those rows",
        )


def labels_of(table: pd.DataFrame, charter: Charter) -> NDArray[Any]:
    """Return the target of a source that has no `target_problems`, shape (n_rows,), as `DTYPES` says."""
    target = charter.data.target
    match charter:
        case BinaryCharter(data=data):
            return np.asarray(frames.categories_of(table, target) == data.positive, dtype=np.int8)
        case MulticlassCharter(data=data):
            return np.array([data.classes.index(name) for name in frames.categories_of(table, target)], dtype=np.int8)
    return frames.amounts_of(table[target])


def written_labels(table: pd.DataFrame, charter: Charter) -> NDArray[Any]:
    """Read labels back from a table that `ingest` wrote, shape (n_rows,)."""
    return table[charter.data.target].to_numpy(dtype=DTYPES[charter.problem])


def _not_yes_or_no(charter: BinaryCharter, values: list[str]) -> Iterator[Problem]:
    data, named = charter.data, _named(values)
    if values and len(values) != 2:
        yield Problem(
            what=f"the target {data.target!r} has {len(values):,} values ({named}), not two",
            where="charter.yaml, data.target",
            fix="name a column that says yes or no of every row",
        )
    if values and data.positive not in values:
        yield Problem(
            what=f"the target {data.target!r} is never {data.positive!r}; its values are {named}",
            where="charter.yaml, data.positive",
            fix="name the value that means yes, as the source writes it",
        )


def _other_classes(charter: MulticlassCharter, values: list[str]) -> Iterator[Problem]:
    data = charter.data
    if unknown := [value for value in values if value not in data.classes]:
        yield Problem(
            what=f"the target {data.target!r} is {_named(unknown)} in some rows, which data.classes does not name",
            where="charter.yaml, data.classes",
            fix="name every class that the source holds, as it writes it; or drop those rows",
        )
    if values and (never := [name for name in data.classes if name not in values]):
        yield Problem(
            what=f"the target {data.target!r} is never {_named(never)}; its values are {_named(values)}",
            where="charter.yaml, data.classes",
            fix="name the classes as the source writes them",
        )


def _no_amounts(charter: AmountCharter, values: pd.Series) -> Iterator[Problem]:
    where = "charter.yaml, data.target"
    if problems := frames.not_numbers(values, where=where, fix="name a column that says how much or how many of every row"):
        yield from problems
        return
    amounts = frames.amounts_of(values)
    if charter.problem == "count" and (odd := amounts[(amounts < 0) | (amounts != np.round(amounts)) & ~np.isnan(amounts)]).size:
        yield Problem(
            what=f"{odd.size:,} of {len(amounts):,} values of {charter.data.target!r} are no counts, {odd[0]:g} first",
            where=where,
            fix="a count is a whole number from 0 on; else say problem: regression",
        )


def _named(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values[:SHOWN_VALUES])) + (", ..." if len(values) > SHOWN_VALUES else "")
