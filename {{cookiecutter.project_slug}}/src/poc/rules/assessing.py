"""One variant on dev: its money, each limit as measured, and whether it is expected to meet them all, bounds included."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from poc.rules.charter import Charter
from poc.rules.evidence import MODEL_SIZE, Assessment, Interval, LimitVerdict, Speed, Timing, Variant
from poc.rules.latency import expected_p99_ms
from poc.rules.value import worth
from poc.rules.verdict import judge
from poc.rules.words import parted

UNKNOWN = Interval(low=math.inf, middle=math.inf, high=math.inf)
#: Limits whose upper bound has to lie within them, wherever they were measured: no better figure is known before the gate.
BOUNDED = ("memory", MODEL_SIZE, "monthly_budget")


def assess(variant: Variant, speeds: Sequence[Speed], charter: Charter, seed: int) -> Assessment:
    """Judge a variant on dev by its speed on every target; what it costs is what it costs on the dearest."""
    assert variant.dev is not None
    money = worth(charter, variant.dev, seed=seed)
    limits = judge(charter, variant.dev, money, speeds)
    timed = [speed.timing for speed in speeds if speed.timing]
    return Assessment(
        variant=variant.name,
        counted=variant.dev,
        money=money,
        limits=limits,
        chance_of_go=variant.predicted_chance_of_go,
        is_expected_to_pass=len(timed) == len(charter.limits.hardware)
        and variant.predicted_chance_of_go >= 0.5
        and all(map(_is_kept, limits))
        and all(_is_fast(speed, charter) for speed in speeds),
        expected_p99_ms=max((_expected_ms(timing, charter) for timing in timed), default=math.nan),
        cpu_us_per_call=max((timing.cpu_us_per_call.middle for timing in timed), default=math.inf),
        monthly_cost=dearest(Interval(low=limit.low, middle=limit.measured, high=limit.high) for limit in limits if parted(limit.name)[0] == "monthly_budget"),
        cost_per_million=dearest(timing.cost_per_million for timing in timed),
    )


def _is_kept(limit: LimitVerdict) -> bool:
    """Say whether nothing speaks against a limit; the latency is `_is_fast`'s."""
    own, _ = parted(limit.name)
    return own == "latency_p99" or (limit.verdict != "NO-GO" and (own not in BOUNDED or limit.high <= limit.limit))


def _is_fast(speed: Speed, charter: Charter) -> bool:
    """Say whether a variant is expected to answer in time: its bound was measured within the limit, or its own speed predicts it.

    Not being measured within it refutes nothing: a pause of the machine at the wrong moment must not freeze another variant. Nor does another machine.
    """
    if speed.timing is None:
        return False
    return bool(speed.differences) or speed.timing.latency_verdict == "PASS" or _expected_ms(speed.timing, charter) <= float(charter.limits.latency_p99_ms)


def _expected_ms(timing: Timing, charter: Charter) -> float:
    return expected_p99_ms(timing.single_p50_us, float(charter.limits.arrivals_per_second))


def dearest(costs: Iterable[Interval]) -> Interval:
    """Return the largest of several costs, bound by bound; infinite where one of them, or any, is not known."""
    known = list(costs)
    if not known or not all(math.isfinite(end) for cost in known for end in (cost.low, cost.middle, cost.high)):
        return UNKNOWN
    return Interval(low=max(cost.low for cost in known), middle=max(cost.middle for cost in known), high=max(cost.high for cost in known))
