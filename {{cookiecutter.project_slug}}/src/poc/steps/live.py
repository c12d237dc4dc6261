"""Build each row's features again as the live path would: from what had arrived when the row was decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.problem import source
from poc.rules.arrival import Way, arrives_as_declared, known_from, way_to_know
from poc.rules.charter import Charter, Feature, Join
from poc.rules.online_store import Stream, known_at
from poc.tools import frames

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Known:
    """A feature's values as they were known when each row was decided, how that was found out, and what to say where training saw others.

    `age_seconds` has shape (n_rows,), NaN where nothing is known; None where nobody tells how old a value is.
    """

    values: pd.Series
    age_seconds: NDArray[np.float64] | None
    way: Way
    why: str
    where: str
    fix: str


def live_features(rows: pd.DataFrame, keys: pd.DataFrame | None, charter: Charter, root: Path) -> dict[str, Known]:
    """Return the features of rows of one split, by name; `keys` holds what each row shares with readings, as text.

    Nothing of `ingest` is used but moments and keys: readings are read again, and taken in one at a time, in the order of their arrival.
    """
    joined = {} if keys is None else dict(_as_readings_arrived(rows, keys, charter, root))
    return {feature.name: joined.get(feature.name) or _own(feature, rows, charter) for feature in charter.features}


def _as_readings_arrived(rows: pd.DataFrame, keys: pd.DataFrame, charter: Charter, root: Path) -> Iterator[tuple[str, Known]]:
    assert charter.data.time is not None  # checked with the charter
    decided, ticks = frames.clock(rows, charter.data.time)
    for join in charter.data.joins:
        readings = source.read_readings(join, root)
        event, arrived = (frames.clock(readings, name)[0] for name in (join.event_time, join.arrived_time))
        delays, of_row, of_reading = (arrived - event) / ticks, frames.keys(keys, join.by), frames.keys(readings, join.by)
        no_feature = {join.event_time, join.arrived_time, *join.by}
        found: dict[int | None, NDArray[np.intp]] = {}
        for feature in (each for each in charter.features if each.name in readings.columns and each.name not in no_feature):
            is_believed = arrives_as_declared(delays, feature.delay_seconds)
            delay = None if is_believed else feature.delay_seconds
            if delay not in found:
                known = known_from(event, arrived, feature.delay_seconds, ticks)
                found[delay] = known_at(Stream(keys=of_reading, event=event, arrived=known), of_row, decided)
            numbers, age_seconds = _young_enough(found[delay], event, decided, feature.max_age_seconds, ticks)
            yield (
                feature.name,
                Known(
                    values=frames.taken(readings[feature.name], numbers, rows.index),
                    age_seconds=age_seconds,
                    way="as readings arrived",
                    **(_source_changed(join) if is_believed else _arrival_not_believed(join, feature, float(np.median(delays)))),
                ),
            )


def _young_enough(
    numbers: NDArray[np.intp], event: NDArray[Any], decided: NDArray[Any], max_age_seconds: float | None, ticks: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Forget readings that are older than allowed; return those that are left, and how old each is."""
    age_seconds = np.full(len(numbers), np.nan)
    there = numbers >= 0
    age_seconds[there] = (decided[there] - event[numbers[there]]) / ticks
    too_old = age_seconds > (np.inf if max_age_seconds is None else max_age_seconds)
    return np.where(too_old, -1, numbers), np.where(too_old, np.nan, age_seconds)


def _own(feature: Feature, rows: pd.DataFrame, charter: Charter) -> Known:
    """Find out what was known of a column of the rows themselves."""
    way, values, late = way_to_know(feature, charter), rows[feature.name], f"it arrives {feature.delay_seconds:,} s late"
    said, age_seconds = {"why": "", "where": "", "fix": ""}, None
    if way == "from earlier rows":
        assert charter.data.time is not None and charter.data.group is not None  # what makes it this way
        moment, ticks = frames.clock(rows, charter.data.time)
        of_row = frames.keys(rows, [charter.data.group])
        numbers = known_at(Stream(keys=of_row, event=moment, arrived=known_from(moment, moment, feature.delay_seconds, ticks)), of_row, moment)
        numbers, age_seconds = _young_enough(numbers, moment, moment, feature.max_age_seconds, ticks)
        values = frames.taken(values, numbers, rows.index)
        said = _not_known_yet(feature, f"{late}, and until then only earlier rows of the same {charter.data.group} tell of it")
    elif way == "not in time":
        values = frames.taken(values, np.full(len(values), -1, dtype=np.intp), rows.index)
        said = _not_known_yet(feature, f"{late}, and the charter does not allow a value as old as that")
    return Known(values=values, age_seconds=age_seconds, way=way, **said)


def _source_changed(join: Join) -> dict[str, str]:
    return {
        "why": "the readings do not give what ingest joined",
        "where": join.source,
        "fix": "poc run, from the start: the readings have changed since ingest",
    }


def _arrival_not_believed(join: Join, feature: Feature, median_delay: float) -> dict[str, str]:
    return {
        "why": f"hardly any reading takes even half of the {feature.delay_seconds:,} s of delay_seconds: "
        f"{median_delay:,.0f} s at the median, by {join.arrived_time!r}",
        "where": f"charter.yaml, data.joins, {join.source}",
        "fix": f"name as arrived_time the column that says when a reading could first be used; if {join.arrived_time!r} does, "
        f"correct delay_seconds of {feature.name!r}: how long a reading usually takes",
    }


def _not_known_yet(feature: Feature, why: str) -> dict[str, str]:
    return {
        "why": why,
        "where": f"charter.yaml, features, {feature.name}",
        "fix": "bring the readings with the moments of their arrival and let data.joins join them (docs/builder.md, Readings that arrive late); "
        "if the rows already hold what was known by then, say how in why_it_is_known_in_time, in a sentence that the sponsor agrees to",
    }
