"""What a load on a server showed: `poc load`."""

from __future__ import annotations

from poc.rules.evidence.judged import Interval
from poc.rules.evidence.record import Record
from poc.rules.evidence.timed import LatencyVerdict, Machine


class Load(Record):
    """What became of requests that arrived at a server at times of their own; latencies count from the intended arrival.

    `failed` counts requests by what they got instead of an answer; each counts as one that is never answered, so its latency is infinite. `late_p99_ms`
    is what the client itself added. `raw_us` is the median of the same rows answered by a call in the process, `overhead_us` the median, over requests,
    of what serving took beyond that. `differences` says what sets the server's machine apart from the charter's, `server_cores` what it was kept to.
    """

    url: str
    rate_per_s: float
    connections: int
    requests: int
    seconds: float
    failed: dict[str, int]
    reconnects: int
    p50_ms: float
    p95_ms: float
    p99_ms: Interval
    slowest_ms: float
    late_p99_ms: float
    limit_ms: float
    confidence: float
    verdict: LatencyVerdict
    raw_us: float
    overhead_us: Interval
    machine: Machine
    server_cores: list[int]
    client_core: int | None
    differences: list[str]
