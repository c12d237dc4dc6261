"""Every guard has breaks, and taking the guard out lets each break through; that the steps ask their guards is in `steps/test_guarded.py`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from poc.errors import Refused
from poc.rules import guards
from poc.rules.live_features import Compared

Facts = Callable[[], None]
NAN = math.nan
BEYOND_PARITY, BEYOND_REPLAY = (math.nextafter(limit, 1) for limit in (guards.PARITY_DIFFERENCE, guards.REPLAY_DIFFERENCE))


def seen(**changes: Any) -> Compared:
    """Return a feature that was known as training saw it, changed."""
    return Compared(**{"feature": "temperature", "rows": 100, "differing": 0, "missing": 0, "largest": 0.0} | changes)


#: For each guard, facts that it must refuse: each breaks one condition, by as little as it can be broken.
BREAKS: dict[str, list[Facts]] = {
    "keys_are_unique": [lambda: guards.keys_are_unique("id", [7])],
    "split_can_be_judged": [
        lambda: guards.split_can_be_judged("sealed", 0, {}, 2),
        lambda: guards.split_can_be_judged("sealed", 10, {"positives": 0, "negatives": 10}, 2),
        lambda: guards.split_can_be_judged("sealed", 10, {"positives": 10, "negatives": 0}, 2),
        lambda: guards.split_can_be_judged("sealed", 10, {"rows": 10}, 1),
        lambda: guards.split_can_be_judged("dev", 0, {}, 2, groups=4),
    ],
    "splits_share_no_rows": [
        lambda: guards.splits_share_no_rows(11, 1000, "train and dev"),
        lambda: guards.splits_share_no_rows(1, 0, "train and dev"),
        lambda: guards.splits_share_no_rows(11, 1000, "train and dev", excuse=""),
    ],
    "splits_hold_no_near_duplicates": [
        lambda: guards.splits_hold_no_near_duplicates(11, 0, 1000, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(91, 50, 1000, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(1, 0, 0, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(11, 0, 1000, "train and dev", excuse=""),
        lambda: guards.splits_hold_no_near_duplicates(NAN, 0, 1000, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(0, NAN, 1000, "train and dev"),
    ],
    "contract_was_checked": [
        lambda: guards.contract_was_checked(0, 0),
        lambda: guards.contract_was_checked(10, 9),
        lambda: guards.contract_was_checked(9, 10),
    ],
    "contract_is_kept": [lambda: guards.contract_is_kept(["amount: 3 values are negative"])],
    "splits_look_alike": [
        lambda: guards.splits_look_alike({"amount": 0.4}, 0.1),
        lambda: guards.splits_look_alike({"amount": NAN}, 0.1),
    ],
    "no_column_gives_the_answer_away": [
        lambda: guards.no_column_gives_the_answer_away({"Failure Type": guards.LEAK_AUC}, {}),
        lambda: guards.no_column_gives_the_answer_away({"amount": NAN}, {}),
        lambda: guards.no_column_gives_the_answer_away({"amount": 0.98}, {"amount": ""}),
        lambda: guards.no_column_gives_the_answer_away({"amount": 0.98}, {"weight": "it is the measurement itself"}),
    ],
    "something_was_fitted": [lambda: guards.something_was_fitted(0, []), lambda: guards.something_was_fitted(0, ["trees: no memory"])],
    "result_is_believable": [
        lambda: guards.result_is_believable("trees", guards.TOO_GOOD_AUC, {}),
        lambda: guards.result_is_believable("trees", guards.TOO_GOOD_R2, {}, "R2"),
        lambda: guards.result_is_believable("trees", NAN, {}, "R2"),
        lambda: guards.result_is_believable("trees", NAN, {"amount": None, "weight": ""}),
    ],
    "graph_equals_estimator": [
        lambda: guards.graph_equals_estimator("trees", BEYOND_PARITY, 0, 100),
        lambda: guards.graph_equals_estimator("trees", NAN, 0, 100),
        lambda: guards.graph_equals_estimator("trees", 0.0, 1, 100),
        lambda: guards.graph_equals_estimator("trees", 0.0, 0, 0),
    ],
    "live_features_equal_batch": [
        lambda: guards.live_features_equal_batch([seen(differing=1)]),
        lambda: guards.live_features_equal_batch([seen(), seen(differing=100, missing=100)]),
        lambda: guards.live_features_equal_batch([seen(rows=0)]),
        lambda: guards.live_features_equal_batch([]),
    ],
    "served_equals_batch": [
        lambda: guards.served_equals_batch(100, BEYOND_REPLAY, 0),
        lambda: guards.served_equals_batch(100, NAN, 0),
        lambda: guards.served_equals_batch(100, 0.0, 1),
        lambda: guards.served_equals_batch(0, 0.0, 0),
    ],
    "every_row_is_served": [lambda: guards.every_row_is_served(3, 201, ""), lambda: guards.every_row_is_served(3, 400, "no")],
    "features_arrive_in_time": [lambda: guards.features_arrive_in_time(["amount"])],
    "evidence_is_whole": [lambda: guards.evidence_is_whole(["the report of train"])],
    "digests_agree": [lambda: guards.digests_agree(["candidate/model.onnx"])],
    "numbers_are_finite": [
        lambda: guards.numbers_are_finite({"auc": NAN}),
        lambda: guards.numbers_are_finite({"money": math.inf}),
        lambda: guards.numbers_are_finite({"money": -math.inf}),
        lambda: guards.numbers_are_finite({"auc": 0.9, "money": NAN}),
    ],
    "answers_are_valid": [
        lambda: guards.answers_are_valid("model", 10, 1, 0),
        lambda: guards.answers_are_valid("model", 10, 0, 1),
        lambda: guards.answers_are_valid("model", 0, 0, 0),
    ],
    "a_look_is_left": [lambda: guards.a_look_is_left(["look 1"], 1), lambda: guards.a_look_is_left(["look 1", "look 2"], 1)],
    "looks_are_chained": [lambda: guards.looks_are_chained(["look 1 is missing"])],
}
#: For each guard, facts at the edge of what it lets pass.
ACCEPTS: dict[str, list[Facts]] = {
    "keys_are_unique": [lambda: guards.keys_are_unique("id", [])],
    "split_can_be_judged": [
        lambda: guards.split_can_be_judged("sealed", 2, {"positives": 1, "negatives": 1}, 2),
        lambda: guards.split_can_be_judged("sealed", 2, {"rows": 2}, 2),
        lambda: guards.split_can_be_judged("sealed", 2, {"rows": 2}, 2, groups=1),
    ],
    "splits_share_no_rows": [
        lambda: guards.splits_share_no_rows(10, 1000, "train and dev"),
        lambda: guards.splits_share_no_rows(1000, 1000, "train and dev", excuse="parts of one kind weigh the same"),
    ],
    "splits_hold_no_near_duplicates": [
        lambda: guards.splits_hold_no_near_duplicates(10, 0, 1000, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(90, 50, 1000, "train and dev"),  # 40 more: 10 allowed, and three times the root of 100
        lambda: guards.splits_hold_no_near_duplicates(0, 1000, 1000, "train and dev"),
        lambda: guards.splits_hold_no_near_duplicates(1000, 0, 1000, "train and dev", excuse="parts of one kind weigh the same"),
    ],
    "contract_was_checked": [lambda: guards.contract_was_checked(1, 1)],
    "contract_is_kept": [lambda: guards.contract_is_kept([])],
    "splits_look_alike": [lambda: guards.splits_look_alike({}, 0.1)],
    "no_column_gives_the_answer_away": [
        lambda: guards.no_column_gives_the_answer_away({"amount": math.nextafter(guards.LEAK_AUC, 0)}, {}),
        lambda: guards.no_column_gives_the_answer_away({"amount": 1.0}, {"amount": "it is the measurement itself"}),
    ],
    "something_was_fitted": [lambda: guards.something_was_fitted(1, ["trees: no memory"])],
    "result_is_believable": [
        lambda: guards.result_is_believable("trees", math.nextafter(guards.TOO_GOOD_AUC, 0), {}),
        lambda: guards.result_is_believable("trees", math.nextafter(guards.TOO_GOOD_R2, 0), {}, "R2"),
        lambda: guards.result_is_believable("trees", 1.0, {"amount": None, "weight": "it is the measurement itself"}),
    ],
    "graph_equals_estimator": [lambda: guards.graph_equals_estimator("trees", guards.PARITY_DIFFERENCE, 0, 1)],
    "live_features_equal_batch": [lambda: guards.live_features_equal_batch([seen(rows=1), seen()])],
    "served_equals_batch": [lambda: guards.served_equals_batch(1, guards.REPLAY_DIFFERENCE, 0)],
    "every_row_is_served": [lambda: guards.every_row_is_served(3, 200, "")],
    "features_arrive_in_time": [lambda: guards.features_arrive_in_time([])],
    "evidence_is_whole": [lambda: guards.evidence_is_whole([])],
    "digests_agree": [lambda: guards.digests_agree([])],
    "numbers_are_finite": [lambda: guards.numbers_are_finite({"money": -1e300, "missed": 0.0})],
    "answers_are_valid": [lambda: guards.answers_are_valid("model", 1, 0, 0)],
    "a_look_is_left": [lambda: guards.a_look_is_left([], 1), lambda: guards.a_look_is_left(["look 1"], 2)],
    "looks_are_chained": [lambda: guards.looks_are_chained([])],
}


def each(table: dict[str, list[Facts]]) -> list[Any]:
    return [pytest.param(name, facts, id=f"{name}-{number}") for name, cases in table.items() for number, facts in enumerate(cases)]


def test_every_guard_has_a_break_and_something_it_lets_pass() -> None:
    assert set(BREAKS) == set(ACCEPTS) == set(guards.GUARDS)
    assert all(BREAKS.values()) and all(ACCEPTS.values())


@pytest.mark.parametrize(("name", "facts"), each(BREAKS))
def test_a_break_is_refused_by_its_guard(name: str, facts: Facts) -> None:
    with pytest.raises(Refused) as caught:
        facts()
    assert caught.value.code == name


@pytest.mark.parametrize(("name", "facts"), each(BREAKS))
def test_a_neutered_guard_lets_its_break_through(name: str, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards.GUARDS, name, lambda *_, **__: [])
    facts()


@pytest.mark.parametrize(("name", "facts"), each(ACCEPTS))
def test_what_lies_just_within_is_let_through(name: str, facts: Facts) -> None:
    facts()
