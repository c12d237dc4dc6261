"""Write the brief from what is known of a candidate after its verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator

from poc.rules import stakes, words
from poc.rules.agreed_to import agreed_to, claims
from poc.rules.brief import Brief, Judged, Limit, Money, Table
from poc.rules.charter import BinaryCharter, Charter
from poc.rules.counts import sorts_counted
from poc.rules.evidence import MONEY, MONEY_AGAINST, OF_THE_MACHINE, Candidate, Confusion, LimitVerdict, Swing
from poc.rules.pareto import small_picture
from poc.rules.people import people, people_in_one_line, people_said
from poc.rules.pictures import curve_picture, money_picture, tornado_picture
from poc.rules.silence import if_they_fell_silent, on_their_owners_word
from poc.rules.speed import speed_said
from poc.rules.stakes import TODAY, errors_of_nobody
from poc.rules.trade_off import cost_against_worth
from poc.rules.two_thresholds import marks, thresholds_said, thresholds_table
from poc.rules.value import gain, means
from poc.rules.words import agreed, amount, chance, clipped, figure, percent, sentence

#: Letters of the charter's and the data card's own sentences that one page has room for.
LONG, SHORT, OF_THE_DATA, OF_THE_CHOICE = 220, 140, 320, 380
#: As many bars as a table can be read with; many classes have hundreds of costs.
MOST_SWINGS = 12

#: A signature under figures whose result is known agrees to nothing.
SIGNED_LATER = "A charter signed now was not agreed before the look: for that, sign a new version and look at fresh rows."


def brief_of(judged: Judged) -> Brief:
    """Write the brief."""
    is_at_a_threshold = judged.evaluation.at_half is not None
    charter, verdict, money, swings = judged.charter, judged.verdict, judged.verdict.money, _swings(judged)
    return Brief(
        project=charter.project,
        question=clipped(charter.decision.question, LONG),
        byline=_byline(judged),
        mark=judged.signoff.mark,
        agreed=judged.signoff.mark or "Signed",
        drafts=agreed_to(judged),
        data=clipped(words.provenance(judged.data_card), OF_THE_DATA),
        verdict=verdict.overall,
        sign=words.SIGNS[verdict.overall],
        meaning=_meaning(judged),
        next_step=_next_step(judged),
        money=_money(judged),
        people_in_one_line=people_in_one_line(judged),
        people=people(judged),
        people_said=people_said(judged),
        limits_caption=f"Each limit of the charter, with bounds that hold {words.confidence_of(charter)}",
        limits=tuple(_limit(limit, judged) for limit in verdict.limits),
        variant_said=sentence(clipped(f"The choice: {judged.evaluation.why}", OF_THE_CHOICE)),
        speed_said=speed_said(judged),
        variants=small_picture(cost_against_worth(charter, judged.evaluation)),
        thresholds=thresholds_table(judged) if is_at_a_threshold else None,
        thresholds_said=thresholds_said(judged) if is_at_a_threshold else "",
        curve=curve_picture(judged.evaluation.curve, list(marks(judged)), unit=judged.unit, level=judged.level) if is_at_a_threshold else None,
        tornado=tornado_picture(swings, money.expected, unit=judged.unit),
        swings=_swings_table(swings),
        break_even=_break_even(judged),
        if_late_features_fell_silent=if_they_fell_silent(judged.rehearsal, judged.unit),
        not_proven=tuple(_not_proven(judged)),
        evidence=_evidence(judged),
        digests=_digests(judged),
    )


def _byline(judged: Judged) -> str:
    sponsor = judged.charter.sponsor()
    to_whom = f"for {clipped(sponsor.name, 40)}, {clipped(sponsor.title, 40)}"
    return f"{to_whom} · judged {judged.judged_on} · to be decided by {judged.charter.timebox.decision_date}"


def _meaning(judged: Judged) -> str:
    verdict = judged.verdict
    missing = [limit.name for limit in verdict.limits if limit.verdict == verdict.overall]
    won = [name.removeprefix(MONEY_AGAINST) for name in missing if name.startswith(MONEY_AGAINST)] if verdict.overall == "NO-GO" else []
    named = words.listed([f"“{judged.name_of(name)}”" for name in missing if name.removeprefix(MONEY_AGAINST) not in won])
    said = {
        "GO": f"Every limit of the charter is shown to be met, on rows that {'nobody had seen before' if verdict.look == 1 else 'no model learned from'}.",
        "NO-GO": " ".join([*([f"Shown to break what was agreed: {named}."] if named else []), *([_needs_no_model(won)] if won else [])]),
        "NOT PROVEN": f"Nothing is shown to be broken, but the evidence is too thin to show: {named}.",
    }
    return said[verdict.overall]


def _needs_no_model(policies: list[str]) -> str:
    need, are = ("needs", "is") if len(policies) == 1 else ("need", "are")
    return sentence(f"{words.listed(policies)} {need} no model and {are} shown to be worth no less")


def _next_step(judged: Judged) -> str:
    stage = next((each for each in judged.charter.stages if each.name != "charter"), None)
    asks = f" ({stage.name}): {clipped(stage.question, SHORT)}" if stage else "."
    said = {
        "GO": f"What you can do: answer the question of the next stage{asks}" + ("" if judged.signoff.is_signed else f" {SIGNED_LATER}"),
        "NO-GO": "What you can do: stop. Other costs or limits take a new version of the charter, agreed before a new look, at fresh rows.",
        "NOT PROVEN": f"What you can do: have the missing evidence gathered. On {judged.charter.timebox.decision_date} it ends all the same, in ship or stop.",
    }
    return said[judged.verdict.overall]


def _money(judged: Judged) -> Money:
    charter, money, unit = judged.charter, judged.verdict.money, judged.unit
    minimum = charter.timebox.minimum_value_per_period
    model = {TODAY: money.per_period, **money.against}
    return Money(
        figure=amount(money.per_period.middle, signed=True),
        unit=unit,
        bounds=f"{percent(money.level)} sure: between {amount(money.per_period.low, signed=True)} and {amount(money.per_period.high, signed=True)}",
        said=f"The chance of a loss is {chance(money.chance_of_loss)}; that of the {agreed(minimum)} {unit} that were agreed as the least, "
        f"{chance(money.chance_of_minimum)}. The model's run cost is paid.",
        picture=money_picture(money.per_period, _policies(charter), float(minimum), today=TODAY, unit=unit, level=judged.level),
        against=Table(
            caption=f"By how much the model beats what needs no model, {unit}",
            head=("the model against", "at least", "middle", "at most"),
            rows=tuple((name, *(amount(end, signed=True) for end in (gap.low, gap.middle, gap.high))) for name, gap in model.items()),
        ),
    )


def _policies(charter: Charter) -> dict[str, float]:
    """Return about what each policy that needs no model is worth against today's process, at the mean costs; it pays no run cost."""
    run_cost = float(charter.value.run_cost_per_period)
    return {name: words.roughly(float(gain(charter, means(charter), errors)) + run_cost) for name, errors in errors_of_nobody(charter).items()}


