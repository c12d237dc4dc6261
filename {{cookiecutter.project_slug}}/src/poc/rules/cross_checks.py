"""Whether the charter contradicts itself: what no single field can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from poc.errors import Problem
from poc.rules.charter import Charter, perfect_saving_per_period


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
