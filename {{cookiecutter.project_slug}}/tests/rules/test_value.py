from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import a_charter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from poc.rules.charter import BinaryCharter
from poc.rules.evidence import Confusion
from poc.rules.value import expected_worth, triangular, worth


def sure(number: object) -> dict[str, object]:
    return {"low": number, "likely": number, "high": number}


def a_sure_charter(**changes: Any) -> BinaryCharter:
    """1,000 decisions, 10 % positive; a miss costs 100, a false alarm 2, a catch 20; running it 50. Today costs 1,000 * (6.0 + 0.072) = 6,072 a month."""
    value = {
        "decisions_per_period": sure(1000),
        "positive_share": sure("0.1"),
        "cost_missed": sure(100),
        "cost_false_alarm": sure(2),
        "cost_per_catch": sure(20),
    }
    return a_charter(value=value | {"run_cost_per_period": 50} | changes, baseline={"missed_share": "0.5", "false_alarm_share": "0.04"})


def many(missed: float, false_alarms: float) -> Confusion:
    n = 10_000_000  # so many rows that the posterior is a point
    return Confusion(positives=n, missed=int(n * missed), negatives=n, false_alarms=int(n * false_alarms))


def test_value_is_what_today_costs_less_what_the_model_costs_and_its_run_cost() -> None:
    # model: 1,000 * (0.1 * (0.2 * 100 + 0.8 * 20) + 0.9 * 0.1 * 2) + 50 = 3,600 + 180 + 50; today 6,072
    assert worth(a_sure_charter(), many(0.2, 0.1), seed=1).per_period.middle == pytest.approx(6072 - 3830, abs=2)


def test_value_against_flagging_everything_and_nothing() -> None:
    money = worth(a_sure_charter(), many(0.2, 0.1), seed=1)
    assert money.against["flagging everything"].middle == pytest.approx(2000 + 1800 - 3830, abs=2)  # every positive caught, every negative alarmed
    assert money.against["flagging nothing"].middle == pytest.approx(10000 - 3830, abs=2)  # every positive missed


def test_a_perfect_model_pays_its_run_cost() -> None:
    assert worth(a_sure_charter(), many(0.2, 0.1), seed=1).perfect_model == pytest.approx(6072 - 2000 - 50)


def test_a_more_accurate_model_can_be_worth_less() -> None:
    cautious, sharp = many(0.01, 0.20), many(0.40, 0.01)  # 4.9 % of errors less, 3,120 more of cost
    difference = worth(a_sure_charter(), cautious, seed=1).per_period.middle - worth(a_sure_charter(), sharp, seed=1).per_period.middle
    assert difference == pytest.approx(0.39 * 0.1 * 80 * 1000 - 0.19 * 0.9 * 2 * 1000, abs=4)


def test_equal_seeds_give_equal_money_and_others_do_not() -> None:
    few = Confusion(positives=20, missed=2, negatives=200, false_alarms=20)
    assert worth(a_charter(), few, seed=1) == worth(a_charter(), few, seed=1)
    assert worth(a_charter(), few, seed=1) != worth(a_charter(), few, seed=2)


def test_prevalence_is_the_charters_and_not_the_files() -> None:
    rare, common = Confusion(positives=10**6, missed=10**5, negatives=10**7, false_alarms=10**6), many(0.1, 0.1)
    assert worth(a_sure_charter(), rare, seed=1).per_period.middle == pytest.approx(worth(a_sure_charter(), common, seed=1).per_period.middle, abs=5)


def test_chances_are_shares_of_the_draws() -> None:
    loses = worth(a_sure_charter(), many(0.9, 0.5), seed=1)
    assert (loses.chance_of_loss, loses.chance_of_minimum) == (1.0, 0.0)
    wins = worth(a_sure_charter(run_cost_per_period=0), many(0.0, 0.0), seed=1)
    assert (wins.chance_of_loss, wins.chance_of_minimum) == (0.0, 0.0)  # 4,072 is not the 5,000 that the charter asks for


def test_no_positive_seen_leaves_the_value_wide_open() -> None:
    money = worth(a_charter(), Confusion(positives=0, missed=0, negatives=100, false_alarms=5), seed=1)
    assert money.per_period.low < 0 < money.per_period.high


def test_error_shares_are_drawn_from_jeffreys_posterior() -> None:
    # with sure costs only the shares vary: each point missed costs 1,000 * 0.1 * 80 / 100; the false-alarm share is all but known
    money = worth(a_sure_charter(), Confusion(positives=20, missed=1, negatives=10**7, false_alarms=10**6), seed=1)
    missed = [(6072 - 50 - 2000 - 180 - bound) / 8000 for bound in (money.per_period.high, money.per_period.low)]
    assert missed == pytest.approx(betaincinv(1.5, 19.5, [0.05, 0.95]), rel=0.05)


def test_a_triangular_range_keeps_its_bounds_and_its_mean() -> None:
    draws = triangular(a_charter(value={"cost_missed": {"low": 0, "likely": 30, "high": 90}}).value.cost_missed, np.random.default_rng(3))
    assert draws.min() >= 0
    assert draws.max() <= 90
    assert draws.mean() == pytest.approx(40, abs=0.5)  # (0 + 30 + 90) / 3
    assert np.mean(draws <= 30) == pytest.approx(1 / 3, abs=0.01)  # the area left of the peak is (likely - low) / (high - low)


def test_expected_worth_uses_the_means_of_the_ranges() -> None:
    assert expected_worth(a_sure_charter(), np.array([0.2, 0.1])) == pytest.approx(6072 - 3830)
    assert expected_worth(a_sure_charter(), np.array([[0.2, 0.5], [0.1, 0.04]])) == pytest.approx([6072 - 3830, -50])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 500))
def test_bounds_are_ordered_and_no_model_beats_a_perfect_one_on_sure_costs(positives: int, missed: int, false_alarms: int) -> None:
    money = worth(a_sure_charter(), Confusion(positives=positives, missed=min(missed, positives), negatives=500, false_alarms=false_alarms), seed=1)
    for interval in (money.per_period, *money.against.values()):
        assert interval.low <= interval.middle <= interval.high
    assert money.per_period.high <= money.perfect_model + 1e-6


@pytest.mark.parametrize("positives", [20, 200])
def test_nine_in_ten_intervals_hold_the_true_value(positives: int) -> None:
    # 200 sealed sets from a model that misses 15 % and alarms on 20 %; binomial noise on 200 is 2.1 points
    rng, charter, negatives = np.random.default_rng(11), a_sure_charter(), positives * 10
    truth = expected_worth(charter, np.array([0.15, 0.20]))
    held = 0
    for seed in range(200):
        seen = Confusion(positives=positives, missed=int(rng.binomial(positives, 0.15)), negatives=negatives, false_alarms=int(rng.binomial(negatives, 0.20)))
        interval = worth(charter, seen, seed=seed).per_period
        held += interval.low <= truth <= interval.high
    assert 0.85 <= held / 200 <= 0.95


def test_a_higher_confidence_and_more_looks_widen_the_money_as_every_other_limit() -> None:
    errors = Confusion(positives=136, missed=4, negatives=3864, false_alarms=842)
    plain, strict = (worth(a_charter(limits={"confidence": c}, timebox={"looks": looks}), errors, seed=7) for c, looks in ((0.95, 1), (0.99, 10)))
    assert (round(plain.level, 6), round(strict.level, 6)) == (0.9, 0.998)
    assert strict.per_period.low < plain.per_period.low < plain.per_period.high < strict.per_period.high
