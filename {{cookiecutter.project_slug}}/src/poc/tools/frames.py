"""Tables: the only part of the tools that knows pandas."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from poc.errors import InputRefused

if TYPE_CHECKING:
    import pandas as pd


class Column(Protocol):
    """A declared column: what `rules.charter.Feature` and `rules.evidence.CandidateInput` have in common."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["number", "category"]: ...


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Raises:
        InputRefused: the file is missing, of another kind, or cannot be read.
    """
    import pandas as pd

    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix not in readers:
        raise InputRefused(
            f"{path.name} is neither .csv nor .parquet",
            where="charter.yaml, data.source",
            fix="name a CSV or Parquet file, or change src/poc/problem/source.py",
        )
    if not path.is_file():
        raise InputRefused(f"there is no file {path}", where="charter.yaml, data.source", fix="put the file there, or name the right one")
    try:
        return readers[path.suffix](path)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parse errors are ValueErrors
        raise InputRefused(
            f"{path.name} cannot be read: {str(error).splitlines()[0]}", where=str(path), fix="check that the file is what its ending says"
        ) from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file without the index."""
    frame.to_parquet(path, index=False, compression="zstd")


def numbers_of(frame: pd.DataFrame, name: str) -> NDArray[np.float32]:
    """Return a column as numbers, shape (n_rows,), float32; what is missing is NaN.

    Raises:
        InputRefused: a value is there but is no number.
    """
    import pandas as pd

    values = pd.to_numeric(frame[name], errors="coerce")
    if bad := int((values.isna() & frame[name].notna()).sum()):
        raise InputRefused(
            f"{bad} of {len(frame):,} values of {name!r} are not numbers",
            where=f"charter.yaml, features, {name}",
            fix="declare it as kind: category, or repair the source",
        )
    return values.to_numpy(dtype=np.float32, na_value=np.nan)


def categories_of(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as text, shape (n_rows,), object; what is missing is the empty string."""
    column = frame[name]
    return column.astype("object").where(column.notna(), "").map(str).to_numpy(dtype=object)


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


def shared_rows(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """Count the rows of `other` that stand in `one` too, cell for cell."""
    return int(np.isin(_row_hashes(other), _row_hashes(one)).sum())


def sha256_of_rows(frame: pd.DataFrame) -> str:
    """Digest rows by what stands in them, in whatever order they and their columns come."""
    return hashlib.sha256(np.sort(_row_hashes(frame[sorted(frame.columns)])).tobytes()).hexdigest()


def _row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    import pandas as pd

    return np.asarray(pd.util.hash_pandas_object(frame.astype(str), index=False), dtype=np.uint64)


def order_of(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    """Return a column by which rows can be put in order of time, shape (n_rows,): numbers, or moments read from ISO 8601.

    Raises:
        InputRefused: a value is missing, or is text that is not ISO 8601: sorted as text, 01.02.2026 would come before 31.12.2025.
    """
    import pandas as pd

    values = frame[name]
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)):
        values = pd.to_datetime(values.astype(str).where(values.notna()), format="ISO8601", errors="coerce", utc=True)
    if bad := int(values.isna().sum()):
        first = frame[name][values.isna()].iloc[0]
        raise InputRefused(
            f"{bad} of {len(frame):,} values of {name!r} are no moment in time, {first!r} first",
            where=f"data, column {name}",
            fix="write numbers or ISO 8601, such as 2026-01-31T09:30, in every row",
        )
    return values.to_numpy()
