from __future__ import annotations

import math
from math import comb
from typing import Any

import numpy as np
import pytest
from builders import a_charter, a_money, a_multiclass_charter, a_speed, an_amount_charter
from hypothesis import given
from hypothesis import strategies as st

from poc.rules.evidence import ClassCounts, Confusion, Deviations, Interval, LimitVerdict, Outcome, Timing
from poc.rules.verdict import (
    judge,
    judge_money,
    judge_quantity,
    judge_share,
    judge_shares,
    lower_bound,
    machines_needed,
    most_errors_allowed,
    overall,
    sealed_rows_needed,
    upper_bound,
)

GOOD = Confusion(positives=136, missed=5, negatives=3864, false_alarms=700)

TOO_SLOW: dict[str, Any] = {"open_loop_p99_low_ms": 5.1, "open_loop_p99_high_ms": 6.0, "latency_verdict": "FAIL", "latency_why": "it is slow by itself"}
MONEY_LIMITS = {"money", "money against flagging everything", "money against flagging nothing"}


def an_interval(low: float, high: float) -> Interval:
    return Interval(low=low, middle=(low + high) / 2, high=high)


def a_timing(**changes: Any) -> Timing:
    latencies = {name: 1.0 for name in Timing.model_fields if name.endswith(("_us", "_ms", "_per_s"))}
    plain: dict[str, Any] = {"variant": "logistic", "ratio_to": "logistic", "open_loop_calls": 800, "rss_mb": 90.0, "memory_mb": 100.0, "size_mb": 1.0}
    rounds: dict[str, Any] = {
        "rounds_kept": 20,
        "rounds_dropped": 0,
        "is_steady": True,
        "looks": 1,
        "latency_verdict": "PASS",
        "latency_why": "",
        "rows_per_s": {},
    }
    intervals = {name: an_interval(1.0, 1.0) for name in ("ratio", "cpu_ratio", "cost_per_million", "cpu_us_per_call")}
    return Timing(**(latencies | plain | rounds | intervals | changes))


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
    ("low", "high", "expected"),
    [(4.0, 5.0, "GO"), (4.0, 5.1, "NOT PROVEN"), (5.0, 9.0, "NOT PROVEN"), (5.1, 9.0, "NO-GO"), (math.nan, 1.0, "NOT PROVEN"), (4.0, 3.0, "NOT PROVEN")],
)
def test_a_quantity_is_judged_by_its_bounds(low: float, high: float, expected: Outcome) -> None:
    assert judge_quantity("latency_p99", 4.5, an_interval(low, high), 5.0, "ms").verdict == expected


def test_a_quantity_that_was_not_measured_proves_nothing() -> None:
    assert judge_quantity("latency_p99", math.nan, an_interval(1.0, 2.0), 5.0, "ms").verdict == "NOT PROVEN"


def test_money_is_judged_against_today_and_against_each_policy_that_needs_no_model() -> None:
    assert by_name(judge_money(a_money())) == {"money": "GO", "money against flagging everything": "GO", "money against flagging nothing": "GO"}


@pytest.mark.parametrize(
    ("low", "high", "minimum", "expected"),
    [
        (50, 300, 50, "GO"),
        (49, 300, 50, "NOT PROVEN"),
        (-1, 50, 50, "NOT PROVEN"),
        (10, 49, 50, "NO-GO"),
        (1, 300, 0, "GO"),
        (0, 300, 0, "NOT PROVEN"),
        (-300, 0, 0, "NO-GO"),
        (300, 1, 0, "NOT PROVEN"),
        (100, math.inf, 50, "NOT PROVEN"),
        (100, 300, math.nan, "NOT PROVEN"),
    ],
)
def test_against_today_a_model_has_to_reach_the_agreed_minimum_and_to_gain(low: float, high: float, minimum: float, expected: Outcome) -> None:
    [money] = judge_money(a_money(low, high, minimum=minimum, against={}))
    assert (money.name, money.verdict) == ("money", expected)
    assert money.limit == minimum or math.isnan(minimum)


