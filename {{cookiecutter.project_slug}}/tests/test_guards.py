"""Every guard has a break, and taking the guard out lets the break through; that the steps ask their guards is in `steps/test_guarded.py`."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from poc.errors import Refused
from poc.rules import guards

#: For each guard, facts that it must refuse.
BREAKS: dict[str, Callable[[], None]] = {
    "keys_are_unique": lambda: guards.keys_are_unique("id", [7]),
    "split_can_be_judged": lambda: guards.split_can_be_judged("sealed", 0, 0),
    "splits_share_no_rows": lambda: guards.splits_share_no_rows(20, 100, "train and dev"),
    "contract_was_checked": lambda: guards.contract_was_checked(0, 0),
    "contract_is_kept": lambda: guards.contract_is_kept(["amount: 3 values are negative"]),
    "splits_look_alike": lambda: guards.splits_look_alike({"amount": 0.4}, 0.1),
    "no_column_gives_the_answer_away": lambda: guards.no_column_gives_the_answer_away({"Failure Type": 0.98}, {}),
    "something_was_fitted": lambda: guards.something_was_fitted(0, []),
    "graph_equals_estimator": lambda: guards.graph_equals_estimator("trees", 0.0, 1, 100),
    "served_equals_batch": lambda: guards.served_equals_batch(0, 0.0, 0),
    "every_row_is_served": lambda: guards.every_row_is_served(3, 400, "no"),
    "features_arrive_in_time": lambda: guards.features_arrive_in_time(["amount"]),
    "evidence_is_whole": lambda: guards.evidence_is_whole(["the report of train"]),
    "digests_agree": lambda: guards.digests_agree(["candidate/model.onnx"]),
    "numbers_are_finite": lambda: guards.numbers_are_finite({"auc": math.nan}),
    "probabilities_are_valid": lambda: guards.probabilities_are_valid("model", 10, 1, 0),
    "a_look_is_left": lambda: guards.a_look_is_left(1, 1),
    "looks_are_chained": lambda: guards.looks_are_chained(["look 1 is missing"]),
}


def test_every_guard_has_a_break() -> None:
    assert set(BREAKS) == set(guards.GUARDS)


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_refused_by_its_guard(name: str) -> None:
    with pytest.raises(Refused) as caught:
        BREAKS[name]()
    assert caught.value.code == name


@pytest.mark.parametrize("name", BREAKS)
def test_a_neutered_guard_lets_its_break_through(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards.GUARDS, name, lambda *_, **__: [])
    BREAKS[name]()


def test_a_missing_auc_counts_as_a_leak() -> None:
    with pytest.raises(Refused):
        guards.no_column_gives_the_answer_away({"amount": math.nan}, {})
