"""Say how fast the candidate is: the slowest answers with their bounds, the rate up to which that holds, what calls cost, and where it was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

from poc.rules.agreed_figures import plain
from poc.rules.brief import Judged
from poc.rules.evidence import Interval, LatencyVerdict, Speed, Timing
from poc.rules.rounds import FEWEST
from poc.rules.words import UNBROKEN, amount, percent

#: What is to be said of a p99 besides its figures.
THOUGH: Mapping[LatencyVerdict, str] = {
    "PASS": "",
    "FAIL": ", which is too slow",
    "INCONCLUSIVE": ", in too few calls to tell",
    "NOISY": ", on a machine that something else kept busy",
}


def speed_said(judged: Judged) -> str:
    """Say it for every target, one after the other."""
    limits, speeds = judged.charter.limits, judged.timings.speeds(judged.candidate.variant)
    said = " ".join(_on_target(judged, speed, several=len(speeds) > 1) for speed in speeds)
    rate, sure = f"{plain(limits.arrivals_per_second)} calls a second", f"bounds at {percent(judged.timings.confidence)} confidence"
    return f"{said} Measured at {rate} on {judged.timed_on}; {sure}."


def _on_target(judged: Judged, speed: Speed, *, several: bool) -> str:
    where = _where(speed, several=several)
    if speed.timing is None:
        return f"{where}speed was not measured{f': {speed.not_timed}' if speed.not_timed else ''}."
    return f"{where}{_figures(speed.timing, judged.charter.value.currency, elsewhere=bool(speed.differences))}."


def _where(speed: Speed, *, several: bool) -> str:
    """Say of which target it is said, where there are several, and that it was measured elsewhere, where it was."""
    if not several:
        return "Measured on another machine than the charter's: " if speed.differences and speed.timing else ""
    return f"For {speed.target}, measured on another machine: " if speed.differences else f"On {speed.target}: "


def _figures(timing: Timing, currency: str, *, elsewhere: bool) -> str:
    p99 = Interval(low=timing.open_loop_p99_low_ms, middle=timing.open_loop_p99_ms, high=timing.open_loop_p99_high_ms)
    though = "" if elsewhere and timing.latency_verdict == "FAIL" else THOUGH[timing.latency_verdict]  # another machine refutes nothing
    answered = f"99 of 100 calls are answered within {_with_bounds(p99, 'ms')}{though}"
    return f"{answered}{_up_to(timing)}; a million calls cost {_with_bounds(timing.cost_per_million, currency)}"


def _up_to(timing: Timing) -> str:
    """Say up to which rate the limit is kept; nothing where too few rounds were quiet, because then it is an estimate from computing alone."""
    is_known = timing.rounds_kept >= FEWEST and math.isfinite(timing.highest_rate_per_s)
    return f"; one worker keeps the limit up to about {amount(timing.highest_rate_per_s)} calls a second" if is_known else ""


def _with_bounds(interval: Interval, unit: str) -> str:
    """Say a figure with its unit, and between what it lies where that is known."""
    bounds = f" ({amount(interval.low)} to {amount(interval.high)})" if math.isfinite(interval.low) and math.isfinite(interval.high) else " (no bound known)"
    return f"{amount(interval.middle)}{UNBROKEN}{unit}{bounds}"
