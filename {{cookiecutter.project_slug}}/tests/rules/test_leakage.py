from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poc.rules.leakage import alone, auc, auc_alone, concordance

LABELS = np.array([0, 1] * 20)


def test_auc_counts_pairs_in_the_right_order() -> None:
    # positives 3 and 1, negatives 2 and 0: 3 beats both, 1 beats one of two
    assert auc(np.array([3.0, 1.0, 2.0, 0.0]), np.array([1, 1, 0, 0])) == 0.75


def test_ties_count_half() -> None:
    assert auc(np.array([1.0, 1.0, 0.0]), np.array([1, 0, 0])) == 0.75


def test_auc_without_both_classes_is_no_number() -> None:
    assert math.isnan(auc(np.array([1.0, 2.0]), np.array([1, 1])))
    assert math.isnan(auc(np.array([]), np.array([], dtype=int)))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 1)), min_size=2, max_size=30))
def test_auc_equals_counting_every_pair(rows: list[tuple[int, int]]) -> None:
    positive, negative = ([score for score, label in rows if label == wanted] for wanted in (1, 0))
    if positive and negative:
        pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
        assert auc(np.array([float(score) for score, _ in rows]), np.array([label for _, label in rows])) == pytest.approx(sum(pairs) / len(pairs))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_equals_the_target_gives_it_away_either_way_round(sign: int) -> None:
    column = sign * LABELS.astype(np.float32).reshape(-1, 1)
    assert auc_alone(column, LABELS, column, LABELS, "number") == 1.0


def test_a_category_that_names_the_failure_gives_it_away() -> None:
    column = np.where(LABELS == 1, "Tool Wear Failure", "No Failure").astype(object)
    assert auc_alone(column, LABELS, column, LABELS, "category") == 1.0


def test_a_category_never_seen_in_train_counts_as_average() -> None:
    train, train_labels = np.array(["a", "a", "b", "b"], dtype=object), np.array([1, 1, 0, 0])
    dev, dev_labels = np.array(["a", "new", "new", "b"], dtype=object), np.array([1, 1, 0, 0])
    assert auc_alone(train, train_labels, dev, dev_labels, "category") == 0.875  # four pairs: 1, 1, 1 and a tie of the two new ones


def test_the_encoding_is_learned_on_train_only() -> None:
    names = np.array([f"row {n}" for n in range(40)], dtype=object)
    assert auc_alone(names, LABELS, np.array([f"dev {n}" for n in range(40)], dtype=object), LABELS, "category") == 0.5


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_being_missing_can_give_the_answer_away(missing: int, sign: int) -> None:
    labels = np.array([0, 1] * 100)
    column = np.where(labels == missing, np.nan, sign * np.arange(1, 201)).astype(np.float32)  # too many values for a code
    assert auc_alone(column, labels, column, labels, "number") == 1.0


def test_missing_values_are_tried_above_and_below_the_others() -> None:
    labels = np.array([0, 1] * 100)
    rising = np.arange(200) + 1000.0 * labels
    for lowest, highest in ((np.nan, rising), (rising, np.nan)):  # missing stands for the lowest, then for the highest half
        column = np.where(labels == 0, lowest, highest)
        column[:20] = rising[:20]
        assert auc_alone(column, labels, column, labels, "number") == 1.0


def test_a_code_in_disguise_gives_the_answer_away() -> None:
    code = np.where(LABELS == 1, 3.0, np.tile([1.0, 1.0, 5.0, 5.0], 10))  # 3 means failed; 1 and 5 do not
    assert auc_alone(code, LABELS, code, LABELS, "number") == 1.0


def test_an_honest_column_does_not() -> None:
    rng = np.random.default_rng(5)
    labels = (rng.random(4000) < 0.1).astype(np.int8)
    column = (rng.normal(size=4000) + labels).astype(np.float32)
    assert 0.70 < auc_alone(column[:2000], labels[:2000], column[2000:], labels[2000:], "number") < 0.82  # normal(1 / sqrt 2) = 0.76


def test_dev_without_positives_is_no_number() -> None:
    assert math.isnan(auc_alone(LABELS.astype(np.float32), LABELS, np.zeros(5, dtype=np.float32), np.zeros(5, dtype=int), "number"))


def test_of_amounts_the_chance_is_counted_that_the_larger_ranks_higher() -> None:
    # of the three pairs with different amounts (1, 2), (1, 3) and (2, 3) the second ranks rightly, the first is tied, the third is wrong
    assert concordance(np.array([1.0, 1.0, 0.5]), np.array([1.0, 2.0, 3.0])) == pytest.approx((0.5 + 0 + 0) / 3)
    assert concordance(np.array([1.0, 5.0, 4.0, 9.0]), np.array([1.0, 2.0, 2.0, 3.0])) == 1.0


def test_concordance_is_the_auc_where_there_are_two_amounts() -> None:
    rng = np.random.default_rng(5)
    scores, labels = rng.integers(0, 9, 400).astype(float), rng.integers(0, 2, 400)
    assert concordance(scores, labels) == pytest.approx(auc(scores, labels))


def test_a_column_that_tells_nothing_is_chance_and_amounts_that_are_all_the_same_have_none() -> None:
    assert concordance(np.zeros(4), np.arange(4)) == 0.5
    assert np.isnan(concordance(np.arange(4.0), np.zeros(4)))


def test_a_column_that_tells_one_of_several_classes_gives_that_one_away() -> None:
    rng = np.random.default_rng(6)
    labels = np.repeat([0, 1, 2], 100)
    column = np.where(labels == 2, 9.0, rng.random(300))
    assert alone("multiclass", column, labels, column, labels, "number") == 1.0
    assert alone("multiclass", rng.random(300), labels, rng.random(300), labels, "number") < 0.7


@pytest.mark.parametrize("kind", ["number", "category"])
def test_a_column_that_is_the_amount_gives_it_away_whichever_way_round(kind: Literal["number", "category"]) -> None:
    truth = np.tile(np.arange(30.0), 10)
    column = -truth if kind == "number" else truth.astype(str)
    assert alone("count", column, truth, column, truth, kind) == 1.0