def test_the_minimum_is_asked_against_today_alone() -> None:
    assert by_name(judge_money(a_money(10, 40, minimum=50))) == {
        "money": "NO-GO",
        "money against flagging everything": "GO",
        "money against flagging nothing": "GO",
    }


@pytest.mark.parametrize("policy", ["today", "flagging everything", "flagging nothing"])
@pytest.mark.parametrize(("low", "high", "expected"), [(-1, 300, "NOT PROVEN"), (0, 300, "NOT PROVEN"), (-300, -1, "NO-GO"), (math.nan, 300, "NOT PROVEN")])
def test_one_policy_that_is_not_beaten_is_enough(policy: str, low: float, high: float, expected: Outcome) -> None:
    lost, won = an_interval(low, high), a_money()
    changes = {"per_period": lost} if policy == "today" else {"against": won.against | {policy: lost}}
    assert overall(judge_money(a_money(minimum=0, **changes))) == expected
    assert [each.verdict for each in judge_money(a_money(minimum=0, **changes))].count("GO") == 2


def test_a_good_model_on_the_right_machine_is_go() -> None:
    verdicts = judge(a_charter(), GOOD, a_money(), [a_speed(a_timing())])
    assert set(by_name(verdicts)) == {"missed_share", "false_alarm_share", "latency_p99", "memory", "model_size", "monthly_budget"} | MONEY_LIMITS
    assert overall(verdicts) == "GO"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("latency_p99", TOO_SLOW),
        ("memory", {"memory_mb": 513.0}),
        ("model_size", {"size_mb": 20.5}),
        ("monthly_budget", {"cpu_us_per_call": an_interval(20_001.0, 20_003.0)}),
    ],
)
def test_each_limit_of_the_machine_can_say_no(name: str, changes: dict[str, float]) -> None:
    verdicts = judge(a_charter(), GOOD, a_money(), [a_speed(a_timing(**changes))])
    assert [limit for limit, verdict in by_name(verdicts).items() if verdict != "GO"] == [name]
    assert overall(verdicts) == "NO-GO"


def test_machines_are_kept_half_busy() -> None:
    [two_cores] = a_charter().limits.hardware
    # 200 calls/s of 5 ms keep one core busy: half of two. 20 ms need four cores: four machines, 480 a month
    assert [machines_needed(200, two_cores, cpu_us) for cpu_us in (1, 5_000, 5_001, 20_000)] == [1, 1, 2, 4]


@pytest.mark.parametrize("verdict", ["NOISY", "INCONCLUSIVE"])
def test_a_model_that_was_slow_on_a_busy_machine_is_not_refuted_and_the_reason_is_told(verdict: str) -> None:
    disturbed = a_timing(**{**TOO_SLOW, "latency_verdict": verdict, "latency_why": "a call that does nothing took 4 ms"})
    latency = next(each for each in judge(a_charter(), GOOD, a_money(), [a_speed(disturbed)]) if each.name == "latency_p99")
    assert latency.verdict == "NOT PROVEN"
    assert latency.why.endswith(f"{verdict}: a call that does nothing took 4 ms")


def test_a_pass_that_its_own_bounds_contradict_proves_nothing() -> None:
    limits = judge(a_charter(), GOOD, a_money(), [a_speed(a_timing(**{**TOO_SLOW, "latency_verdict": "PASS"}))])
    assert by_name(limits)["latency_p99"] == "NOT PROVEN"


def test_a_queue_that_never_ends_is_refuted_though_nothing_bounds_its_p99() -> None:
    endless = a_timing(open_loop_p99_low_ms=0.0, open_loop_p99_ms=80.0, open_loop_p99_high_ms=math.inf, latency_verdict="FAIL")
    assert by_name(judge(a_charter(), GOOD, a_money(), [a_speed(endless)]))["latency_p99"] == "NO-GO"


