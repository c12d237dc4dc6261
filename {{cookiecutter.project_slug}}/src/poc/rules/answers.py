"""Answers: what a model gives back for each kind of problem, when that is no answer, what is decided from it, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.evidence import ByCost, ClassCounts, Counted, Deciding, Deviations, Parity
from poc.rules.guards import PARITY_DIFFERENCE
from poc.rules.thresholds import as_float32, confusion_at

Answers = NDArray[np.floating[Any]]
Output = Literal["probability", "probabilities", "estimate"]

#: What the output of a model's graph is called, by kind of problem: shape (n_rows, 1), for several classes (n_rows, n_classes) in the charter's order.
OUTPUTS: Mapping[str, Output] = {"binary": "probability", "multiclass": "probabilities", "regression": "estimate", "count": "estimate"}
#: How far the probabilities of a row may be from adding up to 1: float32 rounds each.
ROUNDED = 1e-5
#: By how many units in float32's last place two amounts may differ and yet be equal: sums come in another order.
ULPS = 4
#: Digits that deviations are kept with, in millionths of the tolerance: enough for every figure, and a third of the file.
MILLIONTHS = 6


def output_of(deciding: Deciding) -> Output:
    """Name what a model answers that decides in this way."""
    return "probability" if deciding.threshold is not None else "probabilities" if deciding.by_cost else "estimate"


def count_invalid(deciding: Deciding, answers: Answers) -> tuple[int, int, int]:
    """Count answers, those that are not finite, and those that cannot be: outside 0 to 1, or probabilities that do not add up to 1."""
    rows = answers.reshape(len(answers), -1)
    not_finite = ~np.isfinite(rows).all(axis=1)
    with np.errstate(invalid="ignore"):
        outside = ((rows < 0) | (rows > 1)).any(axis=1)
        if deciding.by_cost:
            outside |= np.abs(rows.sum(axis=1, dtype=np.float64) - 1) > ROUNDED
    return len(rows), int(not_finite.sum()), 0 if output_of(deciding) == "estimate" else int((outside & ~not_finite).sum())


def decide(deciding: Deciding, answers: Answers) -> NDArray[Any]:
    """Return what is decided of each row, shape (n_rows,): whether to alert, the number of the class, or the amount itself.

    A class is decided that costs least on average, given its probabilities: argmin over j of sum over i of p_i * cost_ij (Elkan, 2001).
    """
    if deciding.threshold is not None:
        return np.asarray(np.asarray(answers) >= np.float32(deciding.threshold))
    if deciding.by_cost:
        return np.asarray(np.argmin(np.asarray(answers, dtype=np.float64) @ np.array(deciding.by_cost.costs), axis=1))
    return np.asarray(answers)


def in_words(deciding: Deciding, decided: NDArray[Any]) -> list[bool] | list[str] | None:
    """Return decisions as a server says them: yes or no, the class's name, or nothing where the answer is an amount."""
    if deciding.threshold is not None:
        return [bool(each) for each in decided]
    return [deciding.by_cost.classes[each] for each in decided] if deciding.by_cost else None


def compare(deciding: Deciding, expected: Answers, answered: Answers, *, expected_decides: Deciding | None = None) -> Parity:
    """Compare answers and decisions; one that is not finite, on either side, counts as the largest difference and a flip.

    What was expected is decided in the same way, unless `expected_decides` says otherwise: a smaller model has a threshold of its own.
    Probabilities are compared as they are; amounts in units of their spread, from the least to the largest, and beyond what float32 rounds.
    """
    one, other = (np.asarray(each, np.float64).reshape(len(each), -1) for each in (expected, answered))
    with np.errstate(invalid="ignore"):
        difference = np.abs(one - other)
    if output_of(deciding) == "estimate":
        rounding = ULPS * np.spacing(np.nan_to_num(np.abs(one)).astype(np.float32)).astype(np.float64)
        difference = np.maximum(difference - rounding, 0) / _spread(one)
        flipped = difference > PARITY_DIFFERENCE
    else:
        flipped = np.asarray(decide(expected_decides or deciding, expected) != decide(deciding, answered))
    silent = ~np.isfinite(difference).all(axis=-1)
    return Parity(
        rows=len(difference),
        largest_difference=float(np.nan_to_num(difference, nan=1.0, posinf=1.0).max(initial=0.0)),
        decisions_flipped=int((flipped.reshape(len(difference), -1).any(axis=1) | silent).sum()),
    )


