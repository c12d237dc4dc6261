from __future__ import annotations

from math import comb, exp, lgamma, log

import numpy as np
import pytest
from builders import a_charter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, ndtr

from poc.errors import Refused
from poc.rules.evidence import Confusion
from poc.rules.thresholds import chance_of_at_most, choose_threshold, confusion_at
from poc.rules.verdict import most_errors_allowed


def some_rows(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.05).astype(np.int8)
    return 1 / (1 + np.exp(-(rng.normal(size=n) + 2.8 * labels - 4))), labels


def test_the_threshold_itself_raises_an_alert() -> None:
    assert confusion_at(np.array([0.5, 0.5, 0.4, 0.6]), np.array([1, 0, 1, 0]), 0.5) == Confusion(positives=2, missed=1, negatives=2, false_alarms=2)


def test_probabilities_may_come_as_a_column() -> None:
    assert confusion_at(np.array([[0.9], [0.1]], dtype=np.float32), np.array([1, 0]), 0.5) == Confusion(positives=1, missed=0, negatives=1, false_alarms=0)


def test_a_missing_probability_is_refused() -> None:
    with pytest.raises(Refused, match="1 of 2 probabilities are NaN"):
        confusion_at(np.array([0.5, np.nan]), np.array([1, 0]), 0.5)
    with pytest.raises(Refused):
        choose_threshold(np.array([0.5, np.nan]), np.array([1, 0]), a_charter(), 10, 10)


def test_one_row_more_is_wrong_with_the_posteriors_mean() -> None:
    # after 1 error in 4 the next row is wrong with chance (1 + 1/2) / (4 + 1) = 0.3
    assert chance_of_at_most(0, 1, np.array([1]), 4) == pytest.approx([0.7])


def test_the_chance_is_the_beta_binomial_sum() -> None:
    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    by_hand = sum(comb(20, k) * exp(log_beta(k + 3.5, 20 - k + 27.5) - log_beta(3.5, 27.5)) for k in range(4))
    assert chance_of_at_most(3, 20, np.array([3]), 30) == pytest.approx([by_hand])


def test_where_not_even_none_would_do_there_is_no_chance() -> None:
    assert chance_of_at_most(-1, 10, np.array([0, 1]), 30).tolist() == [0.0, 0.0]


def test_well_parted_rows_are_parted_midway() -> None:
    probabilities, labels = np.repeat([0.25, 0.75], [900, 100]), np.repeat([0, 1], [900, 100])
    chosen = choose_threshold(probabilities, labels, a_charter(), 100, 900)
    assert chosen.threshold == 0.5
    assert chosen.confusion == Confusion(positives=100, missed=0, negatives=900, false_alarms=0)
    assert chosen.predicted_chance_of_go > 0.99


def test_the_predicted_chance_is_on_average_near_the_true_one() -> None:
    # scores are normal, so the true shares at a threshold are known; a single set's prediction strays by 0.2, the mean of 40 is 0.10 too high
    charter = a_charter(limits={"missed_share": "0.08", "false_alarm_share": "0.15"})
    chosen = [choose_threshold(*some_rows(6000, seed), charter, 150, 2850) for seed in range(40)]
    score = np.array([log(one.threshold / (1 - one.threshold)) + 4 for one in chosen])
    true_chance = bdtr(most_errors_allowed(150, 0.08, 0.95), 150, ndtr(score - 2.8)) * bdtr(most_errors_allowed(2850, 0.15, 0.95), 2850, ndtr(-score))
    assert np.mean([one.predicted_chance_of_go for one in chosen]) == pytest.approx(np.mean(true_chance), abs=0.15)


def test_thresholds_chosen_on_dev_come_close_to_the_best_there_is() -> None:
    # knowing the true shares, the best threshold here has a chance of 0.40
    charter = a_charter(limits={"missed_share": "0.08", "false_alarm_share": "0.15"})
    score = np.array([log(t / (1 - t)) + 4 for t in (choose_threshold(*some_rows(6000, seed), charter, 150, 2850).threshold for seed in range(40))])
    true_chance = bdtr(most_errors_allowed(150, 0.08, 0.95), 150, ndtr(score - 2.8)) * bdtr(most_errors_allowed(2850, 0.15, 0.95), 2850, ndtr(-score))
    assert 0.30 < np.mean(true_chance) < 0.40


def test_no_other_threshold_has_a_better_chance() -> None:
    probabilities, labels = some_rows(800)
    charter = a_charter(limits={"missed_share": "0.4", "false_alarm_share": "0.5"})
    chosen = choose_threshold(probabilities, labels, charter, 40, 760)

    def chance(threshold: float) -> float:
        seen = confusion_at(probabilities, labels, threshold)
        missed = chance_of_at_most(10, 40, np.array([seen.missed]), seen.positives)  # 10 of 40 is the most that 40 % at 95 % admits
        return float((missed * chance_of_at_most(356, 760, np.array([seen.false_alarms]), seen.negatives))[0])

    assert chosen.predicted_chance_of_go >= max(chance(float(p)) for p in np.unique(probabilities)) - 0.0101


def test_money_decides_among_thresholds_that_are_equally_sure() -> None:
    # limits that any threshold meets: the dearer a false alarm, the higher the threshold
    probabilities, labels = some_rows(2000)
    loose = {"missed_share": "0.99", "false_alarm_share": "0.99"}
    cheap, dear = (
        choose_threshold(probabilities, labels, a_charter(limits=loose, value={"cost_false_alarm": {"low": cost, "likely": cost, "high": cost}}), 100, 1900)
        for cost in (1, 50)
    )
    assert cheap.threshold < dear.threshold
    assert cheap.confusion.missed < dear.confusion.missed


def test_a_hopeless_limit_has_no_chance_and_still_a_threshold() -> None:
    probabilities, labels = some_rows(2000)
    chosen = choose_threshold(probabilities, labels, a_charter(), 5, 100)  # five positives show no 12 %
    assert chosen.predicted_chance_of_go == 0.0
    assert 0 < chosen.threshold <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=40))
def test_the_threshold_is_a_float32_that_parts_and_equals_no_negatives_neighbour(rows: list[tuple[float, bool]]) -> None:
    probabilities, labels = np.array([p for p, _ in rows]), np.array([int(label) for _, label in rows])
    chosen = choose_threshold(probabilities, labels, a_charter(), 100, 1000)
    assert float(np.float32(chosen.threshold)) == chosen.threshold
    assert confusion_at(probabilities, labels, chosen.threshold) == chosen.confusion


@pytest.mark.parametrize("noise", [-1e-7, 1e-7])
def test_float_noise_flips_no_decision(noise: float) -> None:
    probabilities, labels = np.round(some_rows(3000)[0], 4), some_rows(3000)[1]
    chosen = choose_threshold(probabilities, labels, a_charter(), 100, 1900)
    assert confusion_at(probabilities + noise, labels, chosen.threshold) == chosen.confusion


def test_decisions_are_counted_for_each_group_too() -> None:
    seen = confusion_at(np.array([0.9, 0.1, 0.8, 0.2, 0.7]), np.array([1, 1, 0, 0, 1]), 0.5, groups=np.array(["b", "a", "a", "a", "b"], dtype=object))
    assert seen.by_group == [(1, 1, 2, 1), (2, 0, 0, 0)]  # positives, missed, negatives, false alarms: first of a, then of b
    assert (seen.positives, seen.missed, seen.negatives, seen.false_alarms) == (3, 1, 2, 1)
