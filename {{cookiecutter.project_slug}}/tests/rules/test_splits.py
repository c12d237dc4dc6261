from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from poc.rules.splits import SplitRows, split_rows


def labels(positives: int, negatives: int) -> np.ndarray:
    return np.array([1] * positives + [0] * negatives, dtype=np.int8)


def all_rows(split: SplitRows) -> list[int]:
    return sorted(np.concatenate([split.train, split.dev, split.sealed]).tolist())


def draws(rows: int, seed: int = 1) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**63, rows).astype(np.uint64)


def dealt(rows: int, *, sealed_share: float = 0.4, dev_share: float = 0.25, seed: int = 1, **how: Any) -> SplitRows:
    return split_rows(**{"labels": np.zeros(rows, dtype=np.int8), "lottery": draws(rows, seed)} | how, sealed_share=sealed_share, dev_share=dev_share)


def test_without_time_or_group_the_splits_are_stratified() -> None:
    split = dealt(1000, labels=labels(100, 900))
    assert [len(rows) for rows in (split.train, split.dev, split.sealed)] == [450, 150, 400]
    assert [int((rows < 100).sum()) for rows in (split.train, split.dev, split.sealed)] == [45, 15, 40]
    assert split.how == "stratified by the target, drawn by lottery"


def test_within_a_label_the_lowest_draws_train_and_the_highest_are_sealed() -> None:
    lottery = np.array([50, 10, 40, 20, 30, 5, 4, 3, 2, 1], dtype=np.uint64)
    split = dealt(10, labels=labels(5, 5), lottery=lottery, dev_share=1 / 3)
    assert [lottery[rows].tolist() for rows in (split.train, split.dev, split.sealed)] == [[1, 2, 10, 20], [3, 30], [4, 5, 40, 50]]


def test_another_seed_seals_other_rows() -> None:
    one, other = (dealt(100, labels=labels(50, 50), seed=seed).sealed.tolist() for seed in (1, 2))
    assert sorted(one) != sorted(other)


@given(st.integers(1, 60), st.integers(1, 3), st.sampled_from(["labels", "times", "groups", "both"]), st.randoms(use_true_random=False))
def test_rows_in_any_order_give_the_same_splits_in_the_same_order(rows: int, per_unit: int, by: str, shuffle: Any) -> None:
    lottery, unit = draws(rows), np.arange(rows) // per_unit
    facts = {"labels": (unit % 3 == 0).astype(np.int8), "times": unit % 7 if by in ("times", "both") else None}
    facts["groups"] = draws(rows, 2)[unit] if by in ("groups", "both") else None
    order = np.array(shuffle.sample(range(rows), rows))
    one = dealt(rows, **facts, lottery=lottery)
    other = dealt(rows, **{name: None if fact is None else fact[order] for name, fact in facts.items()}, lottery=lottery[order])
    for before, after in zip((one.train, one.dev, one.sealed), (other.train, other.dev, other.sealed), strict=True):
        assert order[after].tolist() == before.tolist()


@pytest.mark.parametrize("by_group", [False, True])
def test_one_new_row_in_a_hundred_leaves_nearly_all_others_where_they_were(by_group: bool) -> None:
    lottery, label = draws(5050), (draws(5050, 2) % 12 == 0).astype(np.int8)
    place = []
    for rows in (5000, 5050):
        split = dealt(rows, labels=label[:rows], lottery=lottery[:rows], groups=lottery[:rows] // 2**52 if by_group else None)
        place.append(np.select([np.isin(np.arange(5000), split.train), np.isin(np.arange(5000), split.dev)], [0, 1], 2))
    assert (place[0] == place[1]).mean() > 0.98


def test_by_time_the_latest_rows_are_sealed() -> None:
    times = np.array([5, 3, 9, 1, 7, 2, 8, 0, 6, 4])
    split = dealt(10, dev_share=0.5, times=times)
    assert [sorted(times[rows].tolist()) for rows in (split.train, split.dev, split.sealed)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_rows_of_one_moment_stay_together() -> None:
    times = np.array(["2026-01-01"] * 4 + ["2026-01-02"] * 4 + ["2026-01-03"] * 4, dtype="datetime64[D]")
    split = dealt(12, dev_share=0.5, times=times)
    assert [sorted(set(times[rows].astype(str))) for rows in (split.train, split.dev, split.sealed)] == [["2026-01-01"], ["2026-01-02"], ["2026-01-03"]]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.booleans())
def test_no_group_stands_in_two_splits_and_no_row_is_lost(groups: list[int], with_times: bool) -> None:
    group = np.array(groups)
    split = dealt(len(groups), times=np.arange(len(groups)) if with_times else None, groups=group)
    train, dev, sealed = (set(group[rows].tolist()) for rows in (split.train, split.dev, split.sealed))
    assert not (train & dev or train & sealed or dev & sealed)
    assert all_rows(split) == list(range(len(groups)))


def test_whole_groups_still_give_about_the_shares() -> None:
    split = dealt(1000, groups=np.repeat(draws(100), 10))
    assert [len(rows) for rows in (split.train, split.dev, split.sealed)] == [450, 150, 400]


def test_with_time_and_groups_the_groups_seen_last_are_sealed() -> None:
    group, times = np.array(["a", "b", "c", "d", "a"]), np.array([1, 2, 3, 4, 9])
    assert set(group[dealt(5, dev_share=0.5, times=times, groups=group).sealed]) == {"a"}


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.05, 0.8), st.floats(0.05, 0.5))
def test_every_row_stands_in_exactly_one_split(positives: int, negatives: int, sealed_share: float, dev_share: float) -> None:
    split = dealt(positives + negatives, labels=labels(positives, negatives), sealed_share=sealed_share, dev_share=dev_share)
    assert all_rows(split) == list(range(positives + negatives))
    assert len(split.sealed) == pytest.approx((positives + negatives) * sealed_share, abs=1.01)


def test_groups_that_live_side_by_side_are_said_to_be_sealed_with_their_old_rows() -> None:
    # rows alternate between four groups; each group lasts from the beginning to the end
    times, groups = np.arange(40), draws(4, 2)[np.arange(40) % 4]
    split = dealt(40, times=times, groups=groups, sealed_share=0.25)
    later = np.mean(times[split.train] > times[split.sealed].min())
    assert later > 0.8
    assert split.how == f"by whole groups, those that end last are sealed; {later:.0%} of the train rows are later than the first sealed row"


def test_groups_that_follow_each_other_are_cut_in_time() -> None:
    assert dealt(40, times=np.arange(40), groups=draws(4, 2)[np.arange(40) // 10], sealed_share=0.25).how.endswith(
        "0% of the train rows are later than the first sealed row"
    )
