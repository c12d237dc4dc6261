"""Each scenario, baked, installed, and put through its own checks, its own tests and a real run: artifacts count, not exit codes alone."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from baking import SCENARIOS, TEMPLATE, bake

pytestmark = pytest.mark.slow

#: What the template's own checks set, and a user's shell would not.
FOREIGN = (
    "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "TESTS",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_RUN_ID",
)
STEPS = ("charter", "ingest", "validate", "train", "export", "compress", "benchmark", "evaluate", "replay")
JUDGED = ("gate", "register", "decide")
GO, NO_GO, NOT_PROVEN = 0, 4, 7


def call(project: Path, *command: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command in the project as its owner would."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in accept, f"{command} ended with {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done


def overall(run: Path) -> str:
    """Read a run's verdict."""
    return str(json.loads((run / "gate/verdict/verdict.json").read_text())["overall"])


@pytest.fixture(scope="module", params=SCENARIOS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a path with a space, installed from its lock by its own Makefile."""
    project = bake(tmp_path_factory.mktemp("generated") / "two words", scenario=request.param, project_slug=f"a-{request.param}")
    call(project, "make", "setup", f"PYTHON={sys.executable}", f"UV={TEMPLATE / '.tools/bin/uv'}")
    return project


@pytest.fixture(scope="module")
def ended(installed: Path) -> tuple[Path, int]:
    """The artifacts of the newest run after `poc run --candidate`, and the status that it ended with."""
    done = call(installed, ".venv/bin/poc", "run", "--candidate", accept=(GO, NO_GO, NOT_PROVEN))
    run = max((installed / ".poc/runs").iterdir())
    return next(path for path in run.iterdir() if path.is_dir()), done.returncode


def test_its_own_checks_pass(installed: Path) -> None:
    call(installed, "make", "check")


def test_its_own_tests_pass(installed: Path) -> None:
    done = call(installed, "make", "test")
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_every_step_reports_what_it_did(ended: tuple[Path, int]) -> None:
    run, _ = ended
    reported = {path.parent.parent.name for path in run.rglob("report.json")}
    assert reported == {*STEPS, *JUDGED}


def test_the_exit_status_is_the_verdict(ended: tuple[Path, int]) -> None:
    run, status = ended
    assert overall(run) == {GO: "GO", NO_GO: "NO-GO", NOT_PROVEN: "NOT PROVEN"}[status]


def test_the_candidate_is_a_file_that_can_be_served(ended: tuple[Path, int]) -> None:
    run, _ = ended
    assert (run / "evaluate/candidate/model.onnx").stat().st_size > 0


def test_a_version_is_registered_under_the_project_s_name(installed: Path, ended: tuple[Path, int]) -> None:
    with sqlite3.connect(installed / ".poc/mlflow.db") as database:
        versions = database.execute("select name, version from model_versions").fetchall()
    assert versions == [(installed.name, 1)]


@pytest.fixture(scope="module")
def mlflow(installed: Path, ended: tuple[Path, int]) -> Iterator[str]:
    """The address of the project's MLflow, served by `poc ui`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    with subprocess.Popen([".venv/bin/poc", "ui", "--port", str(port)], cwd=installed, env=environment) as server:
        try:
            yield wait_for(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> str:
    """Return the address once it answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            return address
        except OSError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


def seen(page: str, profile: Path) -> str:
    """Return the text of a page after its scripts have run, as a person would see it in Chromium."""
    browser = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if browser is None:
        (pytest.fail if "NEVER_SKIP" in os.environ else pytest.skip)("needs Chromium")
    quiet = (
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    command = [str(browser), "--headless", *quiet, f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", page]
    document = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", document))).split())


@pytest.mark.browser
@pytest.mark.server
def test_the_version_page_shows_verdict_limits_and_alias(installed: Path, ended: tuple[Path, int], mlflow: str, tmp_path: Path) -> None:
    run, status = ended
    text = seen(f"{mlflow}/#/models/{installed.name}/versions/1?workflowType=machine_learning", tmp_path)
    for expected in ("Limits, each at 95% confidence", "missed share", "Money and people", f"verdict {overall(run)}"):
        assert expected in text
    assert "poc.draft true" in text
    assert ("@ candidate" in text) == (status != NO_GO)


@pytest.mark.browser
@pytest.mark.server
def test_the_run_s_page_shows_the_verdict_and_a_figure_of_every_step(ended: tuple[Path, int], mlflow: str, tmp_path: Path) -> None:
    run, _ = ended
    written = json.loads((run / "register/version/version.json").read_text())
    text = seen(f"{mlflow}/{written['run_url'].split('/', 3)[3]}", tmp_path)
    assert f"{overall(run)}: " in text
    assert [step for step in STEPS if f"{step}.seconds" not in text] == []


def test_nothing_that_a_run_leaves_would_be_committed(installed: Path, ended: tuple[Path, int]) -> None:
    call(installed, "git", "init", "--quiet")
    status = call(installed, "git", "status", "--porcelain", "--ignored=no", "--untracked-files=all").stdout
    left = [line for line in status.splitlines() if any(part in line for part in (".poc", ".venv", "__pycache__", "mlruns", ".db", "egg-info"))]
    assert left == []
