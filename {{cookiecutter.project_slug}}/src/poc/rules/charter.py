"""What the sponsor agreed: the charter's fields, each checked by itself."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

#: Line breaks and control characters change the files they land in, format characters (direction marks, zero-width spaces) how these read.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: They shape letters of many scripts, and emoji: invisible anywhere else.
JOINERS = "\u200c\u200d"
JOINED = {"L", "M", "S"}
#: Letters and a symbol by category, blank on paper: fillers of Hangul, and the empty pattern of Braille.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"

EMAIL = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"
SLUG = "^[a-z][a-z0-9-]{1,38}[a-z0-9]$"
CURRENCY = "^[A-Z]{3}$"
#: What each form is in words, and an example.
FORMS = {
    EMAIL: ("an e-mail address", "name@company.example"),
    SLUG: ("3 to 40 lower-case letters, digits and hyphens that begin with a letter and end with a letter or digit", "line-stop"),
    CURRENCY: ("a code of three capital letters", "EUR"),
}


def is_printable(text: str) -> bool:
    """Say whether all of a text can be seen, on one line; the template's first hook asks the same of the answers."""
    kinds = ["", *map(unicodedata.category, text), ""]
    return not any(
        letter in BLANKS or (kind in UNPRINTABLE and not (letter in JOINERS and before[:1] in JOINED and after[:1] in JOINED))
        for letter, before, kind, after in zip(text, kinds, kinds[1:], kinds[2:], strict=False)
    )


def _readable(text: str) -> str:
    """Refuse text that is not what it seems to be, or says nothing."""
    if not is_printable(text):
        raise PydanticCustomError("unprintable", "holds a line break or an invisible character")
    if not any(map(str.isalnum, text)):
        raise PydanticCustomError("wordless", "holds no letter and no digit")
    return text


def _not_a_number(value: object) -> object:
    """Refuse a number where a date belongs: pydantic would read it as seconds since 1970."""
    if isinstance(value, bool | int | float | Decimal):
        raise ValueError("a date is written YYYY-MM-DD")
    return value


Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Day = Annotated[date, BeforeValidator(_not_a_number)]
Count = Annotated[int, Field(strict=True)]  # strict: else `true` would be read as 1
Share = Annotated[Decimal, Field(ge=0, le=1)]
OpenShare = Annotated[Decimal, Field(gt=0, lt=1)]
# Blanks around it are not part of a text, and count for no length.
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=15, max_length=600), AfterValidator(_readable)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_readable)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=EMAIL), AfterValidator(_readable)]
Role = Literal["sponsor", "owner", "user_representative", "risk", "builder"]


class Section(BaseModel):
    """A part of the charter; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Section):
    """What a person knows of a number: likely, and how low or high it may be."""

    low: Money
    likely: Money
    high: Money

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        _check_order(self.low, self.likely, self.high)
        return self


class ShareRange(Section):
    """What a person knows of a share between 0 and 1."""

    low: Share
    likely: Share
    high: Share

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        _check_order(self.low, self.likely, self.high)
        return self


def _check_order(low: Decimal, likely: Decimal, high: Decimal) -> None:
    if not low <= likely <= high:
        raise ValueError(f"low {low}, likely {likely}, high {high}: they must not fall")


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
    missed_share: Share
    false_alarm_share: Share
    measured_on: Day
    evidence: Sentence


class Value(Section):
    """Money: what a decision costs and how many there are, per period."""

    currency: Annotated[str, Field(pattern=CURRENCY)]
    period: Literal["month", "quarter", "year"]
    decisions_per_period: Range
    positive_share: ShareRange
    cost_missed: Range
    cost_false_alarm: Range
    cost_per_catch: Range
    run_cost_per_period: Money
    useful_life_periods: Annotated[Count, Field(ge=1, le=120)]


class Hardware(Section):
    """The machine that production will have."""

    architecture: Literal["x86_64", "arm64"]
    cores: Annotated[Count, Field(ge=1, le=256)]
    memory_mb: Annotated[Count, Field(ge=64, le=100_000_000)]
    instruction_sets: list[str] = []
    monthly_cost: Money


class Limits(Section):
    """What the result must keep, each shown at the stated confidence."""

    missed_share: OpenShare
    false_alarm_share: OpenShare
    confidence: Annotated[Decimal, Field(ge=Decimal("0.5"), le=Decimal("0.999"))]
    latency_p99_ms: Annotated[Decimal, Field(gt=0, le=3_600_000)]
    arrivals_per_second: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    hardware: Hardware
    memory_mb: Annotated[Count, Field(gt=0, le=100_000_000)]
    model_mb: Annotated[Decimal, Field(gt=0, le=1_000_000)]
    monthly_budget: Money


class Data(Section):
    """Where the rows come from and how they are split."""

    source: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)]
    positive: str
    key: str | None = None
    time: str | None = None
    group: str | None = None
    why_rows_may_repeat: Sentence | None = None
    sealed_share: Annotated[Decimal, Field(ge=Decimal("0.05"), le=Decimal("0.8"))]
    dev_share: Annotated[Decimal, Field(ge=Decimal("0.05"), le=Decimal("0.5"))]
    split_seed: Annotated[Count, Field(ge=0, lt=2**32)]


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
    """The whole agreement."""

    schema_version: Literal[1]
    project: Annotated[str, Field(pattern=SLUG)]
    version: Annotated[Count, Field(ge=1, le=10**6)]
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


def perfect_saving_per_period(charter: Charter) -> Decimal:
    """Return what a model without any error saves against today's process per period, before its run cost, at the likely values.

    Today a positive costs a miss or a catch, a negative sometimes a false alarm; a perfect model leaves one catch per positive. The
    difference is decisions * (positives * missed share * (miss - catch) + negatives * false-alarm share * false alarm).
    """
    value, today = charter.value, charter.baseline
    positives = value.positive_share.likely
    avoided_misses = positives * today.missed_share * (value.cost_missed.likely - value.cost_per_catch.likely)
    avoided_alarms = (1 - positives) * today.false_alarm_share * value.cost_false_alarm.likely
    return value.decisions_per_period.likely * (avoided_misses + avoided_alarms)
