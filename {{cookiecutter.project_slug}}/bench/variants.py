"""Show every variant of a run in one table: size, speed, cost and quality, each with the interval that it was measured with."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tables import artifacts, bounds, table

from poc import layout
from poc.rules.evidence import Assessment, Evaluation, Interval, TargetReport, Timing, Timings, Variant, Variants
from poc.tools import files

ROOT = Path(__file__).resolve().parents[1]
HEAD = ("variant", "kB", "times its float32", "p99 ms", "CPU us", "a million cost", "errors on dev")


def main(arguments: Sequence[str]) -> int:
    """Print the table of the newest run of this project, or of the one whose folder is given."""
    found = artifacts(Path(arguments[0]) if arguments else ROOT, ["variants", "timings", "candidate"])
    ladder = files.read_record(found["variants"] / layout.VARIANTS_JSON, Variants).variants
    timings = files.read_record(found["timings"] / layout.TIMINGS_JSON, Timings)
    evaluation = files.read_record(found["candidate"] / layout.EVALUATION_JSON, Evaluation)
    for report in timings.targets:
        print("\n".join(lines(report, ladder, evaluation, timings.confidence)))
    return 0


def lines(report: TargetReport, ladder: Sequence[Variant], evaluation: Evaluation, confidence: float) -> Iterator[str]:
    """Write what was measured for one machine of the charter, then what was not and why."""
    where = "; ".join(report.differences) or "the charter's hardware"
    yield f"{f'{report.target}: ' if report.target else ''}variants, timed on {where}; intervals at {confidence:.0%}"
    assessed = {each.variant: each for each in evaluation.assessments}
    timed = {each.variant: each for each in report.timings}
    yield table(HEAD, [row(each, timed[each.name], assessed.get(each.name), evaluation.frozen) for each in ladder if each.name in timed])
    yield "* frozen: " + evaluation.why
    for each in ladder:
        if each.name not in timed:
            yield f"  {each.name}: {each.reason_not_made or report.not_timed.get(each.name, 'not timed')}"


def row(variant: Variant, timing: Timing, assessment: Assessment | None, frozen: str) -> list[str]:
    """Write one variant's figures; p99 comes with its verdict where that is not PASS."""
    p99 = Interval(low=timing.open_loop_p99_low_ms, middle=timing.open_loop_p99_ms, high=timing.open_loop_p99_high_ms)
    shares = [f"{limit.name.replace('_', ' ')} {limit.measured:.1%}" for limit in (assessment.limits if assessment else []) if limit.unit == "share"]
    return [
        variant.name + (" *" if variant.name == frozen else ""),
        f"{(variant.size_bytes or 0) / 1e3:,.0f}",
        bounds(timing.ratio, ".2f"),
        bounds(p99, ".3g") + ("" if timing.latency_verdict == "PASS" else f" {timing.latency_verdict}"),
        bounds(timing.cpu_us_per_call, ".1f"),
        bounds(timing.cost_per_million, ".3g"),
        ", ".join(shares) or "-",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
