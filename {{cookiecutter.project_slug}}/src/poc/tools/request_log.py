"""The request log: rows that were asked and told, as Parquet files that are complete or not there, bounded on disk (pyarrow)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from poc.errors import EnvironmentRefused
from poc.rules.observed import DECISION, MODEL, OWN, SHADOW_DECISION, SHADOW_MODEL, TIME, LogFile, Observation, Shadowed, surplus

#: Letters of a model's digest that name its folder.
SHORT = 12
#: A file that has been written for so long is written no more; another server may log to the same folder.
ABANDONED_SECONDS = 3600
NAME = re.compile(r"(?P<written>\d{8}T\d{6}\.\d{6})-(?P<rows>\d+)\.parquet")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """When a file is closed, and how much stays on disk over all models; the oldest files go first."""

    rows_per_file: int = 10_000
    seconds_per_file: float = 60.0
    max_rows: int = 10_000_000
    max_bytes: int = 2**30


class Told(NamedTuple):
    """An observation, and what a shadow would have told, where one answered."""

    observed: Observation
    shadow: Shadowed | None


@dataclass(kw_only=True)
class RequestLog:
    """Rows by model, written when there are enough of them or when they have waited long enough; a folder for each model."""

    folder: Path
    bounds: Bounds = field(default_factory=Bounds)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._waiting: dict[str, list[Told]] = {}
        self._since: dict[str, float] = {}

    def take(self, observed: Observation, shadow: Shadowed | None = None) -> int:
        """Take rows; return how many had to be given up."""
        model = observed.model_sha256
        waiting = self._waiting.setdefault(model, [])
        self._since.setdefault(model, self.clock())
        waiting.append(Told(observed, shadow))
        return self._write(model) if _rows_of(waiting) >= self.bounds.rows_per_file else 0

    def write_what_waited(self, *, everything: bool = False) -> int:
        """Write the rows of each model that have waited long enough, or all; return how many had to be given up."""
        due = [model for model, since in self._since.items() if everything or self.clock() - since >= self.bounds.seconds_per_file]
        return sum(self._write(model) for model in due)

    def _write(self, model: str) -> int:
        waiting = self._waiting.pop(model)
        del self._since[model]
        try:
            _write_table(self.folder / model[:SHORT], waiting)
        except (OSError, ValueError):  # a full disk, or letters that are none: requests come whether they can be logged or not
            return _rows_of(waiting)
        with suppress(OSError):  # what cannot be removed now may be next time
            for each in surplus(log_files(self.folder), max_rows=self.bounds.max_rows, max_bytes=self.bounds.max_bytes):
                Path(each.path).unlink(missing_ok=True)
        return 0


def prepare(folder: Path) -> None:
    """Make the log's folder, and remove what observers that were killed left of files they were writing.

    Raises:
        EnvironmentRefused: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
        for path in folder.glob("*/.*.parquet"):
            if NAME.fullmatch(path.name[1:]) and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"requests cannot be logged: {error}", where=str(folder), fix="name another folder with --log-requests") from error


def log_files(folder: Path) -> list[LogFile]:
    """List the complete files of a log: a name says when it was written and how many rows it holds, and any other name is somebody else's file."""
    found = []
    for path in folder.glob("*/*.parquet"):
        if named := NAME.fullmatch(path.name):
            with suppress(FileNotFoundError):  # another server that logs here has just removed it
                found.append(LogFile(path=str(path), written=named["written"], rows=int(named["rows"]), size_bytes=path.stat().st_size))
    return found


def _write_table(folder: Path, waiting: Sequence[Told]) -> None:
    """Write rows under a temporary name that readers pass over, and rename the file once it is whole."""
    from pyarrow import parquet

    folder.mkdir(parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{_rows_of(waiting)}.parquet"
    temporary = folder / f".{name}"
    try:
        parquet.write_table(as_table(waiting), temporary)
        temporary.replace(folder / name)
    finally:
        temporary.unlink(missing_ok=True)


def as_table(waiting: Sequence[Told]) -> Any:
    """Return rows as an Arrow table: the features by their names in the charter, then ours, of which those of a shadow are null where none answered."""
    import pyarrow as pa

    first = waiting[0].observed
    columns = {name: _feature([each.observed.columns[name] for each in waiting], pa) for name in first.columns}
    columns[TIME] = pa.array([int(told.observed.at * 1e6) for told in waiting for _ in told.observed.answers], pa.timestamp("us", tz="UTC"))
    columns[MODEL] = pa.array([first.model_sha256] * _rows_of(waiting)).dictionary_encode()
    for place, name in enumerate(first.outputs):
        columns[f"{OWN}{name}"] = pa.array([_one_of(answer, place) for told in waiting for answer in told.observed.answers], pa.float32())
    kind = pa.bool_() if first.decisions and isinstance(first.decisions[0], bool) else pa.string()
    if first.decisions:  # an amount says itself what is decided
        columns[DECISION] = pa.array([decision for told in waiting for decision in told.observed.decisions or ()], kind)
    columns[SHADOW_MODEL] = pa.array([told.shadow.model_sha256 if told.shadow else None for told in waiting for _ in told.observed.answers], pa.string())
    for place, name in enumerate(first.outputs):
        columns[f"{OWN}shadow_{name}"] = pa.array([_one_of(answer, place) for told in waiting for answer in _beside(told, "answers")], pa.float32())
    if first.decisions:
        columns[SHADOW_DECISION] = pa.array([decision for told in waiting for decision in _beside(told, "decisions")], kind)
    return pa.table(columns)


def _rows_of(waiting: Sequence[Told]) -> int:
    return sum(len(told.observed.answers) for told in waiting)


def _feature(parts: Sequence[Sequence[float] | Sequence[str]], pa: Any) -> Any:
    """Return a feature's column: float32, or text; missing, which is NaN or an empty text to the model, is null."""
    values: list[Any] = [value for part in parts for value in part]
    if isinstance(values[0], str):
        return pa.array([value or None for value in values], pa.string())
    return pa.array(values, pa.float32(), from_pandas=True)


def _one_of(answer: Any, place: int) -> Any:
    return answer[place] if isinstance(answer, list) else answer


def _beside(told: Told, what: Literal["answers", "decisions"]) -> Sequence[Any]:
    return getattr(told.shadow, what) if told.shadow else [None] * len(told.observed.answers)
