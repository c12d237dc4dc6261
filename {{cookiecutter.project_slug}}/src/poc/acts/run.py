"""Launch a run: the Kubeflow pipeline in a process of its own, its reports logged to MLflow and shown as they appear."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from poc import layout
from poc.errors import ExitCode, PocError, Problem
from poc.rules.evidence import Report, Verdict, Version
from poc.steps import STEPS, Step
from poc.steps.charter import read_agreement
from poc.steps.perform import LOGGED_BY_LAUNCHER, log_report
from poc.tools import files

R = TypeVar("R", Report, Verdict, Version)
POLL_SECONDS = 0.05
#: How much of the log is shown when only the log can tell what happened.
LAST_LINES = 10
#: Called with a step and None when it starts, and with its report when it ends.
Show = Callable[[Step, Report | None], None]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended, and where its parts lie."""

    run: Path
    mlflow_run: str
    reports: list[Report]
    seconds: float
    exit_code: int
    problems: list[Problem]
    verdict: Verdict | None
    version: Version | None

    @property
    def log(self) -> Path:
        """Where everything went that third parties printed."""
        return self.run / layout.RUN_LOG

    @property
    def brief(self) -> Path:
        """Where the page for the sponsor lies; without one, all that the run made."""
        return next(self.run.glob(f"*/register/version/{layout.BRIEF_HTML}"), self.run)

    @property
    def evidence(self) -> Path:
        """Where the evaluation on dev lies; without one, all that the run made."""
        return next(self.run.glob(f"*/evaluate/candidate/{layout.EVALUATION_JSON}"), self.run)


def launch(root: Path, *, candidate: bool, show: Show) -> Ended:
    """Run the pipeline here, to dev evidence or on to a verdict.

    Raises:
        InputRefused: the charter, the parameters or the folder are not acceptable; nothing was started.
        EnvironmentRefused: MLflow's pages cannot have the address that was asked for, or MLflow cannot be reached.
    """
    started = time.perf_counter()
    charter, _ = read_agreement(root)
    from poc.tools import tracking

    tracking.ui_root()  # links are written in the middle of a run: a wrong setting has to show before it
    run = layout.new_run(root)
    with _pipeline(run, root, candidate) as pipeline:  # first, because Kubeflow and MLflow take seconds to import and need not take turns
        tracking.close_dead_runs(charter.project)
        given = os.environ.get("MLFLOW_RUN_ID")  # somebody else's, who also ends it
        mlflow_run = tracking.adopt_run(given, candidate=candidate) if given else tracking.open_run(charter.project, name=run.name, candidate=candidate)
        try:
            files.write_atomically(run / layout.MLFLOW_RUN, f"{mlflow_run}\n".encode())
            reports = _follow(pipeline, run, mlflow_run, candidate, show)
        except BaseException:
            if not given:
                tracking.close_run(mlflow_run, "KILLED")
            raise
    exit_code = _exit_code(reports, candidate)
    if not given:
        tracking.close_run(mlflow_run, "FINISHED" if exit_code in (ExitCode.GO, ExitCode.NOT_PROVEN) or _is_decided(reports) else "FAILED")
    return Ended(
        run=run,
        mlflow_run=mlflow_run,
        reports=reports,
        seconds=time.perf_counter() - started,
        exit_code=exit_code,
        problems=_problems(reports, exit_code, run / layout.RUN_LOG),
        verdict=_record(run, "gate", "verdict", layout.VERDICT_JSON, Verdict),
        version=_record(run, "register", "version", layout.VERSION_JSON, Version),
    )


def steps_of(*, candidate: bool) -> list[Step]:
    """List the steps that a run performs."""
    return [step for step in STEPS if candidate or not step.candidate_only]


def _pipeline(run: Path, root: Path, candidate: bool) -> subprocess.Popen[bytes]:
    """Start the pipeline's process; it waits for the MLflow run's id on standard input, and ends when that ends: see `kubeflow.run_here`."""
    from poc.tools import tracking

    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": tracking.tracking_uri(),
        LOGGED_BY_LAUNCHER: "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else every step would compile every import again
    command = [sys.executable, "-m", "poc.pipeline", str(run), "candidate" if candidate else "dev"]
    with (run / layout.RUN_LOG).open("wb") as log:
        # Unbuffered: what a pipeline that is gone did not take must not be sent again when the pipe is closed.
        return subprocess.Popen(
            command, bufsize=0, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _follow(pipeline: subprocess.Popen[bytes], run: Path, mlflow_run: str, candidate: bool, show: Show) -> list[Report]:
    """Let the pipeline begin, and pick up each report as it is renamed into place."""
    assert pipeline.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended already; its log says why
        pipeline.stdin.write(f"{mlflow_run}\n".encode())
    reports: list[Report] = []
    for step in steps_of(candidate=candidate):
        show(step, None)
        report = _wait_for(step, run, pipeline)
        if report is None:
            break
        reports.append(report)
        show(step, report)
        log_report(mlflow_run, report, {name: _folder(run, step.name, name) for name in step.outputs})
        if report.status != "done":
            break
    pipeline.wait()
    return reports


def _wait_for(step: Step, run: Path, pipeline: subprocess.Popen[bytes]) -> Report | None:
    """Wait until the step's report lies in place; None when the pipeline ended without one."""
    while True:
        ended = pipeline.poll() is not None
        report = _record(run, step.name, step.outputs[0], layout.REPORT, Report)
        if report is not None or ended:
            return report
        time.sleep(POLL_SECONDS)


def _folder(run: Path, step: str, artifact: str) -> Path:
    return layout.artifact_folder(layout.artifacts_of(run), step, artifact)


def _record(run: Path, step: str, artifact: str, name: str, kind: type[R]) -> R | None:
    try:
        return files.read_record(_folder(run, step, artifact) / name, kind)
    except PocError:
        return None


def _is_decided(reports: list[Report]) -> bool:
    return bool(reports) and reports[-1].status == "decided"


def _exit_code(reports: list[Report], candidate: bool) -> int:
    """Return the exit code of the step that ended the run; a run that ended early without a report is a bug."""
    if reports and reports[-1].exit_code:
        return reports[-1].exit_code
    return 0 if len(reports) == len(steps_of(candidate=candidate)) else int(ExitCode.BUG)


def _problems(reports: list[Report], exit_code: int, log: Path) -> list[Problem]:
    """Say what ended the run before its end; of a process that is gone without a report only the log can tell."""
    if reports and reports[-1].problems:
        return [Problem(what=issue.what, where=issue.where, fix=issue.fix) for issue in reports[-1].problems]
    if exit_code == ExitCode.GO:
        return []
    after = f"after step {reports[-1].step}" if reports else "before its first step was done"
    last_lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return [
        Problem(
            what=f"the run ended without a report {after}",
            where="\n         ".join([str(log), *last_lines]),
            fix="read the log; a process that was killed without a word most often lacked memory",
        )
    ]
