"""Great Expectations: what a drafted suite notices, and what must not pass for kept."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from poc.errors import InputRefused
from poc.tools.expectations import check, draft

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


def test_codes_declared_as_a_category_get_a_set_and_no_range() -> None:
    coded = SAMPLE.assign(type=(SAMPLE["type"] == "L").astype(int))
    kinds = {
        each["type"] for each in json.loads(draft(coded, "coded", target="bad", categories=["type"]))["expectations"] if each["kwargs"].get("column") == "type"
    }
    assert "expect_column_values_to_be_in_set" in kinds and "expect_column_values_to_be_between" not in kinds


def test_the_target_is_left_out_where_there_is_none() -> None:
    found = check(SAMPLE.drop(columns="bad"), SUITE, without=["bad"])
    assert found.failures == [] and found.evaluated == found.declared


def test_a_source_may_hold_more_columns_than_the_suite_names() -> None:
    assert check(SAMPLE.assign(extra=1), SUITE).failures == []


def test_far_too_few_rows_fail() -> None:
    assert any("row count" in failure for failure in check(SAMPLE.head(20), SUITE).failures)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"expectations": [1]}', '{"expectations": [{"type": "expect_column_to_exist"}]}'])
def test_what_is_no_suite_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="no Great Expectations suite"):
        check(SAMPLE, text)


def test_great_expectations_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    check(SAMPLE.drop(columns="torque"), SUITE)
    assert capfd.readouterr() == ("", "")
