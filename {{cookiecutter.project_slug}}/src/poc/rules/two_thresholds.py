"""The usual threshold beside the chosen one: what accuracy alone would have hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poc.rules.brief import Judged, Table
from poc.rules.evidence import Confusion, Outcome
from poc.rules.pictures import Mark, odds, worth_at
from poc.rules.verdict import overall
from poc.rules.words import SIGNS, amount, percent

USUAL = 0.5
#: How far apart two thresholds must be on the picture's axis to be told apart.
LEGIBLE = 0.4
#: What the chosen threshold was chosen for, and whether that came true on the rows it was chosen on.
KEEPS: dict[Outcome, str] = {
    "GO": "was chosen to keep the limits, too.",
    "NO-GO": "was chosen as the likeliest to keep the limits, and breaks one all the same.",
    "NOT PROVEN": "was chosen as the likeliest to keep the limits; so few rows do not show that it does.",
}


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to choose the threshold, as judged on dev: by error limits and money, which is what a threshold decides."""

    threshold: float
    seen: Confusion
    money: float
    outcome: Outcome

    @property
    def accuracy(self) -> float:
        """Return the share of right answers."""
        rows = self.seen.positives + self.seen.negatives
        return 1 - (self.seen.missed + self.seen.false_alarms) / rows if rows else float("nan")

    @property
    def missed(self) -> float:
        """Return the share of positives that are missed."""
        return self.seen.missed / self.seen.positives if self.seen.positives else float("nan")

    @property
    def flagged_for_nothing(self) -> float:
        """Return the share of others that raise an alert."""
        return self.seen.false_alarms / self.seen.negatives if self.seen.negatives else float("nan")


def ways(judged: Judged) -> tuple[Way, Way]:
    """Return the usual threshold and the chosen one, on the same rows and by the same limits."""
    evaluation, half = judged.evaluation, judged.evaluation.at_half
    assert half is not None and judged.candidate.threshold is not None
    frozen = next(each for each in evaluation.assessments if each.variant == evaluation.frozen)
    by = {limit.name for limit in half.limits}
    assert isinstance(frozen.counted, Confusion)
    chosen = overall([limit for limit in frozen.limits if limit.name in by])
    return (
        Way(threshold=USUAL, seen=half.confusion, money=half.money.middle, outcome=half.overall),
        Way(threshold=judged.candidate.threshold, seen=frozen.counted, money=frozen.money.per_period.middle, outcome=chosen),
    )


def thresholds_table(judged: Judged) -> Table:
    """Return what each threshold would mean, side by side."""
    usual, chosen = ways(judged)
    return Table(
        caption=f"The same model at two thresholds, on the dev rows: {usual.seen.positives:,} {judged.positives}, {usual.seen.negatives:,} {judged.others}",
        head=("", f"usual: {percent(USUAL)}", f"chosen: {percent(chosen.threshold)}"),
        rows=(
            ("right answers (accuracy)", *(percent(way.accuracy) for way in (usual, chosen))),
            (f"{judged.positives} missed", *(percent(way.missed) for way in (usual, chosen))),
            (f"{judged.others} flagged", *(percent(way.flagged_for_nothing) for way in (usual, chosen))),
            (f"money, {judged.unit}", *(amount(way.money, signed=True) for way in (usual, chosen))),
            ("verdict on these rows", *(f"{SIGNS[way.outcome]} {way.outcome}" for way in (usual, chosen))),
        ),
    )


def thresholds_said(judged: Judged) -> str:
    """Say what accuracy hides, and why the threshold is where it is."""
    usual, chosen = ways(judged)
    by_costs = _by_costs(judged)
    return (
        f"At {percent(USUAL)} the model is right on {percent(usual.accuracy)} of these rows, misses {percent(usual.missed)} of the {judged.positives} "
        f"and is {usual.outcome}: accuracy does not see what an error costs. "
        f"Costs alone would alert from {percent(by_costs)} on; {percent(chosen.threshold)} {KEEPS[chosen.outcome]}"
    )


def marks(judged: Judged) -> Iterator[Mark]:
    """List what to point out on the value curve."""
    usual, chosen = ways(judged)
    yield Mark(threshold=chosen.threshold, money=chosen.money, words=f"chosen, {percent(chosen.threshold)}: {chosen.outcome}", kind="strong")
    yield Mark(threshold=usual.threshold, money=usual.money, words=f"usual, {percent(USUAL)}: {usual.outcome}", kind="mark")
    by_costs = _by_costs(judged)
    if all(abs(odds(by_costs) - odds(way.threshold)) > LEGIBLE for way in (usual, chosen)):
        yield Mark(threshold=by_costs, money=worth_at(judged.evaluation.curve, by_costs), words=f"by costs alone, {percent(by_costs)}", kind="other")


def _by_costs(judged: Judged) -> float:
    """Return from which probability costs alone would alert; it stands there wherever a threshold decides."""
    assert judged.evaluation.threshold_by_costs is not None
    return judged.evaluation.threshold_by_costs
