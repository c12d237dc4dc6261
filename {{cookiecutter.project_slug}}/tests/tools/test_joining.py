"""Joining as of arrival: what each row sees, against a loop that looks at every reading, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.errors import InputRefused
from poc.rules.charter import Join
from poc.tools.frames import Joined, join_as_of_arrival

JOIN = Join(source="data/sensors.csv", by=["line"], event_time="event", arrived_time="arrived")
MINUTE = pd.Timedelta("1min")
START = pd.Timestamp("2026-01-01")
#: Temperature read at 8:00 and 9:00; the later reading arrives first, the earlier one is 45 minutes on its way.
ROWS = pd.DataFrame({"at": ["2026-01-05T09:10", "2026-01-05T09:50", "2026-01-05T08:10"], "line": ["A", "A", "B"]})
READINGS = pd.DataFrame(
    {
        "line": ["A", "A", "B"],
        "event": ["2026-01-05T09:00", "2026-01-05T08:00", "2026-01-05T08:00"],
        "arrived": ["2026-01-05T09:01", "2026-01-05T09:45", "2026-01-05T08:45"],
        "temperature": ["21.5", "20.5", "30.5"],
    }
)


def joined(rows: pd.DataFrame = ROWS, readings: pd.DataFrame = READINGS, join: Join = JOIN, **max_age_seconds: float) -> Joined:
    return join_as_of_arrival(rows, readings, join, "at", max_age_seconds)


def temperatures(found: Joined) -> list[float]:
    return [float(each) for each in found.columns["temperature"]]


def by_looking_at_every_reading(rows: pd.DataFrame, readings: pd.DataFrame, *, until: str = "arrived") -> list[float]:
    """Among the readings of a row's line that were there by its time, return the latest event's; of one event, what arrived last."""
    found = []
    for row in rows.itertuples():
        there = [each for each in readings.to_dict("records") if each["line"] == row.line and each[until] <= row.at]
        found.append(max(there, key=lambda each: (each["event"], each["arrived"]))["temperature"] if there else math.nan)
    return found


def test_a_late_reading_does_not_replace_a_newer_one_and_one_of_another_line_is_not_seen() -> None:
    assert [str(each) for each in joined().columns["temperature"]] == ["21.5", "21.5", "nan"]


def test_only_the_readings_own_columns_are_joined_in_the_order_of_the_rows() -> None:
    found = joined(ROWS.iloc[::-1])
    assert found.columns.columns.tolist() == ["temperature"]
    assert found.columns.index.tolist() == [2, 1, 0]
    assert math.isnan(temperatures(found)[0])


def test_the_age_counts_from_the_event() -> None:
    np.testing.assert_array_equal(joined().age_seconds, [600.0, 3000.0, np.nan])


def test_a_reading_older_than_allowed_is_missing_and_one_just_as_old_is_not() -> None:
    assert [math.isnan(each) for each in temperatures(joined(temperature=599))] == [True, True, True]
    assert [math.isnan(each) for each in temperatures(joined(temperature=600, humidity=0))] == [False, True, True]


def test_rows_whose_reading_is_too_old_are_counted_by_column() -> None:
    assert joined(temperature=600, humidity=0).rows_too_old == {"temperature": 1}


def test_every_reading_says_how_long_it_took_to_arrive() -> None:
    assert joined().delay_seconds.tolist() == [60.0, 6300.0, 2700.0]


def test_a_reading_of_the_same_event_that_arrives_later_corrects_the_first() -> None:
    again = READINGS.head(1).assign(arrived="2026-01-05T09:30", temperature="22.5")
    assert temperatures(joined(readings=pd.concat([again, READINGS])))[:2] == [21.5, 22.5]


def test_a_reading_that_arrives_at_the_very_moment_is_there() -> None:
    assert temperatures(joined(ROWS.assign(at="2026-01-05T09:01").head(1))) == [21.5]


def factory(late: pd.Timedelta) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four lines over a day, 300 decisions, and a temperature every five minutes that is uploaded late."""
    draw = np.random.default_rng(0)
    event = START + pd.to_timedelta(np.arange(0, 60 * 24, 5), "min")
    parts = [pd.DataFrame({"line": f"line {number}", "event": event, "temperature": draw.normal(0, 1, len(event)).cumsum()}) for number in range(4)]
    readings = pd.concat(parts, ignore_index=True)
    readings["arrived"] = readings["event"] + late + pd.to_timedelta(draw.integers(0, 20, len(readings)), "min")
    rows = pd.DataFrame({"at": START + pd.to_timedelta(draw.integers(0, 60 * 24, 300), "min"), "line": [f"line {each}" for each in draw.integers(0, 4, 300)]})
    return rows, readings.sample(frac=1.0, random_state=1, ignore_index=True)


