"""Tables: what names a row, what puts rows in order of time, and what is refused there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from poc.errors import InputRefused
from poc.tools.frames import order_of, sha256_of_rows, shared_rows

PARTS = pd.DataFrame({"key": [1, 2, 3], "torque": [40.0, np.nan, 41.5], "type": ["L", "M", "L"]})


def test_rows_are_named_by_what_stands_in_them_in_any_order() -> None:
    assert sha256_of_rows(PARTS) == sha256_of_rows(PARTS[["type", "key", "torque"]].iloc[::-1].reset_index(drop=True))


@pytest.mark.parametrize("other", [PARTS.head(2), PARTS.assign(type="L"), PARTS.drop(columns="key")])
def test_other_rows_have_another_name(other: pd.DataFrame) -> None:
    assert sha256_of_rows(PARTS) != sha256_of_rows(other)


def test_a_row_that_agrees_in_every_cell_is_shared_and_one_that_differs_in_one_is_not() -> None:
    assert shared_rows(PARTS, PARTS.iloc[[1]]) == 1
    assert shared_rows(PARTS, PARTS.iloc[[1]].assign(torque=7.0)) == 0


@pytest.mark.parametrize(
    "times", [[3, 1, 2], [0.3, 0.1, 0.2], ["2026-03-01", "2025-12-31", "2026-01-01"], ["2026-01-01T09:30", "2026-01-01T08:00+01:00", "2026-01-01T09:00"]]
)
def test_numbers_and_iso_moments_are_in_order_of_time(times: list[object]) -> None:
    assert np.argsort(order_of(pd.DataFrame({"when": times}), "when")).tolist() == [1, 2, 0]


@pytest.mark.parametrize("bad", ["31.12.2025", "noon", None, ""])
def test_text_that_is_no_iso_moment_is_refused_not_sorted_as_text(bad: str | None) -> None:
    with pytest.raises(InputRefused, match="1 of 3 values of 'when' are no moment in time"):
        order_of(pd.DataFrame({"when": ["2026-03-01", bad, "2026-01-01"]}), "when")
