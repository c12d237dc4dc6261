"""Each scenario, baked, installed, and put through its own checks, its own tests and a real run: artifacts count, not exit codes alone."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from baking import SCENARIOS, TEMPLATE, bake

pytestmark = [pytest.mark.slow, pytest.mark.server]

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
    "POC_TRUST",
    "MLFLOW_RUN_ID",
)
STEPS = ("charter", "ingest", "validate", "train", "export", "compress", "benchmark", "evaluate", "replay")
JUDGED = ("gate", "register", "decide")
GO, NO_GO, NOT_PROVEN = 0, 4, 7
#: What the longest command takes on the slowest machine, and more: all tests of a project took 800 to over 900 s on two busy cores. A hang must end before
#: the whole check is cut off without a word, after 90 minutes, of which the rest takes ten.
PATIENCE_S = 2700
TRIES = 3
#: Of a generated project's tests, those that read what a scenario brings; all others bring their own agreement and rows, and are the same in every project.
OF_THE_SCENARIO = "tests/test_docs.py tests/test_pipeline.py tests/tools/test_strict_yaml_fuzz.py"


def call(project: Path, *command: str, accept: tuple[int, ...] = (0,), patience_s: float = PATIENCE_S) -> str:
    """Run a command in the project as its owner would, and return what it printed."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=project, env=environment(), stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            printed, complained = process.communicate(timeout=patience_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # what it started holds the pipes, and would be waited for
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            printed, complained = process.communicate()
    assert process.returncode in accept, f"{command} ended with {process.returncode}\n{printed[-8000:]}\n{complained[-8000:]}"
    return printed


def environment() -> dict[str, str]:
    """Return the environment of a user's shell."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


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
    said = json.loads(call(installed, ".venv/bin/poc", "run", "--candidate", "--json", accept=(GO, NO_GO, NOT_PROVEN)))
    return next(path for path in Path(said["run"]).iterdir() if path.is_dir()), said["exit_code"]


def test_its_own_checks_pass(installed: Path) -> None:
    """Its fast tests are among its own tests, below."""
    call(installed, "make", "check", "TESTS=--collect-only")


def test_its_own_tests_pass(installed: Path, request: pytest.FixtureRequest) -> None:
    is_first = request.node.callspec.params["installed"] == SCENARIOS[0]
    printed = call(installed, "make", "test", f"TESTS={'' if is_first else OF_THE_SCENARIO}")
    assert " passed" in printed
    assert [line for line in printed.splitlines() if line.startswith("SKIPPED") and "no Chromium" not in line] == []


def test_every_step_reports_what_it_did(ended: tuple[Path, int]) -> None:
    run, _ = ended
    reported = {path.parent.parent.name for path in run.rglob("report.json")}
    assert reported == {*STEPS, *JUDGED}


def test_the_exit_status_is_the_verdict(ended: tuple[Path, int]) -> None:
    run, status = ended
    assert overall(run) == {GO: "GO", NO_GO: "NO-GO", NOT_PROVEN: "NOT PROVEN"}[status]


def test_the_brief_is_one_page_to_mail_that_says_the_verdict(ended: tuple[Path, int]) -> None:
    run, _ = ended
    page = (run / "register/version/brief.html").read_text()
    assert f"</span> {overall(run)}</p>" in page and len(page) < 1_000_000


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
    server, address = served(installed)
    try:
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()


def served(project: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start `poc ui` on a free port; once more on another one if somebody else was quicker to take it."""
    for _ in range(TRIES):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen([".venv/bin/poc", "ui", "--port", str(port)], cwd=project, env=environment())
        if answers(f"http://127.0.0.1:{port}", server):
            return server, f"http://127.0.0.1:{port}"
        server.kill()
        server.wait()
    raise AssertionError(f"`poc ui` did not answer in {TRIES} tries")


def answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False when it ended, or took too long."""
    patience = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < patience:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def seen(page: str, profile: Path, expected: Sequence[str]) -> str:
    """Return the text of a page after its scripts have run, as a person would see it in Chromium; who sees too little looks again."""
    browser = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if browser is None:
        (pytest.fail if "NEVER_SKIP" in os.environ else pytest.skip)("needs Chromium")
    quiet = (
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    text = ""
    for attempt in range(TRIES):
        command = [str(browser), "--headless", *quiet, f"--user-data-dir={profile / str(attempt)}", "--virtual-time-budget=20000", "--dump-dom", page]
        document = call(profile, *command, accept=(0, -signal.SIGKILL), patience_s=120)
        text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", document))).split())
        if all(each in text for each in expected):
            break
    return text


@pytest.mark.browser
def test_the_version_page_shows_verdict_limits_and_alias(installed: Path, ended: tuple[Path, int], mlflow: str, tmp_path: Path) -> None:
    run, status = ended
    described = [
        "Each limit of the charter, with bounds that hold at 95 % confidence",
        "size of the model",
        "against today's process",
        "Why not the usual threshold",
    ]
    expected = [*described, f"verdict {overall(run)}", "poc.draft true"]
    text = seen(f"{mlflow}/#/models/{installed.name}/versions/1?workflowType=machine_learning", tmp_path, expected)
    assert [each for each in expected if each not in text] == []
    assert ("@ candidate" in text) == (status != NO_GO)


@pytest.mark.browser
def test_the_run_s_page_shows_the_verdict_and_a_figure_of_every_step(ended: tuple[Path, int], mlflow: str, tmp_path: Path) -> None:
    run, _ = ended
    written = json.loads((run / "register/version/version.json").read_text())
    expected = [f"{overall(run)}: ", *(f"{step}.seconds" for step in STEPS)]
    text = seen(f"{mlflow}/{written['run_url'].split('/', 3)[3]}", tmp_path, expected)
    assert [each for each in expected if each not in text] == []


def test_nothing_that_a_run_leaves_would_be_committed(installed: Path, ended: tuple[Path, int]) -> None:
    call(installed, "git", "init", "--quiet")
    status = call(installed, "git", "status", "--porcelain", "--ignored=no", "--untracked-files=all")
    left = [line for line in status.splitlines() if any(part in line for part in (".poc", ".venv", "__pycache__", "mlruns", ".db", "egg-info"))]
    assert left == []
