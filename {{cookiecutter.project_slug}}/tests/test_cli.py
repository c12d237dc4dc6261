from __future__ import annotations

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Cursor
from typing import Any

import pytest
from artifacts import Run, a_project, an_evaluation
from builders import a_charter
from candidates import a_candidate
from click.testing import CliRunner
from commands import environment, left_of, poc, processes_of, rows, strictly
from samples import ONLY_TORQUE
from sqlalchemy import Engine, event

from poc import cli, layout
from poc.acts.run import Ended, launch
from poc.cli.printing import print_json
from poc.cli.running import show_end
from poc.errors import ExitCode, Problem
from poc.rules.charter_page import charter_page
from poc.rules.evidence import Report
from poc.steps import STEPS, Step
from poc.tools import tracking
from poc.tools.strict_yaml import load_charter

#: What each command needs beside `--json` to be understood.
ARGUMENTS = {
    "completion": ["bash"],
    "sign": ["charter"],
    "promote": ["shadow", "--version", "1"],
    "demote": ["shadow", "--reason", "it drifts"],
    "rollback": ["shadow"],
}
HEAVY = ("great_expectations", "kfp", "mlflow", "numpy", "onnx", "onnxruntime", "pandas", "pydantic", "rich", "sklearn", "yaml")


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


def test_a_charter_is_printed_as_a_page_that_ends_with_what_the_step_has_to_say(repository: Path) -> None:
    done = poc(a_project(repository), "charter")
    page = charter_page(load_charter(repository / "charter.yaml"))
    headline = json.loads(next(repository.glob(".poc/runs/*/*/charter/agreement/report.json")).read_text())["headline"]
    assert done.returncode == 0 and done.stdout.startswith(f"{page}\n\ncharter: {headline}")


@pytest.mark.parametrize(
    ("uri", "page"), [("http://127.0.0.1:5000/", "http://localhost:5000/signoff/stop-bad-parts/charter"), ("sqlite:///.poc/mlflow.db", "")]
)
def test_where_mlflow_is_a_server_the_charters_page_there_is_named(repository: Path, uri: str, page: str) -> None:
    done = poc(a_project(repository), "charter", MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 0
    assert done.stdout.partition("shows it for signing at ")[2].strip() == page


def test_a_program_reads_the_charters_figures_and_no_page(repository: Path) -> None:
    report = strictly(poc(a_project(repository), "charter", "--json").stdout)
    assert (report["step"], report["status"]) == ("charter", "done")
    assert {"needed_at_0_errors_for_missed_share", "people_with_made_up_addresses"} <= {number["name"] for number in report["numbers"]}


def test_the_schema_needs_neither_a_charter_nor_a_run(tmp_path: Path) -> None:
    done = poc(tmp_path, "charter", "--schema")
    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, "", [])
    assert strictly(done.stdout)["title"] == "charter.yaml"


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


def test_help_imports_nothing_that_takes_time() -> None:
    code = f"import sys; from poc import cli; cli.call(['--help']); print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout and done.stderr == "[]\n"


@pytest.mark.parametrize("command", cli.poc.commands)
def test_every_command_writes_json_also_when_it_refuses(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status = cli.call([command, *ARGUMENTS.get(command, []), "--json"])
    said, told = capsys.readouterr()
    written = strictly(said)
    if status:
        assert (written["error"], written["exit_code"], status) == ("InputRefused", 3, ExitCode.INPUT)
        assert [set(problem) for problem in written["problems"]] == [{"what", "where", "fix"}]
        assert written["problems"][0]["what"] in told


def test_wrong_usage_is_said_in_json_as_well_as_in_clicks_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["run", "--json", "--no-such-option"]) == ExitCode.USAGE
    said, told = capsys.readouterr()
    assert strictly(said)["error"] == "usage" and "No such option" in strictly(said)["problems"][0]["what"] and "Usage: poc run" in told


def test_what_json_has_no_word_for_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"lost": math.nan, "rows": [{"fast": math.inf, "slow": -math.inf, "whole": 1.5}], "where": Path("here")})
    assert strictly(capsys.readouterr().out) == {"lost": None, "rows": [{"fast": None, "slow": None, "whole": 1.5}], "where": "here"}


def an_end(root: Path, **changes: Any) -> Ended:
    """Describe a run that went through to dev evidence, changed."""
    run = Run(root=layout.new_run(root) / layout.BY_HAND)
    run.perform("charter")
    run.write("evaluate", {layout.EVALUATION_JSON: an_evaluation(a_charter())})
    mlflow_run = tracking.open_run("stop-bad-parts", name="a run", candidate=False)
    whole: dict[str, Any] = {
        "run": run.root.parent,
        "mlflow_run": mlflow_run,
        "reports": [run.report("charter"), run.report("evaluate")],
        "seconds": 1.0,
        "exit_code": 0,
        "problems": [],
        "verdict": None,
        "version": None,
    }
    return Ended(**whole | changes)


