from __future__ import annotations

import math

import numpy as np

from poc.rules.rounds import FEWEST, is_enough, mean_over, paired_ratio, that_count

ALL = np.ones(12, dtype=bool)


def test_a_round_counts_if_nothing_took_more_than_a_twentieth_of_the_time_before_during_or_after() -> None:
    lost = np.array([[0.0, 0.0, 0.0], [0.05, 0.05, 0.05], [0.06, 0.0, 0.0], [0.0, 0.06, 0.0], [0.0, 0.0, 0.06], [math.nan, 0.0, 0.0]])
    assert that_count(lost).tolist() == [True, True, False, False, False, False]


def test_a_ratio_is_the_median_over_rounds_between_the_third_and_the_tenth_of_twelve() -> None:
    # P(Binomial(12, 1/2) <= 2) = 79 / 4096 = 1.9 %, and with 3 it is 7.3 %: so the third smallest and the third largest bound the median at 95 %
    found = paired_ratio(np.arange(1.0, 13.0), np.ones(12), ALL, 0.95)
    assert (found.low, found.middle, found.high) == (3.0, 6.5, 10.0)


def test_a_slow_minute_that_slows_both_leaves_the_ratio_alone() -> None:
    pace = np.array([1.0, 5.0] * 6)
    found = paired_ratio(1.3 * pace, pace, ALL, 0.95)
    assert math.isclose(found.low, 1.3) and math.isclose(found.high, 1.3)


def test_rounds_that_do_not_count_change_nothing() -> None:
    own, counts = np.ones(12), ALL.copy()
    own[:3], counts[:3] = 99.0, False
    assert paired_ratio(own, np.ones(12), counts, 0.95).high == 1.0


def test_too_few_rounds_that_count_give_no_ratio() -> None:
    counts = np.arange(12) < FEWEST - 1
    assert not is_enough(counts)
    found = paired_ratio(np.ones(12), np.ones(12), counts, 0.95)
    assert (found.low, found.high) == (0.0, math.inf) and math.isnan(found.middle)


def test_two_copies_of_one_thing_are_found_different_no_more_often_than_said() -> None:
    draw = np.random.default_rng(2)
    found = [paired_ratio(draw.lognormal(0.0, 0.1, 12), draw.lognormal(0.0, 0.1, 12), ALL, 0.95) for _ in range(1000)]
    assert np.mean([each.low <= 1.0 <= each.high for each in found]) > 0.94


def test_what_a_call_costs_is_a_mean_between_the_bounds_of_students_t() -> None:
    # 1 to 12: mean 6.5, standard deviation sqrt(13), so sqrt(13 / 12) of the mean; t is 2.201 at 11 degrees of freedom
    found = mean_over(np.arange(1.0, 13.0), ALL, 0.95)
    assert (found.middle, round(6.5 - found.low, 3), round(found.high - 6.5, 3)) == (6.5, 2.291, 2.291)


def test_one_dear_round_in_twelve_makes_calls_dearer_and_the_bounds_wider() -> None:
    found = mean_over(np.array([1.0] * 11 + [13.0]), ALL, 0.95)
    assert (found.low, found.middle, found.high > 4.0) == (0.0, 2.0, True)


def test_the_mean_of_rounds_is_bounded_about_as_often_as_said() -> None:
    draw = np.random.default_rng(3)
    found = [mean_over(draw.exponential(1.0, (12, 43)).mean(axis=1), ALL, 0.95) for _ in range(1000)]
    assert 0.93 < np.mean([each.low <= 1.0 <= each.high for each in found]) < 0.97


def test_a_disturbed_round_costs_nothing_and_where_all_were_disturbed_the_least_is_not_known() -> None:
    rounds, counts = np.array([1.0] * 11 + [99.0]), np.arange(12) < 11
    assert mean_over(rounds, counts, 0.95).high == 1.0
    found = mean_over(np.ones(12), np.zeros(12, dtype=bool), 0.95)
    assert (found.low, found.middle, found.high) == (0.0, 1.0, 1.0)
