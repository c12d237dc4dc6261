"""Comparing two answers, and the rows on which they are compared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from builders import a_charter
from numpy.typing import NDArray
from small_models import TORQUE, TYPE, WEAR, some_rows

from poc.rules.answers import compare
from poc.rules.evidence import Deciding
from poc.steps.inputs import Rows
from poc.steps.parity import AWKWARD, Tensors, awkward_rows
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


def ordinary_parts() -> Rows:
    """Return rows in which nothing is awkward."""
    draw = np.random.default_rng(0)
    numbers = {name: draw.normal(40, 10, (100, 1)).astype(np.float32) for name in (TORQUE, WEAR)}
    return Rows(tensors={**numbers, TYPE: draw.choice(np.array(["L", "M"], dtype=object), (100, 1))}, labels=np.zeros(100, np.int8))


ORDINARY = ordinary_parts()
#: Each kind of trouble that a graph may be alone in answering wrongly.
TROUBLE: dict[str, Callable[[Tensors], NDArray[np.bool_]]] = {
    **{f"{name} is missing": lambda rows, name=name: np.isnan(rows[name]) for name in (TORQUE, WEAR)},
    **{f"{name} is whole": lambda rows, name=name: rows[name] == np.round(rows[name]) for name in (TORQUE, WEAR)},
    **{f"{name} is least": lambda rows, name=name: rows[name] <= ORDINARY.tensors[name].min() for name in (TORQUE, WEAR)},
    **{f"{name} is largest": lambda rows, name=name: rows[name] >= ORDINARY.tensors[name].max() for name in (TORQUE, WEAR)},
    "the category is missing": lambda rows: rows[TYPE] == "",
    "the category was never seen": lambda rows: ~np.isin(rows[TYPE].astype(str), ["L", "M", ""]),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_graph_that_is_wrong_on_one_kind_of_trouble_alone_flips_decisions(kind: str) -> None:
    assert TROUBLE[kind](ORDINARY.tensors).sum() <= 1  # real rows would hardly show it
    rows = awkward_rows(ORDINARY, ORDINARY)
    found = compare(AT_HALF, np.full(len(rows[TYPE]), 0.25), np.where(TROUBLE[kind](rows), 0.75, 0.25).ravel())
    assert found.decisions_flipped >= AWKWARD
    assert found.largest_difference == 0.5


def test_a_smaller_model_is_compared_by_what_each_decides_at_its_own_threshold() -> None:
    parent, smaller = np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.2, 0.3])
    assert compare(Deciding(threshold=0.15), parent, smaller, expected_decides=Deciding(threshold=0.3)).decisions_flipped == 0
    assert compare(Deciding(threshold=0.25), parent, smaller, expected_decides=Deciding(threshold=0.3)).decisions_flipped == 1
