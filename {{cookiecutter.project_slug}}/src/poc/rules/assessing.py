"""One variant on dev: its money, each limit as measured, and whether it is expected to meet them all, bounds included."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from poc.rules.charter import Charter
from poc.rules.evidence import MODEL_SIZE, Assessment, Interval, LimitVerdict, Speed, Timing, Variant
from poc.rules.latency import expected_p99_ms
from poc.rules.value import worth
from poc.rules.verdict import judge
from poc.rules.words import in_words, parted, percent

UNKNOWN = Interval(low=math.inf, middle=math.inf, high=math.inf)
#: Limits whose upper bound has to lie within them, wherever they were measured: no better figure is known before the gate.
BOUNDED = ("memory", MODEL_SIZE, "monthly_budget")


def assess(variant: Variant, speeds: Sequence[Speed], charter: Charter, seed: int) -> Assessment:
    """Judge a variant on dev by its speed on every target; what it costs is what it costs on the dearest."""
    assert variant.dev is not None
    money = worth(charter, variant.dev, seed=seed)
    limits = judge(charter, variant.dev, money, speeds)
    timed = [speed.timing for speed in speeds if speed.timing]
    why_not = next(_objections(variant, limits, speeds, charter), "")
    return Assessment(
        variant=variant.name,
        counted=variant.dev,
        money=money,
        limits=limits,
        chance_of_go=variant.predicted_chance_of_go,
        is_expected_to_pass=not why_not,
        why_not=why_not,
        expected_p99_ms=max((_expected_ms(timing, charter) for timing in timed), default=math.nan),
        cpu_us_per_call=max((timing.cpu_us_per_call.middle for timing in timed), default=math.inf),
        monthly_cost=dearest(Interval(low=limit.low, middle=limit.measured, high=limit.high) for limit in limits if parted(limit.name)[0] == "monthly_budget"),
        cost_per_million=dearest(timing.cost_per_million for timing in timed),
    )


def _objections(variant: Variant, limits: Sequence[LimitVerdict], speeds: Sequence[Speed], charter: Charter) -> Iterator[str]:
    """Say in a few words each what speaks against a variant: what dev refutes, then what is not known, then bounds beyond a limit."""
    named = [(parted(limit.name)[0], limit) for limit in limits]
    yield from (in_words(own) for own, limit in named if own != "latency_p99" and limit.verdict == "NO-GO")
    if len([speed for speed in speeds if speed.timing]) < len(charter.limits.hardware):
        yield "not timed"
    yield from (in_words(own) for own, limit in named if own in BOUNDED and not limit.high <= limit.limit)
    if not all(_is_fast(speed.timing, charter, elsewhere=bool(speed.differences)) for speed in speeds if speed.timing):
        yield "latency p99"
    if not variant.predicted_chance_of_go >= 0.5:
        yield f"chance of GO {percent(variant.predicted_chance_of_go)}"


def _is_fast(timing: Timing, charter: Charter, *, elsewhere: bool) -> bool:
    """Say whether a variant is expected to answer in time: as measured where that told, and else as its own median predicts.

    What was too noisy or too short to tell refutes nothing: a pause of the machine at the wrong moment must not freeze another variant. Another machine
    than the charter's shows nothing either way: the median there is the best guess there is.
    """
    if timing.latency_verdict in ("PASS", "FAIL") and not elsewhere:
        return timing.latency_verdict == "PASS"
    return _expected_ms(timing, charter) <= float(charter.limits.latency_p99_ms)


def _expected_ms(timing: Timing, charter: Charter) -> float:
    return expected_p99_ms(timing.single_p50_us, float(charter.limits.arrivals_per_second))


def dearest(costs: Iterable[Interval]) -> Interval:
    """Return the largest of several costs, bound by bound; infinite where one of them, or any, is not known."""
    known = list(costs)
    if not known or not all(math.isfinite(end) for cost in known for end in (cost.low, cost.middle, cost.high)):
        return UNKNOWN
    return Interval(low=max(cost.low for cost in known), middle=max(cost.middle for cost in known), high=max(cost.high for cost in known))
