"""Joining as of arrival: each row sees the newest event among the readings that had arrived by its moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.errors import InputRefused, Problem
from poc.rules.charter import Join
from poc.tools.frames.cells import as_text
from poc.tools.frames.moments import clock_of, is_number, moments_of, ticks_of, time_problems
from poc.tools.frames.reading import column_problems

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The readings' columns, one row for each of the table's; how old each reading was in seconds, shape (n_rows,), NaN where there is none.

    `rows_too_old` counts by column the rows whose reading was older than allowed; `delay_seconds` is how long each reading took to arrive, shape (n_readings,).
    """

    columns: pd.DataFrame
    age_seconds: NDArray[np.float64]
    rows_too_old: Mapping[str, int]
    delay_seconds: NDArray[np.float64]


def side_by_side(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of the same rows beside each other."""
    import pandas as pd

    return pd.concat(parts, axis=1)


def join_as_of_arrival(table: pd.DataFrame, readings: pd.DataFrame, join: Join, time: str, max_age_seconds: Mapping[str, float]) -> Joined:
    """Take for each row, among the readings of its key that had arrived by its time, the one of the latest event.

    Not the one that arrived last: a reading that arrives out of order does not replace a newer one. One of the same event that arrives later does,
    because it corrects it. The moment of the event puts readings in order and tells their age; that they are known is decided by arrival alone.

    Args:
        table: one row per decision.
        readings: one row per reading.
        join: which columns both have, and the readings' moments.
        time: the table's column that says when a row is decided.
        max_age_seconds: by column, the age beyond which a reading is no longer used: it is missing.

    Raises:
        InputRefused: with all that keeps the two from being joined.
    """
    import pandas as pd

    if problems := _problems_of_columns(table, readings, join, time):
        raise InputRefused(problems)
    not_moments = [
        *time_problems(table, time),
        *time_problems(readings, join.event_time, join.source),
        *time_problems(readings, join.arrived_time, join.source),
    ]
    moments = [moments_of(values) for values in (table[time], readings[join.event_time], readings[join.arrived_time])]
    if problems := [*not_moments, *_keyless(readings, join), *([] if not_moments else _problems_of_moments(moments, readings, join, time))]:
        raise InputRefused(problems)
    decided, event, arrived = map(clock_of, moments)
    of_row, of_reading = _keys(table, readings, join.by)
    known = pd.DataFrame({"arrived": arrived, "event": event, "key": of_reading, "reading": np.arange(len(readings))})
    known = known.sort_values("arrived", kind="stable")
    known = known[known["event"] >= known.groupby("key")["event"].cummax()]
    asked = pd.DataFrame({"decided": decided, "key": of_row, "row": np.arange(len(table))}).sort_values("decided", kind="stable")
    found = pd.merge_asof(asked, known, left_on="decided", right_on="arrived", by="key").set_index("row").sort_index()
    columns = readings.drop(columns=_own(join)).reset_index(drop=True).reindex(found["reading"]).set_axis(table.index)
    second = ticks_of(moments[0])
    age_seconds = (found["decided"] - found["event"]).to_numpy(dtype=np.float64) / second
    too_old = {name: age_seconds > allowed for name, allowed in max_age_seconds.items() if name in columns}
    return Joined(
        columns=columns.assign(**{name: columns[name].mask(rows) for name, rows in too_old.items()}),
        age_seconds=age_seconds,
        rows_too_old={name: int(rows.sum()) for name, rows in too_old.items()},
        delay_seconds=(arrived - event) / second,
    )


def _problems_of_columns(table: pd.DataFrame, readings: pd.DataFrame, join: Join, time: str) -> list[Problem]:
    return [
        *column_problems(table, [time, *join.by], "data.joins"),
        *column_problems(readings, _own(join), join.source),
        *(
            Problem(
                what=f"column {name!r} stands in the rows and in the readings: which one is meant?",
                where=join.source,
                fix="rename or drop it in one of the two",
            )
            for name in readings.columns
            if name not in _own(join) and name in table.columns
        ),
    ]


def _own(join: Join) -> list[str]:
    """Name the columns that serve the join, and are not joined."""
    return [join.event_time, join.arrived_time, *join.by]


def _keyless(readings: pd.DataFrame, join: Join) -> Iterator[Problem]:
    for name in join.by:
        if missing := int((as_text(readings[name]) == "").sum()):
            yield Problem(
                what=f"{missing:,} of {len(readings):,} readings have no {name!r}: it is not known what they belong to",
                where=join.source,
                fix="give every reading its key, or drop those readings",
            )


def _problems_of_moments(moments: Sequence[pd.Series], readings: pd.DataFrame, join: Join, time: str) -> Iterator[Problem]:
    """Compare the moments of decision, event and arrival with each other, each of which is one."""
    if len({is_number(values) for values in moments}) > 1:
        yield Problem(
            what=f"{time!r}, {join.event_time!r} and {join.arrived_time!r} are numbers here and dates there: they cannot be compared",
            where=join.source,
            fix="write all three as ISO 8601, or all three as seconds since the same moment",
        )
        return
    _, event, arrived = map(clock_of, moments)
    if (early := arrived < event).any():
        yield Problem(
            what=f"{int(early.sum()):,} of {len(readings):,} readings arrived before their event, {readings[join.event_time][early].iloc[0]} first",
            where=join.source,
            fix="see whether the two columns are swapped, or whether two clocks or time zones differ",
        )
    alike = readings.assign(**{join.event_time: event, join.arrived_time: arrived}).drop_duplicates().duplicated(subset=_own(join))
    if alike.any():
        yield Problem(
            what=f"{int(alike.sum()):,} readings say something else than another of the same {', '.join(join.by)}, event and arrival",
            where=join.source,
            fix="keep one of each, or give them the moments at which they differ",
        )


def _keys(table: pd.DataFrame, readings: pd.DataFrame, names: Sequence[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give each key of rows and readings a number, compared as text; a row without a key gets one that no reading has."""
    import pandas as pd

    both = pd.DataFrame({name: np.concatenate([as_text(table[name]), as_text(readings[name])]) for name in names})
    number = both.groupby(list(names), sort=False).ngroup().to_numpy()
    return number[: len(table)], number[len(table) :]
