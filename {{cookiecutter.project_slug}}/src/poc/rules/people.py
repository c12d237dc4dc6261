"""What errors mean where a model is used: of a thousand, and of a likely period, beside today's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poc.rules.agreed_figures import plain
from poc.rules.brief import Judged, Table
from poc.rules.charter import AmountCharter, BinaryCharter, MulticlassCharter
from poc.rules.counts import CountedShare, counted_shares
from poc.rules.evidence import Counted, LimitVerdict
from poc.rules.stakes import TODAY
from poc.rules.words import agreed, clipped, confidence_of, count, of_thousand, percent, range_of, sentence

#: Letters of one of the charter's own sentences that one page has room for.
SHORT = 140


@dataclass(frozen=True, kw_only=True)
class Error:
    """One kind of error: about whom and what, how many cases a likely period has, the share that errs, today's, and the limit that holds its bounds."""

    whose: str
    what: str
    cases: float
    share: float
    today: float
    bounds: LimitVerdict | None

    def in_one_line(self) -> str:
        """Say it of a thousand, beside today's."""
        return f"of 1,000 {self.whose} {of_thousand(self.share)} are {self.what} ({of_thousand(self.today)} today)"

    def of_thousand(self) -> tuple[str, ...]:
        """Return the row of a thousand cases."""
        could_be = f"{of_thousand(self.bounds.low)} to {of_thousand(self.bounds.high)}" if self.bounds else ""
        return f"of 1,000 {self.whose}, {self.what}", of_thousand(self.share), could_be, of_thousand(self.today)

    def of(self, period: str) -> tuple[str, ...]:
        """Return the row of a period."""
        could_be = f"{count(self.cases * self.bounds.low)} to {count(self.cases * self.bounds.high)}" if self.bounds else ""
        return f"a {period}: {self.whose} {self.what}", count(self.cases * self.share), could_be, count(self.cases * self.today)


def errors_of(judged: Judged) -> list[Error]:
    """List the kinds of error that the charter limits, as the sealed rows show them."""
    bounds = {limit.name: limit for limit in judged.verdict.limits}
    shares = counted_shares(judged.charter, judged.verdict.counted)
    about = _about(judged)
    return [_error(share, *facts, bounds.get(share.name)) for share, facts in zip(shares, about, strict=True)]


def _error(seen: CountedShare, whose: str, what: str, cases: float, today: float, bounds: LimitVerdict | None) -> Error:
    share = seen.errors / seen.rows if seen.rows else float("nan")
    return Error(whose=whose, what=what, cases=cases, share=share, today=today, bounds=bounds)


def _about(judged: Judged) -> list[tuple[str, str, float, float]]:
    """Say of each limited share whom and what it is about, how many cases a period has, and today's share, in the order of `counted_shares`."""
    cases = float(judged.charter.value.decisions_per_period.likely)
    match judged.charter:
        case BinaryCharter(value=value, baseline=today):
            bad = cases * float(value.positive_share.likely)
            return [
                (judged.positives, "missed", bad, float(today.missed_share)),
                (judged.others, "flagged for nothing", cases - bad, float(today.false_alarm_share)),
            ]
        case MulticlassCharter(value=value, baseline=today, limits=limits):
            return [
                (f"“{name}”", "decided as something else", cases * float(value.class_shares[name].likely), 1 - float(today.decided_shares[name][name]))
                for name in limits.missed_share
            ]
        case AmountCharter(value=value, baseline=today, limits=limits):
            return [("estimates", f"off by more than {plain(limits.tolerance)} {value.unit}", cases, float(today.beyond_tolerance_share))]
    raise TypeError(f"a charter of an unknown kind: {judged.charter.problem}")


def people_in_one_line(judged: Judged) -> str:
    """Say all of it in one sentence."""
    return sentence("; ".join(each.in_one_line() for each in errors_of(judged)))


def people(judged: Judged) -> Table:
    """Count errors of a thousand and of a likely period, beside today's."""
    errors = errors_of(judged)
    return Table(
        caption=f"How often it errs, with bounds that hold {confidence_of(judged.charter)}, beside {TODAY}",
        head=("", "this model", "could be", "today"),
        rows=(*(each.of_thousand() for each in errors), *(each.of(judged.charter.value.period) for each in errors)),
    )


def people_said(judged: Judged) -> str:
    """Say on how many decisions that is counted, who decides, and what follows."""
    charter, value = judged.charter, judged.charter.value
    follows, some = "What follows", ""
    if isinstance(charter, BinaryCharter):
        bad = count(float(value.decisions_per_period.likely * charter.value.positive_share.likely))
        follows, some = "On an alert", f", {bad} of them about {judged.positives}"
    return (
        f"Counted on a {value.period} with {agreed(value.decisions_per_period.likely)} decisions{some}. "
        f"Who decides: {sentence(clipped(charter.decision.decider, SHORT))} {follows}: {sentence(clipped(charter.decision.on_alert, SHORT))} "
        f"Today: {sentence(clipped(charter.baseline.process, SHORT))}"
    )


def errors_counted(judged: Judged, rows: str, seen: Counted, limits: list[LimitVerdict]) -> Iterator[tuple[str, ...]]:
    """List, for the model card, how many errors of each kind were counted on some rows, and between which bounds their share lies."""
    bounds = {limit.name: range_of(limit) for limit in limits}
    words = {0: "missed", 1: "flagged"} if isinstance(judged.charter, BinaryCharter) else {}
    for at, (share, (whose, what, _, _)) in enumerate(zip(counted_shares(judged.charter, seen), _about(judged), strict=True)):
        measured = percent(share.errors / share.rows) if share.rows else "unknown"
        yield rows, f"{whose} {words.get(at, what)}", f"{share.errors:,} of {share.rows:,}", measured, bounds.get(share.name, "")