@pytest.mark.parametrize("name", ["latency_p99", "memory", "monthly_budget"])
def test_another_machine_proves_nothing_and_says_why(name: str) -> None:
    fast, slow = (judge(a_charter(), GOOD, a_money(), [a_speed(timing, ["4 cores, not 2"])]) for timing in (a_timing(), a_timing(memory_mb=9999.0)))
    assert by_name(fast)[name] == by_name(slow)[name] == "NOT PROVEN"
    assert "4 cores, not 2" in next(verdict.why for verdict in fast if verdict.name == name)


TWO = {
    "hardware": [{"name": name, "architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": cost} for name, cost in (("edge", 60), ("cloud", 120))]
}


def test_every_target_has_to_keep_every_limit_of_a_machine_and_the_worst_counts() -> None:
    slow = a_timing(**TOO_SLOW)
    judged = judge(a_charter(limits=TWO), GOOD, a_money(), [a_speed(a_timing(), target="cloud"), a_speed(slow, target="edge")])
    verdicts = by_name(judged)
    assert [name for name in verdicts if " on " in name] == [
        f"{name} on {at}" for name in ("latency_p99", "memory", "monthly_budget") for at in ("edge", "cloud")
    ]
    assert [name for name, verdict in verdicts.items() if verdict != "GO"] == ["latency_p99 on edge"]
    assert (overall(judged), [each.name for each in judged].count("model_size")) == ("NO-GO", 1)


def test_a_target_that_this_machine_is_not_is_not_proven_and_named() -> None:
    judged = judge(a_charter(limits=TWO), GOOD, a_money(), [a_speed(a_timing(), target="cloud"), a_speed(a_timing(), ["4 cores, not 2"], target="edge")])
    assert [each.name for each in judged if each.verdict != "GO"] == ["latency_p99 on edge", "memory on edge", "monthly_budget on edge"]
    assert all("4 cores, not 2" in each.why for each in judged if each.name.endswith("on edge"))


def test_a_target_without_a_report_proves_nothing() -> None:
    verdicts = by_name(judge(a_charter(limits=TWO), GOOD, a_money(), [a_speed(a_timing(), target="cloud"), a_speed(a_timing(), target="another")]))
    assert [name for name, verdict in verdicts.items() if verdict != "GO"] == ["latency_p99 on edge", "memory on edge", "model_size", "monthly_budget on edge"]


def test_each_target_pays_for_its_own_machines() -> None:
    # 20 ms at 200 a second take 4 cores: at half busy four machines of two, at 60 or at 120 a month; of 101 the fourth is beyond 400
    judged = judge(
        a_charter(limits=TWO), GOOD, a_money(), [a_speed(a_timing(cpu_us_per_call=an_interval(20_000, 20_000)), target=at) for at in ("edge", "cloud")]
    )
    assert {each.name: each.measured for each in judged if "budget" in each.name} == {"monthly_budget on edge": 240, "monthly_budget on cloud": 480}


def test_a_cost_whose_interval_holds_the_budget_is_not_proven() -> None:
    # from 15,000 us on it takes a fourth machine: 360 or 480 a month, and 400 are agreed
    judged = judge(a_charter(), GOOD, a_money(), [a_speed(a_timing(cpu_us_per_call=an_interval(14_900, 15_100)))])
    [budget] = [each for each in judged if each.name == "monthly_budget"]
    assert (budget.verdict, budget.low, budget.high) == ("NOT PROVEN", 360, 480)


@pytest.mark.parametrize(("cpu_us", "kept", "expected"), [(20_001.0, 0, "NOT PROVEN"), (20_001.0, 7, "NOT PROVEN"), (20_001.0, 8, "NO-GO"), (40.0, 0, "GO")])
def test_a_machine_too_busy_to_count_rounds_refutes_no_budget_and_a_budget_kept_all_the_same_is_kept(cpu_us: float, kept: int, expected: Outcome) -> None:
    judged = judge(a_charter(), GOOD, a_money(), [a_speed(a_timing(cpu_us_per_call=an_interval(cpu_us, cpu_us + 2), rounds_kept=kept))])
    [budget] = [each for each in judged if each.name == "monthly_budget"]
    assert budget.verdict == expected
    assert (f"only {kept} rounds counted" in budget.why) is (expected == "NOT PROVEN")


