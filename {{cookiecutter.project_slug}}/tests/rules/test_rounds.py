from __future__ import annotations

import math

import numpy as np

from poc.rules.rounds import FEWEST, is_enough, paired_ratio, that_count

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
