"""What a model answers for each kind of problem, what is decided from it, and what is counted; every number worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter

from poc.rules.answers import compare, cost_matrix, count, count_invalid, decide, in_words, output_of
from poc.rules.evidence import ByCost, ClassCounts, Confusion, Deciding, Deviations

ALERT = Deciding(threshold=0.5)
CLASSES = ["good", "rework", "scrap"]
RIGHT_IS_FREE = Deciding(by_cost=ByCost(classes=CLASSES, costs=[[0, 1, 1], [1, 0, 1], [1, 1, 0]]))
AMOUNT = Deciding()
NAN = float("nan")


def test_what_decides_names_the_answer() -> None:
    assert [output_of(each) for each in (ALERT, RIGHT_IS_FREE, AMOUNT)] == ["probability", "probabilities", "estimate"]


def test_where_every_error_costs_the_same_the_likeliest_class_is_decided() -> None:
    assert decide(RIGHT_IS_FREE, np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])).tolist() == [1, 0]


def test_a_rare_class_that_is_dear_to_miss_is_decided_at_a_small_probability() -> None:
    # scrap decided as good costs 100, good decided as scrap 1: at 2 % scrap, good costs 2 on average, scrap 0.98, rework 2.98
    dear = Deciding(by_cost=ByCost(classes=CLASSES, costs=[[0, 1, 1], [1, 0, 1], [100, 100, 0]]))
    assert decide(dear, np.array([[0.98, 0.0, 0.02], [0.995, 0.0, 0.005]])).tolist() == [2, 0]


def test_decisions_are_said_as_the_world_knows_them() -> None:
    assert in_words(ALERT, np.array([True, False])) == [True, False]
    assert in_words(RIGHT_IS_FREE, np.array([2, 0])) == ["scrap", "good"]
    assert in_words(AMOUNT, np.array([7.5])) is None


@pytest.mark.parametrize(
    ("deciding", "answers", "expected"),
    [
        (ALERT, [0.0, 1.0, 0.3], (3, 0, 0)),
        (ALERT, [1.1, -0.1, NAN], (3, 1, 2)),
        (RIGHT_IS_FREE, [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], (2, 0, 0)),
        (RIGHT_IS_FREE, [[0.2, 0.3, 0.4], [1.2, -0.1, -0.1], [NAN, 0.5, 0.5]], (3, 1, 2)),
        (AMOUNT, [-1e9, 0.0, 7.0], (3, 0, 0)),
        (AMOUNT, [NAN, np.inf, 7.0], (3, 2, 0)),
    ],
)
def test_an_answer_must_be_finite_and_a_probability_one(deciding: Deciding, answers: list[object], expected: tuple[int, int, int]) -> None:
    assert count_invalid(deciding, np.array(answers)) == expected


def test_rows_are_counted_by_what_they_are_and_what_they_are_decided_as() -> None:
    answers, truth = np.eye(3)[[0, 0, 1, 2, 2]], np.array([0, 1, 1, 2, 0])
    found = count(a_multiclass_charter(), RIGHT_IS_FREE, answers, truth)
    assert found == ClassCounts(counts=[[1, 0, 1], [1, 1, 0], [0, 0, 1]])


def test_rows_of_several_classes_are_counted_in_each_group_too() -> None:
    found = count(a_multiclass_charter(), RIGHT_IS_FREE, np.eye(3)[[0, 1, 2]], np.array([0, 1, 1]), groups=np.array(["b", "a", "b"]))
    assert isinstance(found, ClassCounts)
    assert found.by_group == [[[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 1], [0, 0, 0]]]


def test_an_amount_is_counted_by_how_far_it_is_over_or_under_and_beyond_the_tolerance() -> None:
    # the tolerance is 20; the usual amount, 100, is 10 over, right and 30 under
    found = count(an_amount_charter(), AMOUNT, np.array([95.0, 120.0, 100.0]), np.array([90.0, 100.0, 130.0]), usual_amount=100.0)
    assert found == Deviations(
        rows=[1, 1, 1], beyond=[0, 0, 1], over=[5.0, 20.0, 0.0], under=[0.0, 0.0, 30.0], usual_over=[10.0, 0.0, 0.0], usual_under=[0.0, 0.0, 30.0]
    )


def test_amounts_of_one_group_are_added_up() -> None:
    groups = np.array(["a", "b", "a"])
    found = count(an_amount_charter(), AMOUNT, np.array([95.0, 120.0, 100.0]), np.array([90.0, 100.0, 130.0]), groups=groups, usual_amount=100.0)
    assert found == Deviations(rows=[2, 1], beyond=[1, 0], over=[5.0, 20.0], under=[30.0, 0.0], usual_over=[10.0, 0.0], usual_under=[30.0, 0.0])


def test_yes_or_no_is_counted_at_the_threshold() -> None:
    assert count(a_charter(), ALERT, np.array([0.5, 0.4]), np.array([1, 1])) == Confusion(positives=2, missed=1, negatives=0, false_alarms=0)


@pytest.mark.parametrize("charter", [a_charter(), a_multiclass_charter(), an_amount_charter()])
def test_a_candidate_of_another_kind_of_problem_counts_nothing(charter: object) -> None:
    others = {"binary": AMOUNT, "multiclass": ALERT, "count": AMOUNT}
    with pytest.raises(ValueError, match="cannot be counted"):
        count(charter, others[charter.problem], np.array([0.5]), np.array([1]))  # type: ignore[arg-type, attr-defined]


def test_probabilities_of_classes_differ_by_the_largest_cell_and_flip_where_another_class_is_decided() -> None:
    one, other = np.array([[0.5, 0.3, 0.2], [0.41, 0.4, 0.19]]), np.array([[0.6, 0.3, 0.1], [0.4, 0.41, 0.19]])
    found = compare(RIGHT_IS_FREE, one, other)
    assert (found.rows, found.largest_difference, found.decisions_flipped) == (2, pytest.approx(0.1), 1)


def test_amounts_differ_in_units_of_their_spread() -> None:
    # from 100 to 300, so that a unit is 200 and 0.5 of a piece are a four-hundredth
    found = compare(AMOUNT, np.array([100.0, 200.0, 300.0]), np.array([100.0, 200.5, 300.0]))
    assert (found.largest_difference, found.decisions_flipped) == (pytest.approx(0.0025, rel=1e-3), 1)


def test_what_float32_rounds_off_a_large_amount_is_no_difference() -> None:
    amounts = np.array([1_000_000.0, 1_000_001.0])
    assert compare(AMOUNT, amounts, amounts + 0.06).largest_difference == 0  # float32 counts in sixteenths here


@pytest.mark.parametrize("deciding", [RIGHT_IS_FREE, AMOUNT])
@pytest.mark.parametrize("silent", [NAN, np.inf])
def test_an_answer_that_is_not_finite_is_the_largest_difference_and_a_flip(deciding: Deciding, silent: float) -> None:
    rows = np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]) if deciding.by_cost else np.array([1.0, 2.0])
    broken = rows.copy()
    broken[0] = silent
    found = compare(deciding, rows, broken)
    assert (found.largest_difference, found.decisions_flipped) == (1.0, 1)


def test_costs_weigh_by_how_much_rarer_a_class_is_among_the_rows_than_in_production() -> None:
    # a third of these rows are of each class; in production 90, 7 and 3 %: scrap decided as good costs (120 + 200 + 350) / 3 * 0.03 / (1/3)
    found = cost_matrix(a_multiclass_charter(), np.array([0, 1, 2]))
    assert found.classes == CLASSES
    assert found.costs[2][0] == pytest.approx(223.3333 * 0.09, rel=1e-5)
    assert found.costs[0][1] == pytest.approx((2 + 3 + 5) / 3 * 2.7, rel=1e-5)
