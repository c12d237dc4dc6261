"""Rows and their readings: what a charter with joins brings into the splits, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import pytest
from artifacts import Run, ingested
from builders import PLAIN, a_plain_charter

from poc import layout
from poc.acts.draft_expectations import draft
from poc.errors import InputRefused
from poc.rules.evidence import Splits

SENSORS = {"source": "data/sensors.csv", "by": ["line"], "event_time": "read_at", "arrived_time": "stored_at"}
OIL = {"name": "oil", "kind": "number", "source": "Sensor of the line, uploaded late.", "available": "streamed", "owner": "bo@example.com"}
START = pd.Timestamp("2026-01-05")


@pytest.fixture
def line(project: Path) -> Path:
    """A project whose 400 parts leave two lines, one a minute; the oil is measured every half hour and uploaded 45 minutes late."""
    parts = pd.read_csv(project / "data/parts.csv")
    parts.assign(at=[f"{START + pd.Timedelta(minutes=number):%FT%H:%M}" for number in range(400)], line=["A", "B"] * 200).to_csv(
        project / "data/parts.csv", index=False
    )
    write_sensors(project, "sensors.csv", until="6h")
    declare(project, joins=[SENSORS])
    return project


def write_sensors(project: Path, name: str, *, until: str, **columns: Any) -> None:
    read_at = pd.date_range(START, START + pd.Timedelta(until), freq="30min").repeat(2)
    oil = (read_at - START).total_seconds() / 60
    sensors = pd.DataFrame({"line": ["A", "B"] * (len(read_at) // 2), "read_at": read_at, "stored_at": read_at + pd.Timedelta("45min"), "oil": oil})
    sensors.assign(**columns).to_csv(project / "data" / name, index=False)


def declare(project: Path, oil: dict[str, Any] = OIL, **data: Any) -> None:
    charter = a_plain_charter(data={"source": "data/parts.csv", "time": "at", **data}, features=[*PLAIN["features"], oil])
    (project / "charter.yaml").write_text(json.dumps(charter, indent=1))


def split(run: Run, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.folder("data") / layout.SPLIT_FILES[name])


def test_every_split_holds_what_had_arrived_when_the_row_was_decided(line: Path) -> None:
    run = ingested(line)
    for name in layout.SPLIT_FILES:
        rows = split(run, name)
        minute = (pd.to_datetime(rows["at"]) - START).dt.total_seconds() / 60
        expected = ((minute - 45) // 30 * 30).where(minute >= 45)
        assert rows["oil"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_the_report_says_how_many_rows_got_no_reading_and_how_old_the_others_are(line: Path) -> None:
    numbers = {number.name: number.value for number in ingested(line).report("ingest").numbers}
    assert numbers["without_reading_from_data/sensors.csv"] == 45
    assert numbers["median_age_of_data/sensors.csv"] == 60 * median(45 + minute % 30 for minute in range(400 - 45))


def test_a_reading_older_than_the_charter_allows_is_missing(line: Path) -> None:
    declare(line, OIL | {"max_age_seconds": 3600}, joins=[SENSORS])
    rows = pd.concat([split(ingested(line), name) for name in layout.SPLIT_FILES]).sort_values("UDI")
    age_min = (pd.to_datetime(rows["at"]) - START).dt.total_seconds() / 60
    age_min -= (age_min - 45) // 30 * 30
    assert rows["oil"].isna().tolist() == ((age_min > 60) | (rows["UDI"] < 45)).tolist()


def test_values_lost_to_their_age_are_counted_and_said(line: Path) -> None:
    declare(line, OIL | {"delay_seconds": 2700, "max_age_seconds": 3600}, joins=[SENSORS])
    report = ingested(line).report("ingest")
    ages_min = [45 + minute % 30 for minute in range(400 - 45)]
    too_old = sum(age > 60 for age in ages_min)
    assert {number.name: number.value for number in report.numbers}["too_old_for_oil"] == too_old
    assert (
        f"oil: {too_old} of 400 rows had a reading that was too old, so it is missing there; "
        f"readings are {60 * median(ages_min):,.0f} s old at the median, and 3,600 s are allowed" in report.headline
    )


@pytest.mark.parametrize(("allowed_min", "too_old", "is_said"), [(99, 0, False), (95, 4, False), (94, 5, True)])
def test_a_hundredth_of_the_values_lost_to_their_age_is_counted_only(allowed_min: int, too_old: int, is_said: bool, line: Path) -> None:
    write_sensors(line, "sensors.csv", until="5h")  # the last part, of minute 399, sees what was measured in minute 300
    declare(line, OIL | {"delay_seconds": 2700, "max_age_seconds": 60 * allowed_min}, joins=[SENSORS])
    report = ingested(line).report("ingest")
    assert {number.name: number.value for number in report.numbers}["too_old_for_oil"] == too_old
    assert ("too old" in report.headline) == is_said


@pytest.mark.parametrize("perform", [ingested, lambda line: draft(line, force=True)], ids=["ingest", "draft-expectations"])
def test_a_feature_whose_readings_are_all_too_old_is_refused_by_name(perform: Callable[[Path], object], line: Path) -> None:
    declare(line, OIL | {"delay_seconds": 60, "max_age_seconds": 2699}, joins=[SENSORS])
    with pytest.raises(InputRefused, match=r"(?s)feature 'oil' would be missing in every row: all readings are older than 2,699 s.*max_age_seconds of 'oil'"):
        perform(line)


@pytest.mark.parametrize(("declared", "is_said"), [(0, True), (2699, True), (2700, False), (3000, False)])
def test_a_delay_that_is_longer_than_declared_is_said(declared: int, is_said: bool, line: Path) -> None:
    declare(line, OIL | {"delay_seconds": declared}, joins=[SENSORS])
    report = ingested(line).report("ingest")
    assert {number.name: number.value for number in report.numbers}["median_delay_of_data/sensors.csv"] == 2700
    assert (f"oil arrives 2,700 s late at the median, and delay_seconds says {declared:,}" in report.headline) == is_said


@pytest.mark.parametrize("key", ["UDI", None])
def test_longer_readings_with_more_columns_deal_no_new_cards(key: str | None, line: Path) -> None:
    declare(line, joins=[SENSORS], key=key)
    found = []
    for until, more in (("6h", {}), ("5h", {"oil": 7.0}), ("9h", {"pressure": 1.5})):
        write_sensors(line, "sensors.csv", until=until, **more)
        run = ingested(line)
        found.append(([split(run, name)["at"].tolist() for name in layout.SPLIT_FILES], run.read("data", layout.SPLITS_JSON, Splits).sealed_rows_sha256))
    assert found[0] == found[1] == found[2]


def test_the_contract_is_drafted_from_the_same_rows(line: Path) -> None:
    draft(line, force=True)
    suite = json.loads((line / layout.SUITE).read_text())
    assert "oil" in {each["kwargs"].get("column") for each in suite["expectations"]}


def test_a_joined_column_that_is_not_declared_is_named_and_not_used(line: Path) -> None:
    write_sensors(line, "sensors.csv", until="6h", pressure=1.5)
    run = ingested(line)
    assert "pressure" in run.read("data", layout.SPLITS_JSON, Splits).ignored_columns
    assert "pressure" not in split(run, "train")


def test_all_that_is_wrong_with_several_sources_is_said_at_once(line: Path) -> None:
    write_sensors(line, "more.csv", until="6h", oil=None)
    write_sensors(line, "other.csv", until="6h", line="C")
    (line / "data/swapped.csv").write_text("line,read_at,stored_at,heat\nA,2026-01-05T01:00,2026-01-05T00:00,1\n")
    declare(line, joins=[SENSORS | {"source": f"data/{name}.csv"} for name in ("sensors", "more", "other", "swapped", "gone")])
    with pytest.raises(InputRefused) as caught:
        ingested(line)
    assert [(problem.what.split(":")[0], problem.where.split("/")[-1]) for problem in caught.value.problems] == [
        ("none of the 400 rows has a reading that had arrived by then", "other.csv"),
        ("1 of 1 readings arrived before their event, 2026-01-05T01", "swapped.csv"),
        (f"there is no file {line / 'data/gone.csv'}", "charter.yaml, data.joins"),
        ("column 'oil' stands in 2 of the joined readings", "charter.yaml, data.joins"),
    ]
