"""MLflow on SQLite: runs, dead launchers, evidence, looks and the model's bytes."""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from artifacts import RIGHT, a_model
from builders import a_charter
from mlflow import MlflowClient
from tracking_server import a_tracking_server

from poc import layout
from poc.errors import EnvironmentRefused
from poc.rules.evidence import Number, Report
from poc.rules.looks import NONE_BEFORE, breaks_in, digest_of_look
from poc.tools import tracking

PROJECT = "stop-bad-parts"
SOURCES = Path(layout.__file__).parents[1]


@pytest.fixture
def run_id(repository: Path) -> str:
    return tracking.open_run(PROJECT, name="a run", candidate=True)


def client() -> MlflowClient:
    return MlflowClient(tracking.tracking_uri())


def a_report(step: str, *numbers: Number) -> Report:
    return Report(
        step=step,
        status="done",
        headline="done",
        seconds=0.5,
        started_at="2026-01-05T08:00:00.000+00:00",
        numbers=list(numbers),
        inputs={},
        outputs={},
        problems=[],
        refusal_code="",
        exit_code=0,
        machine="a test",
    )


def a_look(number: int, previous: str = NONE_BEFORE) -> tracking.Look:
    digest = digest_of_look(number, f"candidate {number}", "sealed", previous)
    return tracking.Look(number=number, candidate_sha256=f"candidate {number}", sealed_sha256="sealed", previous=previous, digest=digest, charter_version=1)


def an_open_look(look: tracking.Look) -> tracking.Look:
    opened = tracking.open_look(PROJECT, "", look)
    tracking.note_look(opened)
    return opened


def in_new_processes(root: Path, code: str, *, count: int) -> list[subprocess.CompletedProcess[str]]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=root, env=environment, stdout=-1, stderr=-1, text=True) for _ in range(count)]
    return [subprocess.CompletedProcess(each.args, each.wait(), *each.communicate()) for each in started]


@pytest.mark.slow
def test_three_processes_that_begin_at_once_make_one_database_and_say_nothing(repository: Path) -> None:
    (repository / ".poc" / "mlflow.db").unlink()
    open_one = f"from poc.tools import tracking; tracking.open_run({PROJECT!r}, name='a run', candidate=False)"
    ended = in_new_processes(repository, open_one, count=3)
    assert [(each.returncode, each.stdout, each.stderr) for each in ended] == [(0, "", "")] * 3
    assert len(tracking.run_rows(PROJECT)) == 3


@pytest.mark.slow
def test_a_database_that_was_half_made_when_its_maker_died_is_made_anew(repository: Path) -> None:
    (repository / ".poc" / "mlflow.db").rename(repository / ".poc" / ".mlflow.db.partial")
    (repository / ".poc" / ".mlflow.db.partial").write_bytes(b"half a schema")
    tracking.prepare_database()
    with sqlite3.connect(repository / ".poc" / "mlflow.db") as database:
        assert database.execute("select count(*) from runs").fetchone() == (0,)


def test_a_run_of_a_launcher_that_is_gone_is_closed_as_killed(repository: Path, run_id: str) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True).stdout.strip()
    machine, _, start = client().get_run(run_id).data.tags["poc.launcher"].split("/")
    client().set_tag(run_id, "poc.launcher", f"{machine}/{gone}/{start}")
    assert tracking.close_dead_runs(PROJECT) == [run_id]
    assert client().get_run(run_id).info.status == "KILLED"


def test_a_run_whose_launcher_lives_is_left_alone(run_id: str) -> None:
    assert tracking.close_dead_runs(PROJECT) == []
    assert client().get_run(run_id).info.status == "RUNNING"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells when a process started")
def test_another_process_with_the_number_of_a_dead_launcher_does_not_keep_its_run_open(run_id: str) -> None:
    machine, process, _ = client().get_run(run_id).data.tags["poc.launcher"].split("/")
    client().set_tag(run_id, "poc.launcher", f"{machine}/{process}/1")
    assert tracking.close_dead_runs(PROJECT) == [run_id]


