"""Great Expectations: what a drafted suite notices, and what must not pass for kept."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from poc.errors import InputRefused
from poc.tools.expectations import check, columns_of, draft

rng = np.random.default_rng(5)
SAMPLE = pd.DataFrame({"torque": rng.normal(40, 10, 600), "type": rng.choice(["L", "M"], 600), "bad": rng.integers(0, 2, 600)})
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
