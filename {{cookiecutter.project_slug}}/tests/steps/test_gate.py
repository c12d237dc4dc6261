"""The gate: one counted look, judged on whole and unchanged evidence."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from artifacts import NOT_A_NUMBER, WRONG, Run, a_run, changed, killed_at
from mlflow import MlflowClient
from tracking_server import a_tracking_server

from poc import layout
from poc.errors import EnvironmentRefused, InputRefused, Refused
from poc.rules.evidence import Candidate, Splits, Timings, Verdict
from poc.rules.looks import NONE_BEFORE, breaks_in, digest_of_look
from poc.steps.perform import LOGGED_BY_LAUNCHER
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
    assert (found.overall, found.repeated, found.look, found.counted.missed, found.counted.false_alarms) == ("GO", False, 1, 0, 0)
    assert look.result_sha256 == files.sha256_of_file(run.folder("verdict") / layout.VERDICT_JSON)


def test_a_model_that_is_always_wrong_is_no_go(project: Path) -> None:
    run = a_run(project / "run", slope=WRONG)
    run.perform("gate")
    found = verdict_of(run)
    assert (found.overall, found.counted.missed, found.counted.false_alarms) == ("NO-GO", found.counted.positives, found.counted.negatives)


def test_another_seed_of_the_builder_draws_no_other_money(project: Path) -> None:
    first = a_run(project / "first")
    first.perform("gate")
    (project / "params.yaml").write_text(json.dumps(json.loads((project / "params.yaml").read_text()) | {"seed": 8}))
    second = a_run(project / "second")
    second.perform("gate")
    assert (verdict_of(second).repeated, verdict_of(second).money) == (True, verdict_of(first).money)


def test_rows_of_one_group_are_one_piece_of_evidence(project: Path) -> None:
    # the same errors, none, of the same model: 16 lots of 25 parts instead of 400 parts show less
    parts = pd.read_csv(project / "data/parts.csv")
    parts.assign(Lot=parts["UDI"] // 25).to_csv(project / "data/parts.csv", index=False)
    charter = json.loads((project / layout.CHARTER).read_text())
    (project / layout.CHARTER).write_text(json.dumps(charter | {"data": charter["data"] | {"group": "Lot"}}))
    together = a_run(project / "together")
    together.perform("gate")
    missed = verdict_of(together).limits[0]
    assert (missed.name, missed.measured, missed.verdict) == ("missed_share", 0.0, "NOT PROVEN")
    assert sum(positives for positives, *_ in verdict_of(together).counted.by_group) == verdict_of(together).counted.positives
    assert "so few groups cannot show it" in missed.why


def test_a_claim_that_the_rows_cannot_carry_is_not_proven_by_name_and_no_error(project: Path) -> None:
    agreed = json.loads((project / layout.CHARTER).read_text())
    (project / layout.CHARTER).write_text(json.dumps(agreed | {"limits": agreed["limits"] | {"missed_share": "0.05"}}))
    run = a_run(project / "run", limits={"missed_share": "0.05"})
    run.perform("gate")
    found = verdict_of(run)
    assert (found.overall, [limit.name for limit in found.limits if limit.verdict != "GO"]) == ("NOT PROVEN", ["missed_share"])
    assert "so few rows cannot show it: even without an error" in found.limits[0].why


@pytest.mark.parametrize(("server_memory_mb", "expected"), [(511.0, "GO"), (513.0, "NO-GO"), (math.nan, "NOT PROVEN")])
def test_memory_is_judged_as_the_server_took_it_in_replay(project: Path, server_memory_mb: float, expected: str) -> None:
    run = a_run(project / "run", server_memory_mb=server_memory_mb)
    run.perform("gate")
    memory = {limit.name: limit for limit in verdict_of(run).limits}["memory"]
    assert (memory.verdict, verdict_of(run).overall) == (expected, expected)


def test_memory_that_another_architecture_took_in_replay_proves_nothing(project: Path) -> None:
    run = a_run(project / "run", replayed_on="arm64")
    run.perform("gate")
    unproven = [limit for limit in verdict_of(run).limits if limit.verdict != "GO"]
    assert [limit.name for limit in unproven] == ["memory"]
    assert "not measured: replay ran on arm64, the charter says x86_64" in unproven[0].why


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
    elsewhere.write("benchmark", {layout.TIMINGS_JSON: changed(timed, differences=["another instruction set"])})
    for step in ("evaluate", "replay"):
        elsewhere.write(step, {})
    elsewhere.perform("gate")
    assert (verdict_of(first).overall, verdict_of(elsewhere).overall) == ("GO", "NOT PROVEN")
    assert verdict_of(elsewhere).counted == verdict_of(first).counted
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


def change_data(project: Path, **changes: object) -> None:
    """Declare the data of charter.yaml otherwise."""
    agreed = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps(agreed | {"data": agreed["data"] | changes}))


def change_rows(project: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Bring another source."""
    source = project / "data/parts.csv"
    change(pd.read_csv(source)).to_csv(source, index=False)


