from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from candidates import a_candidate
from click.testing import CliRunner

import poc as package
from poc import cli
from poc.errors import ExitCode
from poc.steps import STEPS


def poc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1]), "MLFLOW_DISABLE_TELEMETRY": "true"}
    return subprocess.run([sys.executable, "-m", "poc", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_help_lists_every_step_in_the_order_of_a_run() -> None:
    shown = CliRunner().invoke(cli.poc, ["--help"]).output
    commands = [line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line.startswith("  ") and line[2:3].strip()]
    names = [step.name for step in STEPS]
    assert [command for command in commands if command in names] == names


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_steps_help_says_what_it_refuses(step: object) -> None:
    shown = CliRunner().invoke(cli.poc, [step.name, "--help"])  # type: ignore[attr-defined]
    assert shown.exit_code == 0 and "Refuses when" in shown.output


@pytest.mark.parametrize("arguments", [["no-such-command"], ["run", "--no-such-option"], ["serve", "--port", "many"], ["ui", "--port", "99999"]])
def test_a_command_that_does_not_exist_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli.poc, arguments).exit_code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["run", "charter", "doctor", "ask"])
def test_without_a_charter_it_says_where_it_looked_and_what_to_do(command: str, tmp_path: Path) -> None:
    done = poc(tmp_path, command)
    assert done.returncode == ExitCode.INPUT and done.stdout == ""
    assert "there is no charter.yaml here" in done.stderr and str(tmp_path) in done.stderr and "fix:" in done.stderr


def test_every_problem_of_a_charter_is_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "charter.yaml").write_text("schema_version: 1\nproject: Bad Name\nversion: 0\nsurprise: 7\n")
    done = poc(tmp_path, "charter")
    assert done.returncode == ExitCode.INPUT
    assert [field for field in ("project", "version", "surprise", "people", "timebox") if field not in done.stderr] == []
    assert "Traceback" not in done.stderr


def test_serving_on_a_taken_port_names_the_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = poc(tmp_path, "serve", "--candidate", str(a_candidate(tmp_path)), "--port", str(port))
    assert done.returncode == ExitCode.ENVIRONMENT and f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_serving_before_anything_was_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "charter.yaml").write_text("schema_version: 1\n")
    done = poc(tmp_path, "serve")
    assert done.returncode == ExitCode.INPUT and "nothing has been run yet" in done.stderr


def test_serving_an_edited_model_is_refused(tmp_path: Path) -> None:
    model = a_candidate(tmp_path) / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    assert poc(tmp_path, "serve", "--candidate", str(tmp_path), "--port", "0").returncode == ExitCode.REFUSED


def test_doctor_writes_json_that_names_each_finding(tmp_path: Path) -> None:
    (tmp_path / "charter.yaml").write_text("schema_version: 1\n")
    done = poc(tmp_path, "doctor", "--json")
    found = {finding["name"]: finding["is_ok"] for finding in json.loads(done.stdout)}
    assert (found["Python"], found["charter"], found["data contract"]) == (True, False, False)
    assert done.returncode == ExitCode.ENVIRONMENT


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str) -> None:
    assert "_POC_COMPLETE" in CliRunner().invoke(cli.poc, ["completion", shell]).output


@pytest.mark.parametrize("target", ["pipeline.txt", "no/such/folder/pipeline.yaml"])
def test_a_pipeline_that_cannot_be_written_there_is_refused_in_a_sentence(target: str, tmp_path: Path) -> None:
    done = poc(tmp_path, "compile", "--to", target)
    assert done.returncode == ExitCode.INPUT and f"cannot be written to {target}" in done.stderr
