"""What each variant costs against what it is worth: the Pareto front, and the budget in the same unit as a call's cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from poc.rules.charter import Charter, Hardware
from poc.rules.evidence import Assessment, Evaluation, Interval, Timings
from poc.rules.verdict import HOURS_A_MONTH

UNKNOWN = Interval(low=math.inf, middle=math.inf, high=math.inf)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One variant, or several that decide alike: what it costs, what it is worth, and what speaks against it, if anything does."""

    name: str
    cost: Interval
    worth: Interval
    is_frozen: bool
    why_not: str

    @property
    def is_known(self) -> bool:
        """Say whether it can be drawn: it was timed, and costs something."""
        return math.isfinite(self.cost.middle) and self.cost.middle > 0 and math.isfinite(self.worth.middle)


@dataclass(frozen=True, kw_only=True)
class Tradeoff:
    """Options, and how much of what they cost and of what they are worth was agreed; `costs` and `unit` say what costs are and in which unit."""

    name: str
    options: tuple[Option, ...]
    costs: str
    unit: str
    limit: float
    limit_is: str
    minimum: float
    money: str


def cost_against_worth(charter: Charter, evaluation: Evaluation) -> Tradeoff:
    """Hold what a million calls cost, on the dearest target, against the money on dev."""
    return Tradeoff(
        name="cost-against-worth",
        options=tuple(_option(each, each.cost_per_million, evaluation) for each in evaluation.assessments),
        costs="cost of a million calls",
        unit=charter.value.currency,
        limit=min(budget_per_million(charter, target) for target in charter.limits.hardware),
        limit_is="budget",
        **_agreed(charter),
    )


def latency_against_worth(charter: Charter, evaluation: Evaluation, timings: Timings) -> Tradeoff:
    """Hold the p99 under arrivals, on the slowest target, against the money on dev."""
    return Tradeoff(
        name="latency-against-worth",
        options=tuple(_option(each, _slowest(timings, each.variant), evaluation) for each in evaluation.assessments),
        costs="p99 latency",
        unit="ms",
        limit=float(charter.limits.latency_p99_ms),
        limit_is="limit",
        **_agreed(charter),
    )


def _agreed(charter: Charter) -> dict[str, Any]:
    return {"minimum": float(charter.timebox.minimum_value_per_period), "money": f"{charter.value.currency} a {charter.value.period}"}


def _option(assessment: Assessment, cost: Interval, evaluation: Evaluation) -> Option:
    is_frozen = assessment.variant == evaluation.frozen
    return Option(name=assessment.variant, cost=cost, worth=assessment.money.per_period, is_frozen=is_frozen, why_not=assessment.why_not)


def _slowest(timings: Timings, variant: str) -> Interval:
    """Return the p99 with its bounds on the target where its upper bound is largest."""
    timed = [speed.timing for speed in timings.speeds(variant) if speed.timing]
    p99s = [Interval(low=each.open_loop_p99_low_ms, middle=each.open_loop_p99_ms, high=each.open_loop_p99_high_ms) for each in timed]
    return max(p99s, key=lambda p99: p99.high, default=UNKNOWN)


def budget_per_million(charter: Charter, target: Hardware) -> float:
    """Return what a million calls may cost: the whole machines that the budget pays, shared out among the calls of a month at the charter's rate.

    At 200 requests/s a month of 730 hours has 525.6 million calls; 400 a month pay three machines at 120, so that a million calls may cost 0.685.
    """
    price, calls = float(target.monthly_cost), float(charter.limits.arrivals_per_second) * HOURS_A_MONTH * 3600
    return 1e6 * math.floor(charter.limits.monthly_budget / target.monthly_cost) * price / calls if price else math.inf


def front(options: Sequence[Option]) -> list[Option]:
    """Return, cheapest first, the options that are worth more than all that cost no more (Pareto); what is ruled out or not known is not among them."""
    found: list[Option] = []
    for each in sorted((each for each in options if each.is_known and not each.why_not), key=lambda each: (each.cost.middle, -each.worth.middle)):
        if not found or each.worth.middle > found[-1].worth.middle:
            found.append(each)
    return found


def alike(options: Sequence[Option]) -> list[Option]:
    """Take together options that are worth the same, since they decide alike: the frozen one stands for them, else the cheapest.

    Of a model's options, the one that stands for the most is called by the model's name.
    """
    groups: dict[tuple[float, float, float], list[Option]] = {}
    for each in options:
        groups.setdefault((each.worth.low, each.worth.middle, each.worth.high), []).append(each)
    found: dict[str, Option] = {}
    for group in sorted(groups.values(), key=len, reverse=True):
        shown = min(group, key=lambda each: (not each.is_frozen, bool(each.why_not), each.cost.middle, each.name))
        models = {each.name.partition(".")[0] for each in group}
        name = models.pop() if len(models) == 1 else shown.name
        found[shown.name if name in found else name] = shown
    return [replace(each, name=name) for name, each in found.items()]