def other_parts(parts: pd.DataFrame, by: float = 0.01) -> pd.DataFrame:
    """Measure other parts."""
    return parts.assign(**{"UDI": parts["UDI"] + 1000, "Torque [Nm]": parts["Torque [Nm]"] + by, "Tool wear [min]": parts["Tool wear [min]"] + by})


@pytest.mark.parametrize(
    "change",
    [{"split_seed": 8}, {"key": None}, {"sealed_share": "0.20"}, {"key": None, "split_seed": 8, "sealed_share": "0.30"}],
    ids=["seed", "key", "share", "all three"],
)
def test_rows_declared_otherwise_are_still_rows_that_were_looked_at(project: Path, change: dict[str, object]) -> None:
    a_run(project / "first").perform("gate")
    change_data(project, **change)
    assert refusal(a_run(project / "second")) == "a_look_is_left"
    assert len(tracking.looks(PROJECT)) == 1


def test_sealed_rows_that_were_open_to_an_earlier_look_are_no_fresh_ones(project: Path) -> None:
    change_data(project, sealed_share="0.07", split_seed=1)
    first = a_run(project / "first")
    first.perform("gate")
    change_data(project, split_seed=5)
    second = a_run(project / "second")
    theirs, ours = (set(pd.read_parquet(run.folder("data") / layout.SPLIT_FILES["sealed"])["UDI"]) for run in (first, second))
    assert len(ours & theirs) <= 0.1 * len(ours)  # by its sealed rows alone, the first look had hardly any of these
    assert refusal(second) == "a_look_is_left"


#: Where a row stands in the source that the small project seals.
SEALED = 3
CHANGED_SOURCES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a sealed row dropped": lambda parts: parts.drop(index=SEALED),
    "half of the rows dropped": lambda parts: parts.iloc[::2],
    "rows added": lambda parts: pd.concat([parts, other_parts(parts.head(8), by=7.77)]),
    "rows numbered anew": lambda parts: parts.assign(UDI=parts["UDI"].to_numpy()[::-1]),
    "a column added": lambda parts: parts.assign(Shift=parts["UDI"] * 7919 % 997),
    "digits added": lambda parts: parts.assign(**{"Torque [Nm]": parts["Torque [Nm]"] + 1e-7}),
}


@pytest.mark.parametrize("change", CHANGED_SOURCES.values(), ids=CHANGED_SOURCES)
def test_a_source_changed_here_and_there_gives_no_fresh_look(project: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    a_run(project / "first").perform("gate")
    change_rows(project, change)
    assert refusal(a_run(project / "second", threshold=0.6)) == "a_look_is_left"


def test_the_same_candidate_on_a_set_with_a_row_less_is_another_look(project: Path) -> None:
    a_run(project / "first").perform("gate")
    change_rows(project, lambda parts: parts.drop(index=SEALED))
    assert refusal(a_run(project / "second")) == "a_look_is_left"


def test_fresh_rows_are_a_fresh_set(project: Path) -> None:
    a_run(project / "first").perform("gate")
    change_rows(project, other_parts)
    second = a_run(project / "second")
    second.perform("gate")
    assert (verdict_of(second).overall, verdict_of(second).look, len(tracking.looks(PROJECT))) == ("GO", 1, 2)


def by_time(parts: pd.DataFrame) -> pd.DataFrame:
    """Say when each part was made, one a minute."""
    return parts.assign(at=pd.date_range("2026-01-05", periods=len(parts), freq="min").strftime("%Y-%m-%dT%H:%M"))


def test_sealed_rows_that_came_after_all_of_an_earlier_look_are_fresh(project: Path) -> None:
    change_rows(project, by_time)
    change_data(project, time="at")
    a_run(project / "first").perform("gate")
    change_rows(
        project, lambda parts: by_time(pd.concat([parts, other_parts(parts, by=0.05).assign(**{"Tool wear [min]": parts["Tool wear [min]"].to_numpy()[::-1]})]))
    )
    second = a_run(project / "second")
    second.perform("gate")
    assert (verdict_of(second).look, len(tracking.looks(PROJECT))) == (1, 2)


def test_a_look_that_saw_some_of_the_rows_is_counted_and_named(project: Path) -> None:
    a_run(project / "first").perform("gate")
    change_data(project, split_seed=8)
    with pytest.raises(Refused, match=r"looked at once; the charter allows 1: look 1 of \d{4}-\d\d-\d\d had 100 % of these rows, sealed or open"):
        a_run(project / "second").perform("gate")


def test_looks_at_rows_in_common_are_numbered_together(project: Path) -> None:
    agreed = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps(agreed | {"timebox": agreed["timebox"] | {"looks": 2}}))
    a_run(project / "first").perform("gate")
    change_data(project, split_seed=8)
    second = a_run(project / "second")
    second.perform("gate")
    assert (verdict_of(second).look, verdict_of(second).repeated) == (2, False)
    again = a_run(project / "again")
    again.perform("gate")
    assert (verdict_of(again).look, verdict_of(again).repeated) == (2, True)
    change_data(project, split_seed=9)
    assert refusal(a_run(project / "third")) == "a_look_is_left"


