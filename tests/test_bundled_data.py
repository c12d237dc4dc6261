"""The data that the scenarios bring is what its cards say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from baking import GENERATED, bake, poc
from make_bundled_data import OWN_DATA, PRODUCTION_LINE, customers

OWN_CHARTER = (GENERATED / "scenarios/own-data/charter.yaml").read_text()
FAILURE_TYPE = """  - name: Failure Type
    kind: category
    source: Failure analysis, entered once the part has failed.
    available: {available}
    owner: bo.becker@example.com
"""


def test_the_example_to_be_replaced_can_be_made_again() -> None:
    pd.testing.assert_frame_equal(pd.read_csv(OWN_DATA), customers(), check_dtype=False)


def test_the_example_to_be_replaced_is_as_its_card_says() -> None:
    rows = pd.read_csv(OWN_DATA)
    assert len(rows) == 3_000
    assert (rows["outcome"] == "yes").sum() == 253
    assert set(rows.columns[rows.isna().any()]) == {"amount", "channel"}


def test_the_example_charter_seals_as_many_positives_as_it_says() -> None:
    share = float(re.findall(r"sealed_share: (\S+)", OWN_CHARTER)[0])
    positives = int((pd.read_csv(OWN_DATA)["outcome"] == "yes").sum())
    assert f"# {round(share * positives)} of the example's {positives} positives" in OWN_CHARTER


@pytest.mark.parametrize("column", ["visits", "amount"])
def test_the_example_charter_and_its_card_mean_the_same_by_a_column(column: str) -> None:
    unit = re.findall(rf"\| `{column}` \| (.*?) \|", (GENERATED / "scenarios/own-data/data/DATA_CARD.md").read_text())[0]
    source = re.findall(rf"name: {column}\n.*\n +source: (.*)", OWN_CHARTER)[0]
    assert unit in source


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bake(tmp_path_factory.mktemp("baked"))


def declaring(project: Path, available: str) -> None:
    """Declare the failure type, which the source holds and a decision cannot know, as the last feature."""
    charter = re.sub(r"  - name: Failure Type\n(?:    .*\n)+", "", (project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(charter.replace("\nstages:", FAILURE_TYPE.format(available=available) + "\nstages:"))


def test_a_failure_type_known_after_the_fact_is_refused_by_the_charter(project: Path) -> None:
    declaring(project, "after_the_fact")
    done = poc(project, "charter")
    assert done.returncode == 3
    assert "feature 'Failure Type' is known only after the decision" in done.stderr


@pytest.mark.slow
def test_a_failure_type_said_to_be_known_at_request_is_refused_because_it_gives_the_answer_away(project: Path) -> None:
    declaring(project, "at_request")
    assert [poc(project, step).returncode for step in ("charter", "ingest", "validate")] == [0, 0, 4]
    report = json.loads(next((project / ".poc/runs").rglob("validation/report.json")).read_text())
    assert report["refusal_code"] == "no_column_gives_the_answer_away"
    assert ["'Failure Type'" in problem["what"] for problem in report["problems"]] == [True]


def test_the_production_line_is_as_its_card_says() -> None:
    rows = pd.read_parquet(PRODUCTION_LINE)
    failed = rows["Target"] == 1
    assert rows.shape == (10_000, 10)
    assert failed.sum() == 339
    assert (failed & (rows["Failure Type"] == "No Failure")).sum() == 9
    assert (~failed & (rows["Failure Type"] == "Random Failures")).sum() == 18
    assert not rows.isna().any(axis=None)


def test_made_up_data_is_called_made_up() -> None:
    assert "**Synthetic data.**" in (GENERATED / "data/DATA_CARD.md").read_text()
    assert "**Made up" in (GENERATED / "scenarios/own-data/data/DATA_CARD.md").read_text()
