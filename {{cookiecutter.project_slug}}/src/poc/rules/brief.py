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

#: How many letters of sentences one sheet of paper has room for in its usual size, and that size and the smallest, in points.
ROOMY, USUAL_PT, SMALLEST_PT = 2110, 7.8, 5.4
#: A limit's row takes as much room as so many letters.
ROW = 60


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
        cores = listed([str(cores) for cores in sorted({len(report.pinned_cores) for report in self.timings.targets})])
        return f"{clipped(machine.cpu, 60)}, {machine.architecture}, {cores} cores, ONNX Runtime {machine.onnxruntime}"


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
            *(self.thresholds_said, *self.not_proven, self.evidence),
        )
        letters = sum(map(len, said)) + ROW * len(self.limits)
        return round(max(SMALLEST_PT, USUAL_PT * min(1.0, math.sqrt(ROOMY / letters))), 2)
