"""Every step as a command of its own, in order, from a charter to a registered version; and what each writes for programs to read."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from artifacts import a_project
from commands import environment, poc, rows, strictly

from poc import layout
from poc.acts.by_hand import is_of_another_charter, run_for, step_by_hand
from poc.errors import ExitCode, Refused
from poc.steps import STEP, STEPS
from poc.tools import tracking

pytestmark = pytest.mark.slow
EXIT = {"GO": ExitCode.GO, "NO-GO": ExitCode.REFUSED, "NOT PROVEN": ExitCode.NOT_PROVEN}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project in a path with a space, its data contract drafted."""
    project = a_project(tmp_path_factory.mktemp("a project"))
    charter = json.loads((project / "charter.yaml").read_text())
    charter["features"][0]["why_it_may_decide_alone"] = "Torque is what makes these parts bad."
    (project / "charter.yaml").write_text(json.dumps(charter, indent=1))
    params = json.loads((project / "params.yaml").read_text()) | {"benchmark_seconds_per_variant": 2.5, "replay_rows": 50}
    (project / "params.yaml").write_text(json.dumps(params))
    assert poc(project, "draft-expectations", "--force").returncode == 0
    return project


@pytest.fixture(scope="module")
def by_hand(project: Path) -> dict[str, tuple[int, Any]]:
    """Perform the steps in order, each in a process of its own: their exit status and what they wrote to standard output."""
    ended = {step.name: poc(project, step.name, "--json") for step in STEPS}
    assert [(name, done.stderr) for name, done in ended.items() if not done.stdout] == []
    return {name: (done.returncode, strictly(done.stdout)) for name, done in ended.items()}


def test_all_twelve_steps_by_hand_end_in_a_registered_version(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    assert [status for status, _ in by_hand.values()][:-1] == [0] * (len(STEPS) - 1)
    verdict = rows(project, "select value from model_version_tags where key = 'verdict'")[0][0]
    assert by_hand["decide"][0] == EXIT[verdict]


def test_steps_by_hand_share_one_mlflow_run_that_is_closed_and_holds_all_evidence(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    runs = rows(project, "select run_uuid, status from runs join tags using (run_uuid) where key = 'poc.kind' and value = 'run'")
    assert [status for _, status in runs] == ["FINISHED"]
    evidence = project / ".poc/mlartifacts" / runs[0][0] / "artifacts/evidence"
    assert {path.name for path in evidence.iterdir()} == {step.name for step in STEPS}
    assert rows(project, "select value from tags where key = 'poc.candidate'") == [("true",)]


def test_a_step_that_refuses_writes_its_problems_as_json_too(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    (project / ".poc/runs/2000-01-01").mkdir()
    done = poc(project, "train", "--json", "--run", ".poc/runs/2000-01-01")
    assert (done.returncode, strictly(done.stdout)["exit_code"]) == (ExitCode.INPUT, ExitCode.INPUT)
    assert strictly(done.stdout)["problems"][0]["what"] in done.stderr


def test_a_step_goes_on_in_a_run_that_was_named_from_a_folder_below(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    run = max((project / ".poc/runs").iterdir())
    done = poc(project / "data", "evaluate", "--run", f"../.poc/runs/{run.name}")
    assert done.returncode == 0, done.stderr
    assert f"in run {run.name}" in done.stdout


def test_a_charter_checked_by_hand_leaves_the_candidate_to_be_served_and_asked(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    frozen = max((project / ".poc/runs").iterdir())
    assert poc(project, "charter").returncode == 0
    command = [sys.executable, "-m", "poc", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=project, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        address = re.search(r"http://\S+:\d+", said)
        asked = poc(project, "ask", "--json", "--url", address[0] if address else "")
        server.send_signal(signal.SIGINT)
    assert re.search(rf"serving run {frozen.name}, verdict (GO|NO-GO|NOT PROVEN), on", said)
    assert asked.returncode == 0, asked.stderr
    assert 0 <= strictly(asked.stdout)["probability"] <= 1


def test_what_serves_for_ever_announces_itself_in_json(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "poc", "serve", "--port", "0", "--json"], cwd=project, env=environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            said += server.stdout.readline() or pytest.fail("it ended")
        server.send_signal(signal.SIGINT)
    assert strictly(said)["candidate"].endswith("/evaluate/candidate")


def test_comparing_runs_writes_json_where_a_run_has_no_figures_yet(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    assert {row["dev_missed_share"] is None for row in strictly(poc(project, "runs", "--json").stdout)} <= {True, False}


def test_a_run_that_was_launched_goes_on_by_hand_in_its_own_mlflow_run(by_hand: dict[str, tuple[int, Any]], project: Path) -> None:
    launched = strictly(poc(project, "run", "--json").stdout)["mlflow_run"]
    for step in ("gate", "register"):
        done = poc(project, step)
        assert done.returncode == 0, done.stderr
    assert rows(project, "select run_id from model_versions order by version desc limit 1") == [(launched,)]
    assert rows(project, f"select status from runs where run_uuid = '{launched}'") == [("FINISHED",)]


@pytest.fixture
def begun(repository: Path) -> Path:
    """Stand in a project whose newest run has read its charter; return the run's folder."""
    a_project(repository)
    run = run_for(STEP["charter"], repository)
    step_by_hand(STEP["charter"], run)
    return run


def test_a_run_that_is_going_on_is_not_taken_over(begun: Path, repository: Path) -> None:
    mlflow_run = tracking.open_run("stop-bad-parts", name="going on", candidate=False)
    (begun / layout.MLFLOW_RUN).write_text(mlflow_run)
    with pytest.raises(Refused, match="the run going on is still going on"):
        step_by_hand(STEP["ingest"], begun)
    assert tracking.run_rows("stop-bad-parts")[0].status == "RUNNING"


def test_a_run_whose_records_are_gone_gets_others(begun: Path, repository: Path) -> None:
    (begun / layout.MLFLOW_RUN).write_text("0" * 32)
    step_by_hand(STEP["ingest"], begun)
    assert [row.status for row in tracking.run_rows("stop-bad-parts")] == ["FINISHED"]


def test_a_step_that_refuses_by_hand_fails_its_mlflow_run_and_names_no_run_to_others(begun: Path, repository: Path) -> None:
    with pytest.raises(Refused):
        step_by_hand(STEP["train"], begun)
    assert [row.status for row in tracking.run_rows("stop-bad-parts")] == ["FAILED"]
    assert "MLFLOW_RUN_ID" not in os.environ


def test_checking_a_charter_opens_no_mlflow_run(begun: Path) -> None:
    assert tracking.run_rows("stop-bad-parts") == []
    assert not (begun / layout.MLFLOW_RUN).exists()


def test_a_run_notices_that_the_charter_was_changed_since(begun: Path, repository: Path) -> None:
    assert not is_of_another_charter(repository, begun)
    charter = repository / layout.CHARTER
    charter.write_text(charter.read_text().replace('"looks": 1', '"looks": 2'))
    assert is_of_another_charter(repository, begun)
