"""Near-duplicates: what all but repeats a row, what is merely alike, and what chance alone gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.near_duplicates import near_duplicates

Columns = dict[str, Any]


def parts(rows: int, seed: int) -> Columns:
    """Torque spread over 90 Nm between its quantiles, so that less than 0.09 Nm is all but equal; and a type."""
    draw = np.random.default_rng(seed)
    return {
        "torque": draw.uniform(0, 100, rows).astype(np.float32),
        "wear": draw.uniform(0, 100, rows).astype(np.float32),
        "type": draw.choice(np.array(["L", "M", "H"], dtype=object), rows),
    }


def taken(columns: Columns, rows: Any) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


EARLIER = parts(2000, 1)
#: The first ten rows again: nothing else of which could stand there by chance.
LATER = taken(EARLIER, slice(0, 10))


def found(**changed: Any) -> int:
    return near_duplicates(EARLIER, LATER | changed, seed=7).found


def test_rows_that_move_by_less_than_a_thousandth_of_the_spread_are_found() -> None:
    assert [found(torque=LATER["torque"] + np.float32(by)) for by in (0.0, 0.08, -0.08, 0.12)] == [10, 10, 10, 0]
    assert found(torque=LATER["torque"] + np.float32(0.08), wear=LATER["wear"] - np.float32(0.08)) == 10


def test_one_column_that_differs_parts_rows() -> None:
    assert found(type=np.array(["X"] * 10, dtype=object)) == 0
    assert found(wear=LATER["wear"] + 1) == 0


def test_missing_equals_missing_and_nothing_else() -> None:
    gone = np.full(10, np.nan, dtype=np.float32)
    assert found(torque=gone) == 0
    holed = EARLIER | {"torque": np.concatenate([gone, EARLIER["torque"][10:]])}
    assert near_duplicates(holed, LATER, seed=7).found == 0
    assert near_duplicates(holed, LATER | {"torque": gone}, seed=7).found == 10
    assert near_duplicates(EARLIER | {"torque": np.linspace(0, 100, 2000, dtype=np.float32)}, LATER | {"torque": gone}, seed=7).found == 0
    assert found(type=np.array([""] * 10, dtype=object)) == 0


@pytest.mark.parametrize("values", [np.zeros(2000), np.full(2000, np.nan), np.r_[np.zeros(1990), np.arange(10)]])
def test_a_column_without_spread_holds_equal_values_or_others(values: Any) -> None:
    flat = EARLIER | {"torque": values.astype(np.float32)}
    assert near_duplicates(flat, taken(flat, slice(-10, None)), seed=7).found == 10
    assert near_duplicates(flat, taken(flat, slice(-10, None)) | {"torque": np.full(10, 1e-6, np.float32)}, seed=7).found == 0


def test_rows_drawn_alike_are_not_found_and_copies_among_them_are() -> None:
    later = parts(1000, 2)
    copied = {name: np.concatenate([EARLIER[name][:50], later[name][50:]]) for name in later}
    assert near_duplicates(EARLIER, later, seed=7).found <= 5
    counts = near_duplicates(EARLIER, copied, seed=7)
    assert (counts.rows, counts.found >= 50, counts.by_chance <= 5) == (1000, True, True)


@pytest.mark.parametrize("grid", [2, 5])
def test_what_coarse_columns_make_alike_is_counted_as_chance_even_where_they_hang_together(grid: float) -> None:
    def coarse(seed: int) -> Columns:
        draw = np.random.default_rng(seed)
        warm = draw.normal(300, 2, 2000)
        return {name: (np.round((warm + draw.normal(0, 1, 2000)) * grid) / grid).astype(np.float32) for name in ("air", "oil", "room")}

    counts = near_duplicates(coarse(1), coarse(2), seed=7)
    assert counts.found > 150
    assert counts.found - counts.by_chance < 0.2 * counts.found


ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 300.0, float("nan")]), st.sampled_from(["a", "b", ""]), st.integers(0, 3)), min_size=2, max_size=60)


def table(rows: list[tuple[float, str, int]]) -> Columns:
    number, text, count = zip(*rows, strict=True)
    return {"number": np.array(number, np.float32), "text": np.array(text, object), "count": np.array(count, np.float32)}


@settings(deadline=None)
@given(ROWS, ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(earlier: Any, later: Any, random: Any) -> None:
    counts = near_duplicates(table(earlier), table(later), seed=7)
    mixed = [table(random.sample(rows, len(rows))) for rows in (earlier, later)]
    assert near_duplicates(*({name: rows[name] for name in ("count", "text", "number")} for rows in mixed), seed=7) == counts


@settings(deadline=None)
@given(ROWS, st.integers(0, 59))
def test_rows_of_the_earlier_split_are_found_whole(earlier: Any, number: int) -> None:
    assert near_duplicates(table(earlier), table(earlier), seed=7).found == len(earlier)
    assert near_duplicates(table(earlier), table([earlier[number % len(earlier)]]), seed=7).found == 1
