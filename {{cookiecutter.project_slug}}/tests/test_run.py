"""Whole runs in processes of their own, on a small table and an agreement that is easy to keep: verdict, exit status, crash and repetition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from artifacts import a_project
from builders import a_plain_charter
from commands import environment, left_of, poc, rows
from samples import ONLY_TORQUE

from poc import layout
from poc.errors import ExitCode
from poc.tools import machine

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(900)]
EXIT = {"GO": ExitCode.GO, "NO-GO": ExitCode.REFUSED, "NOT PROVEN": ExitCode.NOT_PROVEN}
#: Only Linux lets a process be kept to the charter's cores; what is timed elsewhere proves nothing.
ON_THIS_MACHINE = "GO" if hasattr(os, "sched_setaffinity") else "NOT PROVEN"
#: What the slowest and busiest machine keeps, so that its noise neither decides a verdict nor freezes another of two equally good variants.
HARDWARE: dict[str, Any] = {"architecture": machine.ARCHITECTURES.get(os.uname().machine, "x86_64"), "cores": 1, "memory_mb": 1024}
LIMITS: dict[str, Any] = {"hardware": HARDWARE, "latency_p99_ms": 2000, "memory_mb": 1024, "monthly_budget": 100_000}
PATIENCE_S = 60


def agree(project: Path, *, looks: int = 3, seed: int = 7, **limits: Any) -> None:
    """Write what a run goes by: three looks and limits that the model keeps, except for the limits given."""
    decides = "The test's parts are bad exactly when they took too much torque."
    features = [{**each, "why_it_may_decide_alone": decides} if each["name"] == "Torque [Nm]" else each for each in a_plain_charter()["features"]]
    charter = a_plain_charter(data={"source": "data/parts.csv"}, features=features, timebox={"looks": looks}, limits=LIMITS)
    (project / "charter.yaml").write_text(json.dumps(a_plain_charter(**charter | {"limits": charter["limits"] | limits})))
    params = {"seed": seed, "families": ["logistic"], "benchmark_seconds_per_variant": 2.5, "replay_rows": 50}
    (project / "params.yaml").write_text(json.dumps(params))


def ended(project: Path, *options: str) -> dict[str, Any]:
    """Run, and return what the run said of its end."""
    done = poc(project, "run", "--json", *options)
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said.get("exit_code") == done.returncode, said
    return said


def judged(project: Path) -> dict[str, Any]:
    """Run to a verdict."""
    said = ended(project, "--candidate")
    assert said["verdict"], said["steps"][-1:]
    return said


def recorded(project: Path, said: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Read how MLflow closed a run, the verdict of the version that the run registered, and the alias that this version holds."""
    return rows(
        project,
        "select runs.status, tag.value, alias.alias from runs join model_versions version on version.run_id = runs.run_uuid"
        " join model_version_tags tag on tag.name = version.name and tag.version = version.version and tag.key = 'verdict'"
        " left join registered_model_aliases alias on alias.name = version.name and alias.version = version.version"
        f" where runs.run_uuid = '{said['mlflow_run']}'",
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a path with a space."""
    project = a_project(tmp_path_factory.mktemp("a project"), rows=2000)
    (project / "expectations/suite.json").write_text(ONLY_TORQUE)
    return project


@pytest.fixture(scope="module")
def first(project: Path) -> dict[str, Any]:
    agree(project)
    return judged(project)


@pytest.fixture(scope="module")
def again(first: dict[str, Any], project: Path) -> dict[str, Any]:
    """The same candidate once more, after a run of it that was killed halfway."""
    agree(project)
    kill_halfway(project)
    assert rows(project, "select count(*) from runs where status = 'RUNNING'") == [(1,)]
    return judged(project)


def kill_halfway(project: Path) -> None:
    """Kill a run's launcher, and it alone, once rows are split; wait until what it started has noticed by itself."""
    launcher, _ = started(project, "*/ingest/data/splits.json", "--candidate")
    launcher.kill()
    launcher.wait()
    assert left_of(project) == {}, "the pipeline goes on without its launcher"


def started(project: Path, until: str, *options: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a run; return its launcher and the first file below the run's folder that fits the pattern, once it is there."""
    before, quiet = runs_of(project), subprocess.DEVNULL
    launcher = subprocess.Popen([sys.executable, "-m", "poc", "run", *options], cwd=project, env=environment(), stdout=quiet, stderr=quiet)
    patience = time.monotonic() + PATIENCE_S
    while True:
        for found in (path for run in runs_of(project) - before for path in run.glob(until)):
            return launcher, found
        assert time.monotonic() < patience and launcher.poll() is None
        time.sleep(0.01)


def runs_of(project: Path) -> set[Path]:
    return set((project / layout.RUNS).iterdir())


def test_a_run_that_keeps_its_limits_is_go_and_all_is_recorded(first: dict[str, Any], project: Path) -> None:
    assert (first["verdict"]["overall"], first["exit_code"]) == (ON_THIS_MACHINE, EXIT[ON_THIS_MACHINE]), first["verdict"]["limits"]
    assert [step["step"] for step in first["steps"]][-3:] == ["gate", "register", "decide"]
    assert "Fatal Python error" not in (Path(first["run"]) / layout.RUN_LOG).read_text(errors="replace")
    assert [each[:2] for each in recorded(project, first)] == [("FINISHED", ON_THIS_MACHINE)]


def test_the_same_candidate_again_gets_its_counts_and_no_second_look(first: dict[str, Any], again: dict[str, Any], project: Path) -> None:
    assert again["verdict"]["repeated"]
    for same in ("counted", "money", "candidate_sha256", "sealed_sha256", "look"):
        assert again["verdict"][same] == first["verdict"][same]
    digest = first["verdict"]["candidate_sha256"]
    assert rows(project, f"select count(*) from tags where key = 'poc.candidate_sha256' and value = '{digest}'") == [(1,)]


def test_after_a_kill_the_next_run_works_and_the_dead_one_is_closed(again: dict[str, Any], project: Path) -> None:
    assert [status for status, *_ in recorded(project, again)] == ["FINISHED"]
    assert rows(project, "select count(*) from runs where status = 'RUNNING'") == [(0,)]
    killed = "select runs.run_uuid from runs where status = 'KILLED'"
    assert len(rows(project, killed)) == 1
    assert rows(project, f"select count(*) from model_versions where run_id in ({killed})") == [(0,)]


@pytest.mark.parametrize(
    ("outcome", "limits", "alias"), [("NO-GO", {"model_mb": 0.0001}, None), ("NOT PROVEN", {"hardware": {**HARDWARE, "cores": 64}}, "candidate")]
)
def test_the_exit_status_is_the_verdict_and_all_is_recorded_before(
    outcome: str, limits: dict[str, Any], alias: str | None, first: dict[str, Any], project: Path
) -> None:
    agree(project, **limits)
    said = judged(project)
    assert (said["verdict"]["overall"], said["exit_code"]) == (outcome, EXIT[outcome])
    assert recorded(project, said) == [("FINISHED", outcome, alias)]


def test_another_candidate_past_the_looks_is_refused_and_not_registered(first: dict[str, Any], project: Path) -> None:
    versions = rows(project, "select count(*) from model_versions")
    agree(project, looks=1, seed=8)
    refused = ended(project, "--candidate")
    assert (refused["exit_code"], refused["steps"][-1]["refusal_code"]) == (ExitCode.REFUSED, "a_look_is_left")
    assert rows(project, "select count(*) from model_versions") == versions
    assert rows(project, f"select status from runs where run_uuid = '{refused['mlflow_run']}'") == [("FAILED",)]


def test_a_run_to_dev_evidence_does_without_the_sealed_labels(first: dict[str, Any], project: Path) -> None:
    agree(project)
    launcher, labels = started(project, "*/ingest/sealed_labels/labels.parquet")
    labels.unlink()  # a file that is gone nobody opens, whatever it opens files with
    assert launcher.wait() == ExitCode.GO


def test_rows_without_a_signal_end_in_no_go_and_not_by_flagging_everything(tmp_path: Path) -> None:
    project = a_project(tmp_path / "no signal", rows=2000)
    (project / "expectations/suite.json").write_text(ONLY_TORQUE)
    parts = pd.read_csv(project / "data/parts.csv")
    drawn = np.random.default_rng(3).permutation(parts["Target"])
    parts.assign(Target=drawn).to_csv(project / "data/parts.csv", index=False)
    agree(project)
    said = judged(project)
    judged_so = {limit["name"]: limit["verdict"] for limit in said["verdict"]["limits"]}
    assert (said["verdict"]["overall"], said["exit_code"]) == ("NO-GO", EXIT["NO-GO"])
    assert "NO-GO" in (judged_so["missed_share"], judged_so["false_alarm_share"])


def test_a_column_that_gives_the_answer_away_stops_the_run_by_name(tmp_path: Path) -> None:
    project = a_project(tmp_path / "a leak", rows=2000)
    (project / "expectations/suite.json").write_text(ONLY_TORQUE)
    agree(project)
    charter = json.loads((project / "charter.yaml").read_text())
    (project / "charter.yaml").write_text(json.dumps(charter | {"features": a_plain_charter()["features"]}))
    said = ended(project)
    assert (said["exit_code"], said["steps"][-1]["step"]) == (ExitCode.REFUSED, "validate")
    assert "column 'Torque [Nm]' alone ranks positives with AUC 1.000" in said["problems"][0]["what"]


def test_a_claim_that_the_rows_cannot_carry_is_foretold_and_ends_in_not_proven_by_name(tmp_path: Path) -> None:
    few = a_project(tmp_path / "few rows", rows=400)  # 40 sealed positives; 5 % takes 59 without a miss
    (few / "expectations/suite.json").write_text(ONLY_TORQUE)
    agree(few, looks=1, missed_share="0.05")
    said = judged(few)
    ingested = next(step for step in said["steps"] if step["step"] == "ingest")
    assert "40 sealed positives cannot show 0.05 missed_share: 59 are needed" in ingested["headline"]
    missed = next(limit for limit in said["verdict"]["limits"] if limit["name"] == "missed_share")
    assert (missed["verdict"], said["exit_code"]) == ("NOT PROVEN", ExitCode.NOT_PROVEN)
    assert "so few rows cannot show it" in missed["why"]
