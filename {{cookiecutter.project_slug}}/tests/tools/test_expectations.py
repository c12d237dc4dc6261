"""Great Expectations: what a drafted suite notices, and what must not pass for kept."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import a_charter

from poc.errors import InputRefused
from poc.rules.contract import Terms, agreed_inputs
from poc.tools import frames
from poc.tools.expectations import check, columns_of, draft, of_suite

rng = np.random.default_rng(5)
SAMPLE = pd.DataFrame({"torque": rng.normal(40, 10, 600), "type": rng.choice(["L", "M"], 600), "bad": rng.integers(0, 2, 600)})
FEATURE = next(each for each in a_charter().features if each.kind == "number")
SUITE = draft(SAMPLE, "a sample", target="bad")


def test_a_sample_keeps_the_suite_drafted_from_it() -> None:
    found = check(SAMPLE, SUITE)
    assert (found.failures, found.warnings, found.evaluated) == ([], [], found.declared)


def test_an_empty_suite_declares_nothing_and_so_shows_nothing() -> None:
    assert check(SAMPLE, '{"name": "empty", "expectations": []}').declared == 0


def test_an_expectation_that_great_expectations_drops_is_declared_and_not_evaluated() -> None:
    found = check(SAMPLE, '{"name": "odd", "expectations": [{"type": "expect_nonsense", "kwargs": {}, "severity": "critical"}]}')
    assert (found.declared, found.evaluated) == (1, 0)


def test_a_warning_that_could_not_be_evaluated_is_a_failure() -> None:
    suite = json.loads(SUITE)
    suite["expectations"] = [each for each in suite["expectations"] if each["severity"] == "warning"]
    found = check(SAMPLE.drop(columns="torque"), json.dumps(suite))
    assert found.evaluated < found.declared
    assert [failure.split(":")[0] for failure in found.failures] == ["torque"]


def test_a_small_shift_is_a_warning_and_a_large_one_a_failure() -> None:
    small, large = (check(SAMPLE.assign(torque=SAMPLE["torque"] + shift), SUITE) for shift in (5, 15))
    assert small.failures == [] and ["torque" in warning for warning in small.warnings] == [True]
    assert any("threshold 0.5" in failure for failure in large.failures)


def test_one_code_for_a_missing_value_among_numbers_fails() -> None:
    coded = SAMPLE.assign(torque=SAMPLE["torque"].where(SAMPLE.index != 7, -999))
    assert [failure.split(":")[0] for failure in check(coded, SUITE).failures] == ["torque"]


@pytest.mark.parametrize("column", ["torque", "type"])
def test_a_column_without_a_value_fails(column: str) -> None:
    assert any("not be null" in failure for failure in check(SAMPLE.assign(**{column: None}), SUITE).failures)


def test_a_column_that_was_half_empty_in_the_sample_may_not_become_empty() -> None:
    holes = SAMPLE.assign(torque=SAMPLE["torque"].where(SAMPLE.index % 2 == 0))
    suite = draft(holes, "holes", target="bad")
    assert check(holes, suite).failures == []
    assert any("not be null" in failure for failure in check(SAMPLE.assign(torque=np.nan), suite).failures)


def test_text_in_a_column_of_numbers_fails() -> None:
    assert check(SAMPLE.assign(torque="forty"), SUITE).failures


def test_an_unknown_category_fails_when_it_is_more_than_one_in_a_hundred() -> None:
    assert any("in set" in failure for failure in check(SAMPLE.assign(type=["H"] * 12 + ["L"] * 588), SUITE).failures)


@pytest.mark.parametrize(("factor", "offset"), [(1e-9, 0.0), (1e-3, 1.7e9), (1e30, 0.0)])
def test_numbers_of_any_size_keep_the_suite_drafted_from_them(factor: float, offset: float) -> None:
    odd = SAMPLE.assign(torque=SAMPLE["torque"] * factor + offset)
    suite = draft(odd, "odd", target="bad")
    edges = next(each["kwargs"]["partition_object"]["bins"] for each in json.loads(suite)["expectations"] if "bins" in str(each))
    found = check(odd, suite)
    assert len(set(edges)) == len(edges) == 11
    assert (found.failures, found.warnings, found.evaluated) == ([], [], found.declared)


def test_a_value_that_many_rows_share_at_the_end_of_a_range_stays_in_it() -> None:
    many = SAMPLE.assign(torque=np.where(SAMPLE.index % 3 == 0, 2 / 3, SAMPLE["torque"].abs() + 2 / 3))
    found = check(many, draft(many, "many", target="bad"))
    assert (found.failures, found.warnings) == ([], [])


def test_the_target_is_left_out_where_there_is_none() -> None:
    found = check(SAMPLE.drop(columns="bad"), SUITE, without=["bad"])
    assert found.failures == [] and found.evaluated == found.declared


PAIR = json.dumps({"expectations": [{"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "bad", "column_B": "torque"}}]})


def test_a_suite_speaks_of_single_columns_and_of_pairs_each_named_once() -> None:
    assert columns_of(SUITE) == ["torque", "type", "bad"]
    assert columns_of(PAIR) == ["bad", "torque"]


def test_an_expectation_on_a_pair_is_left_out_with_either_column() -> None:
    assert [check(SAMPLE, PAIR, without=[column]).declared for column in ("bad", "torque", "type")] == [0, 0, 1]


def test_an_expectation_on_an_undeclared_column_is_counted_and_not_evaluated_and_raises_nothing() -> None:
    found, whole = check(SAMPLE.drop(columns="type"), SUITE, undeclared=["type"]), check(SAMPLE, SUITE)
    assert found.failures == [] and found.declared == whole.declared
    assert found.declared - found.evaluated == sum(each["kwargs"].get("column") == "type" for each in json.loads(SUITE)["expectations"])


def test_a_source_may_hold_more_columns_than_the_suite_names() -> None:
    assert check(SAMPLE.assign(extra=1), SUITE).failures == []


def test_far_too_few_rows_fail() -> None:
    assert any("row count" in failure for failure in check(SAMPLE.head(20), SUITE).failures)


def test_the_number_of_rows_is_that_of_the_whole_table_not_of_a_part() -> None:
    assert check(SAMPLE.head(50), SUITE, whole=SAMPLE, without=["torque", "type"]).failures == []
    assert any("row count" in failure for failure in check(SAMPLE, SUITE, whole=SAMPLE.head(50)).failures)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"expectations": [1]}', '{"expectations": [{"type": "expect_column_to_exist"}]}', b'{"name": "B\xe4nder"}', b"\x80"]
)
def test_what_is_no_suite_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputRefused, match="no Great Expectations suite"):
        check(SAMPLE, text)


def test_great_expectations_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    check(SAMPLE.drop(columns="torque"), SUITE)
    assert capfd.readouterr() == ("", "")


def at_the_edges(rng: np.random.Generator, name: str) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Draw a column and what is expected of it: bounds, strict or not, that its values lie on or all but on, sets, missing values, lenience."""
    bounds = np.sort(rng.choice([0.0, 0.1, 1.0, 1 / 3, -2.5, 306.5, 1e-46, 1e30], 2, replace=False))
    inwards = np.array([1e-12, -1e-12])
    near = np.concatenate([bounds, bounds + inwards, np.nextafter(bounds, inwards * np.inf), [bounds.mean()]])
    values = rng.choice(near, 40)
    if rng.random() < 0.3:
        values[3] = rng.choice([np.nan, bounds[0] - 1, 2 * bounds[1] + 1])
    said = {"min_value": bounds[0], "max_value": bounds[1], "strict_min": bool(rng.integers(2)), "strict_max": bool(rng.integers(2))}
    kinds = [
        ("values_to_be_between", said),
        ("values_to_be_between", {**said, "mostly": 0.5}),
        ("max_to_be_between", {"max_value": bounds[1]}),
        ("values_to_be_in_set", {"value_set": near.tolist()}),
        ("values_to_be_in_set", {"value_set": near[:5].tolist(), "mostly": 0.3}),
        ("values_to_not_be_null", {}),
        ("values_to_not_be_null", {"mostly": 0.9}),
    ]
    chosen = [kinds[each] for each in rng.choice(len(kinds), 3, replace=False)]
    severities = rng.choice(["critical", "critical", "warning"], 3)
    return pd.Series(values, name=name), [
        {"type": f"expect_column_{kind}", "kwargs": {"column": name, **kwargs}, "severity": str(severity)}
        for (kind, kwargs), severity in zip(chosen, severities, strict=True)
    ]


@pytest.mark.slow
def test_no_row_of_a_column_that_keeps_the_data_contract_is_refused_at_the_door() -> None:
    drawn = [at_the_edges(np.random.default_rng(seed), f"column {seed}") for seed in range(150)]
    table = pd.DataFrame({values.name: values for values, _ in drawn})
    suite = json.dumps({"expectations": [each for _, said in drawn for each in said]})
    found = check(table, suite)
    assert found.evaluated == found.declared
    broken = {failure.split(":")[0] for failure in found.failures}
    features = [FEATURE.model_copy(update={"name": name}) for name in table.columns]
    tensors = frames.columns(table, features)
    refused = {each.name for each in agreed_inputs(features, of_suite(suite), [tensors]) if any(Terms.of(each).problems(tensors[each.name]))}
    assert refused <= broken
    assert 15 < len(refused) < len(broken) < 125  # all of it happens: what float32 cannot tell from its bound is let in
