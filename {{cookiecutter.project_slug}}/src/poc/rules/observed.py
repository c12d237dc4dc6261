"""What is kept of served requests: the columns of the request log, how much of it stays, and the buckets that latency is counted in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from poc.rules.answers import Answers, decide, in_words, output_of
from poc.rules.evidence import Deciding

#: Columns of the log that are no feature carry this before their names, as tags in MLflow do.
OWN = "poc."
TIME, MODEL, DECISION = f"{OWN}time", f"{OWN}model_sha256", f"{OWN}decision"
SHADOW_MODEL, SHADOW_DECISION = f"{OWN}shadow_model_sha256", f"{OWN}shadow_decision"
#: Values that one observation carries at most, so that it fits a mailbox: a long request is told in several.
VALUES_AT_ONCE = 4000
#: The usual ladder, 1, 2.5 and 5 in each decade, in seconds.
LADDER_S = (*(round(step * 10.0**decade, 5) for decade in range(-4, 1) for step in (1, 2.5, 5)), 10.0)
#: Parts of the charter's limit that get a bucket of their own: a histogram can tell a share below a limit exactly only where a bucket ends there.
PARTS_OF_LIMIT = (0.5, 0.75, 1.0, 1.5, 2.0)


class Observation(NamedTuple):
    """Rows that were asked and told: plain lists, one value or one list of them for each row, so that they travel cheaply."""

    at: float
    model_sha256: str
    is_logged: bool
    columns: Mapping[str, Sequence[float] | Sequence[str]]
    outputs: Sequence[str]
    answers: Sequence[Any]
    decisions: Sequence[bool] | Sequence[str] | None

    def pieces(self) -> Iterator[Observation]:
        """Part it into observations of at most `VALUES_AT_ONCE` values, whole rows each."""
        rows = max(1, VALUES_AT_ONCE // (len(self.columns) + len(self.outputs) + (self.decisions is not None)))
        return (self._part(slice(start, start + rows)) for start in range(0, len(self.answers), rows))

    def halves(self) -> tuple[Observation, Observation]:
        """Part it in two: texts may be long."""
        middle = len(self.answers) // 2
        return self._part(slice(middle)), self._part(slice(middle, None))

    def _part(self, rows: slice) -> Observation:
        return self._replace(
            columns={name: values[rows] for name, values in self.columns.items()},
            answers=self.answers[rows],
            decisions=None if self.decisions is None else self.decisions[rows],
        )


class Shadowed(NamedTuple):
    """What a shadow would have told of the same rows."""

    model_sha256: str
    answers: Sequence[Any]
    decisions: Sequence[bool] | Sequence[str] | None


def output_columns(deciding: Deciding) -> list[str]:
    """Name the answers of a row: a probability, the probability of each class, or an estimate."""
    return [f"probability of {each}" for each in deciding.by_cost.classes] if deciding.by_cost else [output_of(deciding)]


def ways_to_decide(deciding: Deciding) -> list[str]:
    """Name what may be decided of a row: `alert` or `no alert`, a class, or nothing where an amount is answered."""
    return list(deciding.by_cost.classes) if deciding.by_cost else ["no alert", "alert"] if deciding.threshold is not None else []


def tally(ways: Sequence[str], decisions: NDArray[Any]) -> dict[str, int]:
    """Count rows by what was decided; `decisions` are those of `decide`, shape (n_rows,)."""
    if not ways:
        return {}
    if len(decisions) == 1:  # the usual request, in a tenth of the time
        return {ways[int(decisions[0])]: 1}
    return {way: int(count) for way, count in zip(ways, np.bincount(decisions.astype(np.intp), minlength=len(ways)), strict=True) if count}


class Difference(NamedTuple):
    """How a shadow's answers differ from the holder's: rows, decisions that differ, and the largest difference between answers."""

    rows: int
    decisions: int
    largest: float


def difference(observed: Observation, shadow: Deciding, answers: Answers) -> tuple[Difference, list[bool] | list[str] | None]:
    """Compare a shadow's answers with what was told, each decided in its own way; an answer that is not finite differs without limit.

    Return the shadow's decisions too, as a server would say them.
    """
    told = np.asarray(observed.answers, dtype=np.float64).reshape(len(answers), -1)
    apart = np.abs(np.asarray(answers, dtype=np.float64).reshape(told.shape) - told)
    apart[~np.isfinite(apart)] = np.inf
    decided = in_words(shadow, decide(shadow, answers))
    differing = 0 if decided is None or observed.decisions is None else sum(one != other for one, other in zip(observed.decisions, decided, strict=True))
    return Difference(len(answers), differing, float(apart.max(initial=0.0))), decided


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A complete file of the request log."""

    path: str
    written: str
    rows: int
    size_bytes: int


def surplus(files: Sequence[LogFile], *, max_rows: int, max_bytes: int) -> list[LogFile]:
    """List the oldest files, which have to go for the rest to keep within both bounds; the newest rows are worth most to a later training."""
    rows, size, gone = 0, 0, []
    for each in sorted(files, key=lambda file: file.written, reverse=True):
        rows, size = rows + each.rows, size + each.size_bytes
        if rows > max_rows or size > max_bytes:
            gone.append(each)
    return gone[::-1]


def latency_buckets(limit_ms: float | None) -> list[float]:
    """Return the upper ends of latency's buckets, in seconds: the usual ladder, finer around the charter's limit."""
    around = [round(part * limit_ms / 1e3, 6) for part in PARTS_OF_LIMIT] if limit_ms else []
    return sorted({*LADDER_S, *around})