def test_no_timing_proves_nothing_about_the_machine() -> None:
    verdicts = by_name(judge(a_charter(), GOOD, a_money(), []))
    assert [verdicts[name] for name in ("latency_p99", "memory", "model_size", "monthly_budget")] == ["NOT PROVEN"] * 4


def test_what_was_not_measured_says_why_and_shows_no_nan() -> None:
    reason = "dev rules it out: false-alarm share 61.8%, the charter allows 25%"
    found = [each.why for each in judge(a_charter(), GOOD, a_money(), [a_speed(not_timed=reason)]) if each.name in ("latency_p99", "memory", "model_size")]
    assert len(found) == 3 and all(why.startswith(f"not measured: {reason}; at most") and "nan" not in why for why in found)


def test_a_nan_in_a_timing_is_not_go() -> None:
    assert by_name(judge(a_charter(), GOOD, a_money(), [a_speed(a_timing(cpu_us_per_call=an_interval(math.nan, math.nan)))]))["monthly_budget"] == "NOT PROVEN"


def test_more_looks_in_the_charter_widen_the_bounds() -> None:
    nearly = Confusion(positives=136, missed=9, negatives=3864, false_alarms=700)
    assert by_name(judge(a_charter(), nearly, a_money(), []))["missed_share"] == "GO"
    assert by_name(judge(a_charter(timebox={"looks": 3}), nearly, a_money(), []))["missed_share"] == "NOT PROVEN"


def test_nothing_judged_is_nothing_proven() -> None:
    assert overall([]) == "NOT PROVEN"


@given(st.lists(st.sampled_from([(0, 59), (3, 102), (15, 102)]), min_size=1, max_size=5))
def test_the_worst_verdict_counts(counts: list[tuple[int, int]]) -> None:
    worst = max(errors for errors, _ in counts)
    assert overall([judge_share(errors, n, 0.05, 0.95) for errors, n in counts]) == {0: "GO", 3: "NOT PROVEN", 15: "NO-GO"}[worst]


@pytest.mark.parametrize(("n", "limit"), [(59, 0.05), (102, 0.12), (200, 0.25), (20, 0.5)])
@pytest.mark.parametrize("looks", [1, 3])
def test_a_share_at_its_limit_is_wrongly_judged_at_most_as_often_as_is_allowed(n: int, limit: float, looks: int) -> None:
    chances = [comb(n, k) * limit**k * (1 - limit) ** (n - k) for k in range(n + 1)]
    for wrong in ("GO", "NO-GO"):
        assert sum(chances[k] for k in range(n + 1) if judge_share(k, n, limit, 0.95, looks).verdict == wrong) <= 0.05 / looks


def test_bounds_to_the_digit() -> None:
    # 1 - 0.05 ** (1 / 59) = 0.0495; the others are roots of binomial sums, as in the test of the upper bound
    found = [(judge_share(errors, n, 0.05, 0.95).low, judge_share(errors, n, 0.05, 0.95).high) for errors, n in ((0, 59), (1, 93), (3, 102), (15, 102))]
    assert [(round(low, 3), round(high, 3)) for low, high in found] == [(0.0, 0.050), (0.001, 0.050), (0.008, 0.074), (0.093, 0.217)]


def test_rows_too_few_to_show_a_limit_can_still_show_that_it_is_broken() -> None:
    found = judge_share(10, 20, 0.05, 0.95)
    assert found.verdict == "NO-GO"
    assert "cannot show it" not in found.why


def in_groups(*each: tuple[int, int]) -> np.ndarray:
    return np.array(each, dtype=np.float64)