def _spread(amounts: NDArray[np.float64]) -> float:
    """Return from the least to the largest finite amount; 1 where all are the same."""
    finite = amounts[np.isfinite(amounts)]
    return float(np.ptp(finite)) if len(finite) and np.ptp(finite) > 0 else 1.0


def count(
    charter: Charter, deciding: Deciding, answers: Answers, truth: NDArray[Any], *, groups: NDArray[Any] | None = None, usual_amount: float | None = None
) -> Counted:
    """Count decisions against the truth, for each group too where rows share one.

    Raises:
        Refused: an answer is NaN where a threshold decides.
        ValueError: the charter is about another kind of problem than what decides, or an amount has none to be compared with.
    """
    match charter:
        case BinaryCharter() if deciding.threshold is not None:
            return confusion_at(answers, truth, deciding.threshold, groups)
        case MulticlassCharter() if deciding.by_cost:
            return _class_counts(decide(deciding, answers), truth, len(deciding.by_cost.classes), groups)
        case AmountCharter(limits=limits) if usual_amount is not None:
            return _deviations(np.ravel(answers), truth, float(limits.tolerance), groups, usual_amount)
    raise ValueError(f"a {charter.problem} problem cannot be counted by {deciding!r}")


def _class_counts(decided: NDArray[Any], truth: NDArray[Any], k: int, groups: NDArray[Any] | None) -> ClassCounts:
    cells = np.ravel(truth).astype(np.intp) * k + decided
    table = np.bincount(cells, minlength=k * k).reshape(k, k)
    if groups is None:
        return ClassCounts(counts=table.tolist())
    names, place = np.unique(groups, return_inverse=True)
    by_group = np.bincount(place.reshape(-1) * k * k + cells, minlength=len(names) * k * k).reshape(-1, k, k)
    return ClassCounts(counts=table.tolist(), by_group=by_group.tolist())


def _deviations(answers: NDArray[Any], truth: NDArray[Any], tolerance: float, groups: NDArray[Any] | None, usual_amount: float) -> Deviations:
    truth = np.ravel(truth).astype(np.float64)
    error, usual = as_float32(answers).astype(np.float64) - truth, usual_amount - truth
    place = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    decimals = int(np.ceil(MILLIONTHS - np.log10(tolerance)))

    def added(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.round(np.bincount(place, weights=values), decimals)

    return Deviations(
        rows=np.bincount(place).tolist(),
        beyond=added(np.abs(error) > tolerance).astype(int).tolist(),
        over=added(np.maximum(error, 0)).tolist(),
        under=added(np.maximum(-error, 0)).tolist(),
        usual_over=added(np.maximum(usual, 0)).tolist(),
        usual_under=added(np.maximum(-usual, 0)).tolist(),
    )


def cost_matrix(charter: MulticlassCharter, truth: NDArray[Any]) -> ByCost:
    """Return the mean cost of each decision, weighted by how much rarer or more common a class is in production than among these rows.

    Probabilities that were calibrated where class i makes up the share r_i speak for production, where it makes up q_i, once each is multiplied by
    q_i / r_i (Elkan, 2001, theorem 2); what all cells share moves no decision.
    """
    names, value = charter.data.classes, charter.value
    seen = np.bincount(np.ravel(truth).astype(np.intp), minlength=len(names)) / len(truth)
    production = np.array([float(value.class_shares[name].low + value.class_shares[name].likely + value.class_shares[name].high) for name in names])
    weights = production / production.sum() / np.maximum(seen, 1 / len(truth))
    means = [[float(known.low + known.likely + known.high) / 3 for known in (value.costs[true][decided] for decided in names)] for true in names]
    return ByCost(classes=names, costs=(np.array(means) * weights[:, None]).tolist())
