"""Say a verdict in words: as one line, and the brief as a Markdown page."""

from __future__ import annotations

from poc.rules.brief import Brief
from poc.rules.counts import MISSED_OF
from poc.rules.counts import in_words as share_in_words
from poc.rules.evidence import Confusion, Verdict
from poc.rules.markdown import GAP, page, table, text
from poc.rules.words import MEANING, amount, in_words, of_thousand


def in_one_line(verdict: Verdict) -> str:
    """Say what a verdict means, in money per period against today's process."""
    money = verdict.money
    why = f" ({', '.join(in_words(name) for name in verdict.unproven)})" if verdict.overall == "NOT PROVEN" else ""
    low, middle, high = (amount(end, signed=True) for end in (money.per_period.low, money.per_period.middle, money.per_period.high))
    return (
        f"{verdict.overall}: {MEANING[verdict.overall]}{why}. Against today's process {middle} {money.currency} per {money.period} "
        f"({money.level:.0%} interval {low} to {high}); {_of_thousand(verdict)}."
    )


def _of_thousand(verdict: Verdict) -> str:
    """Say the errors in rows of which everybody can think."""
    match verdict.counted:
        case Confusion() as c:
            missed, alarms = of_thousand(c.missed / c.positives), of_thousand(c.false_alarms / c.negatives)
            return f"of 1,000 positives {missed} are missed, of 1,000 others {alarms} raise a false alarm"
    shares = [limit for limit in verdict.limits if limit.unit == "share"]
    classes = [limit for limit in shares if limit.name.startswith(MISSED_OF)]
    if classes:
        return ", ".join(f"of 1,000 {limit.name.removeprefix(MISSED_OF)} {of_thousand(limit.measured)} are missed" for limit in classes)
    return ", ".join(f"of 1,000 estimates {of_thousand(limit.measured)} are {share_in_words(limit.name)}" for limit in shares)


def description(brief: Brief) -> str:
    """Write the brief in Markdown, pictures as what is to be seen in them: a version's description in MLflow."""
    limits = [(limit.name, f"{limit.sign} {limit.verdict}", limit.measured, limit.bounds or "exact", limit.allowed) for limit in brief.limits]
    return page(
        [
            f"## {brief.verdict}: {text(brief.question)}",
            f"**{text(brief.meaning)}** {text(brief.next_step)}",
            f"**{brief.agreed}:** {text(brief.drafts)} **Data:** {text(brief.data)}",
            text(brief.byline),
            f"### Money: {text(f'{brief.money.figure} {brief.money.unit}')}",
            text(f"{brief.money.bounds}, against today's process. {brief.money.said}"),
            table(brief.money.against.head, brief.money.against.rows),
            GAP,
            "### People",
            f"**{text(brief.people_in_one_line)}**",
            table(brief.people.head, brief.people.rows),
            GAP,
            text(brief.people_said),
            "### Limits",
            text(f"{brief.limits_caption}."),
            table(("limit", "verdict", "measured", "could be", "agreed"), limits),
            GAP,
            *_thresholds(brief),
            "### What the money depends on most",
            table(brief.swings.head, brief.swings.rows),
            GAP,
            text(f"{brief.break_even} {brief.if_late_features_fell_silent}"),
            "### Not proven",
            " ".join(text(each) for each in brief.not_proven),
            "### Evidence",
            text(brief.evidence) + " All of it: the source run's artifacts, folder evidence.",
            table(("of", "SHA-256"), brief.digests),
        ]
    )


def _thresholds(brief: Brief) -> list[str]:
    if not brief.thresholds:
        return []
    return ["### Why not the usual threshold", text(brief.thresholds_said), table(brief.thresholds.head, brief.thresholds.rows), GAP]
