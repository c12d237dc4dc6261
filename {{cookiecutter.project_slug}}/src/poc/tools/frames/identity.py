"""What names a row: all that stands in it, wherever it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
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


def cell_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Hash what stands in each cell, whatever its column is called, shape (n_rows, n_columns); 0 where nothing stands, or a mere number of the row."""
    return np.stack([_hashes_of(frame.iloc[:, number]) for number in range(frame.shape[1])], axis=1)


def _hashes_of(values: pd.Series) -> NDArray[np.uint64]:
    """Hash with blake2b, the same in every version of every library; only once what stands in many rows."""
    import pandas as pd

    places, texts = pd.factorize(as_text(values))
    plain = [_plainly(text) for text in texts]
    hashes = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") if text else 0 for text in plain]
    return np.zeros(len(values), dtype=np.uint64) if _only_numbers_rows(plain, len(values)) else np.array(hashes, dtype=np.uint64)[places]


def _plainly(text: str) -> str:
    """Write a fraction with six digits: 60.10 and 60.1 are one number, and a change that no model feels makes no other row."""
    try:
        number = float(text)
    except ValueError:
        return text
    if number.is_integer():
        return str(int(number)) if abs(number) < 2**53 else text
    return f"{number:.6g}" if np.isfinite(number) else text


def _only_numbers_rows(texts: Sequence[str], rows: int) -> bool:
    """Whether a column counts the rows: whole numbers, each once, hardly one left out. Other rows would be counted alike."""
    if len(texts) != rows or not all(text.removeprefix("-").isdecimal() for text in texts):
        return False
    numbers = [int(text) for text in texts]
    return max(numbers) - min(numbers) < 2 * rows


def _row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    import pandas as pd

    return np.asarray(pd.util.hash_pandas_object(frame.astype(str), index=False), dtype=np.uint64)
