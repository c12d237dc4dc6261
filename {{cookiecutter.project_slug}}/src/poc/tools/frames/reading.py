"""Tables, read and written: files as they stand, and the columns that a source must have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from poc.errors import InputRefused, Problem

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path, *, where: str = "charter.yaml, data.source") -> pd.DataFrame:
    """Read a CSV or Parquet file, a CSV's cells as the text that stands there; `where` says who named the file.

    Raises:
        InputRefused: the file is missing, of another kind, or cannot be read.
    """
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise InputRefused(
            f"{path.name} is neither .csv nor .parquet",
            where=where,
            fix="name a CSV or Parquet file, or change src/poc/problem/source.py",
        )
    if not path.is_file():
        raise InputRefused(f"there is no file {path}", where=where, fix="put the file there, or name the right one")
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
