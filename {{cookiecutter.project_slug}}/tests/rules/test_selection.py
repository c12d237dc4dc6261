from __future__ import annotations

import math

import pytest
from builders import a_money

from poc.rules.evidence import Assessment, Confusion, LimitVerdict
from poc.rules.selection import choose, monthly_cost


def a_variant(name: str, *, chance: float = 0.9, cost: float = 100.0, gain: float = 1000.0, passes: bool = True, cpu_us: float = 50.0) -> Assessment:
    money = a_money(gain, gain)
    budget = LimitVerdict(name="monthly_budget", verdict="GO", measured=cost, low=cost, high=cost, limit=400, unit="EUR", why="")
    return Assessment(
        variant=name,
        counted=Confusion(positives=1, missed=0, negatives=1, false_alarms=0),
        money=money,
        limits=[budget],
        chance_of_go=chance,
        is_expected_to_pass=passes,
        expected_p99_ms=1.0,
        cpu_us_per_call=cpu_us,
    )


def chosen(*variants: Assessment) -> str:
    return choose(variants)[0].variant


def test_the_cheapest_of_those_about_as_likely_to_reach_go_is_frozen() -> None:
    assert chosen(a_variant("dear", chance=0.95, cost=240), a_variant("cheap", chance=0.91, cost=120)) == "cheap"


def test_a_cheap_variant_much_less_likely_to_reach_go_is_not_frozen() -> None:
    assert chosen(a_variant("dear", chance=0.95, cost=240), a_variant("cheap", chance=0.89, cost=120)) == "dear"


def test_at_equal_cost_the_one_that_earns_more_is_frozen() -> None:
    assert chosen(a_variant("a", gain=1000), a_variant("b", gain=1001)) == "b"


def test_microseconds_and_cents_do_not_decide_but_the_name_does() -> None:
    assert chosen(a_variant("b", cpu_us=10, gain=1000.3), a_variant("a", cpu_us=20, gain=1000.1)) == "a"


def test_a_variant_that_is_not_expected_to_pass_is_not_frozen_however_good() -> None:
    assert chosen(a_variant("rich", chance=0.99, cost=1, gain=9999, passes=False), a_variant("sound", chance=0.6)) == "sound"


def test_when_none_is_expected_to_pass_the_most_likely_is_frozen_and_says_so() -> None:
    best, why = choose([a_variant("far", chance=0.1, cost=1, passes=False), a_variant("near", chance=0.4, passes=False)])
    assert best.variant == "near"
    assert "no variant is expected to meet every limit" in why and "40%" in why


@pytest.mark.parametrize("cost", [math.nan, math.inf])
def test_a_variant_without_a_cost_counts_as_infinitely_dear(cost: float) -> None:
    assert monthly_cost(a_variant("untimed", cost=cost)) == math.inf
    assert chosen(a_variant("a-untimed", cost=cost), a_variant("timed", cost=399)) == "timed"


def test_variants_none_of_which_was_timed_can_still_be_chosen_from() -> None:
    assert chosen(a_variant("a", cost=math.nan, gain=1), a_variant("b", cost=math.nan, gain=2)) == "b"
