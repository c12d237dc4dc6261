"""Comparing two answers, and the rows on which they are compared."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_charter
from small_models import TORQUE, TYPE, some_rows

from poc.rules.answers import compare
from poc.rules.evidence import Deciding
from poc.steps.inputs import Rows
from poc.steps.parity import awkward_rows
from poc.tools import frames

AT_HALF = Deciding(threshold=0.5)


def test_equal_answers_differ_by_nothing() -> None:
    found = compare(AT_HALF, np.array([0.1, 0.9]), np.float32([0.1, 0.9]))
    assert (found.rows, found.decisions_flipped) == (2, 0)
    assert found.largest_difference < 1e-7


def test_a_small_difference_across_the_threshold_flips_a_decision() -> None:
    found = compare(AT_HALF, np.array([0.49999, 0.9]), np.array([0.50001, 0.9]))
    assert found.decisions_flipped == 1
    assert found.largest_difference == pytest.approx(2e-5)


@pytest.mark.parametrize(("expected", "answered"), [(np.nan, 0.1), (0.1, np.nan), (np.nan, np.nan)])
def test_an_answer_that_is_no_number_counts_as_the_largest_difference_and_a_flip(expected: float, answered: float) -> None:
    found = compare(AT_HALF, np.array([expected]), np.array([answered]))
    assert (found.largest_difference, found.decisions_flipped) == (1.0, 1)


def test_awkward_rows_begin_with_the_real_ones_and_hold_every_kind_of_trouble() -> None:
    tensors = frames.columns(some_rows(), a_charter().features)
    rows = Rows(tensors=tensors, labels=np.zeros(40, np.int8))
    awkward = awkward_rows(rows, rows)
    assert np.array_equal(awkward[TORQUE][40:80], tensors[TORQUE], equal_nan=True)
    made = {name: values[80:] for name, values in awkward.items()}
    assert np.isnan(made[TORQUE]).sum() >= 64
    assert {np.nanmin(tensors[TORQUE]), np.nanmax(tensors[TORQUE])} <= set(made[TORQUE].ravel())
    assert {"", "never seen before"} <= set(made[TYPE].ravel())
    assert len({len(values) for values in awkward.values()}) == 1
