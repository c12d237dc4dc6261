"""Registration: one version per candidate and run, with the bytes that were judged and all that is needed to believe them."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from artifacts import WRONG, Run, a_run, changed, killed_at
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from poc import layout
from poc.errors import EnvironmentRefused, Refused
from poc.rules.evidence import Candidate, Timings, Verdict, Version
from poc.steps import STEPS
from poc.steps.copies import held_by_mlflow
from poc.steps.perform import LOGGED_BY_LAUNCHER
from poc.steps.vouch import ledger_in
from poc.tools import files, tracking
from signoffs import a_signed_charter

PROJECT = "stop-bad-parts"


@pytest.fixture
def mlflow_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    run_id = tracking.open_run(PROJECT, name="a run", candidate=True)
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    return run_id


def judged(project: Path, *, slope: float = 1.0) -> Run:
    run = a_run(project / "run", slope=slope)
    run.perform("gate")
    return run


def versions() -> list[ModelVersion]:
    client = MlflowClient(tracking.tracking_uri())
    return [client.get_model_version(PROJECT, each.version) for each in client.search_model_versions(f"name = '{PROJECT}'")]


def is_about(page: str, description: str) -> bool:
    """Say whether a description begins as the brief does, holds what was not proven, and ends with the way to all of it."""
    head, not_proven = page.partition("\n\n### ")[0], page.partition("### Not proven\n\n")[2].partition("\n\n")[0]
    ends = f"/artifacts/evidence/register/{layout.BRIEF_HTML}?workflowType" in description.rstrip().rpartition("\n")[2]
    return description.startswith(head) and not_proven in description and bool(not_proven) and ends


def test_a_go_makes_one_version_with_tags_alias_and_description(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    run.perform("register")
    frozen, (version,) = run.read("candidate", layout.CANDIDATE_JSON, Candidate), versions()
    expected = {"verdict": "GO", "poc.model_sha256": frozen.model_sha256, "poc.charter_sha256": frozen.charter_sha256, "poc.threshold": "0.5"}
    assert expected.items() <= version.tags.items()
    assert (version.run_id, version.aliases) == (mlflow_run, ["candidate"])
    page = (run.folder("version") / layout.BRIEF_MD).read_text()
    assert is_about(page, version.description)


def test_a_version_and_its_run_are_drafts_until_the_charter_is_signed(project: Path, mlflow_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = MlflowClient(tracking.tracking_uri())
    assert client.get_run(mlflow_run).data.tags["poc.draft"] == "true"
    monkeypatch.setenv("POC_TRUST", str(a_signed_charter(project)))
    run = judged(project)
    run.perform("register")
    assert (versions()[0].tags["poc.draft"], client.get_run(mlflow_run).data.tags["poc.draft"]) == ("false", "false")
    page = (run.folder("version") / layout.BRIEF_HTML).read_text()
    assert "DRAFT" not in page and "signed by sam@example.com as sponsor" in page


def test_a_version_has_all_evidence_in_its_run_whether_or_not_a_launcher_logged_it(project: Path, mlflow_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGGED_BY_LAUNCHER, "1")  # by one that was killed, say
    judged(project).perform("register")
    client = MlflowClient(tracking.tracking_uri())
    held = {
        folder.path: {Path(file.path).name for file in client.list_artifacts(mlflow_run, folder.path)}
        for folder in client.list_artifacts(mlflow_run, "evidence")
    }
    assert set(held) == {f"evidence/{step.name}" for step in STEPS if step.name != "decide"}
    assert {layout.BRIEF_HTML, layout.BRIEF_MD, layout.MODEL_CARD} <= held["evidence/register"]
    assert all(layout.REPORT in files for step, files in held.items() if step != "evidence/register")
    assert {layout.CHARTER_YAML, layout.CHARTER_JSON, layout.PARAMS_JSON, layout.SUITE_JSON} <= held["evidence/charter"]
    assert layout.VERDICT_JSON in held["evidence/gate"]


def test_what_mlflow_holds_is_the_brief_of_the_newest_verdict(project: Path, mlflow_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGGED_BY_LAUNCHER, "1")
    run = judged(project)
    run.perform("register")
    found = run.read("verdict", layout.VERDICT_JSON, Verdict)
    run.write("gate", {layout.VERDICT_JSON: found.model_copy(update={"overall": "NOT PROVEN", "repeated": True})})
    run.perform("register")
    held = MlflowClient(tracking.tracking_uri()).download_artifacts(mlflow_run, f"evidence/register/{layout.BRIEF_HTML}", str(project))
    assert Path(held).read_bytes() == (run.folder("version") / layout.BRIEF_HTML).read_bytes()
    assert b"NOT PROVEN" in Path(held).read_bytes()


def test_a_data_card_in_another_encoding_costs_no_version(project: Path, mlflow_run: str) -> None:
    (project / "data" / "DATA_CARD.md").write_bytes("# parts.csv\n\nFr\xe4steile, gemessen.\n".encode("latin-1"))
    judged(project).perform("register")
    assert "steile, gemessen." in str(versions()[0].description)


def test_a_data_card_rewritten_after_the_run_began_does_not_reach_the_page(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    (project / "data" / layout.DATA_CARD).write_text("# parts.csv\n\nMeasured in the plant.\n")
    run.perform("register")
    assert "Drawn at random for a test." in str(versions()[0].description) and "Measured in the plant" not in str(versions()[0].description)


def test_a_data_card_changed_in_the_evidence_is_refused(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    (run.folder("agreement") / layout.DATA_CARD_MD).write_text("# parts.csv\n\nMeasured in the plant.\n")
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert caught.value.code == "digests_agree"


def test_the_description_tells_the_verdict_and_where_the_rows_come_from(project: Path, mlflow_run: str) -> None:
    judged(project).perform("register")
    description = str(versions()[0].description)
    assert description.startswith("## GO: Stop this part before it leaves the cell?")
    assert "Drawn at random for a test." in description and "DRAFT" in description


def test_the_registered_bytes_are_the_judged_ones(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    run.perform("register")
    assert tracking.model_bytes(str(versions()[0].source)) == (run.folder("candidate") / layout.CANDIDATE_MODEL).read_bytes()


def test_registering_again_finds_the_version_that_is_there(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    run.perform("register")
    first = run.read("version", layout.VERSION_JSON, Version)
    run.perform("register")
    assert run.read("version", layout.VERSION_JSON, Version) == first
    assert len(versions()) == 1


def test_what_is_signed_here_is_known_to_mlflow_once_there_is_a_version(project: Path, mlflow_run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POC_TRUST", str(a_signed_charter(project)))
    run = judged(project)
    report = run.perform("register")
    assert held_by_mlflow(PROJECT) == ledger_in(project) and len(ledger_in(project)) == 2
    assert report.headline.endswith("; MLflow knows now of signoffs/0001.json and signoffs/0002.json")
    assert "MLflow" not in run.perform("register").headline  # nothing is left to tell


@pytest.mark.slow
@pytest.mark.parametrize(("spoil", "why"), [("a fork", "MLflow"), ("no trust", "nothing says whom to believe")])
def test_what_keeps_mlflow_from_knowing_is_said_and_costs_no_version(
    project: Path, mlflow_run: str, monkeypatch: pytest.MonkeyPatch, spoil: str, why: str
) -> None:
    monkeypatch.setenv("POC_TRUST", str(a_signed_charter(project)))
    run = judged(project)
    if spoil == "a fork":
        tracking.make_registered(PROJECT)
        tracking.push_ledger(PROJECT, {1: "another decision\n"})
    else:
        monkeypatch.delenv("POC_TRUST")
    headline = run.perform("register").headline
    assert "MLflow does not know yet what is signed: " in headline and why in headline and "poc verify --push" in headline
    assert versions()[0].aliases == ["candidate"] and held_by_mlflow(PROJECT) != ledger_in(project)


def test_a_no_go_is_registered_without_an_alias(project: Path, mlflow_run: str) -> None:
    run = judged(project, slope=WRONG)
    run.perform("register")
    (version,) = versions()
    assert (version.tags["verdict"], version.aliases, run.read("version", layout.VERSION_JSON, Version).alias) == ("NO-GO", [], None)


def test_a_candidate_that_turns_out_no_go_loses_its_alias_and_gets_a_version_that_says_so(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    run.perform("register")
    timed = run.read("timings", layout.TIMINGS_JSON, Timings)
    [fast] = timed.targets[0].timings
    slow = fast.model_copy(update={"open_loop_p99_ms": 90.0, "open_loop_p99_low_ms": 80.0, "open_loop_p99_high_ms": 99.0, "latency_verdict": "FAIL"})
    run.write("benchmark", {layout.TIMINGS_JSON: changed(timed, timings=[slow])})
    for step in ("evaluate", "replay"):
        run.write(step, {})
    run.perform("gate")
    run.perform("register")
    assert sorted((version.tags["verdict"], version.aliases) for version in versions()) == [("GO", []), ("NO-GO", [])]


def test_an_edited_verdict_is_not_registered(project: Path, mlflow_run: str) -> None:
    run = judged(project, slope=WRONG)
    path = run.folder("verdict") / layout.VERDICT_JSON
    path.write_text(path.read_text().replace('"NO-GO"', '"GO"', 1))
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert (caught.value.code, versions()) == ("digests_agree", [])


def test_a_verdict_on_another_candidate_is_not_registered(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    found = run.read("verdict", layout.VERDICT_JSON, Verdict)
    run.write("gate", {layout.VERDICT_JSON: found.model_copy(update={"candidate_sha256": "0" * 64})})
    with pytest.raises(Refused, match="another candidate"):
        run.perform("register")
    assert versions() == []


def test_without_a_verdict_nothing_is_registered(project: Path, mlflow_run: str) -> None:
    run = a_run(project / "run")
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert (caught.value.code, versions()) == ("evidence_is_whole", [])


@pytest.mark.parametrize("artifact", ["agreement", "data", "validation", "models", "graphs", "variants", "timings", "rehearsal", "verdict"])
def test_a_missing_report_is_refused(project: Path, mlflow_run: str, artifact: str) -> None:
    run = judged(project)
    (run.folder(artifact) / layout.REPORT).unlink()
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert (caught.value.code, versions()) == ("evidence_is_whole", [])


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_a_figure_that_is_no_number_is_refused(project: Path, mlflow_run: str, figure: float) -> None:
    run = judged(project)
    run.write("gate", {}, figure=figure)
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert (caught.value.code, versions()) == ("numbers_are_finite", [])


def test_a_verdict_on_an_empty_slice_is_refused(project: Path, mlflow_run: str) -> None:
    run = a_run(project / "run", sealed_rows=0)
    with pytest.raises(Refused, match="0 rows"):
        run.perform("gate")
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert (caught.value.code, versions()) == ("evidence_is_whole", [])


def test_neither_register_nor_decide_needs_the_sealed_labels(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    shutil.rmtree(run.folder("sealed_labels"))
    for step in ("register", "decide"):
        assert run.perform(step).status == "done"


@pytest.mark.slow
@pytest.mark.parametrize("at", ["tracking.log_model", "tracking.create_version", "tracking.set_alias", "tracking.set_verdict", "files.write_record"])
def test_registering_again_after_a_kill_makes_one_complete_version(project: Path, mlflow_run: str, at: str) -> None:
    run = judged(project)
    killed_at(f"poc.tools.{at}", run, "register")
    run.perform("register")
    (version,) = versions()
    assert (version.tags["verdict"], version.aliases, version.run_id) == ("GO", ["candidate"], mlflow_run)
    page = (run.folder("version") / layout.BRIEF_MD).read_text()
    assert is_about(page, version.description)


def test_a_stored_model_that_was_changed_is_refused(project: Path, mlflow_run: str) -> None:
    run = judged(project)
    run.perform("register")
    (stored,) = (project / ".poc/mlartifacts").rglob("model.onnx")
    stored.write_bytes(stored.read_bytes() + b" ")
    with pytest.raises(Refused) as caught:
        run.perform("register")
    assert caught.value.code == "digests_agree"


def test_without_an_mlflow_run_there_is_nothing_to_register_from(project: Path) -> None:
    run = judged(project)
    with pytest.raises(EnvironmentRefused, match="no MLflow run"):
        run.perform("register")
    assert files.sha256_of_files(run.folder("version")).keys() == {layout.REPORT}
