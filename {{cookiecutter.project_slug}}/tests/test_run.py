"""A whole run on the bundled data, in processes of its own, small enough to repeat: verdict, exit status, crash and repetition."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from poc.errors import ExitCode

pytestmark = pytest.mark.slow
HERE = Path(__file__).parents[1]
EXIT = {"GO": ExitCode.GO, "NO-GO": ExitCode.REFUSED, "NOT PROVEN": ExitCode.NOT_PROVEN}


def poc(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "poc", *arguments], cwd=project, env=environment(), capture_output=True, text=True, check=False)


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_") and name != "PYTHONDONTWRITEBYTECODE"}
    return {**clean, "PYTHONPATH": str(HERE / "src"), "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's agreement and data in a path with a space, with one family and a short benchmark."""
    project = tmp_path_factory.mktemp("a project")
    for folder in ("data", "expectations"):
        shutil.copytree(HERE / folder, project / folder)
    # A machine that is busy with other tests must not rule out one of two equally good variants: another candidate would be frozen.
    (project / "charter.yaml").write_text(re.sub(r"latency_p99_ms: \d+", "latency_p99_ms: 2000", (HERE / "charter.yaml").read_text()))
    params = re.sub(r"families: \[.*?\]", "families: [logistic]", (HERE / "params.yaml").read_text())
    (project / "params.yaml").write_text(
        re.sub(r"(benchmark_seconds_per_variant|replay_rows): [\d.]+", lambda m: f"{m[1]}: {2.5 if 'bench' in m[1] else 50}", params)
    )
    return project


@pytest.fixture(scope="module")
def first(project: Path) -> dict[str, Any]:
    done = poc(project, "run", "--candidate", "--json")
    assert done.stdout, done.stderr
    return {**json.loads(done.stdout), "status": done.returncode}


def rows(project: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(project / ".poc" / "mlflow.db") as database:
        return database.execute(query).fetchall()


def test_the_exit_status_is_the_verdict_and_all_is_recorded_before(first: dict[str, Any], project: Path) -> None:
    assert first["status"] == EXIT[first["verdict"]["overall"]]
    assert [step["step"] for step in first["steps"]][-3:] == ["gate", "register", "decide"]
    assert "Fatal Python error" not in (Path(first["run"]) / "run.log").read_text(errors="replace")
    assert rows(project, "select value from model_version_tags where key = 'verdict'") == [(first["verdict"]["overall"],)]


def test_the_same_candidate_again_gets_its_counts_and_no_second_look(first: dict[str, Any], project: Path) -> None:
    again = json.loads(poc(project, "run", "--candidate", "--json").stdout)
    assert again["verdict"]["repeated"]
    for same in ("confusion", "money", "candidate_sha256", "sealed_sha256", "look"):
        assert again["verdict"][same] == first["verdict"][same]
    assert rows(project, "select count(*) from tags where key = 'poc.look'") == [(1,)]


def test_another_candidate_past_the_looks_is_refused_and_not_registered(first: dict[str, Any], project: Path) -> None:
    params = project / "params.yaml"
    before, versions = params.read_text(), rows(project, "select count(*) from model_versions")
    params.write_text(before.replace("seed: 7", "seed: 8"))
    refused = json.loads(poc(project, "run", "--candidate", "--json").stdout)
    params.write_text(before)
    assert (refused["exit_code"], refused["steps"][-1]["refusal_code"]) == (ExitCode.REFUSED, "a_look_is_left")
    assert rows(project, "select count(*) from model_versions") == versions


def test_no_step_but_the_gate_opens_the_sealed_labels(project: Path) -> None:
    for step in ("charter", "ingest"):
        assert poc(project, step).returncode == 0
    artifacts = max((project / ".poc/runs").iterdir()) / "by-hand"
    (artifacts / "ingest/sealed_labels/labels.parquet").unlink()
    for step in ("validate", "train", "export", "compress", "benchmark", "evaluate", "replay"):
        done = poc(project, step)
        assert done.returncode == 0, (step, done.stderr)
    assert "labels.parquet" in poc(project, "gate").stderr


def test_after_a_kill_the_next_run_works_and_the_dead_one_is_closed(first: dict[str, Any], project: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-m", "poc", "run", "--candidate"],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = set((project / ".poc/runs").iterdir())
    patience = time.monotonic() + 60
    while not any(path.name == "splits.json" for run in set((project / ".poc/runs").iterdir()) - before for path in run.rglob("*.json")):
        assert time.monotonic() < patience and launcher.poll() is None
        time.sleep(0.05)
    launcher.kill()  # the launcher alone: what it started has to notice by itself
    launcher.wait()
    patience = time.monotonic() + 3
    while str(project) in subprocess.run(["ps", "-axww", "-o", "command"], capture_output=True, text=True, check=True).stdout:
        assert time.monotonic() < patience, "the pipeline goes on without its launcher"
        time.sleep(0.1)
    versions = rows(project, "select count(*) from model_versions")
    assert rows(project, "select count(*) from runs where status = 'RUNNING'") == [(1,)]
    done = poc(project, "run", "--json")
    assert done.returncode == 0, done.stderr
    assert rows(project, "select count(*) from runs where status = 'RUNNING'") == [(0,)]
    assert rows(project, "select count(*) from runs where status = 'KILLED'") == [(1,)]
    assert rows(project, "select count(*) from model_versions") == versions
