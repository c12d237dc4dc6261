from __future__ import annotations

import math

import numpy as np
import pytest
from builders import a_money

from poc.rules.evidence import Assessment, Confusion, Interval, LimitVerdict, Outcome
from poc.rules.selection import choose


def an_interval(low: float, high: float) -> Interval:
    return Interval(low=low, middle=(low + high) / 2, high=high)


def a_variant(
    name: str,
    *,
    chance: float = 0.9,
    cost: float | tuple[float, float] = 120.0,
    gain: float = 1000.0,
    passes: bool = True,
    a_million: tuple[float, float] = (1.0, 1.1),
    latency: Outcome = "GO",
) -> Assessment:
    low, high = cost if isinstance(cost, tuple) else (cost, cost)
    return Assessment(
        variant=name,
        counted=Confusion(positives=1, missed=0, negatives=1, false_alarms=0),
        money=a_money(gain, gain),
        limits=[LimitVerdict(name="latency_p99 on edge-box", verdict=latency, measured=1.0, low=0.9, high=1.1, limit=5.0, unit="ms", why="")],
        chance_of_go=chance,
        is_expected_to_pass=passes,
        expected_p99_ms=1.0,
        cpu_us_per_call=50.0,
        monthly_cost=an_interval(low, high),
        cost_per_million=an_interval(*a_million),
    )


def chosen(*variants: Assessment) -> str:
    return choose(variants)[0].variant


def why(*variants: Assessment) -> str:
    return choose(variants)[1]


def test_the_cheapest_of_those_about_as_likely_to_reach_go_is_frozen() -> None:
    two = (a_variant("dear", chance=0.95, cost=240, gain=9000), a_variant("cheap", chance=0.91, cost=120))
    assert chosen(*two) == "cheap"
    assert why(*two) == "cheap over dear, which costs 240 EUR a month against 120; 2 of 2 variants are expected to meet every limit"


def test_a_cheap_variant_much_less_likely_to_reach_go_is_not_frozen() -> None:
    two = (a_variant("dear", chance=0.95, cost=240), a_variant("cheap", chance=0.89, cost=120))
    assert chosen(*two) == "dear"
    assert "dear over cheap, whose predicted chance of GO is 89% against 95%;" in why(*two)


def test_at_equal_cost_the_one_that_earns_more_is_frozen() -> None:
    two = (a_variant("a", gain=1000), a_variant("b", gain=1100, a_million=(5.0, 5.1)))
    assert chosen(*two) == "b"
    assert "b over a, which earns +1,000 against +1,100 EUR a month on dev, at no lower cost (120 EUR a month);" in why(*two)


@pytest.mark.parametrize(("cost", "expected"), [((120, 240), "rich"), ((240, 240), "plain")])
def test_a_variant_is_dearer_only_where_its_interval_lies_above_the_cheapests(cost: tuple[float, float], expected: str) -> None:
    assert chosen(a_variant("rich", cost=cost, gain=9000), a_variant("plain", cost=120)) == expected


@pytest.mark.parametrize(
    ("a_million", "expected"),
    [
        ((0.70, 0.79), "b"),  # at most 0.79, and a fifth less than the other's lower bound of 1 is 0.8
        ((0.70, 0.81), "a"),
        ((0.98, 0.99), "a"),
    ],
)
def test_where_money_is_equal_calls_shown_to_be_cheaper_by_a_fifth_decide_and_else_the_name(a_million: tuple[float, float], expected: str) -> None:
    assert chosen(a_variant("a", a_million=(1.0, 1.1)), a_variant("b", a_million=a_million)) == expected


def test_what_calls_cost_is_said_where_it_decides() -> None:
    two = (a_variant("a", a_million=(0.0021, 0.0023)), a_variant("b", a_million=(0.001, 0.0011)))
    assert "b over a, which earns as much on dev, and whose calls cost 0.0021 to 0.0023 EUR a million against 0.001 to 0.0011;" in why(*two)


def test_cents_do_not_decide_but_the_name_does() -> None:
    two = (a_variant("b", gain=1000.3), a_variant("a", gain=1000.1))
    assert chosen(*two) == "a"
    assert why(*two) == "a: 120 EUR a month, +1,000 EUR a month earned on dev; " + (
        "2 of 2 variants are expected to meet every limit, 1 of which as cheap and as good and later by name"
    )


