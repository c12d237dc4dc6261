"""Perform one step: time it, keep half-written output out of sight, and leave a report, also when it refuses."""

from __future__ import annotations

import gc
import importlib
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from poc import layout
from poc.errors import ExitCode, PocError, Problem
from poc.rules.evidence import Evaluation, Issue, Number, Report
from poc.steps import STEP, Step
from poc.tools import files

#: Set by a launcher that reads the reports and logs them itself, so that no step pays for importing MLflow.
LOGGED_BY_LAUNCHER = "POC_REPORTS_ARE_LOGGED_BY_LAUNCHER"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a step has to say: one line, figures with units, and an error to raise once all is recorded."""

    headline: str
    numbers: Sequence[Number] = ()
    raises: PocError | None = None


def perform(name: str, *, inputs: Mapping[str, Path], outputs: Mapping[str, Path]) -> Report:
    """Run a step on artifact folders and write its outputs and `report.json`, all or nothing.

    Raises:
        PocError: the step refused; its report says why and its outputs do not exist.
    """
    step, started = STEP[name], time.perf_counter()
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    drafts = {artifact: _empty_draft(Path(outputs[artifact])) for artifact in step.outputs}
    error: BaseException | None = None
    result = Result(headline="")
    try:
        function = getattr(importlib.import_module(f"poc.steps.{name}"), name)
        result = function(**{artifact: Path(inputs[artifact]) for artifact in step.inputs}, **drafts)
        error = result.raises
    except BaseException as caught:
        error = caught
        _empty(drafts)
    report = _report(step, result, error, inputs, drafts, started_at, time.perf_counter() - started)
    files.write_record(drafts[step.outputs[0]] / layout.REPORT, report)
    for artifact in reversed(step.outputs):
        _put_in_place(drafts[artifact], Path(outputs[artifact]))
    _log(report, outputs)
    if error is not None:
        raise error
    return report


def perform_in_pipeline(name: str, *, inputs: Mapping[str, str], outputs: Mapping[str, str], mlflow_run: str) -> str:
    """Run a step as a Kubeflow task; the task's exit status is the step's exit code, its return value the MLflow run."""
    gc.set_threshold(50_000)  # imports make hundreds of thousands of objects that stay: looking through them every 700 takes a fifth of the time
    run_id = mlflow_run or os.environ.get("MLFLOW_RUN_ID", "") or _open_run()
    os.environ["MLFLOW_RUN_ID"] = run_id
    try:
        perform(name, inputs={key: Path(path) for key, path in inputs.items()}, outputs={key: Path(path) for key, path in outputs.items()})
    except PocError as error:
        os.write(2, f"{error}\n".encode())
        raise SystemExit(int(error.exit_code)) from None
    finally:
        gc.freeze()  # the process ends here: without this it would first look for garbage in all that was imported, up to 0.7 s
    return run_id


def _open_run() -> str:
    """Open the MLflow run of a pipeline that nobody launched by hand, such as a scheduled one."""
    from poc.tools import strict_yaml, tracking

    charter = strict_yaml.load_charter(layout.CHARTER)
    return tracking.open_run(charter.project, name=datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S"), candidate=True)


def _empty_draft(final: Path) -> Path:
    draft = final.parent / f".{final.name}.partial"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    return draft


def _empty(drafts: Mapping[str, Path]) -> None:
    for draft in drafts.values():
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()


def _put_in_place(draft: Path, final: Path) -> None:
    if final.exists():
        old = final.parent / f".{final.name}.old"
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
        draft.rename(final)
        shutil.rmtree(old)
    else:
        draft.rename(final)


def _status(error: BaseException | None, result: Result) -> Literal["done", "refused", "failed", "decided"]:
    if error is None:
        return "done"
    if error is result.raises:
        return "decided"
    return "refused" if isinstance(error, PocError) else "failed"


def _problems(error: BaseException | None) -> list[Problem]:
    if error is None:
        return []
    return error.problems if isinstance(error, PocError) else [Problem(what=f"{type(error).__name__}: {error}")]


def _report(
    step: Step, result: Result, error: BaseException | None, inputs: Mapping[str, Path], drafts: Mapping[str, Path], started_at: str, seconds: float
) -> Report:
    problems = _problems(error)
    return Report(
        step=step.name,
        status=_status(error, result),
        headline=result.headline or (problems[0].what if problems else ""),
        seconds=round(seconds, 3),
        started_at=started_at,
        numbers=list(result.numbers),
        inputs={artifact: digest_of_artifact(Path(inputs[artifact])) for artifact in step.inputs},
        outputs={f"{artifact}/{file}": digest for artifact, draft in drafts.items() for file, digest in files.sha256_of_files(draft).items()},
        problems=[Issue(what=problem.what, where=problem.where, fix=problem.fix) for problem in problems],
        refusal_code=error.code if isinstance(error, PocError) else "",
        exit_code=int(getattr(error, "exit_code", ExitCode.BUG)) if error else 0,
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}",
    )


def digest_of_artifact(folder: Path) -> str:
    """Digest an artifact: its report, which holds the digest of every file; without one, the files themselves."""
    report = folder / layout.REPORT
    if report.is_file():
        return files.sha256_of_file(report)
    return files.sha256_of("\n".join(f"{digest} {file}" for file, digest in files.sha256_of_files(folder).items()).encode())


def log_report(run_id: str, report: Report, outputs: Mapping[str, Path]) -> None:
    """Log a step's report and evidence to MLflow; after `evaluate`, every variant as a run of its own below this one."""
    from poc.tools import tracking

    tracking.log_step(run_id, report, outputs)
    if report.step == "evaluate" and report.status == "done":
        found = files.read_record(outputs["candidate"] / layout.EVALUATION_JSON, Evaluation)
        tracking.log_variants(run_id, found.assessments, found.frozen)


def _log(report: Report, outputs: Mapping[str, Path]) -> None:
    run_id = os.environ.get("MLFLOW_RUN_ID", "")
    if run_id and not os.environ.get(LOGGED_BY_LAUNCHER):
        log_report(run_id, report, {artifact: Path(path) for artifact, path in outputs.items()})
