"""Performing a step: all of its output or none, and a report either way."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from artifacts import Run, a_run

from poc import layout
from poc.errors import ExitCode, InputRefused
from poc.steps.perform import digest_of_artifact
from poc.tools import files


@pytest.fixture
def run(project: Path) -> Run:
    """A run whose charter step is done."""
    run = Run(root=project / "run")
    run.perform("charter")
    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_finished_step_leaves_its_outputs_and_a_report(run: Run) -> None:
    kept = [layout.CHARTER_YAML, layout.CHARTER_JSON, layout.PARAMS_JSON, layout.SUITE_JSON, layout.DATA_CARD_MD, layout.REPORT]
    assert names(run.folder("agreement")) == sorted(kept)
    assert names(run.root / "charter") == ["agreement"]


def test_a_report_names_the_digest_of_every_output(run: Run) -> None:
    report = run.perform("ingest")
    there = {
        f"{artifact}/{name}": digest
        for artifact, folder in run.folders(["data", "sealed_labels"]).items()
        for name, digest in files.sha256_of_files(folder, without=frozenset({layout.REPORT})).items()
    }
    assert report.outputs == there
    assert "sealed_labels/labels.parquet" in there


def test_a_report_names_the_digest_of_every_input(run: Run) -> None:
    report = run.perform("ingest")
    assert report.inputs == {"agreement": files.sha256_of_file(run.folder("agreement") / layout.REPORT)}


def test_the_report_that_is_returned_is_the_one_that_is_written(run: Run) -> None:
    assert run.perform("ingest") == run.report("ingest")


def test_a_refused_step_leaves_only_its_report(run: Run, project: Path) -> None:
    (project / "data/parts.csv").write_text("UDI,Target\n")
    with pytest.raises(InputRefused):
        run.perform("ingest")
    report = run.report("ingest")
    assert (names(run.folder("data")), names(run.folder("sealed_labels"))) == ([layout.REPORT], [])
    assert (report.status, report.exit_code, report.outputs) == ("refused", ExitCode.INPUT, {})
    assert [issue.what for issue in report.problems][-1] == "the source has no rows"


def test_a_refusal_takes_the_outputs_of_the_time_before_away(run: Run, project: Path) -> None:
    run.perform("ingest")
    (project / "data/parts.csv").write_text("UDI,Target\n")
    with pytest.raises(InputRefused):
        run.perform("ingest")
    assert (names(run.folder("data")), names(run.folder("sealed_labels"))) == ([layout.REPORT], [])


def test_a_bug_after_half_the_work_leaves_only_a_report_that_calls_it_one(project: Path) -> None:
    run = a_run(project / "run")
    (project / ".poc/mlartifacts").write_text("in the way of the folder where the gate stores its result, last of all")
    with pytest.raises(OSError):
        run.perform("gate")
    assert names(run.folder("verdict")) == [layout.REPORT]
    assert (run.report("gate").status, run.report("gate").exit_code) == ("failed", ExitCode.BUG)


def interrupt_whoever_reads(pipe: Path) -> None:
    with pipe.open("w"):  # waits for the reader
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_step_leaves_no_output(project: Path) -> None:
    run, params = Run(root=project / "run"), project / "params.yaml"
    params.unlink()
    os.mkfifo(params)
    threading.Thread(target=interrupt_whoever_reads, args=[params], daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run.perform("charter")
    assert names(run.folder("agreement")) == [layout.REPORT]
    assert run.report("charter").status == "failed"


def test_without_a_report_an_artifact_is_digested_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1")
    before = digest_of_artifact(tmp_path)
    (tmp_path / "rows.csv").write_text("2")
    assert digest_of_artifact(tmp_path) != before
