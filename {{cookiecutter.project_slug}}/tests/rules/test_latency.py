from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import bdtr

from poc.rules.evidence import Interval, LatencyVerdict
from poc.rules.latency import (
    arrivals,
    calls_by,
    calls_needed,
    corrected,
    expected_p99_ms,
    is_steady,
    latency_verdict,
    latency_why,
    most_beyond,
    percentile_bounds,
)


def test_459_samples_bound_the_99th_percentile_by_their_maximum() -> None:
    # 0.99 ** 459 = 0.0099: the chance that all 459 lie below the percentile is just under 1 %
    assert percentile_bounds(np.arange(1.0, 460.0), 0.99, 0.99).high == 459.0


def test_458_samples_are_one_too_few_to_bound_it() -> None:
    # 0.99 ** 458 = 0.01002
    assert percentile_bounds(np.arange(1.0, 459.0), 0.99, 0.99).high == math.inf


def test_the_order_of_samples_does_not_matter() -> None:
    ordered = np.arange(1.0, 1001.0)
    shuffled = np.random.default_rng(1).permutation(ordered)
    assert percentile_bounds(shuffled, 0.95, 0.95) == percentile_bounds(ordered, 0.95, 0.95)


def test_a_median_of_five_samples_is_bounded_by_the_outer_ones() -> None:
    # all five lie on one side of the median with chance 1/32 = 3.1 %; four of five or more with 6/32
    found = percentile_bounds(np.array([3.0, 1.0, 5.0, 2.0, 4.0]), 0.5, 0.95)
    assert (found.low, found.middle, found.high) == (1.0, 3.0, 5.0)


def test_no_samples_bound_nothing() -> None:
    found = percentile_bounds(np.empty(0), 0.99, 0.99)
    assert (found.low, found.high) == (0.0, math.inf) and math.isnan(found.middle)


def test_one_slow_call_in_a_hundred_stretches_the_bound_to_it() -> None:
    samples = np.concatenate([np.ones(990), np.full(10, 50.0)])
    assert percentile_bounds(samples, 0.99, 0.99).high == 50.0


def test_the_bounds_cover_the_true_percentile_as_often_as_they_say() -> None:
    draw = np.random.default_rng(5)
    bounds = [percentile_bounds(draw.random(600), 0.9, 0.95) for _ in range(1000)]
    assert np.mean([each.high >= 0.9 for each in bounds]) > 0.935
    assert np.mean([each.low <= 0.9 for each in bounds]) > 0.935


@pytest.mark.parametrize(
    ("medians", "steady"),
    [([100.0, 101.0, 102.0], True), ([100.0, 101.0, 102.1], False), ([100.0, 100.0], False), ([500.0, 100.0, 100.0, 100.0], True), ([], False)],
)
def test_three_windows_within_two_percent_are_steady(medians: list[float], steady: bool) -> None:
    assert is_steady(medians) is steady


def test_arrivals_come_at_the_rate_and_do_not_wait_for_each_other() -> None:
    times = arrivals(200.0, 20_000, seed=3)
    gaps = np.diff(times)
    assert times[-1] == pytest.approx(100.0, rel=0.05)  # 20,000 at 200 a second
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)  # of an exponential distribution they are equal


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert (arrivals(50.0, 10, seed=1) == arrivals(50.0, 10, seed=1)).all()
    assert (arrivals(50.0, 10, seed=1) != arrivals(50.0, 10, seed=2)).any()


@pytest.mark.parametrize(("over", "needed"), [(0, 459), (1, 662), (5, 1307), (10, 2010)])
def test_so_many_samples_show_a_limit_with_so_many_over_it(over: int, needed: int) -> None:
    def high(n: int) -> float:
        return percentile_bounds(np.array([1.0] * (n - over) + [9.0] * over), 0.99, 0.99).high

    assert high(needed) == 1.0
    assert high(needed - 1) > 1.0
    assert calls_needed(0.99, 0.99, beyond=over) == needed


def test_at_eighty_percent_the_median_of_five_is_bounded_by_the_second_and_the_fourth() -> None:
    # P(Binomial(5, 1/2) <= k) = 1/32, 6/32, 16/32, 26/32, 31/32
    found = percentile_bounds(np.array([50.0, 10.0, 40.0, 20.0, 30.0]), 0.5, 0.8)
    assert (found.low, found.middle, found.high) == (20.0, 30.0, 40.0)


@pytest.mark.parametrize("n", [300, 5000, 60_000])
def test_the_bound_is_the_order_statistic_that_the_binomial_names(n: int) -> None:
    k = int(percentile_bounds(np.arange(float(n)), 0.99, 0.95).high)
    assert bdtr(k, n, 0.99) >= 0.95 > bdtr(k - 1, n, 0.99)


def test_nobody_waits_for_a_worker_that_is_hardly_ever_busy() -> None:
    assert expected_p99_ms(1000.0, 10.0) == 1.0  # busy 1 % of the time: 99 % of the arrivals find it free


def test_a_worker_busy_nine_tenths_of_the_time_answers_the_99th_percentile_after_23_times_as_long() -> None:
    # 1 + ln(100 * 0.9) / (2 * (1 - 0.9)) = 1 + 4.4998 / 0.2; simulating two million arrivals of 1 ms gave 22.3
    assert expected_p99_ms(1000.0, 900.0) == pytest.approx(23.499, abs=0.001)