@pytest.mark.slow
def test_of_a_sensor_that_uploads_late_each_row_sees_what_a_loop_over_all_readings_finds() -> None:
    rows, readings = factory(late=45 * MINUTE)
    found = joined(rows, readings)
    np.testing.assert_array_equal(temperatures(found), by_looking_at_every_reading(rows, readings))
    assert np.nanmin(found.age_seconds) >= 45 * 60


@pytest.mark.slow
def test_by_the_time_of_the_event_most_rows_would_see_what_had_not_arrived() -> None:
    rows, readings = factory(late=45 * MINUTE)
    there = np.array(temperatures(joined(rows, readings)))
    leaked = np.array(by_looking_at_every_reading(rows, readings, until="event"))
    assert (there != leaked).mean() > 0.95


MOMENT = st.integers(0, 12)
READING = st.tuples(st.sampled_from("AB"), MOMENT, MOMENT, st.integers(0, 99))


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from("ABC"), MOMENT), min_size=1, max_size=8), st.lists(READING, min_size=1, max_size=12), st.booleans())
def test_whatever_arrives_in_whatever_order_each_row_sees_what_the_loop_finds(rows: list[Any], readings: list[Any], dated: bool) -> None:
    table = pd.DataFrame(rows, columns=["line", "at"])
    heard = pd.DataFrame([(line, event, event + delay, value) for line, event, delay, value in readings], columns=["line", "event", "arrived", "temperature"])
    heard = heard.drop_duplicates(["line", "event", "arrived"])
    expected = by_looking_at_every_reading(table, heard)
    if dated:
        table["at"] = START + pd.to_timedelta(table["at"], "s")
        heard = heard.assign(event=START + pd.to_timedelta(heard["event"], "s"), arrived=START + pd.to_timedelta(heard["arrived"], "s"))
    np.testing.assert_array_equal(temperatures(joined(table, heard)), expected)


def test_keys_are_compared_as_text_several_together_and_a_row_without_one_sees_nothing() -> None:
    rows = pd.DataFrame({"at": [5, 5, 5], "line": ["1", "2", None], "cell": ["x", "x", "x"]})
    readings = pd.DataFrame({"line": [1.0, 1.0, 2.0], "cell": ["x", "y", "y"], "event": 1, "arrived": 2, "temperature": [7.5, 8.5, 9.5]})
    found = temperatures(joined(rows, readings, JOIN.model_copy(update={"by": ["line", "cell"]})))
    np.testing.assert_array_equal(found, [7.5, np.nan, np.nan])


@pytest.mark.parametrize(
    "moments", [["2026-01-05T10:10+01:00"], pd.to_datetime(["2026-01-05T09:10"]), pd.to_datetime(["2026-01-05T10:10"]).tz_localize("Europe/Berlin")]
)
def test_moments_of_other_zones_and_types_are_compared_in_utc(moments: Any) -> None:
    found = joined(ROWS.head(1).assign(at=moments))
    assert (temperatures(found), found.age_seconds.tolist()) == ([21.5], [600.0])


def test_a_reading_that_never_arrives_is_never_seen() -> None:
    assert np.isnan(temperatures(joined(readings=READINGS.assign(arrived="9999-12-31")))).all()


def test_whole_numbers_and_codes_survive_rows_without_a_reading() -> None:
    found = joined(readings=READINGS.assign(count=[7, 8, 9], code=["007", "008", "009"])).columns
    assert found["count"].tolist()[:2] == [7, 7] and found["code"].tolist()[:2] == ["007", "007"]
    assert found.isna().all(axis=1).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("rows", "readings", "problems"),
    [
        (ROWS.drop(columns="line"), READINGS.drop(columns=["event", "arrived"]), ["no column 'line'", "no column 'event'", "no column 'arrived'"]),
        (ROWS.assign(temperature=1), READINGS, ["'temperature' stands in the rows and in the readings"]),
        (
            ROWS.assign(at="noon"),
            READINGS.assign(event="soon", arrived=None, line=""),
            ["3 of 3 values of 'at'", "3 of 3 values of 'event'", "3 of 3 values of 'arrived'", "3 of 3 readings have no 'line'"],
        ),
        (ROWS, READINGS.assign(event="2026-01-05T09:30"), ["2 of 3 readings arrived before their event, 2026-01-05T09:30 first"]),
        (ROWS.assign(at=[1, 2, 3]), READINGS, ["'at', 'event' and 'arrived' are numbers here and dates there"]),
        (
            ROWS,
            pd.concat([READINGS, READINGS, READINGS.tail(1).assign(temperature="9", event="2026-01-05T08:00:00Z")]),
            ["1 readings say something else than another of the same line, event and arrival"],
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_with_all_that_is_wrong(rows: pd.DataFrame, readings: pd.DataFrame, problems: list[str]) -> None:
    with pytest.raises(InputRefused) as caught:
        joined(rows, readings)
    assert len(caught.value.problems) == len(problems)
    assert all(expected in found.what for expected, found in zip(problems, caught.value.problems, strict=True))
