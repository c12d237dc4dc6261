from __future__ import annotations

from typing import Any

import pytest
from builders import PLAIN, a_charter

from poc.rules.arrival import late_features, order_of_arrival
from poc.rules.charter import Charter


def with_feature(**changes: Any) -> Charter:
    return a_charter(features=[{**PLAIN["features"][0], "name": "amount", **changes}])


def test_what_is_there_at_the_request_or_streamed_is_not_late() -> None:
    assert late_features(with_feature(available="at_request")) == late_features(with_feature(available="streamed")) == []


def test_what_is_known_only_after_the_fact_is_late() -> None:
    assert late_features(with_feature(available="after_the_fact")) == ["amount"]


@pytest.mark.parametrize(("delay", "age", "late"), [(3600, 3600, []), (3601, 3600, ["amount"]), (0, None, ["amount"])])
def test_a_batch_is_late_when_it_takes_longer_than_its_value_may_be_old(delay: int, age: int | None, late: list[str]) -> None:
    assert late_features(with_feature(available="batch", delay_seconds=delay, max_age_seconds=age)) == late


def test_rows_arrive_by_time_else_by_key_else_as_they_lie() -> None:
    assert order_of_arrival(a_charter(data={"time": "when", "key": "UDI"})) == "when"
    assert order_of_arrival(a_charter(data={"time": None, "key": "UDI"})) == "UDI"
    assert order_of_arrival(a_charter(data={"time": None, "key": None})) is None
