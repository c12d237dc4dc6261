from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from poc.rules.drift import LIMIT, MOST_CATEGORIES, allowance, beyond_chance, divergence


def numbers(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32).reshape(-1, 1)


def words(*values: str) -> NDArray[np.object_]:
    return np.array(values, dtype=object).reshape(-1, 1)


def normal(mean: float, n: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(mean, 1.0, (n, 1)).astype(np.float32)


@pytest.mark.parametrize("column", [numbers(1, 2, 3, 4), words("a", "b", "a"), numbers(np.nan, 1.0), words("", "a")])
def test_a_column_does_not_differ_from_itself(column: NDArray[Any]) -> None:
    assert divergence(column, column) == 0.0


@pytest.mark.parametrize(("one", "other"), [(words("a", "a"), words("b", "b")), (numbers(1, 2, 3), numbers(100, 101, 102))])
def test_columns_without_a_common_value_are_one_bit_apart(one: NDArray[Any], other: NDArray[Any]) -> None:
    assert divergence(one, other) == pytest.approx(1.0)


def test_the_divergence_of_two_known_shares() -> None:
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4): (1/2 log2(2/3) + 1/2 log2(2) + log2(4/3)) / 2 = 0.3113
    assert divergence(words("a", "b"), words("a", "a")) == pytest.approx(0.3113, abs=1e-4)


def test_two_samples_of_one_distribution_stay_far_below_the_limit() -> None:
    assert divergence(normal(0, 4500, 1), normal(0, 1500, 2)) < LIMIT / 10


def test_a_mean_moved_by_one_standard_deviation_passes_the_limit() -> None:
    assert divergence(normal(0, 4500, 1), normal(1, 1500, 2)) > LIMIT


def test_values_that_go_missing_are_drift() -> None:
    whole = normal(0, 2000, 1)
    holes = np.where(np.arange(2000).reshape(-1, 1) % 2 == 0, np.float32(np.nan), whole)
    assert divergence(whole, holes) > LIMIT


def test_a_constant_that_moves_is_drift() -> None:
    assert divergence(numbers(5, 5, 5), numbers(6, 6, 6)) == pytest.approx(1.0)


def test_a_column_that_was_empty_and_is_filled_is_drift() -> None:
    assert divergence(numbers(np.nan, np.nan), numbers(1, 2)) == pytest.approx(1.0)


def test_hundreds_of_rare_categories_count_as_one() -> None:
    frequent = [f"frequent {i}" for i in range(MOST_CATEGORIES)] * 10
    one = words(*frequent, *(f"rare {i}" for i in range(200)))
    other = words(*frequent, *(f"other {i}" for i in range(200)))
    assert divergence(one, other) == 0.0


def test_what_chance_allows_is_a_quantile_of_chi_square() -> None:
    # tables of chi-square: 10 bins have 9 degrees of freedom, of which 1 in 100 is above 21.666; 21.666 * (1/90 + 1/30) / (8 ln 2) = 0.1737
    assert allowance(10, 90, 30, comparisons=1) == pytest.approx(0.1737, abs=1e-4)
    # shared among ten comparisons, 1 in 1,000 is above 27.877; 27.877 * (1/4500 + 1/1500) / (8 ln 2) = 0.00447
    assert allowance(10, 4500, 1500, comparisons=10) == pytest.approx(0.00447, abs=1e-5)
    assert allowance(1, 90, 30, comparisons=1) == 0.0


def test_two_hundred_rows_of_one_distribution_are_refused_less_than_once_in_a_hundred() -> None:
    draw = np.random.default_rng(3)
    refused = [any(far for part in (slice(90, 120), slice(120, 200)) for far in _drifts(draw.normal(size=(200, 6)), part)) for _ in range(300)]
    assert np.mean(refused) < 0.01


def _drifts(table: NDArray[np.float64], later: slice) -> list[bool]:
    return [beyond_chance(column[:90], column[later], comparisons=12) > LIMIT for column in table.astype(np.float32).T]


def test_at_the_default_size_a_mean_moved_by_one_standard_deviation_is_more_than_chance() -> None:
    found = [beyond_chance(normal(0, 4500, seed), normal(1, 1500, seed + 100), comparisons=12) for seed in range(20)]
    assert min(found) > LIMIT
