"""Choosing what decides, on rows that the model had not seen: the limits of the charter first, money where they are kept equally well.

For yes or no it is the threshold (`rules.thresholds`). For several classes it is a cost matrix, at first the charter's own; for an amount it is a shift,
at first the newsvendor's: the quantile c_under / (c_under + c_over) of what is left of the truth once the estimate is taken away, at which one unit more
costs as much as it saves (Arrow, Harris and Marschak, "Optimal inventory policy", 1951). Both are the cheapest on average, whatever the limits say; so a
few others are tried, and one is taken that makes GO likelier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from poc.rules import stakes
from poc.rules.answers import cost_matrix, count
from poc.rules.calibration import calibrated
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.counts import counted_shares, expected_errors
from poc.rules.evidence import ByCost, Calibration, Deciding, Errors
from poc.rules.thresholds import EQUAL_CHANCE, chance_of_go, choose_threshold
from poc.rules.value import expected_worth, means

Floats = NDArray[np.float64]
C = TypeVar("C")

#: By how much more or less a limited class may weigh than its costs say.
STRICTNESS = 2.0 ** np.arange(-4, 12.5, 0.5)
#: Quantiles of what is left that are tried as a shift, besides the newsvendor's.
LEVELS = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What decides, the calibration with it, the predicted chance that all limits on errors come out GO, and the errors that it was predicted from."""

    deciding: Deciding
    calibration: Calibration
    predicted_chance_of_go: float
    limited: dict[str, Errors]


def choose(charter: Charter, raw: Floats, truth: NDArray[Any], calibration: Calibration, sealed: Mapping[str, int], *, usual_amount: float | None) -> Chosen:
    """Choose what decides after `calibration`; `sealed` says as how many rows those of each sort in the sealed set count."""
    answers = calibrated(charter.problem, raw, calibration)

    def outcome(deciding: Deciding, given: Floats = answers) -> tuple[float, float, dict[str, Errors]]:
        seen = count(charter, deciding, given, truth, usual_amount=usual_amount)
        limited = {share.name: Errors(errors=share.errors, rows=share.rows) for share in counted_shares(charter, seen)}
        return chance_of_go(charter, limited, sealed), float(expected_worth(charter, expected_errors(seen))), limited

    match charter:
        case BinaryCharter():
            chosen = choose_threshold(answers, truth, charter, sealed["positives"], sealed["negatives"])
            deciding, predicted = Deciding(threshold=chosen.threshold), chosen.predicted_chance_of_go
            return Chosen(deciding=deciding, calibration=calibration, predicted_chance_of_go=predicted, limited=outcome(deciding)[2])
        case MulticlassCharter():
            deciding = Deciding(by_cost=_strict(charter, cost_matrix(charter, truth), lambda by_cost: outcome(Deciding(by_cost=by_cost))[0]))
        case AmountCharter():
            deciding = Deciding()
            calibration = _shifted(charter, truth - answers, calibration, lambda tried: outcome(deciding, calibrated(charter.problem, raw, tried))[:2])
    chance, _, limited = outcome(deciding, calibrated(charter.problem, raw, calibration))
    return Chosen(deciding=deciding, calibration=calibration, predicted_chance_of_go=chance, limited=limited)


def _strict(charter: MulticlassCharter, by_cost: ByCost, chance: Callable[[ByCost], float]) -> ByCost:
    """Let each limited class in turn weigh more or less, by as little as makes GO as likely as can be: the costs themselves are the cheapest."""
    for name in charter.limits.missed_share:
        at = by_cost.classes.index(name)
        tried = [_weighted(by_cost, at, float(factor)) for factor in sorted(STRICTNESS, key=lambda factor: abs(np.log(factor)))]
        chances = np.array([chance(each) for each in tried])
        by_cost = tried[int(np.argmax(chances >= chances.max() - EQUAL_CHANCE))]
    return by_cost


def _weighted(by_cost: ByCost, at: int, factor: float) -> ByCost:
    return ByCost(classes=by_cost.classes, costs=[[cost * (factor if i == at else 1.0) for cost in row] for i, row in enumerate(by_cost.costs)])


def _shifted(charter: AmountCharter, left: Floats, calibration: Calibration, outcome: Callable[[Calibration], tuple[float, float]]) -> Calibration:
    """Shift by the newsvendor's quantile of what is `left` of the truth, or by another where that makes GO likelier."""
    over, under = (float(means(charter)[cost]) for cost in (stakes.OVER, stakes.UNDER))
    level = under / (under + over) if under + over > 0 else 0.5
    shifts = np.quantile(left, [level, *LEVELS])
    tried = [Calibration(slope=calibration.slope, intercept=calibration.intercept + float(shift)) for shift in shifts]
    return _best(tried, map(outcome, tried))


def _best(tried: list[C], outcomes: Iterable[tuple[float, float]]) -> C:
    """Return what has the best chance of GO, and among those about as good the one worth most; the first of equals."""
    chance, worth = np.array(list(outcomes)).T
    return tried[int(np.argmax(np.where(chance >= chance.max() - EQUAL_CHANCE, worth, -np.inf)))]
