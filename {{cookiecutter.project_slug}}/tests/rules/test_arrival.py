"""When features arrive, by what the charter declares and by what their readings say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import PLAIN, a_charter

from poc.rules.arrival import arrives_as_declared, known_from, late_features, never_in_time, order_of_arrival, way_to_know
from poc.rules.charter import Charter

WITH_ROWS_OF_A_LINE = {"time": "when", "group": "line"}
WHY = "The historian keeps what the panel showed when the part was decided."


def with_feature(data: dict[str, Any] | None = None, **changes: Any) -> Charter:
    return a_charter(features=[{**PLAIN["features"][0], "name": "amount", **changes}], data=data or {})


def test_what_is_there_at_the_request_or_streamed_comes_in_time() -> None:
    assert never_in_time(with_feature(available="at_request")) == never_in_time(with_feature(available="streamed")) == []


def test_what_is_known_only_after_the_fact_never_comes_in_time() -> None:
    assert never_in_time(with_feature(available="after_the_fact")) == ["amount"]


@pytest.mark.parametrize(("delay", "age", "named"), [(3600, 3600, []), (3601, 3600, ["amount"]), (0, None, ["amount"])])
def test_a_batch_does_not_come_in_time_when_it_takes_longer_than_its_value_may_be_old(delay: int, age: int | None, named: list[str]) -> None:
    assert never_in_time(with_feature(available="batch", delay_seconds=delay, max_age_seconds=age)) == named


@pytest.mark.parametrize(("available", "named"), [("at_request", []), ("streamed", ["amount"]), ("batch", ["amount"])])
def test_what_does_not_come_with_the_request_is_late(available: str, named: list[str]) -> None:
    assert late_features(with_feature(available=available)) == named


@pytest.mark.parametrize(
    ("data", "changes", "way"),
    [
        (WITH_ROWS_OF_A_LINE, {"available": "at_request", "delay_seconds": 2700}, "with the request"),
        (WITH_ROWS_OF_A_LINE, {"delay_seconds": 0}, "with the request"),
        (WITH_ROWS_OF_A_LINE, {"delay_seconds": 2700, "why_it_is_known_in_time": WHY}, "on its owner's word"),
        (WITH_ROWS_OF_A_LINE, {"delay_seconds": 2700, "max_age_seconds": 3600}, "from earlier rows"),
        ({"time": "when"}, {"delay_seconds": 2700, "max_age_seconds": 2700}, "on its owner's word"),
        ({"group": "line"}, {"delay_seconds": 2700, "max_age_seconds": 2699}, "not in time"),
        ({"time": "when"}, {"delay_seconds": 2700}, "not in time"),
        ({}, {"delay_seconds": 1}, "not in time"),
    ],
)
def test_a_column_of_the_rows_is_known_in_a_way_that_the_charter_decides(data: dict[str, Any], changes: dict[str, Any], way: str) -> None:
    charter = with_feature(data, **{"available": "streamed", **changes})
    assert way_to_know(charter.features[0], charter) == way


@pytest.mark.parametrize(("took_as_long", "is_believed"), [(4, False), (5, True), (100, True)])
def test_moments_of_arrival_are_believed_where_a_twentieth_takes_half_as_long_as_declared(took_as_long: int, is_believed: bool) -> None:
    delays = np.array([1350.0] * took_as_long + [1349.0] * (100 - took_as_long))
    assert arrives_as_declared(delays, 2700) == is_believed


def test_a_delay_that_was_declared_longer_than_any_reading_takes_contradicts_no_arrival() -> None:
    event = np.array([0, 600, 1200])
    arrived = event + np.array([2600, 2650, 2699])
    assert known_from(event, arrived, 2700, 1.0).tolist() == [2600, 3250, 3899]


def test_without_readings_nothing_contradicts_the_charter() -> None:
    assert arrives_as_declared(np.empty(0), 2700)


def test_a_reading_is_known_from_its_arrival_on_or_the_declared_delay_after_its_event_where_that_is_not_believed() -> None:
    event, arrived = np.array([0, 300_000_000]), np.array([1_000_000, 5_000_000_000])  # after one second, and 4,700 later: in microseconds
    assert known_from(event, arrived, 2700, 1e6).tolist() == arrived.tolist()
    assert known_from(event, event + 1_000_000, 2700, 1e6).tolist() == [2_700_000_000, 3_000_000_000]


def test_rows_arrive_by_time_else_by_key_else_as_they_lie() -> None:
    assert order_of_arrival(a_charter(data={"time": "when", "key": "UDI"})) == "when"
    assert order_of_arrival(a_charter(data={"time": None, "key": "UDI"})) == "UDI"
    assert order_of_arrival(a_charter(data={"time": None, "key": None})) is None
