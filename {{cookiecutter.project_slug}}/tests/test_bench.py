"""What the benchmark of orchestration takes for the same work, and what the check of intervals and verdicts finds."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifacts import Run, a_project, a_run

from poc import layout
from poc.rules.evidence import Interval, LimitVerdict, Variants
from poc.rules.verdict import judge_share, lower_bound, upper_bound


@pytest.fixture
def bench() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "overhead.py"))


@pytest.fixture
def run(repository: Path) -> Run:
    """Stand in a project with a run up to the gate's door."""
    return a_run(a_project(repository) / "run")


def test_two_runs_that_did_the_same_differ_in_nothing(bench: dict[str, Any], run: Run) -> None:
    steps = ("charter", "ingest", "compress", "evaluate")
    found = bench["digests"](run.report(step) for step in steps)
    assert {"data/train.parquet", "sealed_labels/labels.parquet", "variants/variants.json", "candidate/candidate.json", "candidate/model.onnx"} <= set(found)
    assert bench["differing"](found, dict(found)) == []


def test_another_file_and_a_missing_one_are_both_named(bench: dict[str, Any], run: Run) -> None:
    before = bench["digests"]([run.report("compress"), run.report("evaluate")])
    run.write("compress", {layout.VARIANTS_JSON: Variants(variants=[]).model_dump_json(indent=2).encode()})
    after = bench["digests"]([run.report("compress")])
    assert bench["differing"](before, after) == ["candidate/candidate.json", "candidate/model.onnx", "variants/variants.json"]


def test_what_holds_times_is_not_compared(bench: dict[str, Any], run: Run) -> None:
    found = bench["digests"](run.report(step) for step in ("benchmark", "evaluate", "replay"))
    assert [file for file in found if file.endswith((layout.TIMINGS_JSON, layout.EVALUATION_JSON, layout.REHEARSAL_JSON))] == []


@pytest.fixture
def check() -> dict[str, Any]:
    """Return the check's names; what stands in its `main`'s globals is what its functions use."""
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "value_check.py"))["main"].__globals__


@pytest.mark.slow
def test_every_promise_of_intervals_and_verdicts_is_held(check: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert check["main"](["--quick"]) == 0
    printed = capsys.readouterr().out
    assert all(part in printed for part in ("on average", "false GO", "15 of 102", "every row counts", "log-normal", "every promise held"))


def test_a_verdict_that_takes_the_measured_share_for_the_true_one_is_found_out(check: dict[str, Any]) -> None:
    def too_lenient(errors: int, n: int, limit: float, confidence: float, looks: int = 1) -> LimitVerdict:
        found = judge_share(errors, n, limit, confidence, looks)
        return found.model_copy(update={"verdict": "GO" if found.measured <= limit else found.verdict})

    check["judge_share"] = too_lenient
    assert any("at its limit of 5%" in broken for broken in check["check_limits"]())
    assert list(check["check_by_hand"]()) == [
        "3 of 102 at 1 looks is GO, worked out by hand NOT PROVEN",
        "0 of 59 at 3 looks is GO, worked out by hand NOT PROVEN",
    ]


def test_intervals_that_are_too_narrow_are_found_out(check: dict[str, Any]) -> None:
    check["money_interval"] = check["resampled_interval"]
    (broken,) = check["check_money"](quick=True)
    assert broken.startswith("intervals from Beta draws hold the money ")


def test_bounds_that_know_nothing_of_groups_are_found_out(check: dict[str, Any]) -> None:
    def row_by_row(errors: np.ndarray, rows: np.ndarray, confidence: float, *, draws: int) -> tuple[float, float]:
        return lower_bound(int(errors.sum()), int(rows.sum()), confidence), upper_bound(int(errors.sum()), int(rows.sum()), confidence)

    check["bounds"] = row_by_row
    assert len(list(check["check_groups"](quick=True))) >= 4


def test_a_broken_promise_is_the_exit_status(check: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    nothing = dict.fromkeys(("check_money", "check_groups", "show_amounts"), lambda *, quick: iter([]))
    check |= {**nothing, "check_limits": lambda: iter(["a promise"]), "check_by_hand": lambda: iter([])}
    assert (check["main"]([]), "NOT held: a promise" in capsys.readouterr().out) == (1, True)


def test_chances_of_counts_that_are_left_out_are_next_to_nothing(check: dict[str, Any]) -> None:
    counts, chances = check["likely_counts"](200, 0.05)
    assert (counts[0], round(float(chances.sum()), 4)) == (0, 1.0)
    assert check["typical_counts"](2000, 0.05).mean() == pytest.approx(100, rel=0.01)


def test_coverage_weighs_each_interval_by_how_likely_its_sealed_set_is(check: dict[str, Any]) -> None:
    intervals = [Interval(low=0, middle=1, high=2), Interval(low=3, middle=4, high=7), Interval(low=-3, middle=-2, high=-1)]
    found = check["coverage"](intervals, np.array([0.5, 0.3, 0.2]), 1.0)
    assert (found.held, found.flattered, found.width) == (pytest.approx(0.5), pytest.approx(0.3), pytest.approx(0.5 * 2 + 0.3 * 4 + 0.2 * 2))
