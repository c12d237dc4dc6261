"""Whether a model could pay at all: what even a perfect one cannot repay is not started."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from poc.errors import Problem
from poc.rules.charter import BinaryCharter, Charter
from poc.rules.charter_fields import Known
from poc.rules.stakes import cost_per_period, errors_of_nobody, perfect_errors, perfect_saving_per_period
from poc.rules.value import means


def worth_starting(charter: Charter) -> Iterator[Problem]:
    """List why no model could pay, each with the sum; the plainest reason hides those that follow from it."""
    for reason in (_no_alert_pays, _never_repaid, _below_minimum, _no_better_than_none):
        if problems := list(reason(charter)):
            yield from problems
            return


def _never_repaid(charter: Charter) -> Iterator[Problem]:
    value, periods = charter.value, charter.value.useful_life_periods
    saves = perfect_saving_per_period(charter) * periods
    sprints = float(sum(sprint.budget for sprint in charter.timebox.sprints))
    runs = float(value.run_cost_per_period * periods)
    if round(saves, 2) <= round(sprints + runs, 2):
        yield Problem(
            what=f"even a perfect model saves {saves:,.0f} {value.currency} over its useful life and costs {sprints + runs:,.0f}: do not start. "
            f"It saves {saves / periods:,.0f} a {value.period} against today's process, for {periods} {value.period}s; "
            f"the sprints cost {sprints:,.0f}, running it {periods} times {value.run_cost_per_period:,.0f}",
            where="value",
            fix="spend less, or decide something that matters more",
        )


def _below_minimum(charter: Charter) -> Iterator[Problem]:
    value, a_period = charter.value, perfect_saving_per_period(charter)
    run_cost, least = float(value.run_cost_per_period), float(charter.timebox.minimum_value_per_period)
    if round(a_period - run_cost, 2) < least:
        yield Problem(
            what=f"at the likely values even a perfect model gains {a_period - run_cost:,.0f} {value.currency} a {value.period}, and {least:,.0f} "
            f"is the minimum: it saves {a_period:,.0f} against today's process and costs {run_cost:,.0f} to run",
            where="timebox.minimum_value_per_period",
            fix="ask for less, or decide something that matters more",
        )


def _no_better_than_none(charter: Charter) -> Iterator[Problem]:
    value = charter.value
    for policy, more in _perfect_saving_without_model(charter).items():
        if round(more, 2) <= float(value.run_cost_per_period):
            yield Problem(
                what=f"{policy} needs no model and costs, on average, {more:,.0f} {value.currency} a {value.period} more than a perfect model, "
                f"which costs {value.run_cost_per_period:,.0f} to run: no model can pay",
                where="value",
                fix="do that instead, or correct the costs",
            )


def _perfect_saving_without_model(charter: Charter) -> dict[str, float]:
    """Return what a perfect model saves per period, on average over the charter's ranges, against each policy that needs no model."""
    mean = means(charter)
    perfect = cost_per_period(charter, mean, perfect_errors(charter))
    return {name: float(cost_per_period(charter, mean, errors) - perfect) for name, errors in errors_of_nobody(charter).items()}


def _no_alert_pays(charter: Charter) -> Iterator[Problem]:
    if not isinstance(charter, BinaryCharter):
        return
    catch, miss = charter.value.cost_per_catch, charter.value.cost_missed
    if _mean(catch) >= _mean(miss):
        yield Problem(
            what=f"a catch costs {_sum(catch)} on average, a miss {_sum(miss)}: no alert can ever pay",
            where="value.cost_per_catch",
            fix="correct the costs, or let the positives pass",
        )


def _mean(known: Known) -> Decimal:
    """Return the mean of the triangular distribution that the verdict draws from."""
    return (known.low + known.likely + known.high) / 3


def _sum(known: Known) -> str:
    return f"({known.low} + {known.likely} + {known.high}) / 3 = {_mean(known):,.2f}"