def test_after_a_run_there_are_three_things_to_open(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = an_end(a_project(repository))
    show_end(ended)
    said = capsys.readouterr().out
    assert "Dev evidence: by hand" in said
    names, places = zip(*(line.split(maxsplit=1) for line in said.partition("Open")[2].splitlines()[1:]), strict=True)
    assert names == ("evidence", "run", "log")
    assert Path(places[0]).name == layout.EVALUATION_JSON and Path(places[0]).is_file()
    assert places[1].endswith(f"/runs/{ended.mlflow_run}?workflowType=machine_learning")


def test_a_run_that_was_cut_off_claims_no_evidence(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(what="the run ended without a report after step charter", where="run.log", fix="read the log")
    show_end(an_end(a_project(repository), exit_code=ExitCode.BUG, problems=[problem]))
    said, told = capsys.readouterr()
    assert "evidence:" not in said.lower() and told == f"{problem}\n"


def test_the_links_follow_the_port_that_was_set(repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("POC_UI_PORT", "5001")
    show_end(an_end(a_project(repository)))
    assert "http://127.0.0.1:5001/#/experiments" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["many", "0", "65536", "-1", "5001 "])
@pytest.mark.parametrize("command", ["ui", "run"])
def test_a_port_that_is_none_is_refused_before_anything_starts(command: str, port: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_project(repository)
    monkeypatch.setenv("POC_UI_PORT", port)
    assert cli.call([command]) == ExitCode.ENVIRONMENT
    assert not (repository / layout.RUNS).exists()


def test_the_help_of_ui_names_the_one_setting_for_its_port() -> None:
    assert "POC_UI_PORT" in CliRunner().invoke(cli.poc, ["ui", "--help"]).output


@pytest.mark.slow
def test_a_relative_database_is_one_from_wherever_a_command_is_typed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///records/mlflow.db")
    a_project(repository)
    monkeypatch.chdir(repository / "data")
    assert cli.call(["runs"]) == 0
    assert [path.parent for path in repository.rglob("mlflow.db") if path.parent.name == "records"] == [repository / "records"]


@contextmanager
def a_run_under_way(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start `poc run` in a project that it takes many seconds to go through, and wait until its first step is done."""
    project = a_project(root)
    charter = json.loads((project / "charter.yaml").read_text())
    charter["features"][0]["why_it_may_decide_alone"] = "Torque is what makes these parts bad."
    (project / "charter.yaml").write_text(json.dumps(charter, indent=1))
    (project / "expectations/suite.json").write_text(ONLY_TORQUE)
    command = [sys.executable, "-m", "poc", "run", *arguments]
    with subprocess.Popen(command, cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as launcher:
        patience = time.monotonic() + 60
        while not list(project.glob(".poc/runs/*/*/charter/agreement/report.json")):
            assert time.monotonic() < patience and launcher.poll() is None
            time.sleep(0.05)
        yield launcher


def statuses(project: Path) -> list[str]:
    return [status for (status,) in rows(project, "select status from runs")]


@pytest.mark.slow
def test_a_pipeline_that_is_killed_is_said_to_have_ended_without_a_report(repository: Path) -> None:
    with a_run_under_way(repository) as launcher:
        os.killpg(next(number for number, command in processes_of(repository).items() if "poc.pipeline" in command), signal.SIGKILL)
        said, told = launcher.communicate(timeout=60)
    assert launcher.returncode == ExitCode.BUG
    assert re.search(r"^error: the run ended without a report after step (charter|ingest|validate)$", told, re.MULTILINE)
    assert re.search(r"^  where: .*/run.log$", told, re.MULTILINE)
    assert "Traceback" not in told and "Dev evidence" not in said and statuses(repository) == ["FAILED"]


@pytest.mark.slow
def test_a_pipeline_that_cannot_even_start_shows_the_end_of_its_log(repository: Path) -> None:
    broken = repository / "broken"
    broken.mkdir()
    (broken / "kfp.py").write_text("raise SystemExit('this kfp is broken')\n")  # the pipeline imports it at once, its launcher never
    lost = environment() | {"PYTHONPATH": os.pathsep.join([str(broken), environment()["PYTHONPATH"]])}
    done = subprocess.run([sys.executable, "-m", "poc", "run"], cwd=a_project(repository), env=lost, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.BUG and "Traceback" not in done.stderr
    assert "the run ended without a report before its first step was done" in done.stderr
    assert re.search(r"^  where: .*/run.log\n(         .*\n)*         .*this kfp is broken", done.stderr, re.MULTILINE)
    assert statuses(repository) == ["FAILED"]


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_write_to_mlflow_leaves_no_lock_and_no_run_open(repository: Path) -> None:
    def interrupted(cursor: Cursor, statement: str, parameters: Any, context: object) -> bool:
        cursor.executemany(statement, parameters)
        event.remove(Engine, "do_executemany", interrupted)
        signal.raise_signal(signal.SIGINT)
        return True

    def show(step: Step, report: Report | None) -> None:
        if report:  # which is written next
            event.listen(Engine, "do_executemany", interrupted)

    with pytest.raises(KeyboardInterrupt):
        launch(a_project(repository), candidate=False, show=show)
    assert statuses(repository) == ["KILLED"]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["in text", "in JSON"])
def test_ctrl_c_ends_a_run_with_130_and_leaves_nothing_open(arguments: list[str], repository: Path) -> None:
    with a_run_under_way(repository, *arguments) as launcher:
        launcher.send_signal(signal.SIGINT)
        said, told = launcher.communicate(timeout=60)
    assert launcher.returncode == cli.INTERRUPTED and "Traceback" not in told
    assert statuses(repository) == ["KILLED"]
    assert left_of(repository) == {}
    assert not arguments or strictly(said) == {"error": "interrupted", "exit_code": 130, "problems": []}
