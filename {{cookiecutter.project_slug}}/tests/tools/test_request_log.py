"""The request log: complete Parquet files, turned over by rows and by time, the oldest of them gone when there are too many."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet

from poc.errors import EnvironmentRefused
from poc.rules.observed import Observation, Shadowed
from poc.tools.request_log import Bounds, RequestLog, log_files, prepare

MODEL = "ab" * 32


def rows(n: int, first: float = 0.0, **changed: Any) -> Observation:
    told = Observation(
        1_767_225_600.25, MODEL, True, {"Torque [Nm]": [first + i for i in range(n)], "Type": ["L"] * n}, ["probability"], [0.25] * n, [False] * n
    )
    return told._replace(**changed)


def written(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(each.path) for each in sorted(log_files(folder), key=lambda file: file.written)], ignore_index=True)


def test_rows_wait_until_there_are_enough_of_them(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path, bounds=Bounds(rows_per_file=5))
    assert (log.take(rows(4)), log_files(tmp_path)) == (0, [])
    log.take(rows(2, first=4.0))
    assert [(each.rows, Path(each.path).parent.name) for each in log_files(tmp_path)] == [(6, MODEL[:12])]
    assert list(written(tmp_path)["Torque [Nm]"]) == [0, 1, 2, 3, 4, 5]


def test_rows_wait_no_longer_than_was_said(tmp_path: Path) -> None:
    now = 0.0
    log = RequestLog(folder=tmp_path, bounds=Bounds(seconds_per_file=60.0), clock=lambda: now)
    log.take(rows(1))
    now = 59.0
    assert (log.write_what_waited(), log_files(tmp_path)) == (0, [])
    now = 60.0
    assert (log.write_what_waited(), len(log_files(tmp_path))) == (0, 1)


def test_each_model_has_a_folder_of_its_own(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path)
    log.take(rows(1))
    log.take(rows(1, model_sha256="cd" * 32))
    log.write_what_waited(everything=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["abababababab", "cdcdcdcdcdcd"]


def test_the_log_keeps_within_its_bounds_and_keeps_the_newest(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path, bounds=Bounds(rows_per_file=10, max_rows=30))
    for i in range(12):
        log.take(rows(10, first=10.0 * i))
    assert sum(each.rows for each in log_files(tmp_path)) == 30
    assert (written(tmp_path)["Torque [Nm]"].min(), written(tmp_path)["Torque [Nm]"].max()) == (90, 119)


@pytest.mark.parametrize("name", ["2026-all.parquet", "2026-11-27.parquet", "notes.parquet"])
def test_a_file_of_somebody_else_is_left_alone_and_costs_no_row(name: str, tmp_path: Path) -> None:
    theirs = tmp_path / MODEL[:12] / name
    theirs.parent.mkdir()
    theirs.write_bytes(b"compacted")
    log = RequestLog(folder=tmp_path, bounds=Bounds(rows_per_file=10, max_rows=20))
    assert [log.take(rows(10, first=10.0 * i)) for i in range(4)] == [0, 0, 0, 0]
    assert sum(each.rows for each in log_files(tmp_path)) == 20 and theirs.read_bytes() == b"compacted"
    one = max(each.size_bytes for each in log_files(tmp_path))
    RequestLog(folder=tmp_path, bounds=Bounds(rows_per_file=10, max_bytes=2 * one)).take(rows(10))
    assert sum(each.size_bytes for each in log_files(tmp_path)) <= 2 * one


def test_what_is_missing_is_null_and_types_are_the_models(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path)
    log.take(rows(2, columns={"Torque [Nm]": [float("nan"), 0.1], "Type": ["", "L"]}))
    log.write_what_waited(everything=True)
    held = parquet.read_table(log_files(tmp_path)[0].path)
    assert [(str(held.schema.field(name).type), held[name].is_null().to_pylist()) for name in ("Torque [Nm]", "Type")] == [
        ("float", [True, False]),
        ("string", [True, False]),
    ]
    table = written(tmp_path)
    assert str(table["poc.time"].iloc[0]) == "2026-01-01 00:00:00.250000+00:00"
    assert (table["poc.shadow_probability"].isna() & table["poc.shadow_decision"].isna()).all()


def test_a_shadow_stands_beside_what_was_told(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path)
    log.take(rows(1), Shadowed("cd" * 32, [0.75], [True]))
    log.write_what_waited(everything=True)
    row = written(tmp_path).iloc[0]
    assert (row["poc.probability"], row["poc.decision"], row["poc.shadow_probability"], row["poc.shadow_decision"]) == (0.25, False, 0.75, True)
    assert (row["poc.model_sha256"], row["poc.shadow_model_sha256"]) == (MODEL, "cd" * 32)


def test_several_classes_have_a_column_each_and_an_amount_no_decision(tmp_path: Path) -> None:
    log = RequestLog(folder=tmp_path)
    log.take(rows(1, outputs=["probability of good", "probability of scrap"], answers=[[0.25, 0.75]], decisions=["scrap"]))
    log.take(rows(1, model_sha256="cd" * 32, outputs=["estimate"], answers=[7.5], decisions=None))
    log.write_what_waited(everything=True)
    good, amount = (pd.read_parquet(tmp_path / name) for name in ("abababababab", "cdcdcdcdcdcd"))
    assert (good["poc.probability of good"][0], good["poc.probability of scrap"][0], good["poc.decision"][0]) == (0.25, 0.75, "scrap")
    assert amount["poc.estimate"][0] == 7.5 and "poc.decision" not in amount


def test_half_a_file_is_never_seen_and_rows_that_cannot_be_written_are_said_to_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_the_disk(_: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "write_table", fill_the_disk)
    log = RequestLog(folder=tmp_path, bounds=Bounds(rows_per_file=2))
    assert log.take(rows(2)) == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    assert (log.take(rows(2)), len(log_files(tmp_path))) == (0, 1)


def test_what_a_killed_observer_left_is_removed_once_nobody_can_be_writing_it(tmp_path: Path) -> None:
    names = [".20261127T120000.000001-7.parquet", ".20261127T120000.000002-7.parquet", ".mine.parquet"]
    (folder := tmp_path / "804ca071cea7").mkdir()
    for name in names:
        (folder / name).touch()
    for name in (names[0], names[2]):
        os.utime(folder / name, (0, 0))
    prepare(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names[1:])


def test_a_folder_that_takes_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentRefused, match="requests cannot be logged"):
        prepare(tmp_path / "file" / "log")
