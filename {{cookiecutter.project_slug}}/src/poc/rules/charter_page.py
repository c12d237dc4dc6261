"""The charter as one page of plain sentences, to be read aloud and signed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from poc.rules.agreed_figures import at_most, base_for, duration, ends, of, percent, plain, range_of, several, times
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, Feature, Hardware, MulticlassCharter, Role
from poc.rules.counts import LimitedShare, limited_shares
from poc.rules.sealed_rows import rows_needed
from poc.rules.stakes import perfect_saving_per_period
from poc.rules.words import listed, sentence

WIDTH = 100
#: What each role does, in a sponsor's words.
PARTS: dict[Role, str] = {
    "sponsor": "Pays, and can say stop",
    "owner": "Owns the result",
    "user_representative": "Speaks for those who use it",
    "risk": "Guards against harm",
    "builder": "Builds it",
}
ABOUT = {"binary": "yes or no", "multiclass": "one of several classes", "regression": "how much", "count": "how many"}
#: Domains that are reserved for examples (RFC 2606 and 6761): nobody can be reached there, or sign from there.
EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")


def charter_page(charter: Charter) -> str:
    """Return what is agreed, in sentences of at most `WIDTH` columns a line; every number of the charter stands in it as agreed."""
    sections: dict[str, Callable[[Charter], Iterable[str]]] = {
        "What is decided": _decision,
        "Who": _people,
        "Today": _today,
        "What errors cost": _costs,
        "What it is worth at best": _worth,
        "What it must keep": _limits,
        "On which machine": _machine,
        "The rows": _rows,
        "What a model may see, and nothing that is known only after the decision": _features,
        "Who signs what": _stages,
        "When": _timebox,
    }
    title = f"{charter.project}: what is agreed about {ABOUT[charter.problem]}, version {charter.version} of the charter"
    said = [line for name, section in sections.items() for line in (name, *map(_wrapped, section(charter)))]
    return "\n\n".join([textwrap.fill(title, WIDTH), "\n".join(said), *map(_wrapped, notes(charter))])


def people_of_the_example(charter: Charter) -> list[str]:
    """List the addresses of people whom nobody can reach."""
    return [person.email for person in charter.people if any(f".{_domain(person.email)}".endswith(f".{each}") for each in EXAMPLE_DOMAINS)]


def notes(charter: Charter) -> list[str]:
    """List what is wrong with no field and yet keeps the page from being signed."""
    addresses = people_of_the_example(charter)
    if not addresses:
        return []
    return [
        f"Note: {len(addresses)} of {len(charter.people)} addresses are made up ({', '.join(addresses)}): nobody can sign from there. "
        "Where people are still the example's, money and limits may be too. Read every line as if it were yours."
    ]


def _decision(charter: Charter) -> Iterator[str]:
    decision = charter.decision
    yield decision.question
    yield sentence(decision.decider)
    then = "On an alert" if isinstance(charter, BinaryCharter) else "Then"
    yield f"{then}: {sentence(decision.on_alert)} Fallback: {sentence(decision.fallback)}"


def _people(charter: Charter) -> Iterator[str]:
    for person in sorted(charter.people, key=lambda each: list(PARTS).index(each.role)):
        deputy = f"; deputy: {person.deputy}" if person.deputy else ""
        yield f"{PARTS[person.role]}: {person.name}, {person.title} ({person.email}{deputy})."


def _today(charter: Charter) -> Iterator[str]:
    today = charter.baseline
    yield f"{sentence(today.process)} Measured on {today.measured_on}: {sentence(today.evidence)}"
    match charter:
        case BinaryCharter(baseline=errors):
            positives, others = charter.data.called
            yield f"{of(errors.missed_share, positives)} are missed today. {of(errors.false_alarm_share, others)} are flagged for nothing."
        case MulticlassCharter(baseline=errors):
            for true, row in errors.decided_shares.items():
                base = base_for(*row.values())
                yield f"Of {base:,} rows of {true!r} today decides {listed([f'{plain(share * base)} as {name!r}' for name, share in row.items()])}."
        case AmountCharter(baseline=errors, value=value):
            yield (
                f"Shared out over all estimates, {plain(errors.mean_over)} {value.unit} too many and {plain(errors.mean_under)} too few come with each. "
                f"{of(errors.beyond_tolerance_share, 'estimates')} are off by more than {plain(charter.limits.tolerance)} {value.unit}."
            )


def _costs(charter: Charter) -> Iterator[str]:
    decisions = f"{range_of(charter.value.decisions_per_period)} decisions a {charter.value.period}."
    match charter:
        case BinaryCharter(value=value):
            base = base_for(*ends(value.positive_share))
            yield f"{decisions} Of {base:,} of them {range_of(value.positive_share, base)} are {charter.data.called[0]}."
            costs = {"A miss": value.cost_missed, "a false alarm": value.cost_false_alarm, "a catch": value.cost_per_catch}
            yield ", ".join(f"{what} costs {range_of(cost)}" for what, cost in costs.items()) + f", all in {value.currency}."
        case MulticlassCharter(value=value):
            base = base_for(*(end for share in value.class_shares.values() for end in ends(share)))
            shares = [f"{range_of(share, base)} are {name!r}" for name, share in value.class_shares.items()]
            yield f"{decisions} Of {base:,} of them {listed(shares)}."
            for true, row in value.costs.items():
                yield f"A row of {true!r} costs, in {value.currency}: " + ", ".join(f"as {name!r} {range_of(cost)}" for name, cost in row.items()) + "."
        case AmountCharter(value=value):
            yield (
                f"{decisions} Of the {value.unit}, each too many costs {range_of(value.cost_per_unit_over)} {value.currency}, "
                f"each too few {range_of(value.cost_per_unit_under)}."
            )


def _worth(charter: Charter) -> Iterator[str]:
    value, periods = charter.value, charter.value.useful_life_periods
    saves = perfect_saving_per_period(charter)
    sprints = sum((sprint.budget for sprint in charter.timebox.sprints), Decimal(0))
    in_all = sprints + value.run_cost_per_period * periods
    yield (
        f"A perfect model would save {saves:,.0f} {value.currency} a {value.period} against today, at the likely values. "
        f"It may cost {plain(in_all)} in all: {plain(sprints)} for the sprints, and running it {plain(value.run_cost_per_period)} a {value.period} "
        f"for {several(periods, value.period)}." + (f" At best it repays itself {saves * periods / float(in_all):,.1f} times." if in_all else "")
    )
    yield f"Less than {plain(charter.timebox.minimum_value_per_period)} {value.currency} a {value.period} is not worth having."


def _limits(charter: Charter) -> Iterator[str]:
    confidence, looks = charter.limits.confidence, charter.timebox.looks
    shared = f", the allowed error shared out among {looks} looks" if looks > 1 else ""
    yield f"Each is to be shown at {percent(confidence)} confidence on the sealed rows{shared}; to be met there is not enough."
    for each in limited_shares(charter):
        needed = [f"{rows:,}" for rows in rows_needed(charter, each)]
        among = charter.data.called[each.among == "negatives"] if isinstance(charter, BinaryCharter) else each.among
        wrong = listed([str(errors) for errors in range(len(needed))], "or")
        yield f"- {_limit(charter, each)} To show it takes {listed(needed, 'or')} sealed {among}, if {wrong} go wrong."


def _limit(charter: Charter, each: LimitedShare) -> str:
    """Say a limit in people, or in rows."""
    match charter:
        case BinaryCharter(limits=limits):
            missed, flagged = limits.missed_share, limits.false_alarm_share
            positives, others = charter.data.called
            return f"{at_most(missed, positives)} missed." if each.name == "missed_share" else f"{at_most(flagged, others)} flagged for nothing."
        case MulticlassCharter(limits=limits):
            name = next(name for name in limits.missed_share if each.among == f"rows of {name!r}")
            return f"{at_most(limits.missed_share[name], each.among)} decided as something else."
        case AmountCharter(limits=limits, value=value):
            return f"{at_most(limits.beyond_tolerance_share, 'estimates')} off by more than {plain(limits.tolerance)} {value.unit}."
    raise TypeError(f"a charter of an unknown kind: {charter.problem}")


def _machine(charter: Charter) -> Iterator[str]:
    limits, currency, targets = charter.limits, charter.value.currency, charter.limits.hardware
    called = f" ({targets[0].name})" if targets[0].name else ""
    on = f"a machine{called} with {_of_a_machine(targets[0])}" if len(targets) == 1 else f"each of {len(targets)} machines"
    yield (
        f"99 of 100 calls are answered within {plain(limits.latency_p99_ms)} ms while {plain(limits.arrivals_per_second)} a second arrive, on {on}. "
        f"The model is a file of at most {plain(limits.model_mb)} MB; the server that holds it takes at most {limits.memory_mb:,} MB. "
        + (f"Such a machine costs {plain(targets[0].monthly_cost)} {currency} a month; " if len(targets) == 1 else "Of each kind, ")
        + f"as many as the rate needs may cost {plain(limits.monthly_budget)}"
        + ("." if len(targets) == 1 else f" {currency} a month.")
    )
    if len(targets) > 1:
        yield from (f"- {each.name}: {_of_a_machine(each)}; {plain(each.monthly_cost)} {currency} a month." for each in targets)


def _of_a_machine(target: Hardware) -> str:
    sets = f", with {listed(target.instruction_sets)}" if target.instruction_sets else ""
    return f"{several(target.cores, 'core')} ({target.architecture}{sets}) and {target.memory_mb:,} MB of memory"


def _rows(charter: Charter) -> Iterator[str]:
    data, means = charter.data, ""
    if isinstance(charter, BinaryCharter):
        means = f"; {charter.data.positive!r} there stands for {charter.data.called[0]}"
    if isinstance(charter, MulticlassCharter):
        means = f", which is one of {listed([repr(name) for name in charter.data.classes])}"
    named = f" Column {data.key!r} names each row." if data.key else ""
    yield f"They lie in {data.source}. What is to be known stands in column {data.target!r}{means}.{named}"
    for join in data.joins:
        yield (
            f"- Readings from {join.source} are joined by {listed(join.by)}: true at {join.event_time!r}, "
            f"used from {join.arrived_time!r} on, when they had arrived."
        )
    yield (
        f"{percent(data.sealed_share)} of the rows are sealed: nobody sees their answers before the look that counts. "
        f"Of the others {percent(data.dev_share)} are kept to choose by. {_drawn(charter)}"
    )
    if data.group:
        yield f"Rows that share {data.group!r} count together: where it takes so many sealed rows to show a limit, it takes as many groups."
    if data.why_rows_may_repeat:
        yield f"Rows may repeat: {sentence(data.why_rows_may_repeat)}"


def _drawn(charter: Charter) -> str:
    data = charter.data
    together = f" Rows that share {data.group!r} stay together." if data.group else ""
    if data.time and data.group:
        return f"The {data.group!r} that end last by {data.time!r} are sealed whole, their old rows too; seed {data.split_seed} only orders them."
    if data.time:
        return f"The latest by {data.time!r} are sealed; seed {data.split_seed} only orders them."
    return f"Chance decides which: seed {data.split_seed} draws them, once.{together}"


def _features(charter: Charter) -> Iterator[str]:
    for feature in charter.features:
        alone = f" It may decide alone: {sentence(feature.why_it_may_decide_alone)}" if feature.why_it_may_decide_alone else ""
        known = f" Known in time: {sentence(feature.why_it_is_known_in_time)}" if feature.why_it_is_known_in_time else ""
        yield f"- {feature.name}, a {feature.kind}: {sentence(feature.source)} {_arrival(feature)} {feature.owner} looks after it.{alone}{known}"


def _arrival(feature: Feature) -> str:
    how = {"at_request": "Comes with the question", "streamed": "Streams in", "batch": "Comes by batch", "after_the_fact": "Known only afterwards"}
    late = f", {duration(feature.delay_seconds)} late" if feature.delay_seconds else ""
    old = f", at most {duration(feature.max_age_seconds)} old" if feature.max_age_seconds is not None else ""
    return f"{how[feature.available]}{late}{old}."


def _stages(charter: Charter) -> Iterator[str]:
    for stage in charter.stages:
        signers = listed([signer.replace("_", " ") for signer in stage.signers])
        shown = f" Shown by {listed(stage.evidence)}." if stage.evidence else ""
        yield f"- {stage.name}: {stage.question}{shown} Signed by {signers}; holds for {several(stage.valid_days, 'day')}."


def _timebox(charter: Charter) -> Iterator[str]:
    timebox, currency = charter.timebox, charter.value.currency
    for sprint in timebox.sprints:
        yield f"- Sprint {sprint.number}, {sprint.starts} to {sprint.review}, {plain(sprint.budget)} {currency}. The bet: {sentence(sprint.bet)}"
    yield from (f"- It stops early: {sentence(criterion)}" for criterion in timebox.kill_criteria)
    yield f"It ends on {timebox.decision_date} in one of two words: ship or stop. The sealed rows may be looked at {times(timebox.looks)}."


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _wrapped(text: str) -> str:
    hanging = "    " if text.startswith("- ") else "  "
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent=hanging, break_on_hyphens=False)
