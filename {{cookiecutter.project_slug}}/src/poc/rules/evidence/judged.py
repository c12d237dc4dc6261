"""What was judged: money, limits, variants on dev, the candidate on the sealed rows, and where it was registered."""

from __future__ import annotations

from poc.rules.evidence.counted import Confusion, Counted
from poc.rules.evidence.record import Outcome, Record


class Interval(Record):
    """An estimate with its bounds."""

    low: float
    middle: float
    high: float


class Swing(Record):
    """A bar of the tornado: what the money would be if one thing lay at its low or high end and all else where it is expected."""

    name: str
    low: float
    high: float
    unit: str
    at_low: float
    at_high: float


class BreakEven(Record):
    """The value of a cost at which the model is worth exactly what today's process is worth; NaN where none is."""

    name: str
    value: float
    unit: str


#: Names of the limits on money: against today's process, and before the name of each policy that needs no model.
MONEY, MONEY_AGAINST = "money", "money against "
#: Names of the limits that are measured on a machine, and prove nothing on another one; where the charter names several, each has " on " and a name behind it.
OF_THE_MACHINE, ON = ("latency_p99", "memory", "monthly_budget"), " on "
#: The one limit on a file.
MODEL_SIZE = "model_size"


class Money(Record):
    """Money per period by which a model beats today's process, its run cost paid; positive means better.

    `minimum` is the least that was agreed. `against` holds the same against policies that need no model; `level` is the share of draws inside
    each interval. `expected` is the mean, around which `tornado` swings, widest first. `perfect_model` is the mean of a model without errors.
    """

    currency: str
    period: str
    per_period: Interval
    level: float
    chance_of_loss: float
    minimum: float
    chance_of_minimum: float
    against: dict[str, Interval]
    expected: float
    tornado: list[Swing]
    break_even: BreakEven
    perfect_model: float


class CurvePoint(Record):
    """What alerting from a probability on would be worth per period against today's process, and its errors, on open rows."""

    threshold: float
    missed_share: float
    false_alarm_share: float
    money: Interval


class LimitVerdict(Record):
    """One limit of the charter, judged."""

    name: str
    verdict: Outcome
    measured: float
    low: float
    high: float
    limit: float
    unit: str
    why: str


class Assessment(Record):
    """One variant on dev: money, limits as measured, and whether it is expected to meet them all, or in a few words what speaks against it.

    `expected_p99_ms` is what its own speed and the charter's rate predict, whatever else the machine did meanwhile; NaN if it was not timed.
    `monthly_cost` is in whole machines, `cost_per_million` of calls; both on the dearest target, and infinite where it was not timed.
    """

    variant: str
    counted: Counted
    money: Money
    limits: list[LimitVerdict]
    chance_of_go: float
    is_expected_to_pass: bool
    why_not: str = ""
    expected_p99_ms: float
    cpu_us_per_call: float
    monthly_cost: Interval
    cost_per_million: Interval


class AtHalf(Record):
    """The frozen variant on dev at the usual threshold of 0.5, judged as if that had been chosen: what accuracy alone would have hidden."""

    accuracy: float
    confusion: Confusion
    limits: list[LimitVerdict]
    money: Interval
    overall: Outcome


class Evaluation(Record):
    """What `evaluate` found and froze.

    Where a threshold decides, `curve` and `at_half` are of the frozen variant on dev, and `threshold_by_costs` is where costs alone would alert.
    """

    assessments: list[Assessment]
    frozen: str
    why: str
    at_half: AtHalf | None
    curve: list[CurvePoint]
    threshold_by_costs: float | None


class Verdict(Record):
    """What `gate` found on the sealed set: per limit, in money, and overall the worst; `first_look_at` is when anybody first looked at its rows (UTC)."""

    overall: Outcome
    limits: list[LimitVerdict]
    money: Money
    counted: Counted
    candidate_sha256: str
    sealed_sha256: str
    look: int
    looks_allowed: int
    repeated: bool
    first_look_at: str = ""
    unproven: list[str]


class Version(Record):
    """Where the registered version stands."""

    model: str
    version: str
    run_id: str
    verdict: Outcome
    alias: str | None
    model_sha256: str
    run_url: str
    version_url: str
