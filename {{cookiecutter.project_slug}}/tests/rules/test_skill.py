"""How much of the truth answers hold, for each kind of problem."""

from __future__ import annotations

import numpy as np
import pytest

from poc.rules.skill import skill


def test_yes_or_no_is_ranked() -> None:
    assert skill("binary", np.array([0.1, 0.9, 0.5]), np.array([0, 1, 1])).value == 1.0


def test_several_classes_are_ranked_each_against_the_rest() -> None:
    # class 0 and 1 are ranked rightly, class 2 the wrong way round
    answers, truth = np.array([[0.9, 0.0, 0.1], [0.0, 0.9, 0.1], [0.0, 0.0, 0.0]]), np.array([0, 1, 2])
    assert skill("multiclass", answers, truth).value == pytest.approx((1 + 1 + 0) / 3)


def test_an_amounts_variance_is_explained_or_not() -> None:
    # around the mean of 2 the truth varies by 1 + 0 + 1; what is left is 0.25 + 0 + 0.25
    found = skill("count", np.array([1.5, 2.0, 2.5]), np.array([1.0, 2.0, 3.0]))
    assert (found.name, found.unit, found.value) == ("r2", "R2", pytest.approx(0.75))


def test_a_shift_by_which_errors_cost_less_takes_no_skill_away() -> None:
    assert skill("regression", np.array([11.0, 12.0, 13.0]), np.array([1.0, 2.0, 3.0])).value == 1.0


def test_amounts_that_are_all_the_same_have_no_variance_to_explain() -> None:
    assert np.isnan(skill("regression", np.array([1.0, 2.0]), np.array([2.0, 2.0])).value)
