"""Features as the live path has them, held against those that training saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.words import percent

#: By how much of its size a number may differ: float32 keeps seven digits.
ROUNDED = 1e-6
#: As many rows as an error names.
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One feature on dev rows: in how many the live path has another value than training saw, in how many of these none, and the largest difference.

    `first` names rows; `why` says how that can be, `cost` what it comes to, `where` and `fix` where to look and what to do.
    """

    feature: str
    rows: int
    differing: int
    missing: int
    largest: float
    first: Sequence[str] = ()
    why: str = ""
    cost: str = ""
    where: str = ""
    fix: str = ""

    @property
    def in_words(self) -> str:
        """Say how far the two are apart."""
        apart = f", by up to {self.largest:.3g}" if self.largest > 0 else ""
        none = f"{', ' if apart else ': '}nothing is known in {self.missing:,} of these" if self.missing else ""
        named = f" ({', '.join(self.first)} first)" if self.first else ""
        share = percent(self.differing / self.rows) if self.rows else "unknown"
        return f"in {self.differing:,} of {self.rows:,} dev rows, {share}{named}{apart}{none}"


def differing(batch: NDArray[Any], live: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows have another value live than in the batch, shape (n_rows,); what is missing in both is the same."""
    one, other = batch.ravel(), live.ravel()
    if one.dtype == np.float32:
        return np.asarray(~np.isclose(other, one, rtol=ROUNDED, atol=0, equal_nan=True))
    return np.asarray(one != other)


def compared(feature: str, batch: NDArray[Any], live: NDArray[Any], names: Sequence[str], **said: str) -> Compared:
    """Compare one feature, both shape (n_rows, 1), float32 or object; `names` names the rows."""
    rows = differing(batch, live)
    gaps = np.abs(live.ravel()[rows] - batch.ravel()[rows]) if batch.dtype == np.float32 else np.empty(0)
    return Compared(
        feature=feature,
        rows=len(rows),
        differing=int(rows.sum()),
        missing=int(is_missing(live)[rows].sum()),
        largest=float(np.nanmax(gaps)) if np.isfinite(gaps).any() else 0.0,
        first=[names[row] for row in np.flatnonzero(rows)[:SHOWN]],
        **said,
    )


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows have no value, shape (n_rows,): NaN, or no text."""
    return np.isnan(values.ravel()) if values.dtype == np.float32 else np.asarray(values.ravel() == "")


def silent(values: NDArray[Any]) -> NDArray[Any]:
    """Return a column of the same shape in which nothing is known."""
    return np.full_like(values, np.nan if values.dtype == np.float32 else "")