def test_a_changed_sketch_is_a_broken_record(project: Path) -> None:
    a_run(project / "first").perform("gate")
    (look,) = tracking.looks(PROJECT)
    MlflowClient(tracking.tracking_uri()).set_tag(look.run_id, "mlflow.poc.sketch.0000", "")
    change_data(project, split_seed=8)
    assert refusal(a_run(project / "second")) == "looks_are_chained"


def test_a_removed_look_at_rows_in_common_is_a_broken_record(project: Path) -> None:
    a_run(project / "first").perform("gate")
    (look,) = tracking.looks(PROJECT)
    with sqlite3.connect(project / ".poc/mlflow.db") as database:
        for table in ("tags", "runs"):
            database.execute(f"delete from {table} where run_uuid = ?", (look.run_id,))
    change_data(project, split_seed=8)
    assert refusal(a_run(project / "second")) == "looks_are_chained"


def test_a_look_of_another_project_that_was_changed_counts_whatever_it_says(project: Path) -> None:
    a_run(project / "first").perform("gate")
    (look,) = tracking.looks(PROJECT)
    MlflowClient(tracking.tracking_uri()).set_tag(look.run_id, "mlflow.poc.sketch.0000", "")
    change_rows(project, other_parts)
    agreed = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps(agreed | {"project": "another-name"}))
    with pytest.raises(Refused, match=f"look 1 of .* in project '{PROJECT}' was changed"):
        a_run(project / "second", project="another-name").perform("gate")


def without_sketch(project: Path) -> None:
    """Take a look as the first version recorded it."""
    splits = a_run(project / "first").read("data", layout.SPLITS_JSON, Splits)
    digest = digest_of_look(1, "a candidate", splits.sealed_rows_sha256, NONE_BEFORE)
    old = tracking.Look(
        number=1, candidate_sha256="a candidate", sealed_sha256=splits.sealed_rows_sha256, previous=NONE_BEFORE, digest=digest, charter_version=1
    )
    tracking.note_look(tracking.open_look(PROJECT, "", old))


def test_a_look_of_the_first_version_counts_at_its_very_set(project: Path) -> None:
    without_sketch(project)
    with pytest.raises(Refused, match=r"look 1 of .* had 100 % of these rows \(it was recorded by an earlier version"):
        a_run(project / "second").perform("gate")


def test_a_look_of_the_first_version_does_not_count_at_another_set(project: Path) -> None:
    without_sketch(project)
    change_data(project, split_seed=8)
    second = a_run(project / "second")
    second.perform("gate")
    assert (verdict_of(second).look, [look.number for look in tracking.looks(PROJECT)]) == (1, [1, 2])


@pytest.fixture
def server(project: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(LOGGED_BY_LAUNCHER, "1")
    with a_tracking_server(project / "server", empty_database) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


def at_once(runs: list[Run], folder: Path) -> list[str]:
    """Perform gates that share no file but start together, each in a process of its own; return how each ended."""
    begin = folder / "begin"
    code = (
        "import sys, time; from pathlib import Path; from artifacts import Run; from poc.errors import Refused; from poc.tools import tracking\n"
        "tracking.looks_of_all_projects()\n"  # imports what takes seconds
        "print('ready', flush=True)\n"
        f"while not Path({str(begin)!r}).exists(): time.sleep(0.001)\n"
        "try: Run(root=Path(sys.argv[1])).perform('gate'); print('won')\n"
        "except Refused as refused: print(refused.code)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(layout.__file__).parents[1])])
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(run.root)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}, text=True) for run in runs
    ]
    for each in started:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    begin.touch()
    ended = [each.communicate()[0].split()[-1] for each in started]  # after MLflow's own lines
    begin.unlink()
    return sorted(ended)


