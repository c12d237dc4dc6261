from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.signoff import Reason, canonical, tree_digest
from poc.rules.signoff.canonical import is_canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def reasons(content: bytes) -> list[Reason]:
    return [finding.reason for finding in is_canonical(content, "here")]


@settings(max_examples=40)
@given(OBJECTS)
def test_what_was_written_in_the_one_form_is_taken_and_says_the_same(value: dict[str, Any]) -> None:
    assert reasons(canonical(value)) == [] and json.loads(canonical(value)) == value


@settings(max_examples=60)
@given(OBJECTS, st.data())
def test_bytes_that_differ_and_are_taken_say_something_else(value: dict[str, Any], data: st.DataObject) -> None:
    content = canonical(value)
    at, letter = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 255))
    changed = data.draw(st.sampled_from([content[:at] + bytes([letter]) + content[at + 1 :], content[:at] + bytes([letter]) + content[at:], content[:at]]))
    assert reasons(changed) or changed == content or canonical(json.loads(changed)) != content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b"[]", Reason.NOT_JSON),
        (b"1", Reason.NOT_JSON),
        (b'{"a":1}{"a":1}', Reason.NOT_JSON),
        (b"\xff", Reason.NOT_JSON),
        (b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", Reason.NOT_JSON),
        (b'{"a":' + b"9" * 5000 + b"}", Reason.NOT_JSON),
        (b'{"a":1,"a":1}', Reason.DUPLICATE_KEY),
        (b'{"b":{"a":1,"\\u0061":2}}', Reason.DUPLICATE_KEY),
        (b'{"a":1.0}', Reason.NUMBER_FORM),
        (b'{"a":1e3}', Reason.NUMBER_FORM),
        (b'{"a":NaN}', Reason.NUMBER_FORM),
        (b'{"a":-Infinity}', Reason.NUMBER_FORM),
        (b'{"a":-0}', Reason.NOT_CANONICAL),
        (b'{"a":1}\n', Reason.NOT_CANONICAL),
        (b'{"a":1}\r\n', Reason.NOT_CANONICAL),
        (b' {"a":1}', Reason.NOT_CANONICAL),
        (b'{"a": 1}', Reason.NOT_CANONICAL),
        (b'{"b":1,"a":1}', Reason.NOT_CANONICAL),
        (b'\xef\xbb\xbf{"a":1}', Reason.NOT_CANONICAL),
        ('{"a":1}'.encode("utf-16"), Reason.NOT_CANONICAL),
        ('{"a":"ä"}'.encode(), Reason.NOT_CANONICAL),
        (b'{"a":"\\u0061"}', Reason.NOT_CANONICAL),
        (b'{"a":"\\/"}', Reason.NOT_CANONICAL),
        (b'{"a":"\\u00E4"}', Reason.NOT_CANONICAL),
    ],
)
def test_every_other_form_is_refused(content: bytes, reason: Reason) -> None:
    assert reasons(content) == [reason]


@given(st.binary(max_size=40) | st.text('{}[]",:0e.-\\u ', max_size=20).map(str.encode))
def test_no_bytes_break_it(content: bytes) -> None:
    assert reasons(content) == [] or len(reasons(content)) == 1


def test_a_folder_is_digested_by_names_and_contents_in_whatever_order_they_come() -> None:
    files = {"b": "1" * 64, "a/c": "2" * 64}
    assert tree_digest(files) == tree_digest(dict(reversed(files.items())))
    changed = [{"b": "1" * 64}, {**files, "d": "1" * 64}, {"b": "2" * 64, "a/c": "1" * 64}, {"b": "1" * 64, "a/d": "2" * 64}, {}]
    assert len({tree_digest(each) for each in [files, *changed]}) == 6
