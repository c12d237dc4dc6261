"""From the source to three splits: what gets in, and what nobody can look at by accident."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from artifacts import LIMIT_NM, Run, ingested

from poc import layout
from poc.errors import InputRefused, Refused
from poc.rules.evidence import Splits
from poc.tools import files

Change = Callable[[pd.DataFrame], pd.DataFrame]


def split(run: Run, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.folder("data") / layout.SPLIT_FILES[name])


def test_every_row_of_the_source_stands_in_exactly_one_split(project: Path) -> None:
    run = ingested(project)
    keys = pd.concat([split(run, name)["UDI"] for name in layout.SPLIT_FILES])
    assert sorted(keys) == sorted(pd.read_csv(project / "data/parts.csv")["UDI"])


def test_a_column_that_is_not_declared_stands_in_no_split_and_is_named(project: Path) -> None:
    run = ingested(project, lambda parts: parts.assign(**{"Failure Type": parts["Target"]}))
    assert ["Failure Type" in split(run, name) for name in layout.SPLIT_FILES] == [False, False, False]
    assert run.read("data", layout.SPLITS_JSON, Splits).ignored_columns == ["Failure Type"]


def test_the_sealed_rows_hold_no_target_and_their_labels_lie_apart_in_the_same_order(project: Path) -> None:
    run = ingested(project)
    sealed, labels = split(run, "sealed"), pd.read_parquet(run.folder("sealed_labels") / layout.SEALED_LABELS)
    assert ("Target" in sealed, list(labels)) == (False, ["Target"])
    assert (labels["Target"] == (sealed["Torque [Nm]"] > LIMIT_NM)).all()


def test_the_same_source_is_split_the_same_way_again(project: Path) -> None:
    first = files.sha256_of_files(ingested(project).folder("data"), without=frozenset({layout.REPORT}))
    assert files.sha256_of_files(ingested(project).folder("data"), without=frozenset({layout.REPORT})) == first


def test_duplicate_keys_are_refused_and_no_row_is_written(project: Path) -> None:
    with pytest.raises(Refused) as caught:
        ingested(project, lambda parts: pd.concat([parts, parts.head(1)]))
    run = Run(root=project / "run")
    assert caught.value.code == run.report("ingest").refusal_code == "keys_are_unique"
    assert [path.name for artifact in ("data", "sealed_labels") for path in run.folder(artifact).iterdir()] == [layout.REPORT]


UNUSABLE: dict[str, tuple[Change, int]] = {
    "no rows": (lambda parts: parts.head(0), 1),
    "two declared columns missing": (lambda parts: parts.drop(columns=["Type", "Torque [Nm]"]), 2),
    "a row without an outcome": (lambda parts: parts.assign(Target=parts["Target"].where(parts["UDI"] > 0)), 1),
    "an outcome of three values": (lambda parts: parts.assign(Target=parts["UDI"] % 3), 1),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_source_that_cannot_be_used_is_refused_with_all_that_is_wrong(project: Path, name: str) -> None:
    change, problems = UNUSABLE[name]
    with pytest.raises(InputRefused) as caught:
        ingested(project, change)
    assert len(caught.value.problems) == problems
