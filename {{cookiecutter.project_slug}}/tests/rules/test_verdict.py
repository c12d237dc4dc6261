from __future__ import annotations

import math
from math import comb
from typing import Any

import pytest
from builders import a_charter, a_money
from hypothesis import given
from hypothesis import strategies as st

from poc.rules.evidence import Confusion, Interval, LimitVerdict, Outcome, Timing
from poc.rules.verdict import (
    judge,
    judge_money,
    judge_quantity,
    judge_share,
    lower_bound,
    machines_needed,
    most_errors_allowed,
    overall,
    sealed_rows_needed,
    upper_bound,
)

GOOD = Confusion(positives=136, missed=5, negatives=3864, false_alarms=700)


def an_interval(low: float, high: float) -> Interval:
    return Interval(low=low, middle=(low + high) / 2, high=high)


def a_timing(**changes: Any) -> Timing:
    latencies = {name: 1.0 for name in Timing.model_fields if name.endswith(("_us", "_ms", "_per_call"))}
    plain: dict[str, Any] = {"variant": "logistic", "open_loop_rate_per_s": 200.0, "open_loop_calls": 800, "memory_mb": 100.0, "size_mb": 1.0}
    return Timing(**(latencies | plain | changes))


def by_name(verdicts: list[LimitVerdict]) -> dict[str, Outcome]:
    return {verdict.name: verdict.verdict for verdict in verdicts}


@pytest.mark.parametrize(("misses", "positives", "expected"), [(0, 59, "GO"), (0, 58, "NOT PROVEN"), (1, 93, "GO"), (3, 102, "NOT PROVEN"), (15, 102, "NO-GO")])
def test_five_percent_at_ninety_five_percent_confidence(misses: int, positives: int, expected: Outcome) -> None:
    assert judge_share(misses, positives, 0.05, 0.95).verdict == expected


def test_three_looks_ask_more_of_each() -> None:
    assert judge_share(0, 59, 0.05, 0.95, looks=3).verdict == "NOT PROVEN"
    assert judge_share(0, 80, 0.05, 0.95, looks=3).verdict == "GO"  # 0.95 ** 80 = 0.0165 < 0.05 / 3


def test_no_miss_is_bounded_by_the_root_of_the_allowed_error() -> None:
    assert upper_bound(0, 59, 0.95) == pytest.approx(1 - 0.05 ** (1 / 59))


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.5, 0.999))
def test_at_the_upper_bound_so_few_errors_have_the_allowed_chance(n: int, errors: int, confidence: float) -> None:
    errors = min(errors, n - 1)
    p = upper_bound(errors, n, confidence)
    assert sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(errors + 1)) == pytest.approx(1 - confidence, abs=1e-9)


@given(st.integers(1, 500), st.integers(0, 500), st.floats(0.5, 0.999))
def test_bounds_enclose_what_was_measured(n: int, errors: int, confidence: float) -> None:
    errors = min(errors, n)
    assert 0 <= lower_bound(errors, n, confidence) <= errors / n <= upper_bound(errors, n, confidence) <= 1


@given(st.integers(1, 400), st.floats(0.01, 0.6), st.integers(1, 3))
def test_one_error_more_than_allowed_is_no_go_ahead(n: int, limit: float, looks: int) -> None:
    allowed = most_errors_allowed(n, limit, 0.95, looks)
    assert allowed < 0 or judge_share(allowed, n, limit, 0.95, looks).verdict == "GO"
    assert judge_share(allowed + 1, n, limit, 0.95, looks).verdict != "GO"


@pytest.mark.parametrize(("errors", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_counts_that_cannot_be_prove_nothing(errors: int, n: int) -> None:
    assert judge_share(errors, n, 0.05, 0.95).verdict == "NOT PROVEN"


def test_how_many_positives_five_percent_needs() -> None:
    assert sealed_rows_needed(0.05, 0.95) == [59, 93, 124, 153]
    assert sealed_rows_needed(0.05, 0.95, looks=3, most_errors=0) == [80]


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(4.0, 5.0, "GO"), (4.0, 5.1, "NOT PROVEN"), (5.1, 9.0, "NO-GO"), (math.nan, 1.0, "NOT PROVEN"), (4.0, 3.0, "NOT PROVEN")]
)
def test_a_quantity_is_judged_by_its_bounds(low: float, high: float, expected: Outcome) -> None:
    assert judge_quantity("latency_p99", 4.5, an_interval(low, high), 5.0, "ms").verdict == expected


def test_a_quantity_that_was_not_measured_proves_nothing() -> None:
    assert judge_quantity("latency_p99", math.nan, an_interval(1.0, 2.0), 5.0, "ms").verdict == "NOT PROVEN"


