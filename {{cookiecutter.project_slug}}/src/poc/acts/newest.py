"""Find the newest run that holds what a command needs; a newer one may have been refused, cut off, or be only a charter that somebody checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, PocError
from poc.rules.evidence import Report, Verdict
from poc.steps import PRODUCER, STEP
from poc.tools import files


def newest_run(root: Path, artifacts: Sequence[str]) -> Path:
    """Find the newest run whose steps made all of these artifacts.

    Raises:
        InputRefused: nothing has been run yet, or no run got that far.
    """
    runs = layout.runs(root)
    if not runs:
        raise InputRefused("nothing has been run yet", where=str(root / layout.RUNS), fix="poc run")
    for run in runs:
        if not lacking(run, artifacts):
            return run
    lacks = lacking(runs[0], artifacts)
    raise InputRefused(
        f"no run has made {', '.join(artifacts)}; the newest lacks {', '.join(lacks)}", where=str(runs[0]), fix=f"poc {PRODUCER[lacks[0]]}, or poc run"
    )


def newest_candidate(root: Path) -> tuple[Path, Path]:
    """Find the newest run that froze a candidate; return the run's folder and the candidate's."""
    run = newest_run(root, ["candidate"])
    return run, layout.artifact_folder(layout.artifacts_of(run), PRODUCER["candidate"], "candidate")


def verdict_of(run: Path) -> str | None:
    """Return the verdict that a run came to; None where it was not put forward."""
    try:
        return files.read_record(layout.artifact_folder(layout.artifacts_of(run), "gate", "verdict") / layout.VERDICT_JSON, Verdict).overall
    except PocError:
        return None


def lacking(run: Path, artifacts: Sequence[str]) -> list[str]:
    """List the artifacts that a run lacks: what refuses leaves a report and nothing else, what is cut off not even that."""
    return [artifact for artifact in artifacts if not _is_made(run, artifact)]


def _is_made(run: Path, artifact: str) -> bool:
    step = STEP[PRODUCER[artifact]]
    try:
        report = layout.artifact_folder(layout.artifacts_of(run), step.name, step.outputs[0]) / layout.REPORT
        return files.read_record(report, Report).status == "done"
    except PocError:
        return False
