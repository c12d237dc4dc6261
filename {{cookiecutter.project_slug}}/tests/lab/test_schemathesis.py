"""Schemathesis reads the server's own description and sends a thousand requests that it makes of it: every reply is one that the description has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from served import served

pytest.importorskip("schemathesis")
pytestmark = [pytest.mark.lab, pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1200)]
#: No schema can say that all inputs are there once and have as many rows as their shapes say, so what fits the schema may still be refused.
TOO_MUCH = "positive_data_acceptance"


def test_a_thousand_requests_made_of_the_description_are_answered_as_described(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with served(tmp_path) as port:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json", "--checks", "all", "--exclude-checks", TOO_MUCH]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "600", "--seed", "7", "--report", "json", "--report-json-path", str(report)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found = json.loads(report.read_text())
    assert (done.returncode, found["failures"], found["errors"]) == (0, [], []), done.stdout
    assert found["operations"]["tested"] == found["operations"]["total"] == 10
    assert found["test_cases"]["generated"] >= 1000
    asked = [rates for name, rates in found["valid_rates"].items() if name.endswith("/infer")]
    assert len(asked) == 2 and all(rates["examples"]["accepted"] == 1 for rates in asked)
