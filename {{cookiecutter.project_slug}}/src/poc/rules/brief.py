"""The brief as a record: everything that the sponsor's page says, as words, rows and pictures; each form of the page is made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from poc.rules.agreed_figures import plain
from poc.rules.charter import UNNAMED, AmountCharter, BinaryCharter, Charter
from poc.rules.counts import MISSED_OF
from poc.rules.evidence import MONEY_AGAINST, Candidate, Evaluation, Outcome, Rehearsal, Splits, Timings, Verdict
from poc.rules.shapes import Picture
from poc.rules.words import PLAIN, clipped, in_words, listed, parted, percent

#: The largest and the smallest size of letters on paper, and what one sheet has room for, in points.
USUAL_PT, SMALLEST_PT, SHEET_PT = 7.8, 5.4, 785.0
#: How much of it, in sizes of a letter, headings, tables and pictures take whatever is said, the thresholds with their curve, and each limit's row.
ALWAYS, THRESHOLDS, ROW = 50.0, 17.5, 1.55
#: What each letter of sentences takes in sizes of a letter, times that size: so many of them fit a line. Measured with Chromium.
LETTER = 0.0021


@dataclass(frozen=True, kw_only=True)
class Judged:
    """All that is known of a candidate after its verdict: what the brief and the model card are written from; `judged_on` is a day."""

    charter: Charter
    candidate: Candidate
    verdict: Verdict
    evaluation: Evaluation
    timings: Timings
    splits: Splits
    rehearsal: Rehearsal
    data_card: str | None
    judged_on: str

    @property
    def unit(self) -> str:
        """Return the unit of the money."""
        return f"{self.verdict.money.currency} a {self.verdict.money.period}"

    @property
    def level(self) -> str:
        """Say how sure the money's bounds are."""
        return f"{percent(self.verdict.money.level)} interval"

    @property
    def positives(self) -> str:
        """Return what people call the cases that the model is to find, in the plural."""
        return self._called[0]

    @property
    def others(self) -> str:
        """Return what people call all other cases, in the plural."""
        return self._called[1]

    @property
    def _called(self) -> tuple[str, str]:
        return self.charter.data.called if isinstance(self.charter, BinaryCharter) else UNNAMED

    def name_of(self, limit: str) -> str:
        """Return a limit's name in plain words."""
        if limit == "beyond_tolerance_share" and isinstance(self.charter, AmountCharter):
            return f"estimates off by more than {plain(self.charter.limits.tolerance)} {self.charter.value.unit}"
        if limit.startswith(MISSED_OF):
            return f"{limit.removeprefix(MISSED_OF)} decided as something else"
        about = {"missed_share": f"{self.positives} that are missed", "false_alarm_share": f"{self.others} flagged for nothing (false alarms)"}
        own, target = parted(limit)
        named = about.get(own) or PLAIN.get(own) or (own if own.startswith(MONEY_AGAINST) else in_words(own))
        return f"{named}, on {target}" if target else named

    @property
    def elsewhere(self) -> dict[str, list[str]]:
        """Return what sets the machine that measured apart from each target that it is not; a single target has no name here."""
        several = len(self.charter.limits.hardware) > 1
        return {report.target if several else "": report.differences for report in self.timings.targets if report.differences}

    @property
    def timed_on(self) -> str:
        """Say on which machine speed was measured, and on how many of its cores."""
        machine = self.timings.targets[0].machine
        pinned = sorted({len(report.pinned_cores) for report in self.timings.targets})
        cores = f"{listed([str(each) for each in pinned])} {'core' if pinned == [1] else 'cores'}"
        return f"{clipped(machine.cpu, 60)}, {machine.architecture}, {cores}, ONNX Runtime {machine.onnxruntime}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A caption, the columns' names, and rows whose first cell names them."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit of the charter as a row: what was agreed, what was measured, between which bounds it lies, and the verdict with its sign."""

    name: str
    allowed: str
    measured: str
    bounds: str
    verdict: Outcome
    sign: str


@dataclass(frozen=True, kw_only=True)
class Money:
    """The one money figure, its range, and what else the sponsor asks of it."""

    figure: str
    unit: str
    bounds: str
    said: str
    picture: Picture
    against: Table


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What the page says, top to bottom; thresholds and their curve only where a threshold decides."""

    project: str
    question: str
    byline: str
    drafts: str
    data: str
    verdict: Outcome
    sign: str
    meaning: str
    next_step: str
    money: Money
    people_in_one_line: str
    people: Table
    people_said: str
    limits_caption: str
    limits: tuple[Limit, ...]
    variant_said: str
    speed_said: str
    variants: Picture
    thresholds: Table | None
    thresholds_said: str
    curve: Picture | None
    tornado: Picture
    swings: Table
    break_even: str
    if_late_features_fell_silent: str
    not_proven: tuple[str, ...]
    evidence: str
    digests: tuple[tuple[str, str], ...]

    @property
    def print_pt(self) -> float:
        """Return the size of letters on paper, in points: where the charter says much, they are smaller, so that one sheet is enough."""
        said = (
            *(self.question, self.meaning, self.next_step, self.data, self.people_in_one_line, self.people.caption, self.people_said, self.limits_caption),
            *(self.variant_said, self.speed_said, self.thresholds_said, self.break_even, self.if_late_features_fell_silent, *self.not_proven, self.evidence),
        )
        fixed = ALWAYS + (THRESHOLDS if self.thresholds else 0.0) + ROW * len(self.limits)
        letters = LETTER * sum(map(len, said))
        size = (math.sqrt(fixed**2 + 4 * letters * SHEET_PT) - fixed) / (2 * letters)  # fixed * size + letters * size ** 2 fills the sheet
        return round(max(SMALLEST_PT, min(USUAL_PT, size)), 2)
