from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.signoff import Entry, Reason, copies_agree, entry_of_tag, next_link, nothing_is_missing, read_entries
from poc.rules.signoff.statement import SKEW
from signoffs import NOW, a_ledger, followed, signed, verified

#: Six decisions that nobody signed: what the row alone shows needs no key.
ROW = [replace(entry, signature=b"") for entry in a_ledger(until="pilot")]


def reasons(entries: Sequence[Entry]) -> list[Reason]:
    return [finding.reason for finding in read_entries(entries)[1]]


def numbered(entries: Sequence[Entry]) -> list[Entry]:
    """Number entries as they lie, as somebody would who covers up what was done to them."""
    return [replace(entry, number=number) for number, entry in enumerate(entries, 1)]


def test_a_ledger_that_was_signed_in_turn_is_whole() -> None:
    assert len(ROW) == 6 and reasons(ROW) == []


@given(st.integers(1, 6))
def test_a_ledger_that_grows_is_whole_at_every_length(length: int) -> None:
    assert reasons(ROW[:length]) == [] and next_link(ROW[:length])[0] == length + 1


@given(st.data())
def test_an_edit_anywhere_but_at_the_end_is_found(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(ROW) - 2))
    content = bytearray(ROW[number].statement)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert reasons([replace(entry, statement=bytes(content)) if entry is ROW[number] else entry for entry in ROW])


@given(st.permutations(range(6)))
def test_another_order_is_found(order: list[int]) -> None:
    moved = [ROW[number] for number in order]
    assert order == sorted(order) or (reasons(moved) and reasons(numbered(moved)))


@given(st.sets(st.integers(0, 4), min_size=1))
def test_what_is_removed_from_within_is_found(gone: set[int]) -> None:
    left = [entry for number, entry in enumerate(ROW) if number not in gone]
    assert reasons(left) and reasons(numbered(left))


@given(st.integers(0, 5), st.integers(0, 5))
def test_an_entry_laid_in_once_more_is_found(which: int, where: int) -> None:
    more = [*ROW[:where], ROW[which], *ROW[where:]]
    assert reasons(more) and reasons(numbered(more))


def test_an_edit_of_the_last_entry_breaks_its_signature() -> None:
    *before, last = a_ledger(until="shadow")
    edited = replace(last, statement=last.statement.replace(b'"reason":""', b'"reason":"yes"'))
    found = verified([*before, edited])
    assert found.found == () and [finding.reason for finding in found.decisions[-1].found] == [Reason.SIGNATURE_INVALID]
    assert verified([*before, last]).decisions[-1].found == ()


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_tail_that_was_cut_off_shows_beside_the_other_copy(here: int, there: int) -> None:
    found = [finding.reason for finding in nothing_is_missing(ROW[:here], ROW[:there])]
    assert found == ([Reason.LEDGER_TRUNCATED] if here < there else [])
    assert copies_agree(ROW[:here], ROW[:there]) == []


def test_two_decisions_under_one_number_are_a_fork() -> None:
    one, other = (followed(ROW[:5], key="", stage="pilot", role="risk", issued_at=NOW, reason=reason) for reason in ("yes", "no"))
    assert reasons(one) == reasons(other) == []
    assert [finding.reason for finding in copies_agree(one, other)] == [Reason.LEDGER_FORKED]


@pytest.mark.parametrize(("back", "found"), [(SKEW, []), (SKEW + timedelta(seconds=1), [Reason.LEDGER_RUNS_BACK])])
def test_a_decision_is_no_older_than_the_one_before_it(back: timedelta, found: list[Reason]) -> None:
    first = followed([], key="", issued_at=NOW)
    assert reasons(followed(first, key="", issued_at=NOW - back)) == found


def test_a_row_of_small_steps_back_is_found() -> None:
    entries: list[Entry] = []
    for step in range(4):
        entries = followed(entries, key="", issued_at=NOW - step * SKEW)
    assert reasons(entries[:2]) == [] and reasons(entries) == [Reason.LEDGER_RUNS_BACK] * 2


def test_a_decision_from_the_first_year_is_found_to_be_old() -> None:
    long_ago = {"issued_at": "0001-01-01T00:00:00Z", "expires_at": "0001-01-02T00:00:00Z"}
    assert reasons(followed(followed([], key="", **long_ago), key="", issued_at=NOW)) == []
    assert reasons(followed(followed([], key="", issued_at=NOW), key="", **long_ago)) == [Reason.LEDGER_RUNS_BACK]


@pytest.mark.parametrize("entries", [numbered(ROW)[1:], [replace(ROW[0], number=2)], [replace(ROW[0], number=0)], [ROW[0], replace(ROW[1], number=3)]])
def test_numbers_begin_at_one_and_leave_nothing_out(entries: list[Entry]) -> None:
    assert Reason.LEDGER_GAP in reasons(entries)


def test_an_entry_comes_back_from_a_tag_as_it_was() -> None:
    ledger = [*a_ledger(until="shadow"), *ROW[3:4]]
    assert [entry_of_tag(*entry.tag) for entry in ledger] == ledger


@pytest.mark.parametrize("number", ["", "1", "00001", "-001", "\u0660\u0660\u0660\u0661", "0001 "])
def test_a_tag_by_another_name_is_no_entry(number: str) -> None:
    assert entry_of_tag("poc.ledger.0001", "{}\n") and entry_of_tag("0001", "{}\n") is None
    assert entry_of_tag(f"poc.ledger.{number}", "{}\n") is None


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_no_tag_breaks_the_reader(value: str) -> None:
    entry = entry_of_tag("poc.ledger.0001", value)
    assert entry and reasons([entry])


def test_a_statement_of_two_lines_is_none() -> None:
    assert reasons([signed(ROW[0].statement + b"\n", number=1)]) == [Reason.NOT_CANONICAL]
    assert reasons([signed(ROW[0].statement + b"\n" + ROW[0].statement, number=1)]) == [Reason.NOT_JSON]
