"""Drafting the data contract from the source."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from artifacts import a_project

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
