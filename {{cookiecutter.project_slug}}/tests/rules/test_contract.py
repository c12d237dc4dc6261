"""The input contract: what of the data contract holds for one value, and what is said of one that breaks it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from builders import a_charter

from poc.rules.contract import Terms, agreed_inputs
from poc.rules.evidence import CandidateInput

TORQUE, TYPE = "Torque [Nm]", "Type"
FEATURES = {each.name: each for each in a_charter().features}


def expectation(kind: str, column: str = TORQUE, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_column_{kind}", "kwargs": {"column": column, **kwargs}, "severity": severity}


def agreed(*expectations: dict[str, Any], name: str = TORQUE, passed: Any = None) -> CandidateInput:
    return agreed_inputs([FEATURES[name]], expectations, [] if passed is None else [{name: np.array(passed, np.float32)}])[0]


def problems(declared: CandidateInput, *values: Any) -> list[str]:
    column = np.array(values, np.float32 if declared.kind == "number" else object).reshape(-1, 1)
    return list(Terms.of(declared).problems(column))


def test_a_range_that_every_row_keeps_holds_at_the_door() -> None:
    declared = agreed(expectation("values_to_be_between", min_value=0, max_value=85.8))
    assert (declared.minimum, declared.maximum) == (0, 85.8)
    assert problems(declared, 0, 85.8, 900, 12) == [f"input '{TORQUE}', row 2: 900 is not allowed; it takes at least 0, at most 85.8"]


@pytest.mark.parametrize(
    "lenient",
    [
        expectation("values_to_be_between", max_value=50, mostly=0.99),
        expectation("values_to_be_between", severity="warning", max_value=50),
        expectation("values_to_be_between", max_value=50, row_condition="Type == 'L'"),
        expectation("values_to_be_between", column="Tool wear [min]", max_value=50),
        expectation("values_to_be_between", max_value={"$PARAMETER": "highest"}),
        expectation("values_to_be_in_set", value_set=[1, 2], mostly=0.5),
        expectation("mean_to_be_between", max_value=50),
        expectation("values_to_not_be_null", mostly=0.9),
    ],
)
def test_what_lets_some_rows_pass_refuses_none(lenient: dict[str, Any]) -> None:
    assert problems(agreed(lenient), 51, math.nan) == []


def test_the_narrowest_of_several_ranges_holds() -> None:
    wide, narrow = (
        expectation("values_to_be_between", min_value=-5, max_value=90),
        expectation("values_to_be_between", min_value=0, max_value=80, strict_max=True),
    )
    strict = expectation("values_to_be_between", min_value=0, strict_min=True, max_value=80)
    declared = agreed(wide, narrow, strict)
    assert (declared.minimum, declared.minimum_is_strict, declared.maximum, declared.maximum_is_strict) == (0, True, 80, True)
    assert [problem.split(": ")[1] for problem in problems(declared, 0, 80, 40)] == [
        "0 is not allowed; it takes more than 0, less than 80",
        "80 is not allowed; it takes more than 0, less than 80",
    ]


def test_the_largest_value_of_a_column_bounds_each() -> None:
    assert problems(agreed(expectation("max_to_be_between", min_value=70, max_value=80)), 60, 81) != problems(agreed(), 60, 81) == []
    assert agreed(expectation("max_to_be_between", min_value=70, max_value=80)).minimum is None


def test_a_missing_value_is_refused_only_where_every_row_must_have_one() -> None:
    there = expectation("values_to_not_be_null")
    assert problems(agreed(there), math.nan) == [f"input '{TORQUE}', row 0: the value is missing and has to be there"]
    assert problems(agreed(), math.nan) == []
    assert problems(agreed({**there, "kwargs": {"column": TYPE}}, name=TYPE), "") == [f"input '{TYPE}', row 0: the value is missing and has to be there"]


def test_categories_that_are_closed_are_named() -> None:
    declared = agreed(expectation("values_to_be_in_set", TYPE, value_set=["M", "L"]), name=TYPE)
    assert problems(declared, "L", "X", "") == [f"input '{TYPE}', row 1: 'X' is not allowed; it takes one of 'L', 'M'"]


def test_a_set_of_numbers_is_compared_as_the_model_sees_them() -> None:
    declared = agreed(expectation("values_to_be_in_set", value_set=[0.1, 1, 2]), expectation("values_to_be_in_set", value_set=[0.1, 2, 7]))
    assert declared.one_of == [0.1, 2]
    assert len(problems(declared, 0.1, 2, 1)) == 1


def test_a_bound_is_rounded_as_values_are() -> None:
    # as float32 0.1 is 0.10000000149, which is more than 0.1
    assert problems(agreed(expectation("values_to_be_between", max_value=0.1)), 0.1) == []


def test_a_bound_that_is_kept_out_is_let_in_where_a_row_that_kept_the_contract_is_rounded_to_it() -> None:
    below_one = expectation("values_to_be_between", max_value=1, strict_max=True)
    assert len(problems(agreed(below_one, passed=[0.5]), 1)) == 1
    assert problems(agreed(below_one, passed=[0.5, 0.99999999]), 0.99999999) == []


def test_what_float32_cannot_hold_is_allowed_nowhere() -> None:
    assert problems(agreed(), math.inf, -math.inf, 1) == [
        f"input '{TORQUE}', row {row}: a number too large for float32 is not allowed; it takes numbers that float32 holds" for row in (0, 1)
    ]


@pytest.mark.parametrize(
    "declared",
    [
        CandidateInput(name="a", kind="number", minimum=0.1, maximum=7, minimum_is_strict=True),
        CandidateInput(name="a", kind="number", one_of=[0.1, 2.0]),
        CandidateInput(name="a", kind="number", may_be_missing=False),
        CandidateInput(name="a", kind="category", one_of=["L"]),
        CandidateInput(name="a", kind="category", may_be_missing=False),
    ],
)
@pytest.mark.parametrize("value", [0, 0.1, 0.1 + 1e-12, 1, 2.0, 7, 7 + 1e-9, True, None, 1e39, -(10**30), "", "L", "X", [1], {}])
def test_what_is_surely_allowed_is_allowed(declared: CandidateInput, value: Any) -> None:
    if Terms.of(declared).surely_allows(value):
        assert problems(declared, value) == []


def test_an_age_is_judged_by_the_charters_word() -> None:
    terms = Terms.of(CandidateInput(name="a", kind="number", max_age_seconds=60))
    assert [terms.age_problem(age) for age in (0, 60)] == [None, None]
    assert terms.age_problem(60.5) == "input 'a' is 60.5 s old; it may be 60 s"
    assert all("an age is 0 or more" in str(terms.age_problem(age)) for age in (-1, math.nan, math.inf))
    assert Terms.of(CandidateInput(name="a", kind="number")).age_problem(1e9) is None


def test_the_charter_says_how_old_a_value_may_be() -> None:
    feature = FEATURES[TORQUE].model_copy(update={"max_age_seconds": 60})
    assert agreed_inputs([feature], [])[0].max_age_seconds == 60
