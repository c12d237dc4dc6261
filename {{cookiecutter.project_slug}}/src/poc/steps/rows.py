"""Read the rows, and what was known of each when it was decided: every reader of the source sees the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from poc.errors import InputRefused, Problem
from poc.problem import source
from poc.rules.charter import Charter, Join
from poc.rules.evidence import Number
from poc.tools import frames

if TYPE_CHECKING:
    import pandas as pd


#: Share of the rows that may lose a value to its age before the headline says so.
WORTH_SAYING = 0.01


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """One row per decision, with what the joined sources said of it by then.

    `own` holds the source's own columns. Only these say which row it is: longer readings must not make other rows of the same decisions.
    """

    table: pd.DataFrame
    own: pd.DataFrame
    joined: Mapping[str, frames.Joined]

    def numbers(self) -> Iterator[Number]:
        """Say of each joined source how many rows got no reading, how old those of the others are and how long readings take; and what was too old."""
        for name, joined in self.joined.items():
            yield Number(name=f"without_reading_from_{name}", value=int(np.isnan(joined.age_seconds).sum()), unit="rows")
            yield Number(name=f"median_age_of_{name}", value=_median_age(joined), unit="s")
            yield Number(name=f"median_delay_of_{name}", value=float(np.median(joined.delay_seconds)), unit="s")
            for feature, rows in joined.rows_too_old.items():
                yield Number(name=f"too_old_for_{feature}", value=rows, unit="rows")

    def surprises(self, charter: Charter) -> Iterator[str]:
        """Say which declared features lose values to their age, and which arrive later than declared."""
        for joined in self.joined.values():
            delay = float(np.median(joined.delay_seconds))
            for feature in (each for each in charter.features if each.name in joined.columns):
                too_old = joined.rows_too_old.get(feature.name, 0)
                if too_old > WORTH_SAYING * len(joined.columns):
                    yield (
                        f"{feature.name}: {too_old:,} of {len(joined.columns):,} rows had a reading that was too old, so it is missing there; "
                        f"readings are {_median_age(joined):,.0f} s old at the median, and {feature.max_age_seconds:,} s are allowed"
                    )
                if delay > feature.delay_seconds:
                    yield f"{feature.name} arrives {delay:,.0f} s late at the median, and delay_seconds says {feature.delay_seconds:,}"


def _median_age(joined: frames.Joined) -> float:
    return float(np.nanmedian(joined.age_seconds))


def source_rows(charter: Charter, root: Path) -> SourceRows:
    """Read the source, and join to each row the newest readings that had arrived by its time; one older than `max_age_seconds` is missing.

    Raises:
        InputRefused: a file cannot be read, readings cannot be joined, or all of a feature's are too old; with all that is wrong with them.
    """
    rows = source.read(charter, root)
    parts, found, problems = [rows], dict[str, frames.Joined](), list[Problem]()
    for join in charter.data.joins:
        try:
            joined = _joined(rows, join, charter, root)
        except InputRefused as error:
            problems += error.problems
        else:
            parts.append(joined.columns)
            found[join.source] = joined
    if problems := [*dict.fromkeys(problems), *_joined_twice(parts[1:])]:
        raise InputRefused(problems)
    return SourceRows(table=frames.side_by_side(parts) if found else rows, own=rows, joined=found)


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
    if problems := list(_always_too_old(joined, charter)):
        raise InputRefused(problems)
    return joined


def _always_too_old(joined: frames.Joined, charter: Charter) -> Iterator[Problem]:
    with_reading = int((~np.isnan(joined.age_seconds)).sum())
    for feature in charter.features:
        if with_reading and joined.rows_too_old.get(feature.name) == with_reading:
            yield Problem(
                what=f"feature {feature.name!r} would be missing in every row: all readings are older than {feature.max_age_seconds:,} s, "
                f"{_median_age(joined):,.0f} s at the median",
                where=f"charter.yaml, max_age_seconds of {feature.name!r}",
                fix="agree to use older readings, bring ones that arrive sooner, or do not declare the feature",
            )


def _joined_twice(parts: Sequence[pd.DataFrame]) -> Iterator[Problem]:
    for name, times in Counter(str(name) for part in parts for name in part.columns).items():
        if times > 1:
            yield Problem(what=f"column {name!r} stands in {times} of the joined readings", where="charter.yaml, data.joins", fix="rename or drop all but one")
