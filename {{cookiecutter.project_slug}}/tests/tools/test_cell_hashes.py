"""What a cell is to a sketch: the same in every format, under every name, and to as many digits as a model feels."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from poc.tools.frames import cell_hashes


def hashes(values: list[Any]) -> list[int]:
    return cell_hashes(pd.DataFrame({"a": values}))[:, 0].tolist()


def test_a_cell_is_what_stands_in_it_in_every_version_of_every_library() -> None:
    assert hashes(["L", "M", "L"])[0] == int.from_bytes(hashlib.blake2b(b"L", digest_size=8).digest(), "big")
    assert cell_hashes(pd.DataFrame({"a": ["L", "M"]})).tolist() == cell_hashes(pd.DataFrame({"b": ["L", "M"]})).tolist()


@pytest.mark.parametrize(
    ("one", "other"), [("60.10", 60.1), ("7", 7.0), ("007", 7), ("1e3", 1000), (60.1, 60.1 + 1e-7), ("true", True), (12345678901234567, "12345678901234567")]
)
def test_one_value_is_one_cell_however_it_is_written(one: object, other: object) -> None:
    assert hashes([one, "x"]) == hashes([other, "x"])


@pytest.mark.parametrize(("one", "other"), [(60.1, 60.2), ("L", "l"), (7, "7a"), (12345678901234567, 12345678901234568), ("inf", "nan")])
def test_different_values_are_different_cells(one: object, other: object) -> None:
    assert hashes([one, "x"])[0] != hashes([other, "x"])[0]


def test_an_empty_cell_says_nothing() -> None:
    assert hashes(["", None, np.nan, "x"])[:3] == [0, 0, 0]


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], ["7", "6", "5", "3"], [-1, 0, 1, 2]])
def test_a_column_that_only_numbers_the_rows_says_nothing_of_them(numbers: list[Any]) -> None:
    assert hashes(numbers) == [0, 0, 0, 0]


@pytest.mark.parametrize("values", [[1, 2, 3, 8 + 1], [1, 2, 2, 3], [1, 2, 3, None], [1.5, 2, 3, 4], ["1a", "2a", "3a", "4a"]])
def test_a_column_with_gaps_repeats_or_other_text_says_something(values: list[Any]) -> None:
    assert all(hash_ for hash_, value in zip(hashes(values), values, strict=True) if value is not None)
