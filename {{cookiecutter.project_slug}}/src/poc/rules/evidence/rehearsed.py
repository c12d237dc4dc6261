"""What was seen when dev rows went through the real server as they will in production, and what is left where a feature falls silent."""

from __future__ import annotations

from poc.rules.evidence.judged import Interval
from poc.rules.evidence.record import Record
from poc.rules.evidence.timed import Machine


class LiveFeature(Record):
    """How it was found out what was known of a feature when each dev row was decided, and in how many of the rows nothing was."""

    name: str
    known: str
    missing: int


class Silence(Record):
    """Money per period on dev when features are missing in every row; None where the model does not answer without them, and then why.

    `is_refused` says that the server takes no row without them: the money is then what the model itself would earn.
    """

    features: list[str]
    money: Interval | None
    why_not_known: str = ""
    is_refused: bool = False


class Rehearsal(Record):
    """What `replay` saw when dev rows went through the real server one at a time; `server_memory_mb` is that process's peak, NaN if unknown.

    `late_features` do not come with the request. `money` is that of the frozen model on all dev rows with every feature, None where it does not answer
    them all; `silences` are without each of the late ones, and at last without all of them. `machine` is the one that it ran on,
    which need not be the one that timed the variants.
    """

    rows: int
    largest_difference: float
    decisions_differing: int
    live: list[LiveFeature]
    late_features: list[str]
    money: Interval | None
    silences: list[Silence]
    request_p50_ms: float
    request_p99_ms: float
    server_memory_mb: float
    machine: Machine
