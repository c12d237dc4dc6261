"""What the sponsor agreed: the charter's sections, each checked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter

from poc.rules.charter_fields import (
    CURRENCY,
    SLUG,
    TARGET,
    Count,
    Day,
    Email,
    Money,
    Name,
    OpenShare,
    Quantity,
    Range,
    Section,
    Sentence,
    Share,
    ShareRange,
    UnitRange,
)

Role = Literal["sponsor", "owner", "user_representative", "risk", "builder"]
ClassName = Annotated[str, Field(min_length=1, max_length=80)]
#: Short enough for a cell of a table.
Called = Annotated[Name, Field(max_length=30)]


class Decision(Section):
    """What is decided, by whom, and what happens then."""

    question: Sentence
    decider: Sentence
    on_alert: Sentence
    fallback: Sentence


class Person(Section):
    """Somebody with a part in the decision."""

    role: Role
    name: Name
    title: Name
    email: Email
    deputy: Email | None = None


class Baseline(Section):
    """Today's process, measured on the same kind of rows."""

    process: Sentence
    measured_on: Day
    evidence: Sentence


class BinaryBaseline(Baseline):
    """Today's errors: of the positives the share missed, of the others the share flagged."""

    missed_share: Share
    false_alarm_share: Share


class MulticlassBaseline(Baseline):
    """Today's decisions: of the rows of each class, which share is decided as each class."""

    decided_shares: dict[ClassName, dict[ClassName, Share]]


class AmountBaseline(Baseline):
    """Today's estimates: mean units over and under per decision, and the share that is off by more than `limits.tolerance`."""

    mean_over: Quantity
    mean_under: Quantity
    beyond_tolerance_share: Share


class Value(Section):
    """Money: how many decisions there are per period, and what running the model costs."""

    currency: Annotated[str, Field(pattern=CURRENCY)]
    period: Literal["month", "quarter", "year"]
    decisions_per_period: Range
    run_cost_per_period: Money
    useful_life_periods: Annotated[Count, Field(ge=1, le=120)]


class BinaryValue(Value):
    """What a miss, a false alarm and a catch cost, and how many of the decisions are about a positive."""

    positive_share: ShareRange
    cost_missed: Range
    cost_false_alarm: Range
    cost_per_catch: Range


class MulticlassValue(Value):
    """How often each class occurs, and the cost matrix: what it costs to decide a row of one class as each class."""

    class_shares: dict[ClassName, ShareRange]
    costs: dict[ClassName, dict[ClassName, Range]]


class AmountValue(Value):
    """What each unit too many and each unit too few costs."""

    unit: Name
    cost_per_unit_over: UnitRange
    cost_per_unit_under: UnitRange


class Hardware(Section):
    """A machine that production will have; where there are several, each has a name."""

    name: Annotated[str, Field(pattern=TARGET)] | None = None
    architecture: Literal["x86_64", "arm64"]
    cores: Annotated[Count, Field(ge=1, le=256)]
    memory_mb: Annotated[Count, Field(ge=64, le=100_000_000)]
    instruction_sets: list[str] = []
    monthly_cost: Money


def _as_list(given: object) -> object:
    """Read one machine as a list of one."""
    return given if isinstance(given, list) else [given]


#: In the file one machine, as it was before there could be several, or a list of them.
Targets = Annotated[list[Hardware], Field(min_length=1, max_length=12), BeforeValidator(_as_list, json_schema_input_type=Hardware | list[Hardware])]


class Limits(Section):
    """What the result must keep, each shown at the stated confidence, on every machine that is named."""

    confidence: Annotated[Decimal, Field(ge=Decimal("0.8"), le=Decimal("0.999"))]
    latency_p99_ms: Annotated[Decimal, Field(gt=0, le=3_600_000)]
    arrivals_per_second: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    hardware: Targets
    memory_mb: Annotated[Count, Field(gt=0, le=100_000_000)]
    model_mb: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    monthly_budget: Money


class BinaryLimits(Limits):
    """The largest share of positives missed, and of others flagged."""

    missed_share: OpenShare
    false_alarm_share: OpenShare


class MulticlassLimits(Limits):
    """For the classes that matter: the largest share of its rows that may be decided as another class."""

    missed_share: Annotated[dict[ClassName, OpenShare], Field(min_length=1)]


class AmountLimits(Limits):
    """The largest share of estimates that may be off by more than the tolerance, in the unit of the target."""

    tolerance: Annotated[Quantity, Field(gt=0)]
    beyond_tolerance_share: OpenShare


class Join(Section):
    """Readings that arrive on a way of their own: which columns they share with the rows, when each was true, and when it was there to be used."""

    source: Annotated[str, Field(min_length=1)]
    by: Annotated[list[str], Field(min_length=1)]
    event_time: Annotated[str, Field(min_length=1)]
    arrived_time: Annotated[str, Field(min_length=1)]


