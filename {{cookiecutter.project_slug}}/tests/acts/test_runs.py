"""Comparing runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from artifacts import a_project, an_evaluation, changed, fast_timings
from builders import a_charter

from poc import layout
from poc.acts.runs import compare
from poc.tools import files, tracking

PROJECT = "stop-bad-parts"


@pytest.fixture
def root(repository: Path) -> Path:
    """Stand in a repository with a charter that can be read."""
    a_project(repository)
    return repository


def test_without_a_run_there_is_nothing_to_compare(root: Path) -> None:
    assert compare(root) == []


def test_runs_come_newest_first_and_say_how_far_they_got(root: Path) -> None:
    for name, candidate in (("older", False), ("newer", True)):
        tracking.close_run(tracking.open_run(PROJECT, name=name, candidate=candidate), "FINISHED" if candidate else "FAILED")
    rows = compare(root)
    assert [(row.run, row.status, row.candidate, row.verdict, row.dev_shares) for row in rows] == [
        ("newer", "FINISHED", True, None, {}),
        ("older", "FAILED", False, None, {}),
    ]


def test_a_verdict_stands_in_its_row_and_in_words_on_its_page(root: Path) -> None:
    from mlflow import MlflowClient

    run_id = tracking.open_run(PROJECT, name="a run", candidate=True)
    tracking.set_verdict(run_id, "NO-GO", note="It misses too many.")
    assert compare(root)[0].verdict == "NO-GO"
    assert MlflowClient(tracking.tracking_uri()).get_run(run_id).data.tags["mlflow.note.content"] == "It misses too many."


def test_variants_are_nested_and_do_not_count_as_runs(root: Path) -> None:
    run_id = tracking.open_run(PROJECT, name="a run", candidate=False)
    evaluation = an_evaluation(a_charter())
    tracking.log_variants(run_id, evaluation.assessments, evaluation.frozen)
    assert [row.run for row in compare(root)] == ["a run"]


@pytest.mark.parametrize(
    ("timing", "differences", "latency"), [({}, [], "PASS"), ({"latency_verdict": "NOISY"}, [], "NOISY"), ({}, ["4 cores, not 2"], "NOT PROVEN")]
)
def test_beside_a_p99_stands_what_it_shows(timing: dict[str, str], differences: list[str], latency: str, root: Path, tmp_path: Path) -> None:
    run_id, evaluation = tracking.open_run(PROJECT, name="a run", candidate=False), an_evaluation(a_charter())
    [fast] = fast_timings().targets[0].timings
    files.write_record(tmp_path / layout.TIMINGS_JSON, changed(fast_timings(), timings=[fast.model_copy(update=timing)], differences=differences))
    tracking.log_evidence(run_id, "benchmark", tmp_path)
    tracking.log_variants(run_id, evaluation.assessments, evaluation.frozen)
    [row] = compare(root)
    assert (row.p99_ms, row.latency) == (0.3, latency)


def test_runs_of_another_project_are_not_shown(root: Path) -> None:
    tracking.open_run("another-project", name="not ours", candidate=False)
    assert compare(root) == []
