"""Whatever charter is accepted can be judged, whatever was counted; and money is money in any currency."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from charter_draws import CLASSES, KINDS, charters, of_any_kind
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from poc.rules.charter import CHARTERS, Charter
from poc.rules.cross_checks import check_charter
from poc.rules.evidence import ClassCounts, Confusion, Counted, Deviations, Interval, Money
from poc.rules.value import money_interval, worth
from poc.rules.verdict import WORST_FIRST, judge_money, judge_shares, overall

#: Amounts of money in a charter, which scale together; what is in units, shares or counts stays.
MONEY = {"value": ("cost_missed", "cost_false_alarm", "cost_per_catch", "costs", "cost_per_unit_over", "cost_per_unit_under", "run_cost_per_period")}


def counts(kind: str) -> st.SearchStrategy[Counted]:
    """Draw what may be counted on rows of a kind of problem, with groups and without."""
    if kind == "binary":
        return st.one_of(confusions(), st.lists(groups_of_four(), min_size=1, max_size=6).map(_confusion))
    if kind == "multiclass":
        return st.one_of(matrices().map(lambda counts: ClassCounts(counts=counts)), st.lists(matrices(), min_size=1, max_size=4).map(_classes))
    return st.lists(deviations(), min_size=1, max_size=8).map(lambda rows: Deviations(**{name: [row[name] for row in rows] for name in rows[0]}))


def confusions() -> st.SearchStrategy[Confusion]:
    return groups_of_four().map(lambda four: Confusion(positives=four[0], missed=four[1], negatives=four[2], false_alarms=four[3]))


def groups_of_four() -> st.SearchStrategy[tuple[int, int, int, int]]:
    pair = st.integers(0, 5000).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(0, rows)))
    return st.tuples(pair, pair).map(lambda pairs: (*pairs[0], *pairs[1]))


def matrices() -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(0, 2000), min_size=3, max_size=3), min_size=len(CLASSES), max_size=len(CLASSES))


def deviations() -> st.SearchStrategy[dict[str, Any]]:
    amounts = st.floats(0, 1e9, allow_nan=False)
    beyond = st.integers(1, 50).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(0, rows)))
    return st.tuples(beyond, amounts, amounts, amounts, amounts).map(
        lambda drawn: {"rows": drawn[0][0], "beyond": drawn[0][1], **dict(zip(("over", "under", "usual_over", "usual_under"), drawn[1:], strict=True))}
    )


def _confusion(by_group: list[tuple[int, int, int, int]]) -> Confusion:
    positives, missed, negatives, false_alarms = (sum(column) for column in zip(*by_group, strict=True))
    return Confusion(positives=positives, missed=missed, negatives=negatives, false_alarms=false_alarms, by_group=by_group)


def _classes(by_group: list[list[list[int]]]) -> ClassCounts:
    return ClassCounts(counts=[[sum(group[i][j] for group in by_group) for j in range(3)] for i in range(3)], by_group=by_group)


def cases() -> st.SearchStrategy[tuple[Charter, Counted]]:
    return st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(charters(kind), counts(kind)))


def intervals(money: Money) -> Iterator[Interval]:
    yield money.per_period
    yield from money.against.values()


def judged_and_in_order(charter: Charter, counted: Counted) -> None:
    money = worth(charter, counted, seed=7)
    for interval in intervals(money):
        assert all(map(math.isfinite, (interval.low, interval.middle, interval.high)))
        assert interval.low <= interval.middle <= interval.high
    assert 0 <= money.chance_of_loss <= 1 and 0 <= money.chance_of_minimum <= 1 and math.isfinite(money.expected) and math.isfinite(money.perfect_model)
    assert all(math.isfinite(bar.at_low) and math.isfinite(bar.at_high) for bar in money.tornado)
    shares = judge_shares(charter, counted, charter.timebox.looks)
    assert shares and overall([*shares, *judge_money(money)]) in WORST_FIRST
    for share in shares:
        assert math.isnan(share.measured) or share.low <= share.measured <= share.high


@settings(max_examples=15)
@given(cases())
def test_whatever_charter_is_accepted_can_be_judged(case: tuple[Charter, Counted]) -> None:
    charter, counted = case
    check_charter(charter)  # it may object, and must not fail
    judged_and_in_order(charter, counted)


@pytest.mark.slow
@settings(max_examples=400)
@given(cases())
def test_whatever_charter_is_accepted_can_be_judged_looked_for_longer(case: tuple[Charter, Counted]) -> None:
    charter, counted = case
    check_charter(charter)
    judged_and_in_order(charter, counted)


def in_another_currency(plain: dict[str, Any], rate: int) -> dict[str, Any]:
    """Multiply every amount of money of a plain charter."""
    value = {name: _times(each, rate) if name in MONEY["value"] else each for name, each in plain["value"].items()}
    timebox = plain["timebox"]
    sprints = [{**sprint, "budget": sprint["budget"] * rate} for sprint in timebox["sprints"]]
    return {**plain, "value": value, "timebox": {**timebox, "sprints": sprints, "minimum_value_per_period": timebox["minimum_value_per_period"] * rate}}


def _times(value: Any, rate: int) -> Any:
    return {name: _times(each, rate) for name, each in value.items()} if isinstance(value, dict) else Decimal(value) * rate


def affordable(plain: dict[str, Any]) -> bool:
    """Say whether a hundred times as much money still fits the fields; costs of a unit have eight digits before the point."""
    return all(amount < 10**6 for name, value in plain["value"].items() if name in MONEY["value"] for amount in _amounts(value)) and (
        plain["timebox"]["minimum_value_per_period"] < 10**6
    )


def _amounts(value: Any) -> Iterator[Decimal]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _amounts(each)
    else:
        yield Decimal(value)


def in_two_currencies() -> st.SearchStrategy[tuple[Charter, Charter, Counted, int]]:
    def both(kind: str) -> st.SearchStrategy[tuple[Charter, Charter, Counted, int]]:
        return st.tuples(of_any_kind(kind).filter(affordable), counts(kind), st.sampled_from([2, 10, 100])).map(
            lambda drawn: (CHARTERS[kind].model_validate(drawn[0]), CHARTERS[kind].model_validate(in_another_currency(drawn[0], drawn[2])), drawn[1], drawn[2])
        )

    return st.sampled_from(KINDS).flatmap(both)


@settings(max_examples=8)
@given(in_two_currencies())
def test_money_in_another_currency_is_as_much_more_and_changes_no_verdict(case: tuple[Charter, Charter, Counted, int]) -> None:
    charter, dearer, counted, rate = case
    one, other = worth(charter, counted, seed=7), worth(dearer, counted, seed=7)
    for mine, theirs in zip(intervals(one), intervals(other), strict=True):
        size = max(map(abs, (mine.low, mine.middle, mine.high)))
        for end in ("low", "middle", "high"):
            assert getattr(theirs, end) == pytest.approx(rate * getattr(mine, end), rel=1e-9, abs=1e-9 * rate * size)
    assume(all(abs(bound) > 1e-6 for interval in intervals(one) for bound in (interval.low, interval.high)))  # a cent's dust decides nothing
    assume(all(abs(bound - one.minimum) > 1e-6 for bound in (one.per_period.low, one.per_period.high)))
    assert [each.verdict for each in judge_money(other)] == [each.verdict for each in judge_money(one)]
    assert [each.verdict for each in judge_shares(dearer, counted, 1)] == [each.verdict for each in judge_shares(charter, counted, 1)]
    assert [problem.where for problem in check_charter(dearer)] == [problem.where for problem in check_charter(charter)]


@settings(max_examples=8)
@given(cases())
def test_the_interval_of_a_picture_is_in_order_too(case: tuple[Charter, Counted]) -> None:
    found = money_interval(*case, seed=7)
    assert found.low <= found.middle <= found.high
