from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from poc.rules.sketches import SEEN_SHARE, SIZE, WIDEST, Sketches, seen_share, sketched, that_count

Cells = NDArray[np.uint64]


def some_cells(rows: int, columns: int = 5, seed: int = 7) -> Cells:
    """Cells that no two rows have in common."""
    return np.random.default_rng(seed).integers(1, 2**64, (rows, columns), dtype=np.uint64)


def rows_sketched(cells: Cells, declared: Sequence[int] = (0, 1, 2)) -> list[str]:
    return sketched(cells, cells[:, list(declared)], sealed=np.arange(len(cells))).source


def source_sketched(cells: Cells, sealed: NDArray[np.intp]) -> Sketches:
    return sketched(cells, cells[:, :3], sealed=sealed)


def test_the_same_rows_in_another_order_have_the_same_sketch() -> None:
    cells = some_cells(1_000)
    assert rows_sketched(cells) == rows_sketched(cells[::-1]) != rows_sketched(some_cells(1_000, seed=8))


def test_other_rows_have_nothing_in_common() -> None:
    assert seen_share(rows_sketched(some_cells(1_000)), rows_sketched(some_cells(1_000, seed=8))) == 0


@pytest.mark.parametrize("rows", [SIZE // 2, 20_000])
def test_the_share_that_stands_in_both_is_estimated(rows: int) -> None:
    ours, theirs = some_cells(rows), some_cells(rows, seed=8)
    theirs[: rows // 4] = ours[: rows // 4]
    assert seen_share(rows_sketched(ours), rows_sketched(theirs)) == pytest.approx(0.25, abs=0 if rows < SIZE else 0.08)


def test_a_small_set_inside_a_large_one_is_all_seen_and_the_large_one_hardly() -> None:
    large = some_cells(100_000)
    small = large[:5_000]
    assert seen_share(rows_sketched(small), rows_sketched(large)) == 1
    assert seen_share(rows_sketched(large), rows_sketched(small)) == pytest.approx(0.05, abs=0.05)


def rewritten(cells: Cells) -> Cells:
    return np.column_stack([some_cells(len(cells), 1, seed=9), cells[:, 1:]])


CHANGES = {
    "columns in another order": lambda cells: cells[:, ::-1],
    "a column added": lambda cells: np.column_stack([cells, some_cells(len(cells), 1, seed=9)]),
    "a column dropped": lambda cells: cells[:, 1:],
    "a column rewritten": rewritten,
    "an empty column added": lambda cells: np.column_stack([cells, np.zeros(len(cells), dtype=np.uint64)]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_column_changed_and_others_declared_make_no_other_rows(change: object) -> None:
    cells = some_cells(1_000)
    assert callable(change)
    assert seen_share(rows_sketched(change(cells), declared=(1, 3)), rows_sketched(cells)) == 1


def test_however_many_columns_change_the_declared_ones_still_tell() -> None:
    cells, others = some_cells(1_000), some_cells(1_000, seed=9)
    assert seen_share(rows_sketched(np.column_stack([cells[:, :3], others[:, 3:]])), rows_sketched(cells)) == 1


def test_a_view_in_which_sealed_rows_look_like_others_says_nothing() -> None:
    cells = np.column_stack([some_cells(1_000, 1), np.resize(np.arange(1, 4, dtype=np.uint64), (1_000, 3))])
    sealed = np.arange(400)
    assert len(sketched(cells, cells[:, 1:], sealed=sealed).sealed) == 4  # all columns, and without each of the three that say little: never without the first
    assert sketched(cells[:, 1:], cells[:, 1:3], sealed=sealed) == Sketches(sealed=[], source=[])


def test_rows_that_only_repeat_each_other_are_sketched_all_the_same() -> None:
    once, twice = some_cells(500), np.repeat(some_cells(500), 2, axis=0)
    assert source_sketched(twice, np.arange(400)) == source_sketched(once, np.arange(200)) != Sketches(sealed=[], source=[])


def test_sealed_rows_that_were_open_to_an_earlier_run_are_seen() -> None:
    cells = some_cells(2_000)
    earlier, now = source_sketched(cells, np.arange(140)), source_sketched(cells, np.arange(140, 280))
    assert (seen_share(now.sealed, earlier.source), seen_share(now.sealed, earlier.sealed)) == (1, 0)


def test_rows_that_came_after_an_earlier_run_are_fresh_whatever_became_of_its_sealed_ones() -> None:
    cells = some_cells(3_000)
    earlier, now = source_sketched(cells[:2_500], np.arange(2_000, 2_500)), source_sketched(cells, np.arange(2_500, 3_000))
    assert seen_share(now.sealed, earlier.source) == 0


def test_a_grown_source_that_is_dealt_anew_brings_back_rows_of_the_earlier_run() -> None:
    cells, dealt = some_cells(4_000), np.random.default_rng(7).permutation(4_000)
    earlier, now = source_sketched(cells[:3_000], np.arange(400)), source_sketched(cells, dealt[:400])
    assert seen_share(now.sealed, earlier.source) == pytest.approx(0.75, abs=0.15)


@pytest.mark.parametrize(("had", "counts"), [(0.0, False), (0.04, False), (0.25, True), (1.0, True)])
def test_of_a_set_a_fourteenth_of_the_source_a_tenth_is_told_from_a_quarter(had: float, counts: bool) -> None:
    cells, others = some_cells(28_000), some_cells(2_000, seed=8)
    others[: int(2_000 * had)] = cells[: int(2_000 * had)]
    share = seen_share(rows_sketched(others), rows_sketched(cells))
    assert (share > SEEN_SHARE) == counts


def test_a_wide_table_is_sketched_as_a_whole_only() -> None:
    assert len(rows_sketched(some_cells(300, WIDEST))) == 1 + WIDEST + 1 + 3
    assert len(rows_sketched(some_cells(300, WIDEST + 1))) == 1 + 1 + 3


def test_a_sketch_that_cannot_be_read_has_seen_everything() -> None:
    assert seen_share(rows_sketched(some_cells(300)), ["no sketch"]) == seen_share(rows_sketched(some_cells(300)), ["AAAA"]) == 1


def test_nothing_was_seen_of_or_by_what_has_no_sketch() -> None:
    assert seen_share([], rows_sketched(some_cells(300))) == seen_share(rows_sketched(some_cells(300)), []) == 0


@pytest.mark.parametrize(
    ("shares", "counted"),
    [
        ([], []),
        ([SEEN_SHARE], []),
        ([np.nextafter(SEEN_SHARE, 1)], [0]),
        ([1.0, 0.0, 1.0], [0, 2]),
        ([0.04, 1.0, 0.05], [1]),
        ([0.06, 0.05], [0]),  # together they saw more than a tenth: the one that saw more counts
        ([0.04, 0.04, 0.04, 0.04], [2, 3]),
    ],
)
def test_looks_that_saw_little_count_once_they_saw_much_together(shares: list[float], counted: list[int]) -> None:
    assert that_count(shares) == counted
