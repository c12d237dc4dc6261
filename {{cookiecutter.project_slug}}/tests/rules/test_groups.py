"""Rows that share a group: equal to the textbook where groups have one row, wider where a group says one thing many times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import betaincinv

from poc.rules import groups
from poc.rules.groups import bounds, count_as, draws_for, smoothed, usual_size, weighted_sums
from poc.rules.verdict import lower_bound, upper_bound

ONE_EACH = np.ones(102)
THREE_WRONG = np.repeat([1.0, 0.0], [3, 99])


def test_groups_of_one_row_have_the_exact_bounds() -> None:
    low, high = bounds(THREE_WRONG, ONE_EACH, 0.95)
    assert (low, high) == (pytest.approx(lower_bound(3, 102, 0.95), rel=0.04), pytest.approx(upper_bound(3, 102, 0.95), rel=0.02))


def test_groups_of_one_row_are_drawn_from_jeffreys_posterior() -> None:
    rng = np.random.default_rng(3)
    sums = weighted_sums(np.column_stack([THREE_WRONG, ONE_EACH]), rng, 100_000)
    draws = smoothed(sums[:, 0], sums[:, 1], usual_size(ONE_EACH), rng)
    assert np.quantile(draws, [0.05, 0.5, 0.95]) == pytest.approx(betaincinv(3.5, 99.5, [0.05, 0.5, 0.95]), rel=0.02)


def test_the_same_row_ten_times_over_is_still_one_row() -> None:
    once, ten_times = bounds(THREE_WRONG, ONE_EACH, 0.95), bounds(10 * THREE_WRONG, 10 * ONE_EACH, 0.95)
    assert ten_times == pytest.approx(once)  # to the digit: the same draws weigh the same groups
    assert ten_times[1] > 1.5 * upper_bound(30, 1020, 0.95)


def test_draws_without_an_error_are_those_of_as_many_rows_as_there_are_groups() -> None:
    rng, rows = np.random.default_rng(3), np.full(20, 50.0)
    sums = weighted_sums(np.column_stack([np.zeros(20), rows]), rng, 100_000)
    draws = smoothed(sums[:, 0], sums[:, 1], usual_size(rows), rng)
    assert np.quantile(draws, [0.5, 0.95]) == pytest.approx(betaincinv(0.5, 20.5, [0.5, 0.95]), rel=0.03)


def test_a_share_that_varies_between_groups_has_wider_bounds_than_one_that_does_not() -> None:
    rows = np.full(40, 10.0)
    alike, apart = np.ones(40), np.repeat([10.0, 0.0], [4, 36])
    assert bounds(apart, rows, 0.95)[1] > bounds(alike, rows, 0.95)[1]
    assert bounds(apart, rows, 0.95)[0] < bounds(alike, rows, 0.95)[0]


def test_no_error_in_few_groups_proves_as_little_as_in_few_rows() -> None:
    low, high = bounds(np.zeros(20), np.full(20, 50.0), 0.95)
    assert (low, high) == (0.0, pytest.approx(1 - 0.05 ** (1 / 20), rel=0.02))


def test_nothing_but_errors_may_be_all() -> None:
    low, high = bounds(np.full(20, 5.0), np.full(20, 5.0), 0.95)
    assert (low, high) == (pytest.approx(0.05 ** (1 / 20), rel=0.02), 1.0)


def test_one_group_that_holds_nearly_all_rows_proves_nearly_nothing() -> None:
    rows = np.array([1000.0, *[1.0] * 20])
    assert bounds(np.zeros(21), rows, 0.95)[1] > 0.9


def test_groups_without_rows_change_nothing() -> None:
    assert bounds(np.append(THREE_WRONG, [0, 0]), np.append(ONE_EACH, [0, 0]), 0.95) == bounds(THREE_WRONG, ONE_EACH, 0.95)


@pytest.mark.parametrize(
    ("errors", "rows"), [([], []), ([0.0], [0.0]), ([2.0], [1.0]), ([-1.0], [1.0]), ([math.nan], [1.0]), ([0.0], [math.nan]), ([0.0, 0.0], [1.0, math.nan])]
)
def test_counts_that_cannot_be_have_no_bounds(errors: list[float], rows: list[float]) -> None:
    assert all(math.isnan(bound) for bound in bounds(np.array(errors), np.array(rows), 0.95))


def test_a_higher_confidence_widens_the_bounds() -> None:
    plain, strict = (bounds(THREE_WRONG, ONE_EACH, confidence) for confidence in (0.95, 0.999))
    assert strict[0] < plain[0] < plain[1] < strict[1]


def test_the_usual_group_is_the_one_a_row_finds_itself_in() -> None:
    assert [usual_size(np.array(rows)) for rows in ([1.0, 1.0], [1.0, 3.0], [0.0, 4.0], [])] == [1.0, 2.5, 4.0, 1.0]  # (1 + 9) / 4


def test_weights_are_gamma_one_for_each_group_however_many_are_alike() -> None:
    sums = weighted_sums(np.array([[2.0], [2.0], [2.0], [5.0]]), np.random.default_rng(1), 200_000)[:, 0]
    assert (sums.mean(), sums.var()) == (pytest.approx(11, rel=0.01), pytest.approx(3 * 4 + 25, rel=0.02))  # 3 * 2 + 5; each weight has variance 1


def test_weights_that_do_not_fit_in_memory_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "CELLS", 10)
    sums = weighted_sums(np.array([[1.0], [2.0], [3.0]]), np.random.default_rng(1), 10_000)
    assert sums.shape == (10_000, 1)
    assert sums.mean() == pytest.approx(6, rel=0.02)


def test_enough_draws_lie_beyond_a_bound_as_long_as_memory_allows() -> None:
    assert [draws_for(0.05), draws_for(0.001), draws_for(0.0001), draws_for(1e-9)] == [20_000, 100_000, 1_000_000, 1_000_000]
    assert [draws_for(0.0001, numbers=100), draws_for(0.0001, numbers=2_500), draws_for(0.0001, numbers=10**6)] == [500_000, 20_000, 20_000]


@pytest.mark.parametrize(("rows", "as_many"), [([1, 1, 1], 3), ([29] * 5, 5), ([1, 3], 1), ([100, 1, 1], 1), ([0, 4], 1), ([], 0)])
def test_rows_count_as_so_many_as_the_usual_group_goes_into_them(rows: list[int], as_many: int) -> None:
    assert count_as(np.array(rows, dtype=np.intp)) == as_many


@pytest.mark.parametrize("number", [5, 24, 59])
def test_what_equal_groups_count_as_is_what_their_bounds_take_them_for(number: int) -> None:
    rows = np.full(number, 29)
    assert bounds(np.zeros(number), rows.astype(float), 0.95)[1] == pytest.approx(upper_bound(0, count_as(rows), 0.95), rel=0.03)
