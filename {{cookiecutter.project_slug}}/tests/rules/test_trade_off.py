from __future__ import annotations

import math
from typing import Any

import pytest
from artifacts import an_evaluation, changed, fast_timings
from builders import a_charter

from poc.rules.evidence import Evaluation, Interval
from poc.rules.trade_off import Option, alike, budget_per_million, cost_against_worth, front, latency_against_worth


def an_option(name: str, cost: float, worth: float, *, is_frozen: bool = False, why_not: str = "") -> Option:
    """Return an option whose bounds lie a tenth around its cost and 10 around its worth."""
    return Option(
        name=name,
        cost=Interval(low=0.9 * cost, middle=cost, high=1.1 * cost),
        worth=Interval(low=worth - 10, middle=worth, high=worth + 10),
        is_frozen=is_frozen,
        why_not=why_not,
    )


def names(options: list[Option]) -> list[str]:
    return [each.name for each in options]


def test_the_front_is_what_is_worth_more_than_all_that_cost_no_more() -> None:
    options = [an_option("dear and best", 8, 100), an_option("dominated", 4, 60), an_option("cheap", 1, 50), an_option("between", 2, 70)]
    assert names(front(options)) == ["cheap", "between", "dear and best"]


def test_of_two_that_cost_the_same_the_better_is_on_the_front_and_of_equals_one() -> None:
    assert names(front([an_option("worse", 1, 50), an_option("better", 1, 60), an_option("as good", 2, 60)])) == ["better"]


@pytest.mark.parametrize("out", [an_option("refuted", 0.5, 999, why_not="missed share"), an_option("untimed", math.inf, 999), an_option("free", 0, 999)])
def test_what_is_ruled_out_or_has_no_cost_is_not_on_the_front(out: Option) -> None:
    assert names(front([out, an_option("sound", 1, 50)])) == ["sound"]


def test_variants_that_decide_alike_are_one_mark_by_their_models_name() -> None:
    options = [an_option("trees.float32", 2, 70), an_option("trees.graph-optimised", 1, 70), an_option("trees.int8", 1, 60), an_option("linear.float32", 3, 70)]
    assert [(each.name, each.cost.middle) for each in alike(options[:3])] == [("trees", 1), ("trees.int8", 1)]
    assert names(alike(options)) == ["trees.graph-optimised", "trees"]  # of two models: the cheapest stands for them


def test_the_frozen_one_stands_for_those_that_decide_alike() -> None:
    [shown] = alike([an_option("trees.float32", 2, 70, is_frozen=True), an_option("trees.graph-optimised", 1, 70)])
    assert (shown.name, shown.cost.middle, shown.is_frozen) == ("trees", 2, True)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 0.684932),  # 400 a month pay three machines at 120; 200 requests/s are 525.6 million in 730 hours
        ({"monthly_budget": 480}, 0.913242),
        ({"arrivals_per_second": 400}, 0.342466),
    ],
)
def test_the_budget_is_shared_out_among_the_calls_of_a_month(limits: dict[str, Any], expected: float) -> None:
    charter = a_charter(limits=limits)
    assert budget_per_million(charter, charter.limits.hardware[0]) == pytest.approx(expected, abs=1e-6)


def test_a_machine_that_costs_nothing_has_no_budget_to_keep() -> None:
    charter = a_charter(limits={"hardware": {"monthly_cost": 0}})
    assert budget_per_million(charter, charter.limits.hardware[0]) == math.inf


def an_evaluation_of_one(**changes: Any) -> Evaluation:
    found = an_evaluation(a_charter())
    return found.model_copy(update={"assessments": [found.assessments[0].model_copy(update=changes)]})


def test_a_call_is_held_against_the_tightest_budget_of_all_targets() -> None:
    edge, cloud = (
        {"name": name, "architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": cost} for name, cost in (("edge", 250), ("cloud", 120))
    )
    found = cost_against_worth(a_charter(limits={"hardware": [edge, cloud]}), an_evaluation_of_one(why_not="memory"))
    [option] = found.options
    assert found.limit == pytest.approx(250 / 525.6)
    assert (option.is_frozen, option.why_not, option.cost) == (True, "memory", Interval(low=0.0045, middle=0.0046, high=0.0048))
    assert (found.minimum, found.money, found.unit) == (5000, "EUR a month", "EUR")


def test_the_latency_is_that_of_the_slowest_target_and_unknown_where_nothing_was_timed() -> None:
    fast = fast_timings()
    slow = fast.targets[0].timings[0].model_copy(update={"open_loop_p99_low_ms": 1.0, "open_loop_p99_ms": 2.0, "open_loop_p99_high_ms": 3.0})
    both = fast.model_copy(update={"targets": [changed(fast, target="a", timings=[slow]).targets[0], changed(fast, target="b").targets[0]]})
    [option] = latency_against_worth(a_charter(), an_evaluation_of_one(), both).options
    assert option.cost == Interval(low=1, middle=2, high=3)
    [unknown] = latency_against_worth(a_charter(), an_evaluation_of_one(), changed(fast, timings=[])).options
    assert not unknown.is_known
