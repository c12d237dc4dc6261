"""Measure what orchestration costs: `poc run --candidate` against the same steps called in one process, from one invocation."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from poc import layout
from poc.acts.run import launch
from poc.rules.evidence import Report
from poc.steps import PRODUCER, STEPS, Step
from poc.steps.perform import perform
from poc.tools import files, strict_yaml, tracking

ROOT = Path(__file__).resolve().parents[1]
#: Where the other benchmarks find the run.
KEPT = ROOT / layout.STATE / "bench"
NEEDED = (layout.CHARTER, layout.PARAMS, Path("expectations"), Path("data"))
#: What a run may cost more than its steps, in wall time; from the issue that asked for the pipeline.
PROMISED_S = 15.0
#: Files that hold times, show them, or hold MLflow's ids: no two runs write the same. All others must be equal, byte for byte.
NEVER_EQUAL = frozenset(
    {
        f"timings/{layout.TIMINGS_JSON}",
        *(f"candidate/{name}" for name in (layout.EVALUATION_JSON, layout.COST_SVG, layout.LATENCY_SVG)),
        f"rehearsal/{layout.REHEARSAL_JSON}",
        f"verdict/{layout.VERDICT_JSON}",
        f"version/{layout.VERSION_JSON}",
        *(f"version/{name}" for name in (layout.BRIEF_HTML, layout.BRIEF_MD, layout.MODEL_CARD)),
        f"decision/{layout.DECISION_JSON}",
    }
)


def copy_of_project(folder: Path) -> Path:
    """Copy what a run reads, so that neither way finds the other's looks."""
    folder.mkdir(parents=True)
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


def read_what_is_installed() -> None:
    """Read every installed file once, so that whichever way runs first does not pay alone for a cold disk: that took 12 s here."""
    for path in Path(sysconfig.get_path("purelib")).rglob("*"):
        if path.suffix in (".pyc", ".so"):
            path.read_bytes()


def quiet(_: Step, __: Report | None) -> None:
    """Show nothing while timing."""


def digests(reports: Iterable[Report]) -> dict[str, str]:
    """Return the digest of every file that two runs on the same input must have in common, by `artifact/file`."""
    return {file: digest for report in reports for file, digest in report.outputs.items() if file not in NEVER_EQUAL}


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """List the files that differ, or that only one of the two has."""
    return sorted(file for file in one.keys() | other.keys() if one.get(file) != other.get(file))


def main(arguments: Sequence[str]) -> int:
    """Time both ways and print them, step by step; return 1 when they did not do the same work. `--keep` leaves the pipeline's run in `KEPT`."""
    read_what_is_installed()
    with tempfile.TemporaryDirectory() as folder:
        shutil.rmtree(KEPT, ignore_errors=True)
        root = copy_of_project(KEPT if "--keep" in arguments else Path(folder) / "pipeline")
        started = time.perf_counter()
        ended = launch(root, candidate=True, show=quiet)
        pipeline = time.perf_counter() - started
        direct, reports = in_one_process(copy_of_project(Path(folder) / "direct"))
        os.chdir(ROOT)
    print(f"{'step':<10} {'pipeline':>10} {'one process':>12}   seconds")
    for report in ended.reports:
        print(f"{report.step:<10} {report.seconds:>10.1f} {reports[report.step].seconds:>12.1f}")
    print(f"{'wall':<10} {pipeline:>10.1f} {direct:>12.1f}")
    overhead = pipeline - direct
    print(f"orchestration overhead: {overhead:.1f} s (ratio {pipeline / direct:.2f})")
    print(f"promised: at most {PROMISED_S:.0f} s; {'held' if overhead <= PROMISED_S else 'NOT held'} on this machine, with {os.cpu_count()} cores")
    ours, theirs = digests(ended.reports), digests(reports.values())
    differ = differing(ours, theirs)
    print(f"outputs compared by digest: {len(ours.keys() | theirs.keys())} files, the frozen candidate among them; {len(differ)} differ")
    for file in differ:
        print(f"  {file}: {ours.get(file, 'missing')[:12]} in the pipeline, {theirs.get(file, 'missing')[:12]} in one process")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