def test_money_that_beats_all_three_policies_is_go() -> None:
    assert judge_money(a_money()).verdict == "GO"


@pytest.mark.parametrize("policy", ["today", "flagging everything", "flagging nothing"])
@pytest.mark.parametrize(("low", "high", "expected"), [(-1, 300, "NOT PROVEN"), (0, 300, "NOT PROVEN"), (-300, -1, "NO-GO"), (math.nan, 300, "NOT PROVEN")])
def test_one_policy_that_is_not_beaten_is_enough(policy: str, low: float, high: float, expected: Outcome) -> None:
    lost, won = an_interval(low, high), a_money()
    changes = {"per_period": lost} if policy == "today" else {"against": won.against | {policy: lost}}
    assert judge_money(a_money(**changes)).verdict == expected


def test_a_good_model_on_the_right_machine_is_go() -> None:
    verdicts = judge(a_charter(), GOOD, a_money(), a_timing(), [])
    assert set(by_name(verdicts)) == {"missed_share", "false_alarm_share", "latency_p99", "memory", "model_size", "monthly_budget", "money"}
    assert overall(verdicts) == "GO"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("latency_p99", {"open_loop_p99_low_ms": 5.1, "open_loop_p99_high_ms": 6.0}),
        ("memory", {"memory_mb": 513.0}),
        ("model_size", {"size_mb": 20.5}),
        ("monthly_budget", {"cpu_us_per_call": 20_001.0}),
    ],
)
def test_each_limit_of_the_machine_can_say_no(name: str, changes: dict[str, float]) -> None:
    verdicts = judge(a_charter(), GOOD, a_money(), a_timing(**changes), [])
    assert [limit for limit, verdict in by_name(verdicts).items() if verdict != "GO"] == [name]
    assert overall(verdicts) == "NO-GO"


def test_machines_are_kept_half_busy() -> None:
    # 200 calls/s of 5 ms keep one core busy: half of two. 20 ms need four cores: four machines, 480 a month
    assert [machines_needed(a_charter(), cpu_us) for cpu_us in (1, 5_000, 5_001, 20_000)] == [1, 1, 2, 4]


@pytest.mark.parametrize("name", ["latency_p99", "memory", "monthly_budget"])
def test_another_machine_proves_nothing_and_says_why(name: str) -> None:
    fast, slow = (judge(a_charter(), GOOD, a_money(), timing, ["4 cores, not 2"]) for timing in (a_timing(), a_timing(memory_mb=9999.0)))
    assert by_name(fast)[name] == by_name(slow)[name] == "NOT PROVEN"
    assert "4 cores, not 2" in next(verdict.why for verdict in fast if verdict.name == name)


def test_no_timing_proves_nothing_about_the_machine() -> None:
    verdicts = by_name(judge(a_charter(), GOOD, a_money(), None, []))
    assert [verdicts[name] for name in ("latency_p99", "memory", "model_size", "monthly_budget")] == ["NOT PROVEN"] * 4


def test_what_was_not_measured_says_why_and_shows_no_nan() -> None:
    reason = "dev rules it out: false-alarm share 61.8%, the charter allows 25%"
    found = [each.why for each in judge(a_charter(), GOOD, a_money(), None, [], not_timed=reason) if each.name in ("latency_p99", "memory", "model_size")]
    assert len(found) == 3 and all(why.startswith(f"not measured: {reason}; at most") and "nan" not in why for why in found)


def test_a_nan_in_a_timing_is_not_go() -> None:
    assert by_name(judge(a_charter(), GOOD, a_money(), a_timing(cpu_us_per_call=math.nan), []))["monthly_budget"] == "NOT PROVEN"


def test_more_looks_in_the_charter_widen_the_bounds() -> None:
    nearly = Confusion(positives=136, missed=9, negatives=3864, false_alarms=700)
    assert by_name(judge(a_charter(), nearly, a_money(), None, []))["missed_share"] == "GO"
    assert by_name(judge(a_charter(timebox={"looks": 3}), nearly, a_money(), None, []))["missed_share"] == "NOT PROVEN"


def test_nothing_judged_is_nothing_proven() -> None:
    assert overall([]) == "NOT PROVEN"


@given(st.lists(st.sampled_from([(0, 59), (3, 102), (15, 102)]), min_size=1, max_size=5))
def test_the_worst_verdict_counts(counts: list[tuple[int, int]]) -> None:
    worst = max(errors for errors, _ in counts)
    assert overall([judge_share(errors, n, 0.05, 0.95) for errors, n in counts]) == {0: "GO", 3: "NOT PROVEN", 15: "NO-GO"}[worst]
