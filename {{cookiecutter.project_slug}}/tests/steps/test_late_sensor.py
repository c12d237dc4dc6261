"""A sensor that uploads 45 minutes late: whoever trains on what had not arrived is refused, and told what it costs."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from artifacts import Run
from late_sensor import AT_THE_GATEWAY, DELAY_SECONDS, SENSORS, a_line, joined_on_event_time, up_to

from poc import layout
from poc.errors import Refused
from poc.problem import source
from poc.rules.charter import Charter
from poc.rules.evidence import Evaluation, Rehearsal
from poc.steps.perform import LOGGED_BY_LAUNCHER
from poc.steps.replay import replay
from poc.tools.frames import read_table

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture(autouse=True)
def _without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", LOGGED_BY_LAUNCHER):
        monkeypatch.delenv(name, raising=False)


def judged(root: Path, **careless: object) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(a_line(root, **careless))
        return up_to(root, "evaluate")


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train on readings that are said to arrive when the gateway has them."""
    return judged(tmp_path_factory.mktemp("careless") / "line", joins=[AT_THE_GATEWAY])


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train on readings as they arrive where models are asked."""
    return judged(tmp_path_factory.mktemp("careful") / "line", joins=[SENSORS])


def refusal(run: Run, candidate: Run, into: Path) -> str:
    """Replay a project's dev rows with a model that saw the temperature as it was at each part's moment."""
    with pytest.raises(Refused) as caught:
        replay(agreement=run.folder("agreement"), data=run.folder("data"), candidate=candidate.folder("candidate"), rehearsal=into)
    assert caught.value.code == "live_features_equal_batch"
    (problem,) = caught.value.problems
    assert "feature 'temperature' was not known as training saw it" in problem.what
    return str(problem)


def auc(said: str) -> tuple[float, float]:
    found = re.search(r"AUC (\d\.\d\d) instead of (\d\.\d\d)", said)
    assert found, said
    return float(found[1]), float(found[2])


def test_an_arrival_that_is_not_the_one_models_are_asked_by_is_refused(careless: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(careless.root.parent)
    said = refusal(careless, careless, tmp_path)
    live, batch = auc(said)
    assert (live, batch) == (pytest.approx(0.70, abs=0.03), pytest.approx(0.84, abs=0.03))
    earned, promised = (float(each.replace(",", "")) for each in re.findall(r"\+(\d+,\d+)", said))
    assert earned < 0.5 * promised
    assert "hardly any reading takes even half of the 2,700 s of delay_seconds: 2 s at the median, by 'received_at'" in said


def test_a_table_joined_on_event_time_is_held_against_earlier_rows_of_its_line(careless: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(a_line(tmp_path / "line", is_joined_already=True, group="line"))
    said = refusal(up_to(Path.cwd(), "ingest"), careless, tmp_path)
    live, batch = auc(said)
    assert live < 0.7 and batch > 0.8
    assert "it arrives 2,700 s late, and until then only earlier rows of the same line tell of it" in said


def test_a_join_on_event_time_in_the_source_is_refused_as_missing(careless: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(charter: Charter, root: Path) -> pd.DataFrame:
        return joined_on_event_time(read_table(root / charter.data.source), read_table(root / "data/sensors.parquet"))

    monkeypatch.setattr(source, "read", read)
    monkeypatch.chdir(a_line(tmp_path / "line"))
    said = refusal(up_to(Path.cwd(), "ingest"), careless, tmp_path)
    live, batch = auc(said)
    assert live < 0.7 and batch > 0.8
    assert "100\u00a0%" in said and "the charter does not allow a value as old as that" in said


def test_readings_joined_as_they_arrive_are_known_as_trained(careful: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(careful.root.parent)
    report = careful.perform("replay")
    found = careful.read("rehearsal", layout.REHEARSAL_JSON, Rehearsal)
    assert {each.name: each.known for each in found.live} == {"temperature": "as readings arrived", "load": "with the request"}
    assert (found.late_features, found.decisions_differing) == (["temperature"], 0)
    (without,) = found.silences
    assert without.money is not None and found.money is not None and without.money.middle < 0.6 * found.money.middle
    judged_on_dev = careful.read("candidate", layout.EVALUATION_JSON, Evaluation)
    assert found.money == next(each.money.per_period for each in judged_on_dev.assessments if each.variant == judged_on_dev.frozen)
    assert "without temperature: " in report.headline


def test_what_the_charter_says_was_known_is_taken_at_its_word(careless: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why = {"why_it_is_known_in_time": "The historian keeps what the panel showed when each part was finished."}
    monkeypatch.chdir(a_line(tmp_path / "line", is_joined_already=True, group="line", temperature=why))
    run = up_to(Path.cwd(), "ingest")
    replay(agreement=run.folder("agreement"), data=run.folder("data"), candidate=careless.folder("candidate"), rehearsal=tmp_path)


def test_readings_that_changed_since_ingest_are_noticed(careful: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    sensors = pd.read_parquet(careful.root.parent / "data/sensors.parquet")
    sensors.loc[sensors["line"] == 3, "temperature"] += 1
    sensors.to_parquet(tmp_path / "data/sensors.parquet", index=False)
    monkeypatch.chdir(tmp_path)
    said = refusal(careful, careful, tmp_path)
    assert "the readings do not give what ingest joined" in said and "by up to 1" in said and "part " in said


def test_the_delay_of_the_test_is_that_of_the_charter(careful: Run) -> None:
    numbers = {number.name: number.value for number in careful.report("ingest").numbers}
    assert numbers["median_delay_of_data/sensors.parquet"] == DELAY_SECONDS
