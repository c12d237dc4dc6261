"""Rows as a stream of events: whose each is, when it happened, and what a number of one stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.tools.frames.cells import as_text
from poc.tools.frames.moments import clock_of, moments_of, ticks_of

if TYPE_CHECKING:
    import pandas as pd


def clock(frame: pd.DataFrame, name: str) -> tuple[NDArray[Any], float]:
    """Return a column's moments as numbers that can be compared, shape (n_rows,), and how many of them make a second."""
    moments = moments_of(frame[name])
    return clock_of(moments), ticks_of(moments)


def keys(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what each row is told apart by, as text."""
    return list(zip(*(as_text(frame[name]).tolist() for name in names), strict=True))


def keys_as_text(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Keep the columns that rows and readings share, as the text by which they are compared."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(as_text(frame[name]), dtype="str") for name in names})


def taken(values: pd.Series, numbers: NDArray[np.intp], index: pd.Index) -> pd.Series:
    """Take values by their number for rows of an index; -1 is missing."""
    return values.reset_index(drop=True).reindex(numbers).set_axis(index)
