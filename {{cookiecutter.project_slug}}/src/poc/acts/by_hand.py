"""Perform one step by hand, on a run's folder and in its MLflow run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poc import layout
from poc.acts.newest import newest_run
from poc.errors import PocError
from poc.rules.charter import Charter, parse_charter
from poc.rules.evidence import Report
from poc.steps import PRODUCER, Step
from poc.steps.perform import perform
from poc.tools import files, strict_yaml


def run_for(step: Step, root: Path) -> Path:
    """Find the newest run that holds what a step reads; a step that reads nothing begins a new one.

    Raises:
        InputRefused: no run holds it.
    """
    if step.inputs:
        return newest_run(root, step.inputs)
    run = layout.new_run(root)
    (run / layout.BY_HAND).mkdir()
    return run


def is_of_another_charter(root: Path, run: Path) -> bool:
    """Say whether charter.yaml says something else now than the charter that a run is judged by."""
    agreed = _agreed(run)
    try:
        return agreed.is_file() and agreed.read_bytes() != files.canonical_json(strict_yaml.load_charter(root / layout.CHARTER))
    except PocError:
        return True


def charter_of(run: Path) -> Charter:
    """Read the charter, of any kind, that a run is judged by."""
    return files.read_record(_agreed(run), Charter, parse=parse_charter)


def _agreed(run: Path) -> Path:
    return layout.artifact_folder(layout.artifacts_of(run), PRODUCER["agreement"], "agreement") / layout.CHARTER_JSON


def step_by_hand(step: Step, run: Path) -> Report:
    """Perform a step on a run's artifacts.

    Raises:
        PocError: the step refused.
    """
    artifacts = layout.artifacts_of(run)
    inputs = {artifact: layout.artifact_folder(artifacts, PRODUCER[artifact], artifact) for artifact in step.inputs}
    outputs = {artifact: layout.artifact_folder(artifacts, step.name, artifact) for artifact in step.outputs}
    with _logged(step, run, artifacts, report=outputs[step.outputs[0]] / layout.REPORT):
        return perform(step.name, inputs=inputs, outputs=outputs)


@contextmanager
def _logged(step: Step, run: Path, artifacts: Path, *, report: Path) -> Iterator[None]:
    """Open the MLflow run of this folder for as long as the step takes; it is closed after each, because nobody knows whether another follows.

    A step that reads nothing opens none: whoever checks a charter has begun nothing yet, and need not wait for MLflow.
    """
    if os.environ.get("MLFLOW_RUN_ID") or not step.inputs:  # somebody else's run, who also ends it; or none
        yield
        return
    from poc.tools import tracking

    project = charter_of(run).project
    noted = run / layout.MLFLOW_RUN
    mlflow_run = noted.read_text().strip() if noted.is_file() else ""
    if not tracking.reopen_run(mlflow_run, candidate=step.candidate_only):
        mlflow_run = tracking.open_run(project, name=run.name, candidate=step.candidate_only)
        files.write_atomically(noted, f"{mlflow_run}\n".encode())
    os.environ["MLFLOW_RUN_ID"] = mlflow_run
    try:
        yield
    except KeyboardInterrupt:
        tracking.close_run(mlflow_run, "KILLED")
        raise
    except BaseException:
        tracking.close_run(mlflow_run, "FINISHED" if _is_decided(report) else "FAILED")
        raise
    else:
        tracking.close_run(mlflow_run, "FINISHED")
    finally:
        del os.environ["MLFLOW_RUN_ID"]


def _is_decided(report: Path) -> bool:
    try:
        return files.read_record(report, Report).status == "decided"
    except PocError:
        return False
