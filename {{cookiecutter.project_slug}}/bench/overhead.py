"""Measure what orchestration costs: `poc run --candidate` against the same steps called in one process, from one invocation."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from poc import layout
from poc.acts.run import launch
from poc.rules.evidence import Report
from poc.steps import PRODUCER, STEPS, Step
from poc.steps.perform import perform
from poc.tools import files, strict_yaml, tracking

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (layout.CHARTER, layout.PARAMS, Path("expectations"), Path("data"))


def copy_of_project(folder: Path) -> Path:
    """Copy what a run reads, so that neither way finds the other's looks."""
    folder.mkdir()
    for path in NEEDED:
        (shutil.copytree if (ROOT / path).is_dir() else shutil.copy)(ROOT / path, folder / path)
    os.chdir(folder)
    return folder


def in_one_process(root: Path) -> tuple[float, dict[str, Report]]:
    """Call every step in this process and log as the launcher does; return seconds and reports."""
    started = time.perf_counter()
    charter = strict_yaml.load_charter(root / layout.CHARTER)
    os.environ["MLFLOW_RUN_ID"] = tracking.open_run(charter.project, name="in one process", candidate=True)
    artifacts = layout.new_run(root) / "in-one-process"
    for step in STEPS:
        inputs = {name: layout.artifact_folder(artifacts, PRODUCER[name], name) for name in step.inputs}
        try:
            perform(step.name, inputs=inputs, outputs={name: layout.artifact_folder(artifacts, step.name, name) for name in step.outputs})
        except Exception as verdict:
            if step.name != "decide":
                raise
            print(f"{step.name}: {verdict}", file=sys.stderr)
    tracking.close_run(os.environ.pop("MLFLOW_RUN_ID"), "FINISHED")
    seconds = time.perf_counter() - started
    return seconds, {step.name: files.read_record(artifacts / step.name / step.outputs[0] / layout.REPORT, Report) for step in STEPS}


def quiet(_: Step, __: Report | None) -> None:
    """Show nothing while timing."""


def main() -> None:
    """Time both ways and print them, step by step."""
    with tempfile.TemporaryDirectory() as folder:
        root = copy_of_project(Path(folder) / "pipeline")
        started = time.perf_counter()
        ended = launch(root, candidate=True, show=quiet)
        pipeline = time.perf_counter() - started
        direct, reports = in_one_process(copy_of_project(Path(folder) / "direct"))
        os.chdir(ROOT)
    print(f"{'step':<10} {'pipeline':>10} {'one process':>12}   seconds")
    for report in ended.reports:
        print(f"{report.step:<10} {report.seconds:>10.1f} {reports[report.step].seconds:>12.1f}")
    print(f"{'wall':<10} {pipeline:>10.1f} {direct:>12.1f}")
    print(f"orchestration overhead: {pipeline - direct:.1f} s (ratio {pipeline / direct:.2f}); the pipeline ran first, so it paid for cold file caches")
    differing = [report.step for report in ended.reports if report.step in ("ingest", "train", "export") and report.headline != reports[report.step].headline]
    print(f"outputs that differ: {', '.join(differing) or 'none'} (of ingest, train, export; the others measure time or name a version)")


if __name__ == "__main__":
    main()
