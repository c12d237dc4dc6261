from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poc.rules.splits import SplitRows, split_rows


def labels(positives: int, negatives: int) -> np.ndarray:
    return np.array([1] * positives + [0] * negatives, dtype=np.int8)


def all_rows(split: SplitRows) -> list[int]:
    return sorted(np.concatenate([split.train, split.dev, split.sealed]).tolist())


def test_without_time_or_group_the_splits_are_stratified() -> None:
    split = split_rows(labels=labels(100, 900), sealed_share=0.4, dev_share=0.25, seed=1)
    assert [len(rows) for rows in (split.train, split.dev, split.sealed)] == [450, 150, 400]
    assert [int((rows < 100).sum()) for rows in (split.train, split.dev, split.sealed)] == [45, 15, 40]
    assert split.how == "stratified by the target, seeded"


def test_the_same_seed_seals_the_same_rows_in_every_numpy() -> None:
    split = split_rows(labels=labels(3, 9), sealed_share=0.34, dev_share=0.5, seed=7)
    assert (split.train.tolist(), split.dev.tolist(), split.sealed.tolist()) == ([0, 3, 5, 10], [1, 6, 8, 11], [2, 4, 7, 9])  # as numpy 2.4 dealt them


def test_another_seed_seals_other_rows() -> None:
    one, other = (split_rows(labels=labels(50, 50), sealed_share=0.4, dev_share=0.25, seed=seed).sealed.tolist() for seed in (1, 2))
    assert one != other


def test_by_time_the_latest_rows_are_sealed() -> None:
    times = np.array([5, 3, 9, 1, 7, 2, 8, 0, 6, 4])
    split = split_rows(labels=labels(5, 5), sealed_share=0.4, dev_share=0.5, seed=1, times=times)
    assert [sorted(times[rows].tolist()) for rows in (split.train, split.dev, split.sealed)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_rows_of_one_moment_stay_together() -> None:
    times = np.array(["2026-01-01"] * 4 + ["2026-01-02"] * 4 + ["2026-01-03"] * 4, dtype="datetime64[D]")
    split = split_rows(labels=labels(6, 6), sealed_share=0.4, dev_share=0.5, seed=1, times=times)
    assert [sorted(set(times[rows].astype(str))) for rows in (split.train, split.dev, split.sealed)] == [["2026-01-01"], ["2026-01-02"], ["2026-01-03"]]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.booleans(), st.integers(0, 2**32 - 1))
def test_no_group_stands_in_two_splits_and_no_row_is_lost(groups: list[int], with_times: bool, seed: int) -> None:
    group = np.array(groups)
    times = np.arange(len(groups)) if with_times else None
    split = split_rows(labels=np.zeros(len(groups), dtype=np.int8), sealed_share=0.4, dev_share=0.25, seed=seed, times=times, groups=group)
    train, dev, sealed = (set(group[rows].tolist()) for rows in (split.train, split.dev, split.sealed))
    assert not (train & dev or train & sealed or dev & sealed)
    assert all_rows(split) == list(range(len(groups)))


def test_whole_groups_still_give_about_the_shares() -> None:
    group = np.repeat(np.arange(100), 10)
    split = split_rows(labels=np.zeros(1000, dtype=np.int8), sealed_share=0.4, dev_share=0.25, seed=1, groups=group)
    assert [len(rows) for rows in (split.train, split.dev, split.sealed)] == [450, 150, 400]


def test_with_time_and_groups_the_groups_seen_last_are_sealed() -> None:
    group, times = np.array(["a", "b", "c", "d", "a"]), np.array([1, 2, 3, 4, 9])
    split = split_rows(labels=np.zeros(5, dtype=np.int8), sealed_share=0.4, dev_share=0.5, seed=1, times=times, groups=group)
    assert set(group[split.sealed]) == {"a"}


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.05, 0.8), st.floats(0.05, 0.5))
def test_every_row_stands_in_exactly_one_split(positives: int, negatives: int, sealed_share: float, dev_share: float) -> None:
    split = split_rows(labels=labels(positives, negatives), sealed_share=sealed_share, dev_share=dev_share, seed=1)
    assert all_rows(split) == list(range(positives + negatives))
    assert len(split.sealed) == pytest.approx((positives + negatives) * sealed_share, abs=1.01)
