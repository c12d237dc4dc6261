"""What was measured of speed and memory, and on which machine."""

from __future__ import annotations

from poc.rules.evidence.record import Record


class Machine(Record):
    """The fingerprint of the machine that measured something."""

    architecture: str
    cpu: str
    instruction_sets: list[str]
    cores: int
    memory_mb: int
    governor: str | None
    hypervisor: bool
    system: str
    python: str
    onnxruntime: str
    digest: str


class Timing(Record):
    """One variant's speed, memory and size on one machine; latencies as percentiles."""

    variant: str
    single_p50_us: float
    single_p95_us: float
    single_p99_us: float
    cpu_us_per_call: float
    open_loop_rate_per_s: float
    open_loop_calls: int
    open_loop_p50_ms: float
    open_loop_p95_ms: float
    open_loop_p99_ms: float
    open_loop_p99_low_ms: float
    open_loop_p99_high_ms: float
    load_ms: float
    first_call_ms: float
    memory_mb: float
    size_mb: float


class Timings(Record):
    """What `benchmark` measured, and where."""

    machine: Machine
    pinned_cores: list[int]
    differences: list[str]
    confidence: float
    timings: list[Timing]
    not_timed: dict[str, str]


class Rehearsal(Record):
    """What `replay` saw when dev rows went through the real server one at a time; `server_memory_mb` is that process's peak, NaN if unknown."""

    rows: int
    largest_difference: float
    decisions_differing: int
    late_features: list[str]
    request_p50_ms: float
    request_p99_ms: float
    server_memory_mb: float
