"""Choosing what decides: the limits first, money where they are kept equally well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter

from poc.rules.answers import cost_matrix
from poc.rules.charter import Charter
from poc.rules.choosing import Chosen, choose
from poc.rules.counts import limited_shares, sorts_of
from poc.rules.evidence import Calibration
from poc.rules.thresholds import choose_threshold

AS_IT_IS = Calibration(slope=1.0, intercept=0.0)


def chosen(charter: Charter, raw: np.ndarray, truth: np.ndarray, **usual: Any) -> Chosen:
    return choose(charter, raw, truth, AS_IT_IS, sorts_of(charter, truth), **{"usual_amount": 100.0} | usual)


def some_amounts(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Estimates that are right on average, and off by 10 in the root mean square."""
    rng = np.random.default_rng(1)
    estimates = rng.normal(100, 30, n)
    return estimates, np.round(np.maximum(estimates + rng.normal(0, 10, n), 0))


def test_yes_or_no_gets_the_threshold_that_the_chance_of_go_chooses() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(2000) < 0.05).astype(np.int8)
    raw = 1 / (1 + np.exp(-(rng.normal(size=2000) + 2.8 * truth - 4)))
    found, wanted = chosen(a_charter(), raw, truth), choose_threshold(raw, truth, a_charter(), int(truth.sum()), int((1 - truth).sum()))
    assert (found.deciding.threshold, found.predicted_chance_of_go) == (wanted.threshold, wanted.predicted_chance_of_go)
    assert found.limited["missed_share"].errors == wanted.confusion.missed


def test_where_the_tolerance_is_kept_anyhow_an_amount_is_shifted_to_the_newsvendors_quantile() -> None:
    # one unit under costs (1 + 2 + 4) / 3, one over (0.4 + 0.5 + 0.75) / 3: 0.81 of the truth should lie below, which is 0.878 standard deviations
    estimates, truth = some_amounts()
    found = chosen(an_amount_charter(limits={"tolerance": 60}), estimates, truth)
    assert found.calibration.intercept == pytest.approx(8.8, abs=0.5)
    assert found.predicted_chance_of_go == pytest.approx(1.0)


def test_a_cost_beyond_all_tried_quantiles_still_gets_its_own() -> None:
    # one unit under costs 200 times as much as one over: 0.995 of the truth should lie below, which is 2.58 standard deviations
    dear = {"cost_per_unit_over": {"low": "0.5", "likely": "0.5", "high": "0.5"}, "cost_per_unit_under": {"low": 100, "likely": 100, "high": 100}}
    estimates, truth = some_amounts(20_000)
    found = chosen(an_amount_charter(value=dear, limits={"tolerance": 90}), estimates, truth)
    assert found.calibration.intercept == pytest.approx(25.8, abs=1.0)


def test_where_the_cheapest_shift_would_break_the_tolerance_another_is_taken() -> None:
    estimates, truth = some_amounts()
    charter = an_amount_charter(limits={"tolerance": 16, "beyond_tolerance_share": "0.13"})  # unshifted, 11 % lie beyond 1.6 standard deviations
    found = chosen(charter, estimates, truth)
    assert abs(found.calibration.intercept) < 4
    assert found.predicted_chance_of_go > 0.8


def test_the_errors_are_counted_as_the_chosen_shift_makes_them() -> None:
    estimates, truth = some_amounts()
    found = chosen(an_amount_charter(), estimates, truth)
    beyond = int((np.abs((estimates + found.calibration.intercept).astype(np.float32) - truth) > 20).sum())
    assert (found.limited["beyond_tolerance_share"].errors, found.limited["beyond_tolerance_share"].rows) == (beyond, len(truth))


def some_classes(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities of three classes, and classes drawn from them."""
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet([6.0, 0.6, 0.4], n)
    return probabilities, np.array([rng.choice(3, p=row) for row in probabilities])


def test_where_the_limits_are_kept_anyhow_the_charters_costs_decide() -> None:
    probabilities, truth = some_classes()
    dear = {"low": 150, "likely": 200, "high": 250}
    right_is_cheapest = {"rework": {"scrap": dear}, "scrap": {"rework": dear}}
    charter = a_multiclass_charter(value={"costs": right_is_cheapest}, limits={"missed_share": {"rework": "0.95", "scrap": "0.95"}})
    found = chosen(charter, probabilities, truth)
    assert found.deciding.by_cost == cost_matrix(charter, truth)
    assert found.predicted_chance_of_go == pytest.approx(1.0)


def test_a_class_whose_limit_the_costs_would_break_weighs_more() -> None:
    probabilities, truth = some_classes()
    cheap_to_miss = {"scrap": {each: {"low": 8, "likely": 10, "high": 12} for each in ("good", "rework")}}
    loose, strict = (
        chosen(a_multiclass_charter(value={"costs": cheap_to_miss}, limits={"missed_share": {"rework": "0.9", "scrap": limit}}), probabilities, truth)
        for limit in ("0.9", "0.2")
    )
    missed = "missed_share of 'scrap'"
    assert strict.limited[missed].errors < loose.limited[missed].errors
    assert strict.limited[missed].errors / strict.limited[missed].rows < 0.2


def test_every_sort_that_a_limit_speaks_of_is_counted() -> None:
    for charter in (a_charter(), a_multiclass_charter(), an_amount_charter()):
        sorts = sorts_of(charter, np.array([0, 1, 1, 0]))
        assert {limit.among for limit in limited_shares(charter)} <= set(sorts)
        assert sum(sorts.values()) == 4
