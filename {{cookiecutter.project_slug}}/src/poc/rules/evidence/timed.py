"""What was measured of speed and memory, and on which machine."""

from __future__ import annotations

from typing import Literal

from poc.rules.evidence.judged import Interval
from poc.rules.evidence.record import Record

#: PASS: the bound lies within the charter's limit. FAIL: beyond it, or answers take longer than arrivals leave time for, while a call that does nothing was
#: answered at once. NOISY: the machine was too busy with something else to say. INCONCLUSIVE: the calls that the time allowed do not tell.
LatencyVerdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOISY"]


class Machine(Record):
    """The fingerprint of the machine that measured something; None where the system does not say, or where nothing limits it.

    `cores` and `memory_mb` are what may be used, within a container's limits; `quota_cores` is the CPU time a container may take at once. `smt` says
    whether two threads share a core, `turbo` whether a core may run faster than its nominal clock: both change what is measured from one minute to the next.
    """

    architecture: str
    cpu: str
    instruction_sets: list[str]
    cores: int
    quota_cores: float | None
    memory_mb: int
    governor: str | None
    smt: bool | None
    turbo: bool | None
    hypervisor: bool
    system: str
    python: str
    onnxruntime: str
    digest: str


class Noise(Record):
    """What else the machine did meanwhile, as shares of the time: lost in the worst round, taken by the hypervisor, spent waiting for a core; NaN if unknown.

    `waiting` counts every process of the machine, also those that ran beside the cores on which something was timed.
    """

    lost: float
    stolen: float
    waiting: float


class Timing(Record):
    """One variant's speed, memory and size on one machine; latencies as percentiles.

    `ratio` is the wall time of one call over that of `ratio_to`, the float32 variant of the same family, and `cpu_ratio` the same of CPU time: the
    median over rounds in which both were called, with bounds. `null_p99_ms` is the 99th percentile of the same arrivals answered by a call that does
    nothing, which is what the machine itself adds; `own_p99_ms` what the model's own answers predict when given back to back, NaN on a machine too
    busy to tell; `looks` how often the latency was looked at before `latency_verdict` fell, and `latency_why` says why it is not PASS.
    `cpu_us_per_call` is a mean with bounds, 0 from below where too few rounds count; `highest_rate_per_s` the largest rate of Poisson arrivals at which
    one worker keeps the charter's p99, NaN where too few rounds or calls tell; `rows_per_s` how fast batches go, by size;
    `cost_per_million` what a million calls cost in the charter's currency, from CPU seconds. `rss_mb` is what the process holds with the model
    loaded, `memory_mb` the most it ever held.
    """

    variant: str
    single_p50_us: float
    single_p95_us: float
    single_p99_us: float
    cpu_us_per_call: Interval
    ratio: Interval
    ratio_to: str
    cpu_ratio: Interval
    rounds_kept: int
    rounds_dropped: int
    is_steady: bool
    open_loop_rate_per_s: float
    open_loop_calls: int
    open_loop_p50_ms: float
    open_loop_p95_ms: float
    open_loop_p99_ms: float
    open_loop_p99_low_ms: float
    open_loop_p99_high_ms: float
    latency_verdict: LatencyVerdict
    latency_why: str
    looks: int
    null_p99_ms: float
    own_p99_ms: float
    highest_rate_per_s: float
    rows_per_s: dict[str, float]
    cost_per_million: Interval
    load_ms: float
    first_call_ms: float
    rss_mb: float
    memory_mb: float
    size_mb: float


class TargetReport(Record):
    """What `benchmark` measured for one machine that the charter names, its target, and on which: `differences` says what sets the two apart.

    `target` is its name, empty where the charter names one machine and gives it none; `not_timed` says of which variants nothing is known, and why.
    """

    target: str
    machine: Machine
    pinned_cores: list[int]
    differences: list[str]
    noise: Noise
    timings: list[Timing]
    not_timed: dict[str, str]


class Speed(Record):
    """One variant on one target: its timing or why there is none, and what sets the machine that measured it apart from the target."""

    target: str
    timing: Timing | None
    not_timed: str
    differences: list[str]


class Timings(Record):
    """One report for each machine that the charter names, in its order: judged together, the worst counts, and never averaged."""

    confidence: float
    targets: list[TargetReport]

    def speeds(self, variant: str) -> list[Speed]:
        """Return what is known of a variant's speed, target by target."""
        return [
            Speed(
                target=report.target,
                timing=next((timing for timing in report.timings if timing.variant == variant), None),
                not_timed=report.not_timed.get(variant, ""),
                differences=report.differences,
            )
            for report in self.targets
        ]
