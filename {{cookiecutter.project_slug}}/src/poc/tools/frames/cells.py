"""What stands in a column: numbers, or text as the world writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from poc.errors import InputRefused, Problem

if TYPE_CHECKING:
    import pandas as pd


class Column(Protocol):
    """A declared column: what `rules.charter.Feature` and `rules.evidence.CandidateInput` have in common."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["number", "category"]: ...


def number_problems(table: pd.DataFrame, features: Sequence[Column]) -> list[Problem]:
    """List declared numbers of which a value is there but is no number that float32 holds."""
    return [problem for feature in features if feature.kind == "number" for problem in _not_numbers(table[feature.name])]


def _not_numbers(feature: pd.Series) -> list[Problem]:
    fix = "leave the cell empty where it is missing, write a moment as days since another, declare kind: category, or repair the source"
    return not_numbers(feature, where=f"charter.yaml, features, {feature.name}", fix=fix)


def not_numbers(values: pd.Series, *, where: str, fix: str) -> list[Problem]:
    """Say of how many values of a column that are there float32 holds no number; nothing where it holds them all."""
    _, bad = _as_numbers(values)
    if not bad.any():
        return []
    return [
        Problem(
            what=f"{int(bad.sum()):,} of {len(values):,} values of {values.name!r} are not numbers that float32 holds, {str(values[bad].iloc[0])!r} first",
            where=where,
            fix=fix,
        )
    ]


def _as_numbers(values: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column as numbers, missing ones as NaN, and which values are there but are no number that float32 holds; each shape (n_rows,)."""
    import pandas as pd

    # pandas would hand out the nanoseconds of a moment or a duration.
    of_time = pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values)
    numbers = np.full(len(values), np.nan) if of_time else pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers, values.notna().to_numpy() & ~(np.abs(numbers) <= np.finfo(np.float32).max)


def numbers_of(frame: pd.DataFrame, name: str) -> NDArray[np.float32]:
    """Return a column as numbers, shape (n_rows,), float32; what is missing is NaN.

    Raises:
        InputRefused: a value is there but is no number that float32 holds.
    """
    if problems := _not_numbers(frame[name]):
        raise InputRefused(problems)
    return _as_numbers(frame[name])[0].astype(np.float32)


def amounts_of(values: pd.Series) -> NDArray[np.float64]:
    """Return a column as numbers, shape (n_rows,), float64; what is missing or no number is NaN."""
    return _as_numbers(values)[0]


def categories_of(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as text, shape (n_rows,), object; what is missing is the empty string."""
    return as_text(frame[name])


def as_text(values: pd.Series) -> NDArray[np.object_]:
    """Return values as text, shape (n_rows,), object; what is missing is the empty string."""
    return values.astype("object").where(values.notna(), "").map(_in_words).to_numpy(dtype=object)


def _in_words(value: object) -> str:
    """Write a value as CSV and JSON would: Parquet's whole numbers arrive as 7.0 where one of them is missing, and its yes as True."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


def typed(table: pd.DataFrame, features: Sequence[Column], others: Sequence[str] = ()) -> pd.DataFrame:
    """Return other columns and the declared ones as every later step sees them, the data contract too: numbers in float64, categories as text.

    Raises:
        InputRefused: a declared number is none.
    """
    import pandas as pd

    if problems := number_problems(table, features):
        raise InputRefused(problems)
    kept = {name: _numbers_if_all_are(table[name]).array for name in others}
    for feature in features:
        text = pd.Series(as_text(table[feature.name]), dtype="str") if feature.kind == "category" else None
        kept[feature.name] = _as_numbers(table[feature.name])[0] if text is None else text.mask(text == "").array
    return pd.DataFrame(kept)


def _numbers_if_all_are(values: pd.Series) -> pd.Series:
    """Turn text into numbers where every value is one and no two become the same, so that 9 comes before 10."""
    import pandas as pd

    if not pd.api.types.is_string_dtype(values):
        return values
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers if numbers.notna().all() and numbers.nunique() == values.nunique() else values


def columns(frame: pd.DataFrame, features: Sequence[Column]) -> dict[str, NDArray[np.float32] | NDArray[np.object_]]:
    """Return the declared columns as a model takes them: each shape (n_rows, 1), float32 or object."""
    return {
        feature.name: (numbers_of(frame, feature.name) if feature.kind == "number" else categories_of(frame, feature.name)).reshape(-1, 1)
        for feature in features
    }


def model_frame(tensors: Mapping[str, NDArray[np.float32] | NDArray[np.object_]]) -> pd.DataFrame:
    """Return model columns as the frame that an estimator is fitted on: numbers stay float32, text objects.

    In float32, because the graph computes products and scales in float32 too: a product that is rounded otherwise can fall on the other side of a split.
    """
    import pandas as pd

    return pd.DataFrame({name: (values.ravel() if values.dtype == np.float32 else pd.Series(values.ravel(), dtype=object)) for name, values in tensors.items()})
