"""Finding the run that a command needs, among newer ones that came to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from artifacts import Run, a_project, an_evaluation
from builders import a_charter

from poc import layout
from poc.acts.newest import newest_candidate, newest_run
from poc.errors import InputRefused, Refused
from poc.rules.evidence import Report
from poc.steps import STEP
from poc.tools import files


@pytest.fixture
def root(repository: Path) -> Path:
    """Stand in a repository with a charter that can be read."""
    return a_project(repository)


def a_run_with_a_candidate(root: Path) -> Run:
    run = Run(root=layout.new_run(root) / layout.BY_HAND)
    run.write("evaluate", {layout.EVALUATION_JSON: an_evaluation(a_charter())})
    return run


def a_charter_checked_by_hand(root: Path) -> None:
    Run(root=layout.new_run(root) / layout.BY_HAND).perform("charter")


def a_refused_evaluation(root: Path) -> None:
    run = Run(root=layout.new_run(root) / layout.BY_HAND)
    with pytest.raises(Refused):
        run.perform("evaluate")


def a_run_killed_at_once(root: Path) -> None:
    (layout.new_run(root) / layout.RUN_LOG).touch()


def a_run_killed_in_the_middle_of_evaluating(root: Path) -> None:
    (layout.new_run(root) / layout.BY_HAND / "evaluate" / ".candidate.partial").mkdir(parents=True)


NEWER = [a_charter_checked_by_hand, a_refused_evaluation, a_run_killed_at_once, a_run_killed_in_the_middle_of_evaluating]


@pytest.mark.parametrize("newer", NEWER)
def test_a_newer_run_that_froze_nothing_does_not_hide_the_candidate(newer: object, root: Path) -> None:
    a_run_with_a_candidate(root)
    run = a_run_with_a_candidate(root)
    newer(root)  # type: ignore[operator]
    assert newest_candidate(root) == (run.root.parent, run.folder("candidate"))


def test_the_newest_run_may_lack_what_nobody_asks_for(root: Path) -> None:
    a_run_with_a_candidate(root)
    a_charter_checked_by_hand(root)
    assert newest_run(root, ["agreement"]) == layout.runs(root)[0]


def test_where_no_run_got_that_far_the_next_step_of_the_newest_is_named(root: Path) -> None:
    a_charter_checked_by_hand(root)
    with pytest.raises(InputRefused) as caught:
        newest_run(root, STEP["train"].inputs)
    assert str(caught.value).splitlines() == [
        "error: no run has made agreement, data, validation; the newest lacks data, validation",
        f"  where: {layout.runs(root)[0]}",
        "  fix:   poc ingest, or poc run",
    ]


def test_before_the_first_run_it_says_what_to_start(root: Path) -> None:
    with pytest.raises(InputRefused, match="nothing has been run yet"):
        newest_run(root, ["candidate"])


def test_a_report_that_says_refused_is_not_taken_for_an_artifact(root: Path) -> None:
    run = a_run_with_a_candidate(root)
    report = run.report("evaluate").model_copy(update={"status": "refused"})
    files.write_record(run.folder("candidate") / layout.REPORT, Report.model_validate(report.model_dump()))
    with pytest.raises(InputRefused, match="the newest lacks candidate"):
        newest_candidate(root)