def noisy(truth: float, noise: np.random.Generator) -> tuple[float, float]:
    """Return an interval of 2 % around a cost that is off by about 2 %: such intervals miss the truth, and each other, again and again."""
    measured = truth * noise.normal(1.0, 0.02)
    return 0.98 * measured, 1.02 * measured


def test_noise_in_the_timings_of_variants_that_are_as_good_changes_no_choice() -> None:
    noise = np.random.default_rng(7)
    runs = [[(name, noisy(1.0, noise)) for name in ("a.float32", "a.graph-optimised", "a.int8")] for _ in range(300)]
    apart = [run for run in runs if min(high for _, (_, high) in run) < max(low for _, (low, _) in run)]
    assert len(apart) > 20  # so often would whoever trusts intervals that do not overlap change the candidate
    assert {chosen(*(a_variant(name, a_million=cost) for name, cost in run)) for run in runs} == {"a.float32"}


def test_noise_in_the_timings_changes_no_choice_between_variants_that_differ_in_money() -> None:
    noise = np.random.default_rng(7)
    runs = [(a_variant("slow", gain=2000, a_million=noisy(3.0, noise)), a_variant("quick", gain=1900, a_million=noisy(1.0, noise))) for _ in range(100)]
    assert {chosen(*run) for run in runs} == {"slow"}


@pytest.mark.parametrize("a", ["GO", "NOT PROVEN"])
@pytest.mark.parametrize("b", ["GO", "NOT PROVEN"])
def test_whose_latency_a_run_happened_to_show_changes_no_choice_between_equals(a: Outcome, b: Outcome) -> None:
    assert chosen(a_variant("a", latency=a), a_variant("b", latency=b)) == "a"


@pytest.mark.parametrize(("a", "b", "is_said"), [("NOT PROVEN", "GO", True), ("NOT PROVEN", "NOT PROVEN", False), ("GO", "NOT PROVEN", False)])
def test_an_equal_whose_latency_is_shown_is_named_where_that_of_the_chosen_is_not(a: Outcome, b: Outcome, is_said: bool) -> None:
    said = why(a_variant("a", latency=a), a_variant("b", latency=b), a_variant("c", gain=1, latency="GO"))
    assert said.endswith("; the latency of a is not shown yet, that of b is") is is_said


def test_a_variant_that_is_not_expected_to_pass_is_not_frozen_however_good() -> None:
    assert chosen(a_variant("rich", chance=0.99, cost=1, gain=9999, passes=False), a_variant("sound", chance=0.6)) == "sound"


def test_when_none_is_expected_to_pass_the_most_likely_is_frozen_and_says_so() -> None:
    best, said = choose([a_variant("far", chance=0.1, cost=1, passes=False), a_variant("near", chance=0.4, passes=False)])
    assert best.variant == "near"
    assert said == "no variant is expected to meet every limit; near is the most likely to (predicted chance 40%)"


def test_when_none_is_expected_to_pass_the_cheapest_of_the_most_likely_is_said_to_be_that() -> None:
    three = (a_variant("dear", chance=0.45, cost=240, passes=False), a_variant("cheap", chance=0.41, passes=False), a_variant("far", chance=0.2, passes=False))
    assert why(*three) == "no variant is expected to meet every limit; cheap is the cheapest of the most likely to (predicted chance 41%)"


def test_the_rival_is_the_next_best_of_those_expected_to_pass() -> None:
    three = (a_variant("best", gain=3000), a_variant("next", gain=2000), a_variant("last", gain=1000), a_variant("out", gain=9000, passes=False))
    assert why(*three) == "best over next, which earns +2,000 against +3,000 EUR a month on dev, at no lower cost (120 EUR a month); " + (
        "3 of 4 variants are expected to meet every limit"
    )


def test_a_variant_without_a_cost_counts_as_infinitely_dear() -> None:
    assert chosen(a_variant("a-untimed", cost=math.inf, a_million=(math.inf, math.inf)), a_variant("timed", cost=399)) == "timed"


def test_variants_none_of_which_was_timed_can_still_be_chosen_from() -> None:
    untimed = {"cost": math.inf, "a_million": (math.inf, math.inf), "passes": False}
    assert chosen(a_variant("a", gain=1, **untimed), a_variant("b", gain=2, **untimed)) == "b"
