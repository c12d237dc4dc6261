"""Splits: which rows train, which choose, and which stay sealed until the gate looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """Row numbers of each split in the order of the lottery, shape (n,), intp; together every row once. `how` says it in words."""

    train: Rows
    dev: Rows
    sealed: Rows
    how: str


def split_rows(
    *,
    labels: NDArray[np.integer[Any]],
    sealed_share: float,
    dev_share: float,
    lottery: NDArray[np.uint64],
    times: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
) -> SplitRows:
    """Split rows: by time where declared (the latest are sealed, then dev), by whole groups where declared, else stratified.

    Rows in another order give the same splits, in the same order: nothing depends on where a row stands, only on what it draws.

    Args:
        labels: of classes, shape (n_rows,); rows of one label are parted alike. All the same where nothing is to be stratified by.
        sealed_share: of all rows.
        dev_share: of the rows that are not sealed.
        lottery: what each row draws, shape (n_rows,); decides wherever time does not.
        times: sortable, shape (n_rows,); rows of one moment stay together.
        groups: what each row's group draws, shape (n_rows,); rows of one group stay together. With times, a group stands at its last row.
    """
    shares = (1 - sealed_share) * (1 - dev_share), 1 - sealed_share
    if times is None and groups is None:
        drawn = np.argsort(lottery, kind="stable")
        names = np.unique(labels) if len(labels) else np.zeros(1)
        parts = [_cut(drawn[labels[drawn] == name], shares) for name in names]
        how = ("stratified by the target, " if len(names) > 1 else "") + "drawn by lottery"
        return _in_order([np.concatenate(pair) for pair in zip(*parts, strict=True)], lottery, how)
    rank = _ranks(times) if times is not None else None
    if groups is None:
        assert rank is not None
        return _in_order(_cut_whole(rank, shares), lottery, "by time: the latest rows are sealed")
    group = _ranks(groups)
    place = _last_rank(group, rank)[group] if rank is not None else group
    whole = _cut_whole(place, shares)
    return _in_order(whole, lottery, "by whole groups, " + ("drawn by lottery" if rank is None else f"those that end last are sealed; {_overlap(rank, whole)}"))


def _overlap(rank: Rows, parts: list[Rows]) -> str:
    """Say how far a cut between groups is from one in time: groups that live side by side are sealed whole, with their old rows."""
    train, _, sealed = (rank[part] for part in parts)
    later = float(np.mean(train > sealed.min())) if len(train) and len(sealed) else 0.0
    return f"{later:.0%} of the train rows are later than the first sealed row"


def _ranks(values: NDArray[Any]) -> Rows:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _last_rank(group: Rows, rank: Rows) -> Rows:
    """Return each group's last moment, shape (n_groups,), made unique by the draw so that two groups of one moment may part."""
    last = np.full(int(group.max(initial=-1)) + 1, -1, dtype=np.intp)
    np.maximum.at(last, group, rank)
    return np.argsort(np.argsort(last, kind="stable"), kind="stable")


def _cut(rows: Rows, shares: tuple[float, float]) -> list[Rows]:
    first, second = (round(len(rows) * share) for share in shares)
    return [rows[:first], rows[first:second], rows[second:]]


def _cut_whole(place: Rows, shares: tuple[float, float]) -> list[Rows]:
    """Cut by place, keeping rows of equal place together: each unit goes where its middle row would."""
    sizes = np.bincount(place)
    middle = np.cumsum(sizes) - sizes / 2
    part = np.searchsorted(np.array(shares) * len(place), middle, side="left")
    return [np.flatnonzero(part[place] == number) for number in range(3)]


def _in_order(parts: list[Rows], lottery: NDArray[np.uint64], how: str) -> SplitRows:
    train, dev, sealed = (part[np.argsort(lottery[part], kind="stable")].astype(np.intp) for part in parts)
    return SplitRows(train=train, dev=dev, sealed=sealed, how=how)
