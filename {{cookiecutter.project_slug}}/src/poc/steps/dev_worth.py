"""What the frozen model is worth on dev with the features that it is given: all of them, those that were known by then, or some silent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.answers import count, count_invalid
from poc.rules.charter import Charter
from poc.rules.counts import expected_errors
from poc.rules.evidence import Candidate, Counted, Interval, Silence
from poc.rules.live_features import silent
from poc.rules.skill import skill
from poc.rules.value import expected_worth, worth
from poc.rules.words import amount
from poc.tools.onnx_runtime import Scorer, Tensor

Tensors = Mapping[str, Tensor]
#: Of so many features each is left out alone: for an amount on many rows the draws of one take a second.
MOST_ALONE = 8


def without(tensors: Tensors, names: Sequence[str]) -> Tensors:
    """Return dev rows in which nothing is known of these features."""
    return {**tensors, **{name: silent(tensors[name]) for name in names}}


class NotAnswered(Exception):
    """The model gives no valid answer to every row; the message says why."""


@dataclass(frozen=True, kw_only=True)
class DevWorth:
    """The frozen model, with what its decisions on dev are counted and priced by; labels and groups have shape (n_rows,)."""

    charter: Charter
    frozen: Candidate
    scorer: Scorer
    labels: NDArray[Any]
    groups: NDArray[np.object_] | None
    usual_amount: float | None

    def answers(self, tensors: Tensors) -> NDArray[np.float32]:
        """Answer dev rows by the model itself: a server may refuse a row that lacks a value.

        Raises:
            NotAnswered: an answer is not valid, or there is none.
        """
        try:
            answers = self.scorer.answers(tensors)
        except Exception as error:  # ONNX Runtime raises bare exceptions of many kinds
            raise NotAnswered(f"the model does not run: {str(error).rpartition(':')[2].strip()}") from error
        rows, not_finite, outside = count_invalid(self.frozen, answers)
        if not_finite + outside:
            raise NotAnswered(f"the model gives {not_finite + outside:,} of {rows:,} rows no valid answer")
        return answers

    def money(self, answers: NDArray[np.float32]) -> Interval:
        """Return money per period at the frozen threshold, by the draws that `evaluate` takes."""
        return worth(self.charter, self._counted(answers), seed=self.charter.data.split_seed).per_period

    def _counted(self, answers: NDArray[np.float32]) -> Counted:
        return count(self.charter, self.frozen, answers, self.labels, groups=self.groups, usual_amount=self.usual_amount)

    def instead_of(self, known: Tensors, trained: Tensors) -> str:
        """Say what decisions on what was known come to, and what those on the features that training saw promise."""
        try:
            live, batch = self.answers(known), self.answers(trained)
        except NotAnswered as reason:
            return f"What the model is worth with what was known cannot be told: {reason}"
        unit = f"{self.charter.value.currency} a {self.charter.value.period}"
        worth_live, worth_batch = (amount(self.money(answers).middle, signed=True) for answers in (live, batch))
        skill_live, skill_batch = (skill(self.charter.problem, answers, self.labels) for answers in (live, batch))
        return (
            f"With what was known the model is worth {worth_live} {unit} on dev instead of {worth_batch} "
            f"({skill_live.unit} {skill_live.value:.2f} instead of {skill_batch.value:.2f})"
        )

    def silences(self, tensors: Tensors, late: Sequence[str]) -> list[Silence]:
        """Leave out each late feature, of many those that cost most, and at last all of them."""
        alone = sorted(late, key=lambda name: self._roughly(tensors, [name]))[:MOST_ALONE] if len(late) > MOST_ALONE else late
        together = [list(late)] if len(late) > 1 else []
        return [self.silence(tensors, names) for names in [*([name] for name in late if name in alone), *together]]

    def _roughly(self, tensors: Tensors, names: Sequence[str]) -> float:
        """Return the mean of the money without features, from no draws; least where the model does not answer."""
        try:
            return float(expected_worth(self.charter, expected_errors(self._counted(self.answers(without(tensors, names))))))
        except NotAnswered:
            return -math.inf

    def silence(self, tensors: Tensors, names: Sequence[str]) -> Silence:
        """Say what the model is worth where these features are missing in every row."""
        is_refused = any(not each.may_be_missing for each in self.frozen.inputs if each.name in names)
        try:
            answers = self.answers(without(tensors, names))
        except NotAnswered as reason:
            return Silence(features=list(names), money=None, why_not_known=str(reason), is_refused=is_refused)
        return Silence(features=list(names), money=self.money(answers), is_refused=is_refused)
