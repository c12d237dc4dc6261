"""What the benchmark of orchestration takes for the same work, what those of variants and serving print, and what the check of intervals finds."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifacts import Run, a_project, a_run, an_evaluation, fast_timings
from builders import a_charter

from poc import layout
from poc.rules.charter import Charter
from poc.rules.evidence import Calibration, Interval, LimitVerdict, Variant, Variants
from poc.rules.verdict import judge_share, lower_bound, upper_bound


@pytest.fixture
def bench() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "overhead.py"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Return the names of another benchmark; what stands in its `main`'s globals is what its functions use."""
    folder = Path(__file__).parents[1] / "bench"
    monkeypatch.syspath_prepend(folder)
    return lambda name: runpy.run_path(str(folder / f"{name}.py"))["main"].__globals__


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


def test_every_variant_stands_in_the_table_with_its_intervals_or_below_it_with_its_reason(script: Callable[[str], dict[str, Any]], charter: Charter) -> None:
    timed, left = a_variant("one line, float32", size_bytes=123_000), a_variant("one line, int8", reason_not_made="nothing to quantize")
    printed = "\n".join(script("variants")["lines"](fast_timings().targets[0], [timed, left], an_evaluation(charter), 0.95))
    table, below = printed.split("* frozen: the only one")
    assert all(figure in table for figure in ("one line, float32 *", "123", "1.00 (1.00 to 1.00)", "0.3 (0.2 to 0.5)", "50.0 (49.0 to 52.0)", "95%"))
    assert "one line, int8: nothing to quantize" in below


def test_a_latency_that_is_not_shown_to_keep_the_limit_has_its_verdict_beside_it(script: Callable[[str], dict[str, Any]]) -> None:
    timing = fast_timings().targets[0].timings[0].model_copy(update={"latency_verdict": "NOISY", "ratio": Interval(low=0, middle=np.nan, high=np.inf)})
    row = script("variants")["row"](a_variant("one line, float32", size_bytes=1), timing, None, "another")
    assert row[2:4] == ["unknown", "0.3 (0.2 to 0.5) NOISY"]


def a_variant(name: str, *, size_bytes: int | None = None, reason_not_made: str | None = None) -> Variant:
    file = None if reason_not_made else "a.onnx"
    made = {"reason_not_made": reason_not_made, "file": file, "sha256": file, "size_bytes": size_bytes}
    calibration = Calibration(slope=1.0, intercept=0.0)
    return Variant(
        name=name, model="m", family="f", technique="float32", **made, calibration=calibration, threshold=0.5, predicted_chance_of_go=0.9, parity=None, dev=None
    )


def a_round(script: dict[str, Any], p50_us: float, per_s: float) -> Any:
    return script["Round"](p50_us=p50_us, p99_us=2 * p50_us, ordinary_p50_us=100 + p50_us, per_s=per_s, idle=0.5)


def test_ratios_of_servers_are_taken_within_each_round(script: Callable[[str], dict[str, Any]]) -> None:
    serving = script("serving")
    # both took twice as long in the second round: the machine did that, not they
    rounds = {
        "bare HTTP": [a_round(serving, 100, 20_000), a_round(serving, 200, 10_000)],
        "poc serve": [a_round(serving, 150, 10_000), a_round(serving, 300, 5_000)],
    }
    assert serving["said"](serving["ratio"](rounds, "poc serve", "bare HTTP", "p50_us")) == "1.50 (1.50 to 1.50)"
    printed = "\n".join(serving["lines"](np.array([30.0]), rounds, [1], 0))
    assert all(part in printed for part in ("the call itself", "bare HTTP", "poc serve", "1.50 (1.50 to 1.50)", "servers on core 1"))


def test_each_promise_of_serving_is_said_to_be_held_or_not(script: Callable[[str], dict[str, Any]]) -> None:
    serving = script("serving")
    figures = {"bare HTTP": (100, 20_000), "bare HTTP and the call": (150, 15_000), "poc serve": (180, 9_000), "mlflow models serve": (1000, 1_000)}
    rounds = {name: [a_round(serving, *each)] for name, each in figures.items()}
    (alone, many) = serving["promises"](rounds)
    assert "; no, 1.80" in alone and "http.client yes, 1.40" in alone and "; 1.20 (1.20 to 1.20) times bare HTTP around" in alone and "; no, 9.00" in many
    assert all("not measured" in line for line in serving["promises"]({"bare HTTP": rounds["bare HTTP"]}))


def test_a_client_that_was_never_idle_is_said_to_be_what_was_measured(script: Callable[[str], dict[str, Any]]) -> None:
    serving = script("serving")
    busy = serving["Round"](p50_us=1, p99_us=2, ordinary_p50_us=3, per_s=4, idle=0.01)
    assert "hardly idle" in list(serving["lines"](np.array([30.0]), {"bare HTTP": [busy]}, [1], 0))[-1]


@pytest.mark.slow
@pytest.mark.server
def test_servers_are_compared_on_a_run_and_those_that_are_not_to_be_had_are_named(
    script: Callable[[str], dict[str, Any]], repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_run(layout.new_run(a_project(repository)) / layout.BY_HAND)
    monkeypatch.setenv("POC_MLSERVER_PYTHON", str(repository / "nowhere"))
    serving = script("serving")
    serving |= {"ROUNDS": 1, "REQUESTS_OF_ONE": 20, "REQUESTS_OF_MANY": 40}
    assert serving["main"]([str(repository)]) == 0
    printed = capsys.readouterr().out
    assert [line.split("  ")[0] for line in printed.splitlines()][2:6] == ["the call itself", "bare HTTP", "bare HTTP and the call", "poc serve"]
    assert "mlflow models serve: left out" in printed and "MLServer: left out" in printed and printed.count("promised: ") == 2


@pytest.fixture
def charter() -> Charter:
    return a_charter()


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


@pytest.mark.slow
def test_intervals_that_are_too_narrow_are_found_out(check: dict[str, Any]) -> None:
    check["money_interval"] = check["resampled_interval"]
    (broken,) = check["check_money"](quick=True)
    assert broken.startswith("intervals from Beta draws hold the money ")


@pytest.mark.slow
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
