"""Judging variants on dev and freezing one: the cheapest that is expected to pass, or the best if none is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from artifacts import Run, changed, fast_timings
from builders import a_charter
from small_models import TORQUE, a_model, an_agreement, dev_data, some_variants

from poc import layout
from poc.rules.evidence import Candidate, Evaluation, Interval, Timings, Variants
from poc.rules.verdict import judge_shares
from poc.steps.frozen import frozen_model
from poc.tools import files

MODELS = {"first": a_model(), "second": a_model(bias=-3.0), "sees nothing": a_model(bias=-20.0)}


def ladder(tmp_path: Path, chances: dict[str, float], *, cpu_us: dict[str, float] | None = None, timed: bool = True) -> Run:
    """Write what evaluate reads: variants by their predicted chance of GO, each timed as fast unless `cpu_us` says otherwise."""
    run = Run(root=tmp_path / "run")
    an_agreement(run.folder("agreement"))
    dev_data(run.folder("data"))
    some_variants(run.folder("variants"), {name: MODELS[name] for name in chances})
    written = run.read("variants", layout.VARIANTS_JSON, Variants).variants
    likely = [variant.model_copy(update={"predicted_chance_of_go": chances[variant.name]}) for variant in written]
    files.write_record(run.folder("variants") / layout.VARIANTS_JSON, Variants(variants=likely))
    fast = fast_timings()
    [plain], calls = fast.targets[0].timings, {name: (cpu_us or {}).get(name, 50.0) for name in chances}
    timings = [plain.model_copy(update={"variant": name, "cpu_us_per_call": Interval(low=us, middle=us, high=us)}) for name, us in calls.items()]
    files.write_record(run.folder("timings") / layout.TIMINGS_JSON, changed(fast, timings=timings if timed else []))
    return run


def evaluated(run: Run) -> Evaluation:
    run.perform("evaluate")
    found = run.read("candidate", layout.EVALUATION_JSON, Evaluation)
    assert isinstance(found, Evaluation)
    return found


def test_the_best_is_frozen_even_if_none_is_expected_to_pass_and_that_is_said(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.1, "second": 0.3})
    found = evaluated(run)
    assert (found.frozen, [each.is_expected_to_pass for each in found.assessments]) == ("second", [False, False])
    assert "no variant" in run.report("evaluate").headline


def test_a_variant_that_was_not_timed_is_not_expected_to_pass_however_likely_it_was(tmp_path: Path) -> None:
    assert [each.is_expected_to_pass for each in evaluated(ladder(tmp_path, {"first": 0.9}, timed=False)).assessments] == [False]


def test_of_two_that_are_about_as_likely_the_one_that_needs_fewer_machines_is_frozen(tmp_path: Path) -> None:
    # At 200 requests/s one machine of two cores, half busy, takes calls of up to 5 ms.
    assert evaluated(ladder(tmp_path, {"first": 0.92, "second": 0.9}, cpu_us={"first": 6000})).frozen == "second"


def test_a_pause_of_the_machine_while_one_variant_was_timed_freezes_no_other(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.9, "second": 0.9})
    quiet = run.read("timings", layout.TIMINGS_JSON, Timings)
    paused = {"open_loop_p99_low_ms": 90.0, "open_loop_p99_ms": 95.0, "open_loop_p99_high_ms": 99.0}
    best = evaluated(run).frozen
    noisy = [each.model_copy(update=paused if each.variant == best else {}) for each in quiet.targets[0].timings]
    files.write_record(run.folder("timings") / layout.TIMINGS_JSON, changed(quiet, timings=noisy))
    assert evaluated(run).frozen == best


def test_a_variant_that_is_too_slow_by_itself_is_not_expected_to_pass(tmp_path: Path) -> None:
    # 4.8 ms an answer at 200 requests/s keep the worker busy 96 % of the time: most wait for much longer than the 5 ms that the charter allows.
    by_itself = {"single_p50_us": 4800.0, "latency_verdict": "INCONCLUSIVE"}
    run = ladder(tmp_path, {"first": 0.9, "second": 0.9})
    quiet = run.read("timings", layout.TIMINGS_JSON, Timings)
    slow = [each.model_copy(update=by_itself if each.variant == "first" else {}) for each in quiet.targets[0].timings]
    files.write_record(run.folder("timings") / layout.TIMINGS_JSON, changed(quiet, timings=slow))
    assert [each.is_expected_to_pass for each in evaluated(run).assessments] == [False, True]


def test_what_is_frozen_are_the_bytes_the_threshold_and_the_charter_with_a_request_to_try_it(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.9, "second": 0.2})
    evaluated(run)
    record, content = frozen_model(run.folder("candidate"))
    assert (content, record.variant, record.threshold) == (MODELS["first"], "first", 0.5)
    assert run.read("candidate", layout.CANDIDATE_JSON, Candidate).charter_sha256 == files.sha256_of_file(run.folder("agreement") / layout.CHARTER_JSON)
    sample = (run.folder("candidate") / layout.SAMPLE_REQUEST).read_text()
    assert TORQUE in sample and 'age_seconds/Tool wear [min]": 0.0' in sample


def test_what_the_data_contract_refuses_of_every_row_is_frozen_with_the_candidate(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.9})
    bound = {"type": "expect_column_values_to_be_between", "kwargs": {"column": TORQUE, "max_value": 90}, "severity": "critical"}
    files.write_atomically(run.folder("agreement") / layout.SUITE_JSON, json.dumps({"expectations": [bound]}).encode())
    evaluated(run)
    assert {each.name: each.maximum for each in frozen_model(run.folder("candidate"))[0].inputs}[TORQUE] == 90


def test_what_accuracy_at_the_usual_threshold_would_have_hidden_is_judged(tmp_path: Path) -> None:
    # every fourth of 40 rows is positive, and at 0.5 none raises an alert: three in four right, and the lower bound of ten misses in ten is 74 %
    found = evaluated(ladder(tmp_path, {"sees nothing": 0.9})).at_half
    assert (found.accuracy, found.confusion.missed, found.confusion.positives, found.confusion.false_alarms) == (0.75, 10, 10, 0)
    assert {each.name: each.verdict for each in found.limits} == {
        "missed_share": "NO-GO",
        "false_alarm_share": "GO",
        "money": "NO-GO",
        "money against flagging everything": "NO-GO",
        "money against flagging nothing": "NOT PROVEN",  # which is what it does itself, at a run cost
    }
    assert found.overall == "NO-GO"
    assert found.money.high < 0


def test_both_thresholds_are_judged_by_the_looks_that_the_charter_allows(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"sees nothing": 0.9})
    an_agreement(run.folder("agreement"), a_charter(timebox={"looks": 3}))
    half = evaluated(run).at_half
    assert half is not None
    assert [each for each in half.limits if each.unit == "share"] == judge_shares(a_charter(), half.confusion, looks=3)


def test_another_seed_of_the_builder_draws_no_other_money(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.9, "second": 0.9})
    found = evaluated(run)
    an_agreement(run.folder("agreement"), seed=8)
    assert evaluated(run) == found


def test_all_variants_are_drawn_for_whoever_opens_the_run(tmp_path: Path) -> None:
    run = ladder(tmp_path, {"first": 0.9, "second": 0.9})
    evaluated(run)
    for name in (layout.COST_SVG, layout.LATENCY_SVG):
        picture = (run.folder("candidate") / name).read_text()
        assert picture.lstrip().startswith("<svg") and "1  first (frozen)" in picture and "2  second" in picture


def test_what_each_threshold_would_be_worth_is_written_down(tmp_path: Path) -> None:
    curve = evaluated(ladder(tmp_path, {"first": 0.9})).curve
    assert (curve[0].threshold, curve[0].missed_share, curve[0].false_alarm_share) == (0, 0, 1)
    assert (curve[-1].missed_share, curve[-1].false_alarm_share) == (1, 0)
    assert 0.5 in [point.threshold for point in curve]


def test_where_costs_alone_would_alert_is_written_down(tmp_path: Path) -> None:
    # means: a false alarm 10 / 3, a miss 670 / 3, a catch 80 / 3; a quarter of dev positive, of production (0.025 + 0.034 + 0.045) / 3
    share = 0.104 / 3
    odds = 10 / 590 * (0.25 / 0.75) * ((1 - share) / share)
    assert evaluated(ladder(tmp_path, {"first": 0.9})).threshold_by_costs == pytest.approx(odds / (1 + odds))
