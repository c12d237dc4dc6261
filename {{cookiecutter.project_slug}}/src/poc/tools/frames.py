"""Tables: the only part of the tools that knows pandas."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

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


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file, a CSV's cells as the text that stands there.

    Raises:
        InputRefused: the file is missing, of another kind, or cannot be read.
    """
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".csv": _read_csv, ".parquet": _read_parquet}
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


def _read_csv(path: Path) -> pd.DataFrame:
    """Read cells as text: guessed types would turn 007 into 7, true into True and NA into nothing. Only an empty cell is missing."""
    import pandas as pd

    try:
        if problems := [*_not_separated_by_commas(path), *_not_utf_8(path)]:
            raise InputRefused(problems)
        # The header is read as a row like any other, else pandas renames the second of two columns of one name, and takes an extra cell for an index.
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError as error:
        raise InputRefused(f"{path.name} is empty", where=str(path), fix="bring data: a header, and a row for each decision") from error
    except pd.errors.ParserError as error:
        if not (ragged := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))):
            raise
        header, line, fields = ragged.groups()
        raise InputRefused(
            f"line {line} has {fields} fields, the header has {header}", where=str(path), fix="put quotes around a value that holds a comma"
        ) from error
    return cells.iloc[1:].set_axis(cells.iloc[0].fillna("").tolist(), axis=1).reset_index(drop=True)


def _not_separated_by_commas(path: Path) -> Iterator[Problem]:
    import pandas as pd

    header = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, nrows=1, encoding_errors="replace").iloc[0].tolist()
    if len(header) == 1 and (separator := next((each for each in ";\t" if each in header[0]), "")):
        named = {";": "';'", "\t": "tabs"}[separator]
        yield Problem(what=f"{path.name} is separated by {named}, not by commas", where=str(path), fix="save it with commas, and with points in decimals")


def _not_utf_8(path: Path) -> Iterator[Problem]:
    with path.open("rb") as lines:
        line = next((number for number, line in enumerate(lines, start=1) if not _is_utf_8(line)), 0)
    if line:
        yield Problem(
            what=f"{path.name} is not UTF-8 text: line {line}",
            where=str(path),
            fix="save it as CSV UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8",
        )


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    from pyarrow.parquet import read_schema

    if repeated := [name for name, times in Counter(read_schema(path).names).items() if times > 1]:
        raise InputRefused(f"{path.name} has several columns named {repeated[0]!r}", where=str(path), fix="rename or drop all but one of them")
    return pd.read_parquet(path)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file without the index."""
    frame.to_parquet(path, index=False, compression="zstd")


def column_problems(table: pd.DataFrame, names: Sequence[str], source: str) -> list[Problem]:
    """List declared columns that a source lacks, or has more than once."""
    has = Counter(table.columns)
    return [
        Problem(what=f"the source has no column {name!r}", where=f"charter.yaml, {source}", fix=f"name one of: {', '.join(map(str, has))}")
        if not has[name]
        else Problem(what=f"the source has {has[name]} columns named {name!r}", where=source, fix="rename or drop all but one of them")
        for name in dict.fromkeys(names)
        if has[name] != 1
    ]


def number_problems(table: pd.DataFrame, features: Sequence[Column]) -> list[Problem]:
    """List declared numbers of which a value is there but is no number that float32 holds."""
    return [problem for feature in features if feature.kind == "number" for problem in _problems_of_numbers(table[feature.name])]


def _problems_of_numbers(values: pd.Series) -> list[Problem]:
    _, bad = _as_numbers(values)
    if not bad.any():
        return []
    return [
        Problem(
            what=f"{int(bad.sum()):,} of {len(values):,} values of {values.name!r} are not numbers that float32 holds, {str(values[bad].iloc[0])!r} first",
            where=f"charter.yaml, features, {values.name}",
            fix="leave the cell empty where it is missing, write a moment as days since another, declare kind: category, or repair the source",
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
    if problems := _problems_of_numbers(frame[name]):
        raise InputRefused(problems)
    return _as_numbers(frame[name])[0].astype(np.float32)


def categories_of(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as text, shape (n_rows,), object; what is missing is the empty string."""
    return _as_text(frame[name])


def _as_text(values: pd.Series) -> NDArray[np.object_]:
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
        text = pd.Series(_as_text(table[feature.name]), dtype="str") if feature.kind == "category" else None
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


def shared_rows(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """Count the rows of `other` that stand in `one` too, cell for cell."""
    return int(np.isin(_row_hashes(other), _row_hashes(one)).sum())


def sha256_of_rows(frame: pd.DataFrame) -> str:
    """Digest rows by what stands in them, in whatever order they and their columns come."""
    return hashlib.sha256(np.sort(_row_hashes(frame[sorted(frame.columns)])).tobytes()).hexdigest()


def lottery(frame: pd.DataFrame, seed: int) -> NDArray[np.uint64]:
    """Draw a number for each row from the seed and what stands in it, shape (n_rows,): the same in whatever order rows and columns come."""
    in_order = np.argsort([str(name) for name in frame.columns], kind="stable")
    cells = zip(*(_as_text(frame.iloc[:, number]) for number in in_order), strict=True)
    draws = (hashlib.sha256(json.dumps([seed, *row]).encode()).digest() for row in cells)
    return np.array([int.from_bytes(draw[:8], "big") for draw in draws], dtype=np.uint64)


def _row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    import pandas as pd

    return np.asarray(pd.util.hash_pandas_object(frame.astype(str), index=False), dtype=np.uint64)


def time_problems(frame: pd.DataFrame, name: str) -> list[Problem]:
    """List what keeps rows from being put in order of time: a value is missing, or is text that is not ISO 8601.

    Sorted as text, 01.02.2026 would come before 31.12.2025.
    """
    bad = _moments(frame[name]).isna()
    if not bad.any():
        return []
    return [
        Problem(
            what=f"{int(bad.sum()):,} of {len(frame):,} values of {name!r} are no moment in time, {frame[name][bad].iloc[0]!r} first",
            where=f"data, column {name}",
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
    return _moments(frame[name]).to_numpy()


def _moments(values: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values
    numbers = pd.to_numeric(values.astype(str), errors="coerce")
    return numbers if numbers.notna().all() else pd.to_datetime(values.astype(str).where(values.notna()), format="ISO8601", errors="coerce", utc=True)
