"""The brief as a record: everything that the sponsor's page says, as words, rows and pictures; each form of the page is made from it."""

from __future__ import annotations

from dataclasses import dataclass

from poc.rules.agreed_figures import plain
from poc.rules.charter import UNNAMED, AmountCharter, BinaryCharter, Charter
from poc.rules.counts import MISSED_OF
from poc.rules.evidence import MONEY_AGAINST, UNSIGNED, Candidate, Evaluation, Outcome, Rehearsal, Signoff, Splits, Timings, Verdict
from poc.rules.shapes import Picture
from poc.rules.words import PLAIN, clipped, in_words, listed, parted, percent

#: What one sheet has room for, in points, and the sizes of letters that are tried on it.
SHEET_PT, SIZES_PT = 787.0, tuple(size / 20 for size in range(156, 107, -1))
#: How many letter sizes headings, tables and pictures take whatever is said; the thresholds with their curve; each row of limits; the tornado; and what
#: has room beside the picture of variants.
ALWAYS, THRESHOLDS, ROW, TORNADO, BESIDE = 55.7, 17.5, 1.55, 12.8, 9.5
#: How many letter sizes a letter takes, times its size, since that many fit a line: across the page, in half of it, and in a list there. From Chromium.
ACROSS, HALF, LISTED = 0.0014, 0.0025, 0.0034
#: Letters of what is said of the charter that are among those that the page takes always.
ONE_LINE = 140


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
    signoff: Signoff = UNSIGNED

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
    """What the page says, top to bottom; thresholds and their curve only where a threshold decides.

    `mark` stands over a page whose charter is not signed in earnest; `drafts` says who signed it, or that nobody did, and `agreed` is that in a word.
    """

    project: str
    question: str
    byline: str
    mark: str
    agreed: str
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
        return next((size for size in SIZES_PT if self._letters_high(size) * size <= SHEET_PT), SIZES_PT[-1])

    def _letters_high(self, size: float) -> float:
        """Estimate how high the page is, in letter sizes; of two columns the longer counts."""
        across = (
            self.question,
            self.meaning,
            self.next_step,
            self.drafts[ONE_LINE:],
            self.data,
            self.people_in_one_line,
            self.people.caption,
            self.people_said,
            self.limits_caption,
        )
        variant = HALF * size * (len(self.variant_said) + len(self.speed_said))
        left = TORNADO + LISTED * size * (len(self.break_even) + len(self.if_late_features_fell_silent))
        right = LISTED * size * (sum(map(len, self.not_proven)) + len(self.evidence))
        tables = ROW * len(self.limits) + (THRESHOLDS if self.thresholds else 0.0)
        return ALWAYS + tables + ACROSS * size * sum(map(len, across)) + max(0.0, variant - BESIDE) + max(left, right)
