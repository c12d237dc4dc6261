"""Whether the charter contradicts itself: what no single field can show."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from poc.errors import Problem
from poc.rules.answers import OUTPUTS
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter, Person
from poc.rules.signable import signable
from poc.rules.worth_starting import worth_starting

#: How far written shares may be from adding up to 1: they were rounded.
ROUNDED = Decimal("0.005")


def check_charter(charter: Charter) -> list[Problem]:
    """Check what no single field can show; each problem says where in dotted words, such as `limits.missed_share`.

    Where sections are missing, as in a charter half of which is not valid, the checks that need them are left out.
    """
    checks = {
        _people: ["people"],
        _limits: ["limits"],
        _targets: ["limits"],
        _ambition: ["limits", "baseline"],
        _classes: ["data", "value", "baseline"],
        _limited_classes: ["data", "limits"],
        _columns: ["data", "features"],
        _joins: ["data"],
        _features: ["features"],
        _stages: ["stages", "people"],
        signable: ["stages", "people"],
        _sprints: ["timebox"],
        _measured: ["baseline", "timebox"],
        _money: ["value", "baseline", "timebox", "data"],
    }
    return [problem for check, needed in checks.items() if all(hasattr(charter, section) for section in needed) for problem in check(charter)]


def _people(charter: Charter) -> Iterator[Problem]:
    sponsors = [person for person in charter.people if person.role == "sponsor"]
    if len(sponsors) != 1:
        yield Problem(
            what=f"{len(sponsors)} people have the role sponsor; exactly one must", where="people", fix="name the one executive who can say stop and who pays"
        )
    addresses = {person.deputy.lower() for person in sponsors if person.deputy}
    deputies = [person for person in charter.people if person.email.lower() in addresses and person.role != "builder"]
    for number, person in enumerate(charter.people):
        if person.role != "builder":
            continue
        for part, others, theirs in (("sponsor", sponsors, {other.email.lower() for other in sponsors}), ("the sponsor's deputy", deputies, addresses)):
            if person.email.lower() in theirs:
                yield Problem(
                    what=f"{person.name} is {part} and builder: nobody signs off their own work",
                    where=f"people.{number}.email",
                    fix="name another builder, or another " + part.removeprefix("the sponsor's "),
                )
            elif _name_of(person) in map(_name_of, others):
                yield Problem(
                    what=f"{person.name} is {part} and builder, under two addresses: nobody signs off their own work",
                    where=f"people.{number}.name",
                    fix="name another builder; if these are two people of one name, tell them apart by an initial",
                )


def _name_of(person: Person) -> str:
    """Return a name as it is compared, however it was typed."""
    return " ".join(unicodedata.normalize("NFKC", person.name).casefold().split())


def _limits(charter: Charter) -> Iterator[Problem]:
    limits, several = charter.limits, len(charter.limits.hardware) > 1
    for number, target in enumerate(limits.hardware):
        called, where = (f", {target.name},", f"limits.hardware.{number}") if several and target.name else ("", "limits.hardware")
        if target.monthly_cost > limits.monthly_budget:
            yield Problem(
                what=f"one machine{called} costs {target.monthly_cost} a month, the budget is {limits.monthly_budget}",
                where=f"{where}.monthly_cost",
                fix="choose a smaller machine, or agree a larger limits.monthly_budget",
            )
        if limits.memory_mb > target.memory_mb:
            yield Problem(
                what=f"{limits.memory_mb} MB are allowed on a machine{called} that has {target.memory_mb} MB",
                where="limits.memory_mb",
                fix="allow no more than limits.hardware.memory_mb",
            )


def _targets(charter: Charter) -> Iterator[Problem]:
    """Refuse several machines that cannot be told apart: each has a report of its own, by its name."""
    targets = charter.limits.hardware
    names = [target.name for target in targets]
    for number, name in enumerate(names):
        if len(targets) > 1 and not name:
            yield Problem(what=f"machine {number + 1} of {len(targets)} has no name", where=f"limits.hardware.{number}", fix="add a name, such as edge-box")
        elif name in names[:number]:
            yield Problem(what=f"two machines are called {name!r}", where=f"limits.hardware.{number}.name", fix="call one of them something else")


def _ambition(charter: Charter) -> Iterator[Problem]:
    """Refuse limits that today's process already keeps: nothing would be won."""
    allowed, today, where = _limits_and_today(charter)
    if allowed and all(limit >= today[name] for name, limit in allowed.items()):
        limits, kept = (" and ".join(f"{share} {name}" for name, share in shares.items()) for shares in (allowed, {name: today[name] for name in allowed}))
        yield Problem(
            what=f"the limits allow {limits}; today's process already keeps {kept}",
            where=where,
            fix="ask for less than today" + (" on at least one of them" if len(allowed) > 1 else ""),
        )