def _swings(judged: Judged) -> list[Swing]:
    """Name what the tornado swings as the rest of the page does."""
    names = {
        stakes.DECISIONS: f"decisions a {judged.charter.value.period}",
        stakes.POSITIVE: f"share of {judged.positives}",
        "missed share, as measured": f"{judged.positives} missed, as measured",
        "false-alarm share, as measured": f"{judged.others} flagged, as measured",
    }
    return [bar.model_copy(update={"name": names.get(bar.name, bar.name)}) for bar in judged.verdict.money.tornado]


def _swings_table(swings: list[Swing]) -> Table:
    return Table(
        caption="What the money depends on most",
        head=("what", "at its low end", "worth", "at its high end", "worth"),
        rows=tuple(
            (bar.name, figure(bar.low, bar.unit), amount(bar.at_low, signed=True), figure(bar.high, bar.unit), amount(bar.at_high, signed=True))
            for bar in swings[:MOST_SWINGS]
        ),
    )


def _break_even(judged: Judged) -> str:
    money, at = judged.verdict.money, judged.verdict.money.break_even
    even = f"It breaks even where the {at.name} is {figure(at.value, at.unit)}" if math.isfinite(at.value) else f"No {at.name} makes it break even"
    return f"{even}; a perfect model would be worth {amount(money.perfect_model)} {judged.unit}."


