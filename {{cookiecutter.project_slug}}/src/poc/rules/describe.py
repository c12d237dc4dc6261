"""Say a verdict in words: what it means in money and for people, as one line and as a Markdown page."""

from __future__ import annotations

from poc.rules.charter import BinaryCharter, Charter
from poc.rules.counts import in_words, sorts_counted
from poc.rules.evidence import AtHalf, Candidate, Confusion, Evaluation, LimitVerdict, Timings, Verdict

MEANING = {
    "GO": "every limit of the charter is shown to be met",
    "NO-GO": "at least one limit of the charter is shown to be broken",
    "NOT PROVEN": "no limit is shown to be broken, but not every limit is shown to be met",
}
#: MLflow's page puts no space between the columns of a table; two no-break spaces after each cell do.
GAP = "\u00a0\u00a0"


def in_one_line(verdict: Verdict) -> str:
    """Say what a verdict means, in money per period against today's process."""
    money = verdict.money
    why = f" ({', '.join(_in_words(name) for name in verdict.unproven)})" if verdict.overall == "NOT PROVEN" else ""
    return (
        f"{verdict.overall}: {MEANING[verdict.overall]}{why}. Against today's process {money.per_period.middle:+,.0f} {money.currency} per {money.period} "
        f"({money.level:.0%} interval {money.per_period.low:+,.0f} to {money.per_period.high:+,.0f}); {_per_thousand(verdict)}."
    )


def _per_thousand(verdict: Verdict) -> str:
    """Say the errors in rows of which everybody can think."""
    match verdict.counted:
        case Confusion() as c:
            missed, alarms = 1000 * c.missed / c.positives, 1000 * c.false_alarms / c.negatives
            return f"of 1,000 positives {missed:.0f} are missed, of 1,000 others {alarms:.0f} raise a false alarm"
    shares = [limit for limit in verdict.limits if limit.unit == "share"]
    return "of 1,000 rows " + ", ".join(f"{1000 * limit.measured:.0f} are {in_words(limit.name)}" for limit in shares)


def for_people(charter: BinaryCharter, confusion: Confusion) -> str:
    """Say how many cases a period sees missed and flagged for nothing, beside today's, at the charter's likely volume and share of positives."""
    volume, share = float(charter.value.decisions_per_period.likely), float(charter.value.positive_share.likely)
    positives, others = volume * share, volume * (1 - share)
    missed, alarms = positives * confusion.missed / confusion.positives, others * confusion.false_alarms / confusion.negatives
    today_missed, today_alarms = positives * float(charter.baseline.missed_share), others * float(charter.baseline.false_alarm_share)
    return (
        f"A {charter.value.period} with {volume:,.0f} decisions, {positives:,.0f} of them positive: about {missed:,.0f} missed ({today_missed:,.0f} today) "
        f"and {alarms:,.0f} false alarms ({today_alarms:,.0f} today)."
    )


def at_half(half: AtHalf) -> str:
    """Say what accuracy at the usual threshold would have hidden."""
    missed = half.confusion.missed / half.confusion.positives if half.confusion.positives else float("nan")
    return (
        f"At a threshold of 0.5 this model is right on {half.accuracy:.1%} of dev rows, misses {missed:.0%} of the positives and would be {half.overall}: "
        "accuracy says nothing here."
    )


