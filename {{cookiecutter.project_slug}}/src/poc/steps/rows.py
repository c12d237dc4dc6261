"""Read the rows, and what was known of each when it was decided: every reader of the source sees the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc.errors import InputRefused, Problem
from poc.problem import source
from poc.rules.charter import Charter, Join
from poc.rules.evidence import Number
from poc.tools import frames

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """One row per decision, with what the joined sources said of it by then.

    `own` holds the source's own columns. Only these say which row it is: longer readings must not make other rows of the same decisions.
    """

    table: pd.DataFrame
    own: pd.DataFrame
    ages_seconds: Mapping[str, NDArray[np.float64]]

    def numbers(self) -> Iterator[Number]:
        """Say of each joined source how many rows got no reading, and how old those of the others are."""
        for name, ages in self.ages_seconds.items():
            yield Number(name=f"without_reading_from_{name}", value=int(np.isnan(ages).sum()), unit="rows")
            yield Number(name=f"median_age_of_{name}", value=float(np.nanmedian(ages)), unit="s")


def source_rows(charter: Charter, root: Path) -> SourceRows:
    """Read the source, and join to each row the newest readings that had arrived by its time; one older than `max_age_seconds` is missing.

    Raises:
        InputRefused: a file cannot be read, or readings cannot be joined; with all that is wrong with them.
    """
    rows = source.read(charter, root)
    parts, ages, problems = [rows], dict[str, NDArray[np.float64]](), list[Problem]()
    for join in charter.data.joins:
        try:
            joined = _joined(rows, join, charter, root)
        except InputRefused as error:
            problems += error.problems
        else:
            parts.append(joined.columns)
            ages[join.source] = joined.age_seconds
    if problems := [*dict.fromkeys(problems), *_joined_twice(parts[1:])]:
        raise InputRefused(problems)
    return SourceRows(table=frames.side_by_side(parts) if ages else rows, own=rows, ages_seconds=ages)


def _joined(rows: pd.DataFrame, join: Join, charter: Charter, root: Path) -> frames.Joined:
    assert charter.data.time is not None  # checked with the charter
    max_age = {feature.name: float(feature.max_age_seconds) for feature in charter.features if feature.max_age_seconds is not None}
    joined = frames.join_as_of_arrival(rows, source.read_readings(join, root), join, charter.data.time, max_age)
    if len(rows) and np.isnan(joined.age_seconds).all():
        raise InputRefused(
            f"none of the {len(rows):,} rows has a reading that had arrived by then",
            where=join.source,
            fix=f"see whether {', '.join(join.by)} is written alike in both, and whether both are of the same days",
        )
    return joined


def _joined_twice(parts: Sequence[pd.DataFrame]) -> Iterator[Problem]:
    for name, times in Counter(str(name) for part in parts for name in part.columns).items():
        if times > 1:
            yield Problem(what=f"column {name!r} stands in {times} of the joined readings", where="charter.yaml, data.joins", fix="rename or drop all but one")
