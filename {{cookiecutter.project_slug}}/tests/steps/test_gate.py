"""The gate: one counted look, judged on whole and unchanged evidence."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest
from artifacts import NOT_A_NUMBER, WRONG, Run, a_run, killed_at
from mlflow import MlflowClient

from poc import layout
from poc.errors import InputRefused, Refused
from poc.rules.evidence import Candidate, Timings, Verdict
from poc.tools import files, tracking

PROJECT = "stop-bad-parts"


def verdict_of(run: Run) -> Verdict:
    found = run.read("verdict", layout.VERDICT_JSON, Verdict)
    assert isinstance(found, Verdict)
    return found


def refusal(run: Run) -> str:
    with pytest.raises(Refused) as caught:
        run.perform("gate")
    return caught.value.code


def test_a_model_that_is_always_right_is_go_and_its_look_is_finished(project: Path) -> None:
    run = a_run(project / "run")
    run.perform("gate")
    found, (look,) = verdict_of(run), tracking.looks(PROJECT)
    assert (found.overall, found.repeated, found.look, found.confusion.missed, found.confusion.false_alarms) == ("GO", False, 1, 0, 0)
    assert look.result_sha256 == files.sha256_of_file(run.folder("verdict") / layout.VERDICT_JSON)


def test_a_model_that_is_always_wrong_is_no_go(project: Path) -> None:
    run = a_run(project / "run", slope=WRONG)
    run.perform("gate")
    found = verdict_of(run)
    assert (found.overall, found.confusion.missed, found.confusion.false_alarms) == ("NO-GO", found.confusion.positives, found.confusion.negatives)


def test_rows_of_one_group_are_one_piece_of_evidence(project: Path) -> None:
    # the same errors, none, of the same model: 16 lots of 25 parts instead of 400 parts show less
    a_run(project / "alone").perform("gate")
    parts = pd.read_csv(project / "data/parts.csv")
    parts.assign(Lot=parts["UDI"] // 25).to_csv(project / "data/parts.csv", index=False)
    charter = json.loads((project / layout.CHARTER).read_text())
    (project / layout.CHARTER).write_text(json.dumps(charter | {"data": charter["data"] | {"group": "Lot"}}))
    together = a_run(project / "together")
    together.perform("gate")
    missed = verdict_of(together).limits[0]
    assert (missed.name, missed.measured, missed.verdict) == ("missed_share", 0.0, "NOT PROVEN")
    assert sum(positives for positives, *_ in verdict_of(together).confusion.by_group) == verdict_of(together).confusion.positives
    assert "so few rows cannot show it" in missed.why


@pytest.mark.parametrize(("server_memory_mb", "expected"), [(511.0, "GO"), (513.0, "NO-GO"), (math.nan, "NOT PROVEN")])
def test_memory_is_judged_as_the_server_took_it_in_replay(project: Path, server_memory_mb: float, expected: str) -> None:
    run = a_run(project / "run", server_memory_mb=server_memory_mb)
    run.perform("gate")
    memory = {limit.name: limit for limit in verdict_of(run).limits}["memory"]
    assert (memory.verdict, verdict_of(run).overall) == (expected, expected)


def test_the_same_candidate_again_gets_the_stored_result_and_uses_no_look(project: Path) -> None:
    first, second = a_run(project / "first"), a_run(project / "second")
    first.perform("gate")
    second.perform("gate")
    assert verdict_of(second) == verdict_of(first).model_copy(update={"repeated": True})
    assert len(tracking.looks(PROJECT)) == 1


def test_a_stored_result_that_was_changed_is_refused(project: Path) -> None:
    a_run(project / "first").perform("gate")
    (stored,) = (project / ".poc/mlartifacts").rglob(layout.VERDICT_JSON)
    stored.write_text(stored.read_text().replace('"GO"', '"NO-GO"', 1))
    assert refusal(a_run(project / "second")) == "digests_agree"


@pytest.mark.parametrize("change", [{"version": 2}, {"project": "another-name"}])
def test_another_charter_over_the_same_rows_is_no_fresh_look(project: Path, change: dict[str, object]) -> None:
    a_run(project / "first").perform("gate")
    agreed = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps(agreed | change | {"features": agreed["features"][:2]}))
    again = a_run(project / "again", features=agreed["features"][:2], **change)
    assert refusal(again) == "a_look_is_left"


def test_a_stored_result_that_is_gone_is_refused_not_looked_for_again(project: Path) -> None:
    a_run(project / "first").perform("gate")
    (stored,) = (project / ".poc/mlartifacts").rglob(layout.VERDICT_JSON)
    stored.unlink()
    assert refusal(a_run(project / "second")) == "digests_agree"


def test_the_same_candidate_timed_on_other_hardware_keeps_its_counts_and_gets_a_verdict_of_its_own(project: Path) -> None:
    first, elsewhere = a_run(project / "first"), a_run(project / "elsewhere")
    first.perform("gate")
    timed = elsewhere.read("timings", layout.TIMINGS_JSON, Timings)
    elsewhere.write("benchmark", {layout.TIMINGS_JSON: timed.model_copy(update={"differences": ["another instruction set"]})})
    for step in ("evaluate", "replay"):
        elsewhere.write(step, {})
    elsewhere.perform("gate")
    assert (verdict_of(first).overall, verdict_of(elsewhere).overall) == ("GO", "NOT PROVEN")
    assert verdict_of(elsewhere).confusion == verdict_of(first).confusion
    assert len(tracking.looks(PROJECT)) == 1


def test_another_candidate_past_the_looks_is_refused(project: Path) -> None:
    a_run(project / "first").perform("gate")
    other = a_run(project / "other", threshold=0.6)
    assert refusal(other) == "a_look_is_left"
    assert not (other.folder("verdict") / layout.VERDICT_JSON).exists()
    assert len(tracking.looks(PROJECT)) == 1


def test_labels_that_nobody_could_read_show_that_a_look_too_many_never_opens_them(project: Path) -> None:
    first, other = a_run(project / "first", labels=b"no table"), a_run(project / "other", labels=b"no table", threshold=0.6)
    with pytest.raises(InputRefused, match=r"labels\.parquet"):
        first.perform("gate")
    assert refusal(other) == "a_look_is_left"


def test_a_look_that_was_cut_off_counts_and_the_same_candidate_may_finish_it(project: Path) -> None:
    run = a_run(project / "run", labels=b"no table")
    for _ in range(2):
        with pytest.raises(InputRefused):
            run.perform("gate")
    assert [(look.number, look.result_sha256) for look in tracking.looks(PROJECT)] == [(1, "")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "at",
    [
        "mlflow.MlflowClient.set_experiment_tag",
        "poc.tools.frames.read_table",
        "poc.tools.tracking.finish_look",
        "mlflow.MlflowClient.log_artifact",
        "mlflow.MlflowClient.set_tag",
        "mlflow.MlflowClient.set_terminated",
    ],
)
def test_a_gate_killed_after_its_look_was_opened_goes_on_with_that_look(project: Path, at: str) -> None:
    run = a_run(project / "run")
    killed_at(at, run, "gate")
    run.perform("gate")
    (look,) = tracking.looks(PROJECT)
    assert (verdict_of(run).overall, look.number) == ("GO", 1)
    assert tracking.result_of_look(look, layout.VERDICT_JSON) is not None
    assert MlflowClient(tracking.tracking_uri()).get_run(look.run_id).info.status == "FINISHED"


@pytest.mark.parametrize("artifact", ["agreement", "data", "validation", "models", "graphs", "variants", "timings", "rehearsal"])
def test_a_missing_report_is_refused(project: Path, artifact: str) -> None:
    run = a_run(project / "run")
    (run.folder(artifact) / layout.REPORT).unlink()
    assert refusal(run) == "evidence_is_whole"


def test_a_missing_artifact_is_refused(project: Path) -> None:
    run = a_run(project / "run")
    shutil.rmtree(run.folder("rehearsal"))
    assert refusal(run) == "evidence_is_whole"


def test_the_report_of_a_refused_step_is_no_evidence(project: Path) -> None:
    run = a_run(project / "run")
    files.write_record(run.folder("rehearsal") / layout.REPORT, run.report("replay").model_copy(update={"status": "refused"}))
    assert refusal(run) == "evidence_is_whole"


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_a_figure_that_is_no_number_is_refused(project: Path, figure: float) -> None:
    assert refusal(a_run(project / "run", figure=figure)) == "numbers_are_finite"
    assert tracking.looks(PROJECT) == []


@pytest.mark.parametrize("file", ["candidate/model.onnx", "timings/timings.json", "data/sealed.parquet", "sealed_labels/labels.parquet"])
def test_a_file_edited_after_its_step_is_refused(project: Path, file: str) -> None:
    run = a_run(project / "run")
    artifact, name = file.split("/")
    with (run.folder(artifact) / name).open("ab") as edited:
        edited.write(b" ")
    assert refusal(run) == "digests_agree"
    assert tracking.looks(PROJECT) == []


def test_a_file_that_came_later_is_refused(project: Path) -> None:
    run = a_run(project / "run")
    (run.folder("candidate") / "notes.txt").write_text("added by hand")
    assert refusal(run) == "digests_agree"


def test_a_threshold_edited_together_with_its_report_is_refused_by_the_next_steps_report(project: Path) -> None:
    run = a_run(project / "run")
    frozen = run.read("candidate", layout.CANDIDATE_JSON, Candidate)
    run.write("evaluate", {layout.CANDIDATE_JSON: frozen.model_copy(update={"threshold": 0.4})}, figure=2.0)
    assert refusal(run) == "digests_agree"


def test_a_candidate_frozen_under_another_charter_is_refused(project: Path) -> None:
    run = a_run(project / "run")
    frozen = run.read("candidate", layout.CANDIDATE_JSON, Candidate)
    run.write("evaluate", {layout.CANDIDATE_JSON: frozen.model_copy(update={"charter_sha256": "0" * 64})})
    run.write("replay", {})
    assert refusal(run) == "digests_agree"


def test_a_model_that_answers_nan_is_refused(project: Path) -> None:
    assert refusal(a_run(project / "run", slope=NOT_A_NUMBER)) == "probabilities_are_valid"


def test_an_empty_sealed_set_is_refused(project: Path) -> None:
    assert refusal(a_run(project / "run", sealed_rows=0)) == "split_can_be_judged"


def test_a_refused_gate_leaves_only_its_report(project: Path) -> None:
    run = a_run(project / "run", slope=NOT_A_NUMBER)
    refusal(run)
    assert [path.name for path in run.folder("verdict").iterdir()] == [layout.REPORT]
    assert run.report("gate").refusal_code == "probabilities_are_valid"