class Data(Section):
    """Where the rows come from and how they are split."""

    source: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)]
    key: str | None = None
    time: str | None = None
    group: str | None = None
    joins: list[Join] = []
    why_rows_may_repeat: Sentence | None = None
    sealed_share: Annotated[Decimal, Field(ge=Decimal("0.05"), le=Decimal("0.8"))]
    dev_share: Annotated[Decimal, Field(ge=Decimal("0.05"), le=Decimal("0.5"))]
    split_seed: Annotated[Count, Field(ge=0, lt=2**32)]


#: What positives and others are called where the charter does not say.
UNNAMED = "cases to catch", "other cases"


class BinaryData(Data):
    """Which value of the target means yes, and what people call such rows and the others: "faulty parts", "good parts"."""

    positive: str
    positives_are_called: Called | None = None
    others_are_called: Called | None = None

    @property
    def called(self) -> tuple[str, str]:
        """Return what people call the cases that the model is to find, and all others; both in the plural."""
        return self.positives_are_called or UNNAMED[0], self.others_are_called or UNNAMED[1]


class MulticlassData(Data):
    """Which values the target has."""

    classes: Annotated[list[ClassName], Field(min_length=3, max_length=50)]


class Feature(Section):
    """One column that a model may use, and when it arrives."""

    name: Annotated[str, Field(min_length=1)]
    kind: Literal["number", "category"]
    source: Sentence
    available: Literal["at_request", "streamed", "batch", "after_the_fact"]
    delay_seconds: Annotated[Count, Field(ge=0, le=10**9)] = 0
    max_age_seconds: Annotated[Count, Field(ge=0, le=10**9)] | None = None
    owner: Email
    why_it_may_decide_alone: Sentence | None = None
    why_it_is_known_in_time: Sentence | None = None


class Stage(Section):
    """A place on the way to production, what it must show and who signs."""

    name: Literal["charter", "shadow", "pilot", "production"]
    question: Sentence
    evidence: list[Name]
    signers: Annotated[list[Literal["sponsor", "owner", "user_representative", "risk"]], Field(min_length=1)]
    valid_days: Annotated[Count, Field(ge=1, le=366)]


class Sprint(Section):
    """A dated bet with a budget."""

    number: Annotated[Count, Field(ge=1)]
    starts: Day
    review: Day
    budget: Money
    bet: Sentence


class Timebox(Section):
    """When it ends, whatever happens."""

    decision_date: Day
    sprints: Annotated[list[Sprint], Field(min_length=1, max_length=8)]
    kill_criteria: Annotated[list[Sentence], Field(min_length=1)]
    minimum_value_per_period: Money
    looks: Annotated[Count, Field(ge=1, le=10)]


class Charter(Section):
    """The whole agreement; each kind of problem has its own baseline, value, limits and data."""

    schema_version: Literal[1]
    project: Annotated[str, Field(pattern=SLUG)]
    version: Annotated[Count, Field(ge=1, le=10**6)]
    problem: Literal["binary", "multiclass", "regression", "count"]
    decision: Decision
    people: Annotated[list[Person], Field(min_length=1)]
    baseline: Baseline
    value: Value
    limits: Limits
    data: Data
    features: Annotated[list[Feature], Field(min_length=1)]
    stages: Annotated[list[Stage], Field(min_length=1)]
    timebox: Timebox

    def feature_names(self) -> list[str]:
        """List the declared columns, in the charter's order."""
        return [feature.name for feature in self.features]

    def sponsor(self) -> Person:
        """Return the one sponsor."""
        return next(person for person in self.people if person.role == "sponsor")


class BinaryCharter(Charter):
    """A charter about yes or no."""

    problem: Literal["binary"]
    baseline: BinaryBaseline
    value: BinaryValue
    limits: BinaryLimits
    data: BinaryData


class MulticlassCharter(Charter):
    """A charter about one of several classes."""

    problem: Literal["multiclass"]
    baseline: MulticlassBaseline
    value: MulticlassValue
    limits: MulticlassLimits
    data: MulticlassData


class AmountCharter(Charter):
    """A charter about how much (regression) or how many (count)."""

    problem: Literal["regression", "count"]
    baseline: AmountBaseline
    value: AmountValue
    limits: AmountLimits


AnyCharter = Annotated[BinaryCharter | MulticlassCharter | AmountCharter, Field(discriminator="problem")]
#: The kind of charter for each kind of problem.
CHARTERS: Mapping[str, type[Charter]] = {"binary": BinaryCharter, "multiclass": MulticlassCharter, "regression": AmountCharter, "count": AmountCharter}


def parse_charter(json: bytes) -> Charter:
    """Read a charter back from JSON.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return TypeAdapter[Charter](AnyCharter).validate_json(json)
