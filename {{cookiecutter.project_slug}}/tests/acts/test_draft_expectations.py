"""Drafting the data contract from the source."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from artifacts import a_project
from builders import PLAIN, a_plain_charter

from poc import layout
from poc.acts.draft_expectations import draft
from poc.errors import InputRefused


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = a_project(tmp_path)
    (root / layout.SUITE).unlink(missing_ok=True)
    return root


def columns_of(suite: Path) -> set[str]:
    return {each["kwargs"]["column"] for each in json.loads(suite.read_text())["expectations"] if "column" in each["kwargs"]}


def test_the_draft_covers_the_declared_features_and_the_target_and_nothing_else(project: Path) -> None:
    assert columns_of(draft(project)) == {"Torque [Nm]", "Tool wear [min]", "Type", "Target"}


def expected_of(suite: Path, column: str) -> list[str]:
    return [each["type"] for each in json.loads(suite.read_text())["expectations"] if each["kwargs"].get("column") == column]


def test_codes_declared_as_a_category_get_a_set_and_no_range(project: Path) -> None:
    source = project / "data/parts.csv"
    pd.read_csv(source).assign(Type=["007", "7"] * 200).to_csv(source, index=False)
    suite = draft(project)
    assert ["in_set" in kind for kind in expected_of(suite, "Type") if "in_set" in kind or "between" in kind] == [True]
    assert '"007"' in suite.read_text()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([Decimal("0.5"), Decimal("1.5")] * 200, "number", "expect_column_values_to_be_between"),
        ([Decimal("0.5"), Decimal("1.5")] * 200, "category", "expect_column_values_to_be_in_set"),
        (pd.to_datetime(["2026-01-01", "2026-01-02"] * 200), "category", "expect_column_values_to_be_in_set"),
    ],
)
def test_decimals_and_moments_are_drafted_as_what_they_are_declared(values: Any, kind: str, expected: str, project: Path) -> None:
    features = [{**feature, "kind": kind} for feature in PLAIN["features"] if feature["name"] == "Type"]
    (project / "charter.yaml").write_text(json.dumps(a_plain_charter(data={"source": "data/parts.parquet"}, features=features)))
    pd.read_csv(project / "data/parts.csv").assign(Type=values).to_parquet(project / "data/parts.parquet")
    assert expected in expected_of(draft(project), "Type")


def test_values_that_are_no_numbers_are_refused_as_ingest_refuses_them(project: Path) -> None:
    source = project / "data/parts.csv"
    pd.read_csv(source).assign(**{"Torque [Nm]": "1,5"}).to_csv(source, index=False)
    with pytest.raises(InputRefused, match="400 of 400 values of 'Torque"):
        draft(project)


def test_a_target_that_is_never_positive_is_refused_as_ingest_refuses_it_with_all_else_that_is_wrong(project: Path) -> None:
    (project / "charter.yaml").write_text(json.dumps(a_plain_charter(data={"source": "data/parts.csv", "positive": "yes"})))
    source = project / "data/parts.csv"
    pd.read_csv(source).assign(**{"Torque [Nm]": "1,5"}).to_csv(source, index=False)
    with pytest.raises(InputRefused, match="the target 'Target' is never 'yes'") as caught:
        draft(project)
    assert len(caught.value.problems) == 2
    assert not (project / layout.SUITE).exists()


def test_a_contract_that_is_there_is_not_overwritten_unless_forced(project: Path) -> None:
    path = draft(project)
    path.write_text("edited by hand")
    with pytest.raises(InputRefused, match="already"):
        draft(project)
    assert path.read_text() == "edited by hand"
    assert draft(project, force=True).read_text() != "edited by hand"


def test_a_declared_column_that_the_source_lacks_is_named(project: Path) -> None:
    source = next((project / "data").glob("*.csv"))
    pd.read_csv(source).drop(columns="Type").to_csv(source, index=False)
    with pytest.raises(InputRefused, match="no column 'Type'"):
        draft(project)