def _limit(limit: LimitVerdict, judged: Judged) -> Limit:
    return Limit(
        name=judged.name_of(limit.name),
        allowed=words.allowed(limit),
        measured=figure(limit.measured, limit.unit),
        bounds=words.range_of(limit),
        verdict=limit.verdict,
        sign=words.SIGNS[limit.verdict],
    )


def _not_proven(judged: Judged) -> Iterator[str]:
    charter, verdict, elsewhere = judged.charter, judged.verdict, judged.elsewhere
    for limit in verdict.limits:
        own, target = words.parted(limit.name)
        if limit.verdict == "NOT PROVEN" and not (own in OF_THE_MACHINE and target in elsewhere):
            is_money = limit.name == MONEY or limit.name.startswith(MONEY_AGAINST)
            yield sentence(f"{judged.name_of(limit.name)}: {clipped(_not_shown(limit) if is_money else limit.why, LONG)}")
    for target, differences in elsewhere.items():
        where = target or "the charter's hardware"
        yield sentence(f"Speed, memory and cost on {where}: measured on another machine ({clipped('; '.join(differences), SHORT)})")
    if verdict.repeated:
        yield "This is a repeated look: the counts are those of an earlier look at the same candidate; speed was timed again."
    if verdict.look > 1:
        yield f"The sealed rows were looked at before: this is look {verdict.look} of {verdict.looks_allowed}; the bounds allow for all of them."
    yield from claims(judged)
    yield from _other_mix(judged)
    yield "How the model ages, and that people act on its alerts: that is what running it beside today's process (shadow, then pilot) is for."
    taken = on_their_owners_word(judged.rehearsal, charter)
    if not charter.data.time:
        in_time = f", nor shown that {taken} came in time" if taken else ""
        yield f"No column has a time: nothing was predicted into the future{in_time}."
    elif taken:
        yield f"That {taken} had arrived when each row was decided is its owner's word: no moments of arrival were compared."
    if charter.data.time and charter.data.group:
        yield "Groups were sealed whole, their old rows too: the model may have learned from later rows of other groups, and nothing shows how it ages."


def _not_shown(limit: LimitVerdict) -> str:
    """Say which gain is not shown."""
    could_be = words.range_of(limit) or "anything"
    return f"not shown to be {words.allowed(limit).removesuffix(', always')}; it could be {could_be}"


def _other_mix(judged: Judged) -> Iterator[str]:
    """Say where the rows hold another share of positives than the charter expects of production: the money takes the charter's word."""
    charter, seen = judged.charter, judged.verdict.counted
    if isinstance(charter, BinaryCharter) and isinstance(seen, Confusion) and seen.positives + seen.negatives:
        share, known = seen.positives / (seen.positives + seen.negatives), charter.value.positive_share
        if not float(known.low) <= share <= float(known.high):
            expected = f"{percent(float(known.low))} to {percent(float(known.high))}"
            yield f"That production holds {expected} {judged.positives}: of these rows {percent(share)} are. The money is counted with the charter's share."


def _evidence(judged: Judged) -> str:
    candidate, verdict = judged.candidate, judged.verdict
    return (
        f"Model {candidate.variant} ({candidate.technique}), {decides(candidate)}. Sealed rows, kept from every model: {_sealed_rows(judged)}; "
        f"look {verdict.look} of {verdict.looks_allowed} that this MLflow knows of."
    )


def decides(candidate: Candidate) -> str:
    """Say how an answer becomes a decision."""
    if candidate.threshold is not None:
        return f"alert from probability {candidate.threshold:.4f}"
    return "the class that costs least on average is decided" if candidate.by_cost else "the estimate is what is decided"


def _sealed_rows(judged: Judged) -> str:
    seen = judged.verdict.counted
    if isinstance(judged.charter, BinaryCharter) and isinstance(seen, Confusion):
        return f"{seen.positives:,} {judged.positives}, {seen.negatives:,} {judged.others}"
    return sorts_counted(seen, judged.candidate.by_cost)


def _digests(judged: Judged) -> tuple[tuple[str, str], ...]:
    candidate, verdict = judged.candidate, judged.verdict
    return (
        ("charter", candidate.charter_sha256),
        ("model", candidate.model_sha256),
        ("candidate, as frozen", verdict.candidate_sha256),
        ("sealed rows", verdict.sealed_sha256),
    )
