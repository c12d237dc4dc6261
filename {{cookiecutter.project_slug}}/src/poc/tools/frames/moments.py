"""Moments in time: numbers, or ISO 8601."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.errors import InputRefused, Problem

if TYPE_CHECKING:
    import pandas as pd


def time_problems(frame: pd.DataFrame, name: str, where: str = "data") -> list[Problem]:
    """List what keeps rows from being put in order of time: a value is missing, or is text that is not ISO 8601.

    Sorted as text, 01.02.2026 would come before 31.12.2025.
    """
    bad = moments_of(frame[name]).isna()
    if not bad.any():
        return []
    return [
        Problem(
            what=f"{int(bad.sum()):,} of {len(frame):,} values of {name!r} are no moment in time, {frame[name][bad].iloc[0]!r} first",
            where=f"{where}, column {name}",
            fix="write numbers or ISO 8601, such as 2026-01-31T09:30, in every row",
        )
    ]


def order_of(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    """Return a column by which rows can be put in order of time, shape (n_rows,): numbers, or moments read from ISO 8601.

    Raises:
        InputRefused: a value is no moment in time.
    """
    if problems := time_problems(frame, name):
        raise InputRefused(problems)
    return moments_of(frame[name]).to_numpy()


def moments_of(values: pd.Series) -> pd.Series:
    """Read moments as numbers or as timestamps; what is neither is missing."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values
    numbers = pd.to_numeric(values.astype(str), errors="coerce")
    return numbers if numbers.notna().all() else pd.to_datetime(values.astype(str).where(values.notna()), format="ISO8601", errors="coerce", utc=True)


def clock_of(moments: pd.Series) -> NDArray[Any]:
    """Return moments as numbers that can be compared, shape (n_rows,): those of a date in microseconds, a date without a zone being UTC."""
    if is_number(moments):
        return moments.to_numpy(dtype=np.float64)
    # In microseconds: in nanoseconds the year 9999, which stands for never, would not fit.
    return np.asarray(moments.dt.as_unit("us").to_numpy(dtype="datetime64[us]"), dtype=np.int64)


def ticks_of(moments: pd.Series) -> float:
    """Say how many of `clock_of` make a second."""
    return 1.0 if is_number(moments) else 1e6


def is_number(moments: pd.Series) -> bool:
    """Say whether moments are plain numbers, which are seconds."""
    import pandas as pd

    return pd.api.types.is_numeric_dtype(moments)
