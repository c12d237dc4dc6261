"""Say a verdict in words: as one line, and the brief as a Markdown page."""

from __future__ import annotations

from poc.rules.brief import Brief
from poc.rules.evidence import Verdict
from poc.rules.markdown import GAP, page, table, text
from poc.rules.words import MEANING, amount, in_words, of_thousand


def in_one_line(verdict: Verdict) -> str:
    """Say what a verdict means, in money per period against today's process."""
    money, c = verdict.money, verdict.confusion
    per_thousand = (
        f"of 1,000 positives {of_thousand(c.missed / c.positives)} are missed, of 1,000 others {of_thousand(c.false_alarms / c.negatives)} raise a false alarm"
    )
    why = f" ({', '.join(in_words(name) for name in verdict.unproven)})" if verdict.overall == "NOT PROVEN" else ""
    low, middle, high = (amount(end, signed=True) for end in (money.per_period.low, money.per_period.middle, money.per_period.high))
    return (
        f"{verdict.overall}: {MEANING[verdict.overall]}{why}. Against today's process {middle} {money.currency} per {money.period} "
        f"({money.level:.0%} interval {low} to {high}); {per_thousand}."
    )


def description(brief: Brief) -> str:
    """Write the brief in Markdown, pictures as what is to be seen in them: a version's description in MLflow."""
    limits = [(limit.name, f"{limit.sign} {limit.verdict}", limit.measured, limit.bounds or "exact", limit.allowed) for limit in brief.limits]
    return page(
        [
            f"## {brief.verdict}: {text(brief.question)}",
            f"**{text(brief.meaning)}** {text(brief.next_step)}",
            f"**DRAFT:** {text(brief.drafts)} **Data:** {text(brief.data)}",
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
            "### Why not the usual threshold",
            text(brief.thresholds_said),
            table(brief.thresholds.head, brief.thresholds.rows),
            GAP,
            "### What the money depends on most",
            table(brief.swings.head, brief.swings.rows),
            GAP,
            text(brief.break_even),
            "### Not proven",
            " ".join(text(each) for each in brief.not_proven),
            "### Evidence",
            text(brief.evidence) + " All of it: the source run's artifacts, folder evidence.",
            table(("of", "SHA-256"), brief.digests),
        ]
    )