def test_a_run_launched_on_another_machine_is_left_alone(run_id: str) -> None:
    client().set_tag(run_id, "poc.launcher", "another machine/1/1")
    assert tracking.close_dead_runs(PROJECT) == []


def test_a_look_that_was_cut_off_stays_open_for_its_candidate(repository: Path) -> None:
    look = an_open_look(a_look(1))
    assert tracking.close_dead_runs(PROJECT) == []
    assert client().get_run(look.run_id).info.status == "RUNNING"


def test_figures_are_logged_under_their_step_and_those_that_are_no_numbers_are_not(run_id: str) -> None:
    tracking.log_step(run_id, a_report("train", Number(name="auc [best]", value=0.9, unit="share"), Number(name="lost", value=math.nan, unit="share")), {})
    assert client().get_run(run_id).data.metrics == {"train.auc _best_": 0.9, "train.seconds": 0.5}


def test_evidence_is_logged_without_rows_estimators_and_sealed_labels(run_id: str, tmp_path: Path) -> None:
    for artifact in ("data", "sealed_labels"):
        for name in ("splits.json", "train.parquet", "logistic.joblib"):
            (tmp_path / artifact).mkdir(exist_ok=True)
            (tmp_path / artifact / name).write_text(artifact)
    tracking.log_step(run_id, a_report("ingest"), {artifact: tmp_path / artifact for artifact in ("data", "sealed_labels")})
    assert [each.path for each in client().list_artifacts(run_id, "evidence/ingest")] == ["evidence/ingest/splits.json"]
    assert Path(client().download_artifacts(run_id, "evidence/ingest/splits.json", str(tmp_path))).read_text() == "data"


def test_looks_come_back_in_order_with_the_newest_noted_beside_them(repository: Path) -> None:
    first = an_open_look(a_look(1))
    second = an_open_look(a_look(2, first.digest))
    assert tracking.looks(PROJECT) == [first, second]
    assert tracking.newest_look(PROJECT) == second.digest
    assert breaks_in(tracking.looks(PROJECT), tracking.newest_look(PROJECT)) == []


def test_a_deleted_look_still_counts(repository: Path) -> None:
    look = an_open_look(a_look(1))
    client().delete_run(look.run_id)
    assert tracking.looks(PROJECT) == [look]


def test_a_look_purged_from_the_database_shows(repository: Path) -> None:
    look = an_open_look(a_look(1))
    with sqlite3.connect(repository / ".poc" / "mlflow.db") as database:
        for table in ("tags", "runs"):
            database.execute(f"delete from {table} where run_uuid = ?", (look.run_id,))
    assert breaks_in(tracking.looks(PROJECT), tracking.newest_look(PROJECT)) == ["the newest look is missing"]


@pytest.mark.parametrize("tag", ["poc.look", "poc.candidate_sha256", "poc.sealed_sha256", "poc.look_before", "poc.look_sha256"])
def test_a_look_without_one_of_its_tags_shows(repository: Path, tag: str) -> None:
    look = an_open_look(a_look(1))
    client().delete_tag(look.run_id, tag)
    assert breaks_in(tracking.looks(PROJECT), tracking.newest_look(PROJECT)) != []


def test_a_sketch_longer_than_mlflow_keeps_in_a_tag_comes_back_whole(repository: Path) -> None:
    sketch = tuple(f"{number:0600}" for number in range(100))
    opened = an_open_look(replace(a_look(1), sketch=sketch, digest=digest_of_look(1, "candidate 1", "sealed", NONE_BEFORE, sketch)))
    assert tracking.looks(PROJECT) == [opened]
    assert opened.sketch == sketch and breaks_in([opened]) == []


@pytest.mark.parametrize(
    "change", [lambda look: client().set_tag(look, "mlflow.poc.sketch.0000", "AAAA"), lambda look: client().delete_tag(look, "mlflow.poc.sketch.0000")]
)
def test_a_look_whose_sketch_was_changed_shows(repository: Path, change: Callable[[str], None]) -> None:
    look = an_open_look(replace(a_look(1), sketch=("a view",), digest=digest_of_look(1, "candidate 1", "sealed", NONE_BEFORE, ["a view"])))
    change(look.run_id)
    assert breaks_in(tracking.looks(PROJECT)) == ["look 1 was changed"]