def test_errors_are_judged_by_groups_where_rows_share_them() -> None:
    twenty = in_groups(*[(0, 50)] * 20)
    assert judge_share(0, 1000, 0.05, 0.95).verdict == "GO"
    found = judge_share(0, 1000, 0.05, 0.95, by_group=twenty)
    assert found.verdict == "NOT PROVEN"
    assert "in 20 groups" in found.why and "so few groups cannot show it" in found.why
    assert judge_share(0, 6000, 0.05, 0.95, by_group=in_groups(*[(0, 100)] * 60)).verdict == "GO"
    assert judge_share(0, 6000, 0.05, 0.95, looks=3, by_group=in_groups(*[(0, 100)] * 60)).verdict == "NOT PROVEN"


def test_groups_can_show_that_a_limit_is_broken() -> None:
    assert judge_share(150, 500, 0.05, 0.95, by_group=in_groups(*[(3, 10)] * 50)).verdict == "NO-GO"


def test_groups_without_such_rows_are_not_counted_as_evidence() -> None:
    assert "in 60 groups" in judge_share(0, 60, 0.05, 0.95, by_group=in_groups(*[(0, 1)] * 60, *[(0, 0)] * 40)).why


@pytest.mark.parametrize(("errors", "rows"), [(0, 79), (1, 80), (0, 81)])
def test_groups_of_other_rows_prove_nothing(errors: int, rows: int) -> None:
    eighty = in_groups(*[(0, 1)] * 80)
    assert judge_share(0, 80, 0.05, 0.95, by_group=eighty).verdict == "GO"
    assert judge_share(errors, rows, 0.05, 0.95, by_group=eighty).verdict == "NOT PROVEN"


@pytest.mark.parametrize("table", [in_groups((0, math.nan), *[(0, 1)] * 80), np.zeros((0, 2))])
def test_groups_that_hold_no_number_or_no_row_prove_nothing(table: np.ndarray) -> None:
    assert judge_share(0, 80, 0.05, 0.95, by_group=table).verdict == "NOT PROVEN"


def test_no_row_is_nothing_to_judge_by() -> None:
    assert judge_share(0, 0, 0.05, 0.95).why == "there is no row to judge it on"
    assert judge_shares(a_charter(), Confusion(positives=0, missed=0, negatives=0, false_alarms=0), 1)[0].verdict == "NOT PROVEN"


def test_each_class_with_a_limit_is_judged_on_its_own_rows() -> None:
    counts = ClassCounts(counts=[[500, 400, 100], [0, 60, 0], [30, 0, 60]])  # nothing is asked of good parts
    assert by_name(judge_shares(a_multiclass_charter(), counts, 1)) == {"missed_share of 'rework'": "GO", "missed_share of 'scrap'": "NO-GO"}


def test_estimates_are_judged_by_how_many_lie_beyond_the_tolerance() -> None:
    zeros = [0.0] * 100
    for beyond, expected in ((5, "GO"), (12, "NOT PROVEN"), (30, "NO-GO")):
        seen = Deviations(rows=[1] * 100, beyond=[1] * beyond + [0] * (100 - beyond), over=zeros, under=zeros, usual_over=zeros, usual_under=zeros)
        assert by_name(judge_shares(an_amount_charter(), seen, 1)) == {"beyond_tolerance_share": expected}


def test_more_looks_widen_the_bounds_of_every_kind() -> None:
    counts = ClassCounts(counts=[[500, 0, 0], [4, 56, 0], [0, 0, 60]])
    one, three = (judge_shares(a_multiclass_charter(), counts, looks)[0] for looks in (1, 3))
    assert three.low < one.low < one.high < three.high


def test_money_says_against_what_it_was_held() -> None:
    today, everything, _ = judge_money(a_money())
    assert today.why == "100 to 300 against today's process; at least 50 agreed, the chance of which is over 99.9\N{NO-BREAK SPACE}%"
    assert everything.why == "100 to 300 against flagging everything, which needs no model"


def test_money_that_loses_against_one_and_is_open_against_another_is_no_go() -> None:
    money = a_money(per_period=an_interval(-1, 300), against={"flagging everything": an_interval(-300, -1)})
    assert by_name(judge_money(money)) == {"money": "NOT PROVEN", "money against flagging everything": "NO-GO"}
    assert overall(judge_money(money)) == "NO-GO"
