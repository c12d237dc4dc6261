"""What is known at a moment, reading by reading, against the join that looks at all of them at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.charter import Join
from poc.rules.online_store import OnlineStore, Stream, known_at
from poc.tools.frames import join_as_of_arrival

JOIN = Join(source="data/sensors.csv", by=["line"], event_time="event", arrived_time="arrived")
MOMENTS = st.integers(0, 8)


def a_stream(*readings: tuple[str, int, int]) -> Stream:
    keys, event, arrived = zip(*readings, strict=True) if readings else ((), (), ())
    return Stream(keys=keys, event=np.array(event, dtype=np.int64), arrived=np.array(arrived, dtype=np.int64))


def test_nothing_is_known_of_a_key_before_its_first_reading_arrives() -> None:
    readings = a_stream(("A", 0, 45), ("B", 0, 10))
    assert known_at(readings, ["A", "A", "A", "C"], np.array([10, 44, 45, 99])).tolist() == [-1, -1, 0, -1]


def test_a_late_reading_replaces_no_newer_one_and_one_of_the_same_event_is_a_correction() -> None:
    readings = a_stream(("A", 9, 10), ("A", 8, 20), ("A", 9, 30))
    assert known_at(readings, ["A"] * 3, np.array([15, 25, 35])).tolist() == [0, 0, 2]


def test_decisions_are_answered_in_the_order_in_which_they_are_asked() -> None:
    readings = a_stream(("A", 5, 5), ("A", 1, 1))
    assert known_at(readings, ["A", "A", "A"], np.array([9, 0, 3])).tolist() == [0, -1, 1]


def test_without_readings_nothing_is_known() -> None:
    assert known_at(a_stream(), ["A"], np.array([1])).tolist() == [-1]
    assert OnlineStore().newest("A") is None


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("AB"), MOMENTS, MOMENTS), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from("ABC"), MOMENTS), min_size=1, max_size=6),
)
def test_reading_by_reading_the_same_is_known_as_by_the_join(given_readings: list[tuple[str, int, int]], asked: list[tuple[str, int]]) -> None:
    rows = pd.DataFrame(asked, columns=["line", "at"])
    readings = pd.DataFrame(given_readings, columns=["line", "event", "delay"]).assign(arrived=lambda each: each["event"] + each.pop("delay"))
    readings = readings.drop_duplicates(["line", "event", "arrived"], ignore_index=True).assign(number=lambda each: each.index)
    stream = a_stream(*readings[["line", "event", "arrived"]].itertuples(index=False, name=None))
    found = join_as_of_arrival(rows, readings, JOIN, "at", {}).columns["number"]
    assert known_at(stream, rows["line"].tolist(), rows["at"].to_numpy()).tolist() == found.fillna(-1).astype(int).tolist()
