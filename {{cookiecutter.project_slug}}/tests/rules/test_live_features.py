"""Features as they were known, against those that training saw, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from poc.rules.live_features import compared, differing, silent

NAN = np.nan


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, 1)


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object).reshape(-1, 1)


def test_a_number_may_differ_by_what_float32_rounds_and_by_no_more() -> None:
    assert differing(numbers(1e6, 1e6, 0.0), numbers(1e6 + 0.5, 1e6 + 2, 1e-9)).tolist() == [False, True, True]


def test_what_is_missing_in_both_is_the_same_and_in_one_is_not() -> None:
    assert differing(numbers(NAN, NAN, 1), numbers(NAN, 1, NAN)).tolist() == [False, True, True]
    assert differing(texts("", "", "L"), texts("", "L", "M")).tolist() == [False, True, True]


def test_rows_are_counted_named_and_measured() -> None:
    names = [f"UDI {number}" for number in range(7, 12)]
    found = compared("temperature", numbers(1, 2, 3, 4, NAN), numbers(1, 2.5, NAN, 1, NAN), names)
    assert (found.rows, found.differing, found.missing, found.largest, found.first) == (5, 3, 1, 3.0, ["UDI 8", "UDI 9", "UDI 10"])
    assert found.in_words == "in 3 of 5 dev rows, 60\u00a0% (UDI 8, UDI 9, UDI 10 first), by up to 3, nothing is known in 1 of these"


def test_where_nothing_is_known_there_is_no_difference_to_measure() -> None:
    found = compared("type", texts("L", "M"), texts("", "M"), ["row 0", "row 1"])
    assert found.in_words == "in 1 of 2 dev rows, 50\u00a0% (row 0 first): nothing is known in 1 of these"


@pytest.mark.parametrize("values", [numbers(1, 2), texts("L", "M")])
def test_a_silent_column_keeps_its_shape_and_holds_nothing(values: np.ndarray) -> None:
    found = silent(values)
    assert (found.shape, found.dtype) == (values.shape, values.dtype)
    assert differing(found, silent(values)).tolist() == [False, False]
