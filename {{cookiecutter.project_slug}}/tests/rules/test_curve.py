"""The value curve: from flagging everything to flagging nothing."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from builders import a_charter, sure

from poc.rules.charter import BinaryCharter
from poc.rules.curve import POINTS, value_curve
from poc.rules.evidence import CurvePoint


def a_charter_of_sure_costs() -> BinaryCharter:
    """Today costs 6,072 a month, flagging everything 3,800, flagging nothing 10,000; see `test_stakes`."""
    ranges = {"decisions_per_period": 1000, "positive_share": "0.1", "cost_missed": 100, "cost_false_alarm": 2, "cost_per_catch": 20}
    value = {name: sure(number) for name, number in ranges.items()}
    return a_charter(value={**value, "run_cost_per_period": 50}, baseline={"missed_share": "0.5", "false_alarm_share": "0.04"})


def a_curve(chosen: float = 0.4375, charter: BinaryCharter | None = None) -> list[CurvePoint]:
    rng = np.random.default_rng(2)
    labels = np.repeat([1, 0], [1000, 3000])
    probabilities = np.clip(rng.normal(0.35 + 0.3 * labels, 0.15), 0.01, 0.99)
    return value_curve(probabilities, labels, charter or a_charter_of_sure_costs(), chosen=chosen, seed=1)


def test_the_ends_are_flagging_everything_and_flagging_nothing() -> None:
    first, last = a_curve()[0], a_curve()[-1]
    assert (first.missed_share, first.false_alarm_share, last.missed_share, last.false_alarm_share) == (0, 1, 1, 0)
    assert first.money.middle == pytest.approx(6072 - 3800 - 50, abs=10)
    assert last.money.middle == pytest.approx(6072 - 10_000 - 50, abs=10)


def test_the_chosen_threshold_is_among_the_points() -> None:
    assert 0.4375 in [point.threshold for point in a_curve(0.4375)]


def test_thresholds_rise_and_with_them_misses_while_false_alarms_fall() -> None:
    points = a_curve()
    assert all(one.threshold < other.threshold for one, other in pairwise(points))
    assert all(one.missed_share <= other.missed_share and one.false_alarm_share >= other.false_alarm_share for one, other in pairwise(points))
    assert POINTS - 5 <= len(points) <= POINTS + 2


def test_a_model_that_tells_rows_apart_is_worth_most_somewhere_between() -> None:
    money = [point.money.middle for point in a_curve()]
    assert max(money) > max(money[0], money[-1]) + 500


def test_every_point_has_the_interval_that_so_many_rows_leave() -> None:
    assert all(point.money.low < point.money.middle < point.money.high for point in a_curve())


def test_rows_without_a_positive_leave_its_misses_unknown() -> None:
    points = value_curve(np.array([0.2, 0.4]), np.array([0, 0]), a_charter_of_sure_costs(), chosen=0.25, seed=1)
    assert all(math.isnan(point.missed_share) for point in points)
    assert [point.false_alarm_share for point in points] == [1, 0.5, 0]
