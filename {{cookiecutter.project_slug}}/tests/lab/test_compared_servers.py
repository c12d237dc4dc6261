"""The servers that `make bench` compares answer the same rows alike: else it would compare different work."""

from __future__ import annotations

import http.client
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import INPUTS, a_candidate, some_rows

from poc import layout
from poc.steps.frozen import frozen_model
from poc.tools import frames, tracking
from poc.tools.onnx_runtime import Scorer

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import servers

pytestmark = [pytest.mark.lab, pytest.mark.server]
MLSERVER = os.environ.get("POC_MLSERVER_PYTHON")


@pytest.fixture
def candidate(repository: Path) -> Path:
    """Stand in a repository with a frozen candidate."""
    return a_candidate(repository / "candidate")


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Three rows that lack nothing, each as columns of shape (1, 1)."""
    columns = frames.columns(some_rows(10), INPUTS)
    whole = [i for i in range(10) if not any(values.dtype.kind == "f" and np.isnan(values[i]) for values in columns.values())]
    return [{name: values[i : i + 1] for name, values in columns.items()} for i in whole[:3]]


def expected(candidate: Path, rows: list[dict[str, Any]]) -> Any:
    scorer = Scorer(frozen_model(candidate)[1])
    return pytest.approx([float(scorer.answers(row)[0]) for row in rows], abs=1e-6)


def asked(served: servers.Served) -> list[Any]:
    """Send each body and return what came back."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    replies = []
    for body in served.bodies:
        connection.request("POST", served.path, body, {"content-type": "application/json"})
        replies.append(json.loads(connection.getresponse().read()))
    connection.close()
    return replies


@pytest.mark.skipif(not MLSERVER, reason="no Python 3.11 or 3.12 for MLServer: POC_MLSERVER_PYTHON")
def test_mlserver_answers_as_the_model_does(candidate: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with servers.mlserver(frozen_model(candidate)[0], rows, candidate, Path(str(MLSERVER)), tmp_path) as served:
        assert [reply["outputs"][0]["data"][0] for reply in asked(served)] == expected(candidate, rows)


def test_mlflow_answers_as_the_model_does(candidate: Path, rows: list[dict[str, Any]]) -> None:
    frozen, _ = frozen_model(candidate)
    run = tracking.open_run(frozen.project, name="a run", candidate=True)
    source = tracking.log_model(run, candidate / layout.CANDIDATE_MODEL, features=[(each.name, each.kind) for each in frozen.inputs])
    version = tracking.create_version(frozen.project, run, source, tags={}, description="").version
    with servers.mlflow(frozen, rows, version) as served:
        assert [reply["predictions"]["probability"][0][0] for reply in asked(served)] == expected(candidate, rows)


def test_poc_serve_answers_as_the_model_does(candidate: Path, rows: list[dict[str, Any]]) -> None:
    with servers.ours(frozen_model(candidate)[0], rows, candidate) as served:
        assert [reply["outputs"][0]["data"][0] for reply in asked(served)] == expected(candidate, rows)
