"""What an editor says of a charter as it is typed, by the schema."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from builders import PLAIN, a_plain_amount_charter, a_plain_charter, a_plain_multiclass_charter
from charter_draws import KINDS, of_any_kind
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from poc.rules.charter_schema import HINTS, charter_schema

SCHEMA = charter_schema()
EDITOR = Draft202012Validator(SCHEMA)


def as_json(value: Any, name: str = "") -> Any:
    """Return what JSON has of it; numbers, which builders write as text, as a person types them."""
    if isinstance(value, dict):
        return {each: as_json(said, each) for each, said in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    is_number = isinstance(value, Decimal) or (isinstance(value, str) and name != "positive" and value.replace(".", "", 1).isdigit())
    return float(value) if is_number else value


def complaints(plain: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in EDITOR.iter_errors(as_json(plain))]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("plain", [a_plain_charter(), a_plain_multiclass_charter(), a_plain_amount_charter(), a_plain_amount_charter(problem="regression")])
def test_an_editor_has_nothing_to_say_of_a_plain_charter_of_any_kind(plain: dict[str, Any]) -> None:
    assert complaints(plain) == []


def test_an_editor_takes_one_machine_or_several() -> None:
    plain = PLAIN["limits"]["hardware"]
    assert complaints(a_plain_charter(limits={"hardware": [plain | {"name": "edge"}, plain | {"name": "cloud"}]})) == []
    assert complaints(a_plain_charter(limits={"hardware": [plain | {"name": "Edge Box"}]})) != []


@settings(max_examples=20)
@given(st.sampled_from(KINDS).flatmap(of_any_kind))
def test_an_editor_has_nothing_to_say_of_what_is_accepted(plain: dict[str, Any]) -> None:
    assert complaints(plain) == []


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"limits": {"mised_share": 0.12}}, "$.limits: Additional properties are not allowed ('mised_share' was unexpected)"),
        ({"limits": {"missed_share": 45}}, "$.limits.missed_share: 45 is greater than or equal to the maximum of 1.0"),
        ({"problem": "binray"}, "$.problem: 'binray' is not one of ['binary', 'multiclass', 'regression', 'count']"),
        ({"value": {"period": "monthly"}}, "$.value.period: 'monthly' is not one of ['month', 'quarter', 'year']"),
        ({"data": {"positive": 1}}, "$.data.positive: 1 is not of type 'string'"),
        ({"value": {"unit": "pieces"}}, "$.value: Additional properties are not allowed ('unit' was unexpected)"),
    ],
)
def test_an_editor_flags_one_mistake_once(overrides: dict[str, Any], says: str) -> None:
    assert complaints(a_plain_charter(**overrides)) == [says]


def test_an_editor_asks_for_the_kind_of_problem_before_anything_else() -> None:
    plain = deepcopy(PLAIN)
    del plain["problem"]
    assert complaints(plain) == ["$: 'problem' is a required property"]


def test_every_hint_is_about_a_field_and_shown_beside_it() -> None:
    shown = {(name, field): said.get("description") for name, section in SCHEMA["$defs"].items() for field, said in section.get("properties", {}).items()}
    for hint, said in HINTS.items():
        section, _, field = hint.rpartition(".")
        assert said in [found for (name, each), found in shown.items() if each == field and section in ("", name)], hint


def test_numbers_are_numbers() -> None:
    assert [name for name, section in SCHEMA["$defs"].items() for each in section["properties"].values() if {"type": "number"} in each.get("anyOf", [])] == []