def provenance(data_card: str | None) -> str:
    """Return a data card's first paragraph, which says what the rows are."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (data_card or "").split("\n\n")]
    return next((text for text in paragraphs if text and not text.startswith(("#", "|", "<"))), "No data card says what the rows are and where they come from.")


def description(charter: Charter, candidate: Candidate, verdict: Verdict, evaluation: Evaluation, timings: Timings, *, data_card: str | None) -> str:
    """Write a version's description in Markdown: decision, verdict, limits, money, people, what is not proven, digests.

    MLflow shows every line end as one, so a paragraph is one line.
    """
    parts = [
        f"## {verdict.overall}: {charter.decision.question}",
        in_one_line(verdict),
        f"**DRAFT:** the charter (version {charter.version}) is unsigned. **Data:** {provenance(data_card)}",
        f"### Limits, each at {float(charter.limits.confidence):.0%} confidence",
        _table(("limit", "verdict", "measured", "bounds", "charter"), [_cells(limit) for limit in verdict.limits]),
        GAP,
        "### Money and people",
        _money(charter, verdict),
        _people(charter, verdict, evaluation),
        "### Not proven",
        (", ".join(_in_words(name) for name in verdict.unproven) or "Nothing that the charter asks")
        + ". Nothing here shows how the model ages, or that people act on its alerts: that is what shadow and pilot are for.",
        "### Evidence",
        _evidence(candidate, verdict, timings),
        _table(("SHA-256", "of"), _digests(candidate, verdict)),
    ]
    return "\n\n".join(parts) + "\n"


def _people(charter: Charter, verdict: Verdict, evaluation: Evaluation) -> str:
    """Say who meets which errors and what they do; for yes or no with what accuracy would have hidden."""
    acts = f"On an alert: {charter.decision.on_alert}" if isinstance(charter, BinaryCharter) else f"What is done on an answer: {charter.decision.on_alert}"
    cases = for_people(charter, verdict.counted) if isinstance(charter, BinaryCharter) and isinstance(verdict.counted, Confusion) else _swings(verdict)
    return " ".join([cases, acts, *([at_half(evaluation.at_half)] if evaluation.at_half else [])])


def _swings(verdict: Verdict) -> str:
    """Say what moves the money most, one thing at a time."""
    money = verdict.money
    bars = [f"{bar.name} {bar.low:,.4g} to {bar.high:,.4g} {bar.unit}: {bar.at_low:+,.0f} to {bar.at_high:+,.0f}" for bar in money.tornado[:3]]
    return f"What moves the {money.currency} per {money.period} most, one thing at a time: {'; '.join(bars) or 'nothing that is uncertain'}."


def _money(charter: Charter, verdict: Verdict) -> str:
    money = verdict.money
    minimum = f"{charter.timebox.minimum_value_per_period:,.0f} {money.currency} per {money.period}"
    return (
        f"Today: {charter.baseline.process} Against it the chance of a loss is {_chance(money.chance_of_loss)}, that of the agreed minimum, {minimum}, "
        f"{_chance(money.chance_of_minimum)}; a perfect model would be worth {money.perfect_model:,.0f}."
    )


def _chance(share: float) -> str:
    """Say a chance that was counted in draws, which never show that something cannot happen."""
    return "under 0.1%" if share < 0.001 else "over 99.9%" if share > 0.999 else f"{share:.1%}"


def _evidence(candidate: Candidate, verdict: Verdict, timings: Timings) -> str:
    machine = timings.machine
    differences = "; ".join(timings.differences) or "none, it was measured on what the charter names"
    return (
        f"Model {candidate.variant} ({candidate.technique}), {_decides(candidate)}. Sealed set: {sorts_counted(verdict.counted, candidate.by_cost)}; "
        f"look {verdict.look} of {verdict.looks_allowed}. Machine: {machine.cpu}, {machine.architecture}, {len(timings.pinned_cores)} "
        f"cores pinned, ONNX Runtime {machine.onnxruntime}; differences from the charter's: {differences}. All of it: the source run's artifacts, folder `evidence`."
    )


def _decides(candidate: Candidate) -> str:
    if candidate.threshold is not None:
        return f"alert from probability {candidate.threshold:.4f}"
    return "decides the class that costs least on average" if candidate.by_cost else "its estimate is the decision"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell if line[0] == "---" else cell + GAP for cell in line) + " |" for line in lines)


def _digests(candidate: Candidate, verdict: Verdict) -> list[tuple[str, ...]]:
    of = {
        "charter": candidate.charter_sha256,
        "model": candidate.model_sha256,
        "candidate, as frozen": verdict.candidate_sha256,
        "sealed set": verdict.sealed_sha256,
    }
    return [(f"`{digest}`", name) for name, digest in of.items()]


def _cells(limit: LimitVerdict) -> tuple[str, ...]:
    unit = "" if limit.unit == "share" else f" {limit.unit}"
    measured, low, high, allowed = (_figure(value, limit.unit) for value in (limit.measured, limit.low, limit.high, limit.limit))
    bounds = f"{low} to {high}{unit}" if low != high else "exact"
    return _in_words(limit.name), f"**{limit.verdict}**", measured + unit, bounds, f"{'more than' if limit.name == 'money' else 'at most'} {allowed}{unit}"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
