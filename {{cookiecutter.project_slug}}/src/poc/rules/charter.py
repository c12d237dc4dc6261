"""What the sponsor agreed: the charter's fields and the checks across them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from poc.errors import Problem

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


def check_charter(charter: Charter) -> list[Problem]:
    """Check what no single field can show; each problem says where in dotted words, such as `limits.missed_share`.

    Where sections are missing, as in a charter half of which is not valid, the checks that need them are left out.
    """
    checks = {
        _people: ["people"],
        _limits: ["limits", "baseline"],
        _columns: ["data", "features"],
        _features: ["features"],
        _stages: ["stages", "people"],
        _sprints: ["timebox"],
        _money: ["value", "baseline", "timebox"],
    }
    return [problem for check, needed in checks.items() if all(hasattr(charter, section) for section in needed) for problem in check(charter)]


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


def _people(charter: Charter) -> Iterator[Problem]:
    sponsors = {person.email.lower() for person in charter.people if person.role == "sponsor"}
    deputies = {person.deputy.lower() for person in charter.people if person.role == "sponsor" and person.deputy}
    named = sum(person.role == "sponsor" for person in charter.people)
    if named != 1:
        yield Problem(
            what=f"{named} people have the role sponsor; exactly one must", where="people", fix="name the one executive who can say stop and who pays"
        )
    for number, person in enumerate(charter.people):
        if person.role == "builder" and person.email.lower() in sponsors:
            yield Problem(
                what=f"{person.name} is sponsor and builder: nobody signs off their own work",
                where=f"people.{number}.email",
                fix="name another sponsor, or another builder",
            )
        if person.role == "builder" and person.email.lower() in deputies:
            yield Problem(
                what=f"{person.name} is the sponsor's deputy and a builder: nobody signs off their own work",
                where=f"people.{number}.email",
                fix="name another deputy",
            )


def _limits(charter: Charter) -> Iterator[Problem]:
    limits, today = charter.limits, charter.baseline
    if limits.missed_share >= today.missed_share and limits.false_alarm_share >= today.false_alarm_share:
        yield Problem(
            what=f"the limits allow {limits.missed_share} missed and {limits.false_alarm_share} false alarms; "
            f"today's process already keeps {today.missed_share} and {today.false_alarm_share}",
            where="limits.missed_share",
            fix="ask for less than today on at least one of the two",
        )
    if limits.hardware.monthly_cost > limits.monthly_budget:
        yield Problem(
            what=f"one machine costs {limits.hardware.monthly_cost} a month, the budget is {limits.monthly_budget}",
            where="limits.hardware.monthly_cost",
            fix="choose a smaller machine, or agree a larger limits.monthly_budget",
        )
    if limits.memory_mb > limits.hardware.memory_mb:
        yield Problem(
            what=f"{limits.memory_mb} MB are allowed on a machine that has {limits.hardware.memory_mb} MB",
            where="limits.memory_mb",
            fix="allow no more than limits.hardware.memory_mb",
        )


def _columns(charter: Charter) -> Iterator[Problem]:
    roles = {column: role for role in ("target", "key", "time", "group") if (column := getattr(charter.data, role))}
    seen = Counter(charter.feature_names())
    for number, feature in enumerate(charter.features):
        if feature.name in roles:
            yield Problem(
                what=f"column {feature.name!r} is data.{roles[feature.name]}: a model must not see it",
                where=f"features.{number}.name",
                fix="take it out of the features",
            )
        if seen[feature.name] > 1 and charter.feature_names().index(feature.name) != number:
            yield Problem(what=f"feature {feature.name!r} is declared twice", where=f"features.{number}.name", fix="keep one of the two")
        if feature.name == "probability":
            yield Problem(
                what="a feature cannot be called 'probability': that is the name of the answer",
                where=f"features.{number}.name",
                fix="rename the column in the source",
            )
    for role in ("key", "time", "group"):
        if getattr(charter.data, role) == charter.data.target:
            yield Problem(
                what=f"column {charter.data.target!r} is both data.target and data.{role}",
                where=f"data.{role}",
                fix=f"name another column, or leave data.{role} out",
            )


def _features(charter: Charter) -> Iterator[Problem]:
    for number, feature in enumerate(charter.features):
        where = f"features.{number}"
        if feature.available == "after_the_fact":
            yield Problem(
                what=f"feature {feature.name!r} is known only after the decision: a model cannot use it",
                where=f"{where}.available",
                fix="take it out of the features",
            )
        if feature.available == "batch" and feature.max_age_seconds is None:
            yield Problem(
                what=f"feature {feature.name!r} comes by batch and does not say how old it may be", where=f"{where}.max_age_seconds", fix="add max_age_seconds"
            )
        elif feature.max_age_seconds is not None and feature.delay_seconds > feature.max_age_seconds:
            yield Problem(
                what=f"feature {feature.name!r} arrives {feature.delay_seconds} s late but may be at most {feature.max_age_seconds} s old",
                where=f"{where}.delay_seconds",
                fix="get it sooner, allow it to be older, or do without it",
            )


def _stages(charter: Charter) -> Iterator[Problem]:
    order = ["charter", "shadow", "pilot", "production"]
    if (found := [stage.name for stage in charter.stages]) != order:
        yield Problem(what=f"the stages are {', '.join(found)}; they must be {', '.join(order)}", where="stages", fix="list all four, in this order")
    roles = {person.role for person in charter.people}
    for number, stage in enumerate(charter.stages):
        for role in stage.signers:
            if role not in roles:
                yield Problem(
                    what=f"nobody has the role {role}, who is to sign stage {stage.name}",
                    where=f"stages.{number}.signers",
                    fix=f"name a {role} under people, or another signer",
                )
        if stage.name in ("charter", "production") and "sponsor" not in stage.signers:
            yield Problem(
                what=f"the sponsor does not sign stage {stage.name}",
                where=f"stages.{number}.signers",
                fix="add sponsor: the start and the release are the sponsor's decisions",
            )


def _sprints(charter: Charter) -> Iterator[Problem]:
    sprints = charter.timebox.sprints
    for number, sprint in enumerate(sprints):
        where = f"timebox.sprints.{number}"
        if sprint.number != number + 1:
            yield Problem(what=f"sprint {sprint.number} stands where sprint {number + 1} belongs", where=f"{where}.number", fix="number them 1, 2, 3 in order")
        if sprint.review <= sprint.starts:
            yield Problem(
                what=f"sprint {sprint.number} is reviewed on {sprint.review}, not after it starts on {sprint.starts}",
                where=f"{where}.review",
                fix="put the review after the start",
            )
    for number, (one, following) in enumerate(pairwise(sprints), start=1):
        if following.starts < one.review:
            yield Problem(
                what=f"sprint {following.number} starts on {following.starts}, before the review of {one.review}",
                where=f"timebox.sprints.{number}.starts",
                fix="start after the review: it may say stop",
            )
    if sprints[-1].review > charter.timebox.decision_date:
        yield Problem(
            what=f"the last review, {sprints[-1].review}, is after the decision on {charter.timebox.decision_date}",
            where=f"timebox.sprints.{len(sprints) - 1}.review",
            fix="drop a sprint; moving the decision date needs the sponsor",
        )


def _money(charter: Charter) -> Iterator[Problem]:
    value, periods = charter.value, charter.value.useful_life_periods
    saves = perfect_saving_per_period(charter) * periods
    sprints = sum((sprint.budget for sprint in charter.timebox.sprints), Decimal(0))
    runs = value.run_cost_per_period * periods
    if saves <= sprints + runs:
        yield Problem(
            what=f"even a perfect model saves {saves:,.0f} {value.currency} over its useful life and costs {sprints + runs:,.0f}: do not start. "
            f"It saves {saves / periods:,.0f} a {value.period} against today's process, for {periods} {value.period}s; "
            f"the sprints cost {sprints:,.0f}, running it {periods} times {value.run_cost_per_period:,.0f}",
            where="value",
            fix="spend less, or decide something that matters more",
        )
