"""The numbers that a signer is shown, as they stand in the statement: worked out again from charter and verdict whenever it is verified."""

from __future__ import annotations

from poc.rules.agreed_figures import plain
from poc.rules.charter import Charter
from poc.rules.evidence import Verdict
from poc.rules.words import allowed, amount, clipped, figure, percent, range_of

#: Pairs of words and a figure, in the order in which they are shown.
Shown = tuple[tuple[str, str], ...]


def shown_of_charter(charter: Charter) -> Shown:
    """List what a charter asks to be agreed to: money, limits and the day on which it ends."""
    value, unit = charter.value, f"{charter.value.currency} a {charter.value.period}"
    return (
        ("question", _ascii(clipped(charter.decision.question, 140))),
        ("least value", f"{plain(charter.timebox.minimum_value_per_period)} {unit}"),
        ("run cost", f"{plain(value.run_cost_per_period)} {unit}"),
        ("ends on", str(charter.timebox.decision_date)),
        ("looks allowed", str(charter.timebox.looks)),
    )


def shown_of_verdict(charter: Charter, verdict: Verdict) -> Shown:
    """List what a version is judged to be: the verdict, the money, and each limit with its bounds."""
    money, unit = verdict.money, f"{verdict.money.currency} a {verdict.money.period}"
    bounds = f"{amount(money.per_period.low, signed=True)} to {amount(money.per_period.high, signed=True)}"
    return (
        ("verdict", verdict.overall),
        ("money", _ascii(f"{amount(money.per_period.middle, signed=True)} {unit}, {percent(money.level)} between {bounds}")),
        *(
            (limit.name, _ascii(f"{figure(limit.measured, limit.unit)} ({range_of(limit)}), allowed {allowed(limit)}: {limit.verdict}"))
            for limit in verdict.limits
        ),
        ("look", f"{verdict.look} of {verdict.looks_allowed}"),
    )


def _ascii(text: str) -> str:
    """Write a text in letters that are what they look like."""
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-").encode("ascii", "backslashreplace").decode()