@pytest.mark.parametrize("service_us", [1000.0, 5000.0, math.inf, math.nan])
def test_answers_that_take_longer_than_arrivals_leave_never_catch_up(service_us: float) -> None:
    assert expected_p99_ms(service_us, 1000.0) == math.inf


def test_where_two_calls_say_as_much_as_one_the_ranks_are_those_of_half_as_many() -> None:
    # of five independent samples the outer ones bound the median at 95 %: of ten of which two are alike the second and the last
    found = percentile_bounds(np.arange(1.0, 11.0), 0.5, 0.95, alike=2.0)
    assert (found.low, found.high) == (2.0, 10.0)
    assert percentile_bounds(np.arange(1.0, 460.0), 0.99, 0.99, alike=1.01).high == math.inf
    assert percentile_bounds(np.arange(1.0, 460.0), 0.99, 0.99, alike=math.inf).low == 0.0


def test_four_looks_share_the_allowed_error_and_each_sees_twice_as_many_calls() -> None:
    assert corrected(0.95) == pytest.approx(0.9875)
    assert [calls_by(look, 0.95) for look in (1, 2, 3, 4)] == [636, 1272, 2544, 5088]
    assert calls_by(1, 0.95, alike=6.0) == 3816
    assert calls_by(1, 0.95, alike=math.inf) == math.inf


def test_of_all_calls_planned_so_many_may_lie_beyond_a_limit_that_is_kept() -> None:
    most = int(most_beyond(0.95))
    assert most == 35
    for beyond, is_kept in ((most, True), (most + 1, False)):
        samples = np.concatenate([np.ones(5088 - beyond), np.full(beyond, 9.0)])
        assert (percentile_bounds(samples, 0.99, corrected(0.95)).high == 1.0) is is_kept


def test_four_looks_together_are_wrong_no_more_often_than_said() -> None:
    draw, wrong = np.random.default_rng(4), 0
    for _ in range(300):
        beyond = draw.random(5088) < 0.0101  # the p99 lies just beyond the limit
        wrong += any(percentile_bounds(1.0 + beyond[:n], 0.99, corrected(0.95)).high <= 1.0 for n in (636, 1272, 2544, 5088))
    assert wrong / 300 < 0.06


def between(low: float, high: float) -> Interval:
    return Interval(low=low, middle=(low + high) / 2, high=high)


@pytest.mark.parametrize(
    ("p99", "null_ms", "own_ms", "expected"),
    [
        ((4.0, 5.0), 0.01, 4.5, "PASS"),
        ((4.0, 5.0), 4.0, math.nan, "PASS"),  # noise only adds
        ((5.1, 6.0), 0.01, 5.5, "FAIL"),
        ((5.1, 6.0), 1.0, 5.5, "FAIL"),  # a fifth of the limit
        ((5.1, 6.0), 1.1, 5.5, "NOISY"),
        ((5.1, 6.0), 0.01, 0.1, "NOISY"),  # its own answers keep the limit
        ((5.1, 6.0), 0.01, math.nan, "NOISY"),
        ((5.1, 6.0), math.nan, 5.5, "NOISY"),
        ((4.0, 6.0), 0.01, 5.5, "INCONCLUSIVE"),
        ((4.0, math.inf), 0.01, 0.1, "INCONCLUSIVE"),
        ((4.0, 6.0), 0.01, math.nan, "INCONCLUSIVE"),
        ((0.0, math.inf), 0.01, math.inf, "FAIL"),  # the queue never ends
        ((0.0, math.inf), 1.1, math.inf, "NOISY"),
        ((5.1, 6.0), 0.01, None, "FAIL"),
        ((math.nan, math.nan), 0.01, 5.5, "INCONCLUSIVE"),
    ],
)
def test_a_limit_is_broken_only_where_two_witnesses_say_that_the_machine_was_quiet(
    p99: tuple[float, float], null_ms: float, own_ms: float | None, expected: LatencyVerdict
) -> None:
    assert latency_verdict(between(*p99), 5.0, null_ms, own_p99_ms=own_ms) == expected


@pytest.mark.parametrize(
    ("verdict", "null_ms", "own_ms", "next_calls", "words"),
    [
        ("PASS", 0.01, 1.0, math.inf, ""),
        ("FAIL", 0.01, 6.5, math.inf, "its own answers, given back to back, predict 6.5 ms too, and the machine was quiet"),
        ("FAIL", 0.01, math.inf, math.inf, "answers take longer than arrivals leave time for, so the queue never ends"),
        (
            "NOISY",
            4.0,
            math.nan,
            math.inf,
            "a call that does nothing took 4 ms at the same arrivals, too few rounds counted: something else kept this machine busy",
        ),
        ("NOISY", 0.01, 1.0, math.inf, "its own answers, given back to back, predict 1 ms: something else kept this machine busy"),
        ("INCONCLUSIVE", 0.01, 1.0, math.inf, "636 calls, all that were planned, do not tell; its own answers, given back to back, predict 1 ms"),
        ("INCONCLUSIVE", 0.01, 1.0, 1272.0, "636 calls do not tell, and 1,272 take 2.5 s: give `benchmark_seconds_per_variant` at least that"),
    ],
)
def test_why_a_latency_was_not_shown_to_be_kept_is_said_in_words(verdict: LatencyVerdict, null_ms: float, own_ms: float, next_calls: float, words: str) -> None:
    next_seconds = 2.5 if math.isfinite(next_calls) else math.inf
    assert latency_why(verdict, null_ms, own_ms, 5.0, calls=636, next_calls=next_calls, next_seconds=next_seconds).startswith(words)
