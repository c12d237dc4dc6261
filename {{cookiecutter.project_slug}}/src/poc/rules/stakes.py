"""What is at stake: the cost of a period as a function of how often each error happens, for every kind of problem.

Errors are arrays. Binary: shape (2, ...), the share of positives missed and the share of others flagged. Multiclass: shape (k, k, ...), of the
rows of each class the share decided as each class. Regression and count: shape (2, ...), mean units over and under per decision. The
trailing axes, if any, are draws.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.charter_fields import Known

Floats = NDArray[np.float64]

DECISIONS = "decisions"
POSITIVE, MISS, FALSE_ALARM, CATCH = "positive share", "cost of a miss", "cost of a false alarm", "cost of a catch"
OVER, UNDER = "cost of a unit over", "cost of a unit under"
TODAY = "today's process"


def knowns(charter: Charter) -> dict[str, Known]:
    """List what the charter knows as a range, by the name that people read."""
    found: dict[str, Known] = {DECISIONS: charter.value.decisions_per_period}
    match charter:
        case BinaryCharter(value=value):
            found |= {POSITIVE: value.positive_share, MISS: value.cost_missed, FALSE_ALARM: value.cost_false_alarm, CATCH: value.cost_per_catch}
        case MulticlassCharter(value=value):
            found |= {_share_of(name): value.class_shares[name] for name in charter.data.classes}
            found |= {cost_of(true, decided): value.costs[true][decided] for true in charter.data.classes for decided in charter.data.classes}
        case AmountCharter(value=value):
            found |= {OVER: value.cost_per_unit_over, UNDER: value.cost_per_unit_under}
    return found


def cost_per_period(charter: Charter, known: Mapping[str, Floats], errors: Floats) -> Floats:
    """Return what decisions with these errors cost per period, in the shape of the errors' trailing axes and of `known`.

    Binary: decisions * (positives * (missed share * miss + (1 - missed share) * catch) + (1 - positives) * false-alarm share * false alarm).
    Multiclass: decisions * sum over classes of share * sum over decisions of how often * its cost: the expected cost under a cost matrix
    (C. Elkan, "The foundations of cost-sensitive learning", 2001), of which binary is the case of two classes. Regression and count:
    decisions * (mean units over * cost over + mean units under * cost under), the newsvendor's linear loss.
    """
    match charter:
        case BinaryCharter():
            missed, false_alarms = errors
            on_positives = missed * known[MISS] + (1 - missed) * known[CATCH]
            a_decision = known[POSITIVE] * on_positives + (1 - known[POSITIVE]) * false_alarms * known[FALSE_ALARM]
        case MulticlassCharter():
            names = charter.data.classes
            shares = [known[_share_of(name)] for name in names]  # drawn one by one they need not add up to 1
            by_class = [sum(errors[i, j] * known[cost_of(true, decided)] for j, decided in enumerate(names)) for i, true in enumerate(names)]
            a_decision = np.sum([share * cost for share, cost in zip(shares, by_class, strict=True)], axis=0) / np.sum(shares, axis=0)
        case _:
            over, under = errors
            a_decision = over * known[OVER] + under * known[UNDER]
    return np.asarray(known[DECISIONS] * a_decision, dtype=np.float64)


def errors_today(charter: Charter) -> Floats:
    """Return the errors of today's process, as the charter states them."""
    match charter:
        case BinaryCharter(baseline=today):
            return np.array([today.missed_share, today.false_alarm_share], dtype=np.float64)
        case MulticlassCharter(baseline=today):
            names = charter.data.classes
            return np.array([[today.decided_shares[true][decided] for decided in names] for true in names], dtype=np.float64)
        case AmountCharter(baseline=today):
            return np.array([today.mean_over, today.mean_under], dtype=np.float64)
    raise TypeError(f"a charter of an unknown kind: {charter.problem}")


def errors_of_nobody(charter: Charter) -> dict[str, Floats]:
    """Return the errors of policies that need no model and no look at the row; for amounts these are counted on the rows instead."""
    match charter:
        case BinaryCharter():
            return {"flagging everything": np.array([0.0, 1.0]), "flagging nothing": np.array([1.0, 0.0])}
        case MulticlassCharter():
            names = charter.data.classes
            return {f"deciding {name!r} every time": np.tile(np.eye(len(names))[j], (len(names), 1)) for j, name in enumerate(names)}
        case _:
            return {}


def perfect_errors(charter: Charter) -> Floats:
    """Return the errors of a model that is always right; where another decision is likely to cost less, of one that takes the cheapest."""
    match charter:
        case BinaryCharter(value=value):
            return np.array([float(value.cost_per_catch.likely > value.cost_missed.likely), 0.0])
        case MulticlassCharter():
            names, costs = charter.data.classes, charter.value.costs
            cheapest = [min(range(len(names)), key=lambda j: costs[true][names[j]].likely) for true in names]
            return np.eye(len(names))[cheapest]
        case _:
            return np.zeros(2)


def perfect_saving_per_period(charter: Charter) -> float:
    """Return what a perfect model saves against today's process per period, before its run cost, at the likely values."""
    likely = {name: np.asarray(float(known.likely)) for name, known in knowns(charter).items()}
    return float(cost_per_period(charter, likely, errors_today(charter)) - cost_per_period(charter, likely, perfect_errors(charter)))


def _share_of(name: str) -> str:
    return f"share of {name!r}"


def cost_of(true: str, decided: str) -> str:
    """Name the cost of deciding a row of one class as another."""
    return f"cost of {true!r} decided as {decided!r}"