def _limits_and_today(charter: Charter) -> tuple[dict[str, Decimal], dict[str, Decimal], str]:
    """Return each limited share and today's, by name, and where the first limit stands."""
    match charter:
        case BinaryCharter(limits=limits, baseline=today):
            return (
                {"missed": limits.missed_share, "false alarms": limits.false_alarm_share},
                {"missed": today.missed_share, "false alarms": today.false_alarm_share},
                "limits.missed_share",
            )
        case MulticlassCharter(limits=limits, baseline=today):
            right = {name: today.decided_shares.get(name, {}).get(name, Decimal(0)) for name in limits.missed_share}
            return (
                {f"of {name} missed": share for name, share in limits.missed_share.items()},
                {f"of {name} missed": 1 - share for name, share in right.items()},
                "limits.missed_share",
            )
        case AmountCharter(limits=limits, baseline=today):
            name = "beyond the tolerance"
            return {name: limits.beyond_tolerance_share}, {name: today.beyond_tolerance_share}, "limits.beyond_tolerance_share"
    return {}, {}, "limits"


def _classes(charter: Charter) -> Iterator[Problem]:
    """Check that every section of a multiclass charter speaks of the same classes, and that shares add up."""
    if not isinstance(charter, MulticlassCharter):
        return
    names, value, today = charter.data.classes, charter.value, charter.baseline.decided_shares
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        yield Problem(what=f"{', '.join(map(repr, repeated))} stands in the list of classes twice", where="data.classes", fix="name each class once")
    yield from _other_classes("value.class_shares", value.class_shares, names)
    for where, matrix in (("value.costs", value.costs), ("baseline.decided_shares", today)):
        yield from _other_classes(where, matrix, names)
        for true, row in matrix.items():
            yield from _other_classes(f"{where}.{true}", row, names)
    sums = {"value.class_shares": sum((known.likely for known in value.class_shares.values()), Decimal(0))}
    sums |= {f"baseline.decided_shares.{true}": sum(row.values(), Decimal(0)) for true, row in today.items()}
    for where, total in sums.items():
        if abs(total - 1) > ROUNDED:
            yield Problem(what=f"the shares add up to {total}, not to 1", where=where, fix="correct them: every row is of one class and is decided as one")


def _limited_classes(charter: Charter) -> Iterator[Problem]:
    if isinstance(charter, MulticlassCharter):
        names = charter.data.classes
        for name in charter.limits.missed_share:
            if name not in names:
                yield Problem(what=f"{name!r} is not one of the classes {', '.join(names)}", where="limits.missed_share", fix="name a class of data.classes")


def _other_classes(where: str, given: Iterable[str], names: list[str]) -> Iterator[Problem]:
    found = list(given)
    if missing := [name for name in names if name not in found]:
        yield Problem(what=f"nothing is said of {', '.join(map(repr, missing))}", where=where, fix="add an entry for every class of data.classes")
    if unknown := [name for name in found if name not in names]:
        yield Problem(what=f"{', '.join(map(repr, unknown))} is not one of data.classes", where=where, fix="take it out, or add it to data.classes")


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
        if feature.name == OUTPUTS.get(getattr(charter, "problem", ""), "probability"):
            yield Problem(
                what=f"a feature cannot be called {feature.name!r}: that is the name of the answer",
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


def _joins(charter: Charter) -> Iterator[Problem]:
    data = charter.data
    if data.joins and not data.time:
        yield Problem(
            what="readings are joined, but it is not said when a row is decided: nobody knows which had arrived by then",
            where="data.joins",
            fix="add data.time, the column that holds the moment of the decision",
        )
    for number, join in enumerate(data.joins):
        where = f"data.joins.{number}"
        if join.event_time == join.arrived_time:
            yield Problem(
                what=f"{join.event_time!r} is both event_time and arrived_time: readings would be used before they arrive",
                where=f"{where}.arrived_time",
                fix="name the column that says when a reading could first be used; where none does, add the delay to the event in the source",
            )
        taken = {data.target: "data.target", data.time: "data.time", join.event_time: "event_time", join.arrived_time: "arrived_time"}
        for column in join.by:
            if column in taken:
                yield Problem(
                    what=f"{column!r} is {taken[column]}: readings are not matched by it",
                    where=f"{where}.by",
                    fix="name what rows and readings share, such as the line",
                )
        if repeated := [column for column, times in Counter(join.by).items() if times > 1]:
            yield Problem(what=f"{repeated[0]!r} is named twice", where=f"{where}.by", fix="name each column once")


def _features(charter: Charter) -> Iterator[Problem]:
    for number, feature in enumerate(charter.features):
        where = f"features.{number}"
        if feature.available == "after_the_fact":
            yield Problem(
                what=f"feature {feature.name!r} is known only after the decision: a model cannot use it",
                where=f"{where}.available",
                fix="take it out of the features",
            )
        if feature.why_it_is_known_in_time and (feature.available == "at_request" or feature.delay_seconds == 0):
            comes = "with the request" if feature.available == "at_request" else "without delay"
            yield Problem(
                what=f"feature {feature.name!r} says why it is known in time, and comes {comes}",
                where=f"{where}.why_it_is_known_in_time",
                fix="take the sentence out, or declare how and how late it arrives",
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
    if not any(_classes(charter)):  # else what it costs to decide a class cannot be looked up
        yield from worth_starting(charter)


def _measured(charter: Charter) -> Iterator[Problem]:
    measured, begins = charter.baseline.measured_on, min(sprint.starts for sprint in charter.timebox.sprints)
    if measured > begins:
        yield Problem(
            what=f"today's process is measured on {measured}, after the first sprint starts on {begins}: then it is no baseline",
            where="baseline.measured_on",
            fix="measure before you start, or start later",
        )