@pytest.mark.slow
@pytest.mark.server
def test_of_gates_on_several_machines_at_once_one_takes_the_last_look(project: Path, server: str) -> None:
    for turn in range(5):
        change_rows(project, other_parts)
        runs = [a_run(project / f"round {turn}, gate {number}", threshold=0.5 + number / 100) for number in range(4)]
        assert at_once(runs, project) == ["a_look_is_left"] * 3 + ["won"]
        assert breaks_in(tracking.looks(PROJECT), tracking.newest_look(PROJECT)) == []
        assert len(tracking.looks(PROJECT)) == turn + 1


@pytest.mark.slow
@pytest.mark.server
def test_a_gate_that_lost_its_turn_sees_nothing_and_may_come_again(project: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(project / "run")
    with monkeypatch.context() as slow:

        def record_and_be_overtaken(*arguments: object) -> tracking.Look:
            look = record(*arguments)  # type: ignore[arg-type]
            MlflowClient(server).delete_registered_model("poc-a-look-is-being-taken")
            return look

        record = tracking.open_look
        slow.setattr(tracking, "open_look", record_and_be_overtaken)
        with pytest.raises(EnvironmentRefused, match="nothing was seen"):
            run.perform("gate")
    assert tracking.looks(PROJECT) == []
    run.perform("gate")
    assert (verdict_of(run).overall, verdict_of(run).look, len(tracking.looks(PROJECT))) == ("GO", 1, 1)


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize("at", ["mlflow.MlflowClient.create_run", "poc.tools.tracking.note_look", "mlflow.MlflowClient.delete_registered_model"])
def test_a_gate_killed_in_its_turn_keeps_no_other_out_and_gives_no_look_for_free(project: Path, server: str, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poc.tools.tracking.turns.STALE_S", 0.5)
    run, other = a_run(project / "run"), a_run(project / "other", threshold=0.6)
    killed_at(at, run, "gate")
    if at.endswith("create_run"):  # it died before its look was on record: nobody has looked
        other.perform("gate")
        assert refusal(run) == "a_look_is_left"
    else:
        assert refusal(other) == "a_look_is_left"
        run.perform("gate")
        assert verdict_of(run).look == 1
    assert len(tracking.looks(PROJECT)) == 1


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


def test_no_look_is_spent_where_another_charter_judges_than_people_sign(project: Path) -> None:
    run = a_run(project / "run")
    as_signed = (run.folder("agreement") / layout.CHARTER_YAML).read_bytes()
    run.write("charter", {layout.CHARTER_YAML: as_signed.replace(b'"missed_share": "0.12"', b'"missed_share": "0.05"')})
    for step in ("ingest", "validate", "train", "export", "compress", "benchmark", "evaluate", "replay"):
        run.write(step, {})
    with pytest.raises(Refused, match=r"agreement/charter.json is not what agreement/charter.yaml says"):
        run.perform("gate")
    assert tracking.looks(PROJECT) == []


def test_a_candidate_frozen_under_another_charter_is_refused(project: Path) -> None:
    run = a_run(project / "run")
    frozen = run.read("candidate", layout.CANDIDATE_JSON, Candidate)
    run.write("evaluate", {layout.CANDIDATE_JSON: frozen.model_copy(update={"charter_sha256": "0" * 64})})
    run.write("replay", {})
    assert refusal(run) == "digests_agree"


def test_a_model_that_answers_nan_is_refused(project: Path) -> None:
    assert refusal(a_run(project / "run", slope=NOT_A_NUMBER)) == "answers_are_valid"


def test_an_empty_sealed_set_is_refused(project: Path) -> None:
    assert refusal(a_run(project / "run", sealed_rows=0)) == "split_can_be_judged"


def test_a_refused_gate_leaves_only_its_report(project: Path) -> None:
    run = a_run(project / "run", slope=NOT_A_NUMBER)
    refusal(run)
    assert [path.name for path in run.folder("verdict").iterdir()] == [layout.REPORT]
    assert run.report("gate").refusal_code == "answers_are_valid"
