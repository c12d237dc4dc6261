"""Features built again as the live path would, reading by reading, on tables small enough to follow by eye."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import PLAIN, a_charter

from poc.rules.charter import Charter
from poc.steps.live import Known, live_features
from poc.steps.replay import _ages

SENSORS = {"source": "sensors.csv", "by": ["line"], "event_time": "read_at", "arrived_time": "stored_at"}
#: Read at 8:00 and 9:00 and uploaded 45 minutes later; line B has been silent since yesterday.
READINGS = """line,read_at,stored_at,heat
007,2026-01-05T08:00,2026-01-05T08:45,20.5
007,2026-01-05T09:00,2026-01-05T09:45,21.5
B,2026-01-04T08:00,2026-01-04T08:45,30
"""
ROWS = pd.DataFrame({"UDI": [1, 2, 3, 4], "at": ["2026-01-05T08:30", "2026-01-05T09:30", "2026-01-05T10:00", "2026-01-05T10:00"], "heat": [1.0, 2.0, 3.0, 4.0]})
KEYS = pd.DataFrame({"line": ["007", "007", "007", "B"]})


def a_heat(data: dict[str, Any] | None = None, **changes: Any) -> Charter:
    heat = {**PLAIN["features"][0], "name": "heat", "available": "streamed", **changes}
    return a_charter(data={"time": "at", **(data or {})}, features=[heat])


def heat(charter: Charter, root: Path, rows: pd.DataFrame = ROWS) -> Known:
    return live_features(rows, KEYS if charter.data.joins else None, charter, root)["heat"]


def values(known: Known) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in known.values]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sensors.csv").write_text(READINGS)
    return tmp_path


def test_a_row_sees_what_had_arrived_by_then_whatever_ingest_wrote(root: Path) -> None:
    found = heat(a_heat({"joins": [SENSORS]}), root)
    assert (found.way, values(found)) == ("as readings arrived", [None, 20.5, 21.5, 30.0])
    assert found.age_seconds is not None and found.age_seconds.tolist() == pytest.approx([math.nan, 5400, 3600, 26 * 3600], nan_ok=True)


def test_a_request_states_how_old_what_is_known_is(root: Path) -> None:
    joined, own = heat(a_heat({"joins": [SENSORS]}), root), heat(a_heat(), root)
    assert [_ages({"heat": joined}, row) for row in range(4)] == [{}, {"heat": 5400.0}, {"heat": 3600.0}, {"heat": 93600.0}]
    assert _ages({"heat": own}, 1) == {}


def test_rows_may_come_in_any_order_and_keep_their_index(root: Path) -> None:
    backwards = ROWS.iloc[::-1]
    found = live_features(backwards, KEYS.iloc[::-1], a_heat({"joins": [SENSORS]}), root)["heat"]
    assert (values(found), found.values.index.tolist()) == ([30.0, 21.5, 20.5, None], [3, 2, 1, 0])


@pytest.mark.parametrize(("allowed", "expected"), [(5400, [None, 20.5, 21.5, None]), (5399, [None, None, 21.5, None])])
def test_a_reading_older_than_allowed_is_forgotten_with_its_age(allowed: int, expected: list[float | None], root: Path) -> None:
    found = heat(a_heat({"joins": [SENSORS]}, max_age_seconds=allowed), root)
    assert values(found) == expected
    assert found.age_seconds is not None and np.isnan(found.age_seconds).tolist() == [each is None for each in expected]


def test_readings_that_hardly_ever_take_as_long_as_declared_are_known_after_the_declared_delay(root: Path) -> None:
    at_the_gateway = READINGS.replace(":45,", ":00,")
    (root / "sensors.csv").write_text(at_the_gateway)
    found = heat(a_heat({"joins": [SENSORS]}, delay_seconds=2700), root)
    assert values(found) == [None, 20.5, 21.5, 30.0]
    assert found.why == "hardly any reading takes even half of the 2,700 s of delay_seconds: 0 s at the median, by 'stored_at'"
    assert values(heat(a_heat({"joins": [SENSORS]}), root)) == [20.5, 21.5, 21.5, 30.0]


def test_each_feature_of_one_source_has_its_own_delay(root: Path) -> None:
    (root / "sensors.csv").write_text(
        READINGS.replace(":45,", ":00,").replace("heat", "heat,cold").replace("20.5", "20.5,1").replace("21.5", "21.5,2").replace(",30\n", ",30,3\n")
    )
    late, prompt = ({**PLAIN["features"][0], "name": name, "available": "streamed", "delay_seconds": delay} for name, delay in (("heat", 2700), ("cold", 0)))
    found = live_features(ROWS, KEYS, a_charter(data={"time": "at", "joins": [SENSORS]}, features=[late, prompt]), root)
    assert (values(found["heat"]), values(found["cold"])) == ([None, 20.5, 21.5, 30.0], [1.0, 2.0, 2.0, 3.0])


def test_a_column_that_readings_are_matched_by_is_one_of_the_rows(root: Path) -> None:
    line = {**PLAIN["features"][0], "name": "line", "kind": "category"}
    found = live_features(ROWS.assign(line="007"), KEYS, a_charter(data={"time": "at", "joins": [SENSORS]}, features=[line]), root)["line"]
    assert (found.way, found.values.tolist()) == ("with the request", ["007"] * 4)


def test_of_a_delayed_column_of_the_rows_earlier_rows_of_the_same_group_are_known(root: Path) -> None:
    rows = ROWS.assign(line=["A", "A", "A", "B"])
    assert values(heat(a_heat({"group": "line"}, delay_seconds=3600), root, rows)) == [None, 1.0, 1.0, None]
    assert values(heat(a_heat({"group": "line"}, delay_seconds=1800), root, rows)) == [None, 1.0, 2.0, None]
    assert values(heat(a_heat({"group": "line"}, delay_seconds=1800, max_age_seconds=3599), root, rows)) == [None, None, 2.0, None]


def test_without_a_group_nothing_is_known_of_a_delayed_column_that_may_not_be_so_old(root: Path) -> None:
    found = heat(a_heat(delay_seconds=2700), root)
    assert (found.way, values(found)) == ("not in time", [None] * 4)
    assert "it arrives 2,700 s late, and the charter does not allow a value as old as that" in found.why


def test_what_comes_with_the_request_or_is_taken_at_its_word_is_what_the_row_holds(root: Path) -> None:
    why = "The historian keeps what the panel showed when the part was decided."
    for charter, way in (
        (a_heat(), "with the request"),
        (a_heat(delay_seconds=10, max_age_seconds=60), "on its owner's word"),
        (a_heat({"group": "line"}, delay_seconds=2700, why_it_is_known_in_time=why), "on its owner's word"),
    ):
        found = heat(charter, root, ROWS.assign(line="A"))
        assert (found.way, values(found)) == (way, [1.0, 2.0, 3.0, 4.0])
