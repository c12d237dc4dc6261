"""Time the variants on the charter's cores and at its arrival rate, and say whether this is the charter's hardware."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from poc import layout
from poc.rules.charter import Charter
from poc.rules.evidence import Noise, Number, TargetReport, Timing, Timings, Variant, Variants
from poc.rules.hardware import differences
from poc.rules.rounds import MOST_LOST
from poc.rules.verdict import judge_shares
from poc.steps.inputs import charter_of, params_of, rows_of
from poc.steps.perform import Result
from poc.steps.timed_variants import Timed, time_variants
from poc.steps.timing import write_rows
from poc.tools import files, machine, onnx_runtime

#: How many real rows take turns.
ROWS = 512


def benchmark(*, agreement: Path, data: Path, variants: Path, timings: Path) -> Result:
    """Write each variant's speed, memory and size; never refuses. Variants that dev already rules out are not timed."""
    charter, params = charter_of(agreement), params_of(agreement)
    ladder = files.read_record(variants / layout.VARIANTS_JSON, Variants).variants
    rows = timings / "rows.npz"
    write_rows(rows, {name: values[:ROWS] for name, values in rows_of(data, "dev", charter).tensors.items()})
    try:
        reports = _benchmark_all(charter, ladder, variants, rows, params.benchmark_seconds_per_variant)
    finally:
        rows.unlink()
    files.write_record(timings / layout.TIMINGS_JSON, Timings(confidence=float(charter.limits.confidence), targets=reports))
    several = len(reports) > 1
    numbers = [number for report in reports for timing in report.timings for number in _numbers(timing, f"{report.target}_" if several else "")]
    return Result(headline=_headline(reports, charter), numbers=numbers)


def _benchmark_all(charter: Charter, ladder: Sequence[Variant], folder: Path, rows: Path, seconds: float) -> list[TargetReport]:
    """Report target by target; targets for which the same number of cores is pinned are timed once, since nothing would differ but noise."""
    not_timed = {variant.name: reason for variant in ladder if (reason := _ruled_out(variant, charter))}
    chosen = [variant for variant in ladder if variant.name not in not_timed]
    here, before = machine.fingerprint(onnx_runtime.version()), machine.available()
    found: dict[int, tuple[list[int], Timed]] = {}
    reports = []
    for hardware in charter.limits.hardware:
        cores = min(hardware.cores, len(before) or hardware.cores)
        if cores not in found:
            pinned = machine.pin(hardware.cores)
            try:
                found[cores] = pinned, time_variants(chosen, folder, rows, charter.limits, seconds)
            finally:
                machine.unpin(before)
        pinned, timed = found[cores]
        reports.append(
            TargetReport(
                target=hardware.name or "",
                machine=here,
                pinned_cores=pinned,
                differences=differences(here, hardware, pinned),
                noise=timed.noise,
                timings=[each.priced(hardware) for each in timed.variants],
                not_timed=not_timed | timed.not_timed,
            )
        )
    return reports


def _ruled_out(variant: Variant, charter: Charter) -> str | None:
    """Say why a variant need not be timed: it was not made, or dev alone shows that it breaks a limit."""
    if variant.reason_not_made or variant.dev is None:
        return variant.reason_not_made or "not judged on dev"
    judged = judge_shares(charter, variant.dev, looks=1)
    broken = (f"{each.name.replace('_', ' ')} {each.measured:.1%}, the charter allows {each.limit:.0%}" for each in judged if each.verdict == "NO-GO")
    return next((f"dev rules it out: {each}" for each in broken), None)


def _headline(reports: Sequence[TargetReport], charter: Charter) -> str:
    first = reports[0]
    if not first.timings:
        reasons = dict.fromkeys(reason for reason in first.not_timed.values() if reason.startswith("dev")) or dict.fromkeys(first.not_timed.values())
        return f"no variant was timed: {'; '.join(list(reasons)[:3])}"
    fastest = min(first.timings, key=lambda timing: timing.cpu_us_per_call.middle)
    told = Counter(timing.latency_verdict for timing in first.timings)
    where = [(f"{report.target}: " if len(reports) > 1 else "") + _where(report.differences) for report in reports]
    return (
        f"{len(first.timings)} variants, latency {', '.join(f'{n} {verdict}' for verdict, n in told.most_common())}; {fastest.variant} is fastest: "
        f"p99 {fastest.open_loop_p99_ms:.2f} ms ({_bound(fastest.open_loop_p99_high_ms)}) at {charter.limits.arrivals_per_second} requests/s, "
        f"{fastest.cpu_us_per_call.middle:.0f} us CPU; {_unsteady(first.timings)}{_busy(first.noise)}{'; '.join(where)}"
    )


def _bound(high_ms: float) -> str:
    return f"at most {high_ms:.2f}" if math.isfinite(high_ms) else "too few calls to bound it"


def _unsteady(timings: Sequence[Timing]) -> str:
    names = [timing.variant for timing in timings if not timing.is_steady]
    return f"{', '.join(names)} never ran steadily; " if names else ""


def _busy(noise: Noise) -> str:
    return f"something else took up to {noise.lost:.0%} of a round's time; " if noise.lost > MOST_LOST else ""


def _where(found: Sequence[str]) -> str:
    return f"NOT PROVEN, not the charter's hardware: {'; '.join(found)}" if found else "the charter's hardware"


def _numbers(timing: Timing, target: str) -> list[Number]:
    """Return the figures of a variant that are known: one that the system does not tell, or no round could, would refuse what is only unproven."""
    figures = [
        Number(name=f"{target}{timing.variant}_single_p50", value=timing.single_p50_us, unit="us"),
        Number(name=f"{target}{timing.variant}_open_loop_p99", value=timing.open_loop_p99_ms, unit="ms"),
        Number(name=f"{target}{timing.variant}_ratio", value=timing.ratio.middle, unit="ratio"),
        Number(name=f"{target}{timing.variant}_highest_rate", value=timing.highest_rate_per_s, unit="1/s"),
        Number(name=f"{target}{timing.variant}_cpu_per_call", value=timing.cpu_us_per_call.middle, unit="us"),
        Number(name=f"{target}{timing.variant}_memory", value=timing.memory_mb, unit="MB"),
    ]
    return [figure for figure in figures if math.isfinite(figure.value)]
