"""Whole runs of the other kinds of problem, in processes of their own: from the source to a registered version that is served and asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from commands import poc, rows
from kinds import a_project_of
from small_models import start_server

from poc import layout
from poc.acts.ask import ask
from poc.acts.newest import newest_candidate
from poc.errors import ExitCode
from poc.rules.answers import OUTPUTS
from poc.tools import machine

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.timeout(900)]
ON_THIS_MACHINE = "GO" if hasattr(os, "sched_setaffinity") else "NOT PROVEN"
CONSTANT = {"multiclass": "deciding 'good' every time", "regression": "the usual amount every time", "count": "the usual amount every time"}


@pytest.fixture(scope="module", params=["multiclass", "regression", "count"])
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[str, Any]]:
    """Run a project of the kind to its verdict; return the kind, the project and what the run said."""
    project = a_project_of(request.param, tmp_path_factory.mktemp("a project") / request.param, rows=3000)
    charter = json.loads((project / "charter.yaml").read_text())
    charter["limits"]["hardware"] |= {"architecture": machine.ARCHITECTURES.get(os.uname().machine, "x86_64"), "cores": 1, "memory_mb": 1024}
    (project / "charter.yaml").write_text(json.dumps(charter))
    done = poc(project, "run", "--candidate", "--json")
    assert done.stdout, done.stderr
    return request.param, project, json.loads(done.stdout)


def test_a_model_that_keeps_its_limits_is_go_and_registered(judged: tuple[str, Path, dict[str, Any]]) -> None:
    problem, project, said = judged
    assert (said["verdict"] or {}).get("overall") == ON_THIS_MACHINE, said["problems"]
    assert said["exit_code"] == (ExitCode.GO if ON_THIS_MACHINE == "GO" else ExitCode.NOT_PROVEN)
    assert CONSTANT[problem] in said["verdict"]["money"]["against"]
    assert rows(project, "select alias from registered_model_aliases") == [("candidate",)]


def test_what_is_registered_names_what_it_answers(judged: tuple[str, Path, dict[str, Any]]) -> None:
    problem, project, _ = judged
    (model,) = (project / layout.STATE / "mlartifacts").rglob("MLmodel")
    assert f'"name": "{OUTPUTS[problem]}"'.replace('"', '\\"') in model.read_text() or f'"name": "{OUTPUTS[problem]}"' in model.read_text()


def test_the_brief_says_limits_money_and_people_and_shows_no_threshold(judged: tuple[str, Path, dict[str, Any]]) -> None:
    _, _, said = judged
    (page,) = Path(said["run"]).glob(f"*/register/version/{layout.BRIEF_HTML}")
    (card,) = Path(said["run"]).glob(f"*/register/version/{layout.MODEL_CARD}")
    words = page.read_text()
    assert ON_THIS_MACHINE in words and "What the money depends on most" in words and "How often it errs" in words
    assert "threshold" not in words and "threshold" not in card.read_text()


def test_it_is_served_and_asked(judged: tuple[str, Path, dict[str, Any]], tmp_path: Path) -> None:
    problem, project, _ = judged
    candidate = newest_candidate(project)[1]
    process, port = start_server(candidate, tmp_path)
    try:
        reply = ask(candidate, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.communicate()
    assert reply.threshold is None and reply.probability is None
    if problem == "multiclass":
        assert sum((reply.probabilities or {}).values()) == pytest.approx(1, abs=1e-5)
        assert reply.decision in (reply.probabilities or {})
        assert f": {reply.decision}" in reply.in_words()
    else:
        assert (reply.decision, reply.in_words()) == (None, f"estimate {reply.estimate:,.6g}")


def test_runs_are_compared_by_what_their_charter_limits(judged: tuple[str, Path, dict[str, Any]]) -> None:
    problem, project, _ = judged
    (row,) = json.loads(poc(project, "runs", "--json").stdout)
    shares = [name for name in row if name.startswith("dev_") and "_share" in name]
    assert len(shares) == (2 if problem == "multiclass" else 1)
    assert all(0 <= row[name] <= 1 for name in shares)
