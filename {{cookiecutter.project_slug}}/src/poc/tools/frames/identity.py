"""What names a row: all that stands in it, wherever it stands."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc.tools.frames.cells import as_text

if TYPE_CHECKING:
    import pandas as pd


def shared_rows(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """Count the rows of `other` that stand in `one` too, cell for cell."""
    return int(np.isin(_row_hashes(other), _row_hashes(one)).sum())


def sha256_of_rows(frame: pd.DataFrame) -> str:
    """Digest rows by what stands in them, in whatever order they and their columns come."""
    return hashlib.sha256(np.sort(_row_hashes(frame[sorted(frame.columns)])).tobytes()).hexdigest()


def lottery(frame: pd.DataFrame, seed: int) -> NDArray[np.uint64]:
    """Draw a number for each row from the seed and what stands in it, shape (n_rows,): the same in whatever order rows and columns come."""
    in_order = np.argsort([str(name) for name in frame.columns], kind="stable")
    cells = zip(*(as_text(frame.iloc[:, number]) for number in in_order), strict=True)
    draws = (hashlib.sha256(json.dumps([seed, *row]).encode()).digest() for row in cells)
    return np.array([int.from_bytes(draw[:8], "big") for draw in draws], dtype=np.uint64)


def _row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    import pandas as pd

    return np.asarray(pd.util.hash_pandas_object(frame.astype(str), index=False), dtype=np.uint64)