def test_looks_of_every_project_are_found_the_oldest_first(repository: Path) -> None:
    opened = [tracking.open_look(project, "", a_look(1)) for project in ("one", "another")]
    client().delete_experiment(client().get_experiment_by_name("one").experiment_id)
    assert tracking.looks_of_all_projects() == opened


def test_more_looks_than_fit_a_page_are_all_found(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [an_open_look(a_look(number)) for number in range(1, 4)]
    monkeypatch.setattr("poc.tools.tracking.sealed_looks.PAGE", 2)
    assert tracking.looks(PROJECT) == whole == tracking.looks_of_all_projects()


def test_a_look_that_was_given_up_counts_for_nothing_and_stays_on_record(repository: Path) -> None:
    look = tracking.open_look(PROJECT, "", a_look(1))
    tracking.give_up_look(look)
    assert tracking.looks(PROJECT) == tracking.looks_of_all_projects() == []
    assert client().get_run(look.run_id).data.tags["poc.candidate_sha256"] == "candidate 1"


def test_a_finished_look_that_is_marked_as_given_up_shows(repository: Path) -> None:
    look = an_open_look(a_look(1))
    client().set_tag(look.run_id, "poc.given_up", "by hand")
    assert breaks_in(tracking.looks(PROJECT), tracking.newest_look(PROJECT)) == ["the newest look is missing"]


@pytest.fixture
def server(repository: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with a_tracking_server(repository.parent / "server", empty_database) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


@pytest.mark.slow
@pytest.mark.server
def test_a_turn_is_one_gates_until_it_lets_go_and_a_dead_gates_is_taken_over(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poc.tools.tracking.turns.PATIENCE_S", 1.0)
    with ExitStack() as theirs:
        with tracking.turn() as is_still_ours:
            with pytest.raises(EnvironmentRefused, match="no turn to take a look"), tracking.turn():
                pass
            assert is_still_ours()  # who waits in vain takes nothing away
            monkeypatch.setattr("poc.tools.tracking.turns.STALE_S", 0.3)
            is_theirs = theirs.enter_context(tracking.turn())
            assert is_theirs() and not is_still_ours()
        assert is_theirs()  # who has lost a turn does not end it
    assert client().search_registered_models() == []


def test_an_unfinished_look_has_no_result(repository: Path) -> None:
    look = an_open_look(a_look(1))
    assert tracking.result_of_look(look, "verdict.json") is None


def test_a_finished_look_returns_what_it_found(repository: Path, tmp_path: Path) -> None:
    look = an_open_look(a_look(1))
    (tmp_path / "verdict.json").write_bytes(b"found")
    tracking.finish_look(look, tmp_path / "verdict.json")
    assert tracking.result_of_look(tracking.looks(PROJECT)[0], "verdict.json") == b"found"


def test_a_deleted_experiment_comes_back_with_its_looks(repository: Path) -> None:
    look = an_open_look(a_look(1))
    client().delete_experiment(client().get_experiment_by_name(PROJECT).experiment_id)
    assert tracking.looks(PROJECT) == [look]


def test_links_open_in_the_mode_for_trained_models(run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracking.run_url(run_id).endswith(f"/runs/{run_id}?workflowType=machine_learning")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com/")
    assert tracking.ui_root() == "https://mlflow.example.com"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / layout.CANDIDATE_MODEL
    path.write_bytes(a_model(a_charter(), RIGHT))
    return path


def features() -> list[tuple[str, str]]:
    return [(feature.name, feature.kind) for feature in a_charter().features]


def test_a_logged_model_keeps_its_bytes(run_id: str, model: Path) -> None:
    assert tracking.model_bytes(tracking.log_model(run_id, model, features=features())) == model.read_bytes()


@pytest.mark.slow
def test_a_logged_model_answers_through_mlflow(run_id: str, model: Path) -> None:
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(tracking.log_model(run_id, model, features=features()))
    row = {name: np.array([[50.0]], dtype=np.float32) if kind == "number" else np.array([["L"]]) for name, kind in features()}
    answer = loaded.predict(row)["probability"]
    assert 0 <= float(np.ravel(answer)[0]) <= 1


def test_a_model_that_was_logged_before_a_crash_is_no_version_yet(run_id: str, model: Path) -> None:
    source = tracking.log_model(run_id, model, features=features())
    assert tracking.find_version(PROJECT, run_id, "a candidate", "GO") is None
    made = tracking.create_version(PROJECT, run_id, source, tags={"poc.candidate_sha256": "a candidate", "verdict": "GO"}, description="whole")
    assert tracking.find_version(PROJECT, run_id, "a candidate", "GO") == made
    assert tracking.find_version(PROJECT, run_id, "a candidate", "NO-GO") is None
    assert client().get_model_version(PROJECT, made.version).description == "whole"


def test_an_alias_moves_to_the_version_it_was_last_given(run_id: str, model: Path) -> None:
    source = tracking.log_model(run_id, model, features=features())
    for candidate in ("first", "second"):
        version = tracking.create_version(PROJECT, run_id, source, tags={"poc.candidate_sha256": candidate}, description=candidate).version
        tracking.set_alias(PROJECT, "candidate", version)
    assert str(client().get_model_version_by_alias(PROJECT, "candidate").version) == "2"  # MLflow answers int from SQLite, text over HTTP


def test_the_lock_can_be_taken_where_there_is_no_database_yet(repository: Path) -> None:
    (repository / ".poc" / "mlflow.db").unlink()
    with tracking.one_at_a_time():
        assert tracking.looks(PROJECT) == []


def test_without_git_a_run_has_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "mlflow.source.git.commit" not in client().get_run(tracking.open_run(PROJECT, name="a run", candidate=False)).data.tags


def trained_by(run_id: str) -> str | None:
    address: str | None = client().get_run(run_id).data.tags.get("poc.trained_by")
    return address


def test_a_run_says_who_trained(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "config", "user.email", "bo@example.com"], check=True)
    opened = tracking.open_run(PROJECT, name="a run", candidate=True)
    subprocess.run(["git", "config", "user.email", "ben@example.com"], check=True)
    assert trained_by(opened) == "bo@example.com"
    assert trained_by(tracking.adopt_run(opened, candidate=True)) == "ben@example.com"
    monkeypatch.setenv("PATH", "")
    assert trained_by(tracking.open_run(PROJECT, name="a run", candidate=True)) is None


@pytest.mark.parametrize("uri", ["nowhere://at/all", "http://127.0.0.1:9"])
def test_an_mlflow_that_is_not_there_is_said_in_a_sentence(uri: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(EnvironmentRefused, match="MLflow cannot be reached"):
        tracking.looks(PROJECT)


def test_somebody_elses_run_is_used_and_a_finished_one_is_not(run_id: str) -> None:
    assert tracking.adopt_run(run_id, candidate=True) == run_id
    assert client().get_run(run_id).data.tags["poc.candidate"] == "true"
    tracking.close_run(run_id, "FINISHED")
    with pytest.raises(EnvironmentRefused, match="is FINISHED"):
        tracking.adopt_run(run_id, candidate=True)
    with pytest.raises(EnvironmentRefused, match="has no run"):
        tracking.adopt_run("0" * 32, candidate=True)


def commit_of_a_run() -> str | None:
    commit: str | None = client().get_run(tracking.open_run(PROJECT, name="a run", candidate=False)).data.tags.get("mlflow.source.git.commit")
    return commit


def test_a_run_names_the_commit_of_its_own_repository_and_not_of_one_around_it(repository: Path) -> None:
    def git(folder: Path, *arguments: str) -> str:
        settings = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    git(repository.parent, "init", "--quiet")
    git(repository.parent, "commit", "--quiet", "--allow-empty", "-m", "around")
    assert commit_of_a_run() is None
    git(repository, "init", "--quiet")
    assert commit_of_a_run() is None  # nothing is committed yet
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "its own")
    assert commit_of_a_run() == git(repository, "rev-parse", "HEAD")
