from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.signoff import Reason, canonical, moment, stamp, statement_bytes
from poc.rules.signoff.statement import MOST_BYTES, Predicate, Statement, read_statement
from signoffs import a_statement, digest, plain_statement

PREDICATE = list(Predicate.model_fields)


def refused(plain: Mapping[str, Any]) -> list[Reason]:
    """Say why a statement is refused, by its bytes; what is refused is not read either."""
    statement, found = read_statement(canonical(plain), "here")
    assert (statement is None) == bool(found)
    return [finding.reason for finding in found]


def test_a_statement_is_read_back_as_it_was_written() -> None:
    statement = a_statement()
    assert read_statement(statement_bytes(statement), "here") == (statement, [])


@pytest.mark.parametrize("name", PREDICATE)
def test_no_field_of_a_decision_may_be_missing(name: str) -> None:
    plain = plain_statement()
    del plain["predicate"][name]
    assert refused(plain) == [Reason.FIELD_MISSING]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("_type", Reason.WRONG_TYPE), ("predicateType", Reason.WRONG_TYPE), ("subject", Reason.FIELD_MISSING), ("predicate", Reason.FIELD_MISSING)],
)
def test_no_field_around_it_may_be_missing(name: str, reason: Reason) -> None:
    plain = plain_statement()
    del plain[name]
    assert refused(plain) == [reason]


def test_a_type_under_another_name_is_none() -> None:
    plain = plain_statement()
    plain["type_"] = plain.pop("_type")
    assert refused(plain) == [Reason.WRONG_TYPE]


@pytest.mark.parametrize("name", ["_type", "predicateType"])
def test_another_type_of_statement_is_no_sign_off(name: str) -> None:
    assert refused(plain_statement() | {name: "https://slsa.dev/provenance/v1"}) == [Reason.WRONG_TYPE]


@pytest.mark.parametrize("within", [lambda plain: plain, lambda plain: plain["predicate"], lambda plain: plain["subject"][0]])
def test_no_field_may_be_unknown(within: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    plain = plain_statement()
    within(plain)["skip_checks"] = True
    assert refused(plain) == [Reason.FIELD_UNKNOWN]


def test_what_is_said_of_a_statement_holds_nothing_that_a_terminal_obeys() -> None:
    strange = "\x1b[2J\u202e"
    for plain in (plain_statement() | {strange: 1}, plain_statement() | {"_type": strange}, plain_statement(signer=strange), plain_statement(reason=strange)):
        [found] = read_statement(canonical(plain), "here")[1]
        assert found.what.isascii() and found.what.isprintable()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("project", "", Reason.FIELD_INVALID),
        ("project", "s" * 201, Reason.FIELD_INVALID),
        ("project", "stop\n", Reason.FIELD_INVALID),
        ("project", "st\u043ep-bad-parts", Reason.NOT_ASCII),
        ("charter_version", 0, Reason.FIELD_INVALID),
        ("charter_version", "1", Reason.FIELD_INVALID),
        ("charter_version", True, Reason.FIELD_INVALID),
        ("stage", "Shadow", Reason.FIELD_INVALID),
        ("stage", "candidate", Reason.FIELD_INVALID),
        ("decision", "Approve", Reason.FIELD_INVALID),
        ("decision", None, Reason.FIELD_INVALID),
        ("reason", "r" * 401, Reason.FIELD_INVALID),
        ("reason", "no\nyes", Reason.FIELD_INVALID),
        ("reason", "\x1b[2Jyes", Reason.FIELD_INVALID),
        ("signer", "", Reason.FIELD_INVALID),
        ("signer", "\u043elga@example.com", Reason.NOT_ASCII),
        ("signer", "olga@example.com\r", Reason.FIELD_INVALID),
        ("role", "ceo", Reason.FIELD_INVALID),
        ("on_behalf_of", None, Reason.FIELD_INVALID),
        ("on_behalf_of", "s\u0430m@example.com", Reason.NOT_ASCII),
        ("builders", "bo@example.com", Reason.FIELD_INVALID),
        ("builders", [""], Reason.FIELD_INVALID),
        ("builders", ["b\u043e@example.com"], Reason.NOT_ASCII),
        ("assurance", "none", Reason.FIELD_INVALID),
        ("model", None, Reason.FIELD_INVALID),
        ("model", "", Reason.FIELD_INVALID),
        ("model_version", "", Reason.FIELD_INVALID),
        ("model_version", "07", Reason.FIELD_INVALID),
        ("model_version", 7, Reason.FIELD_INVALID),
        ("model_version", "\u0667", Reason.NOT_ASCII),
        ("git_commit", "HEAD", Reason.FIELD_INVALID),
        ("git_commit", "A" * 40, Reason.FIELD_INVALID),
        ("seq", 0, Reason.FIELD_INVALID),
        ("seq", "1", Reason.FIELD_INVALID),
        ("prev", "x" * 64, Reason.FIELD_INVALID),
        ("prev", "0" * 63, Reason.FIELD_INVALID),
        ("shown", [["verdict"]], Reason.FIELD_MISSING),
        ("shown", [["verdict", 1]], Reason.FIELD_INVALID),
        ("shown", {"verdict": "GO"}, Reason.FIELD_INVALID),
    ],
)
def test_each_field_is_what_it_must_be(name: str, value: object, reason: Reason) -> None:
    assert refused(plain_statement(**{name: value})) == [reason]


@pytest.mark.parametrize("name", ["issued_at", "expires_at"])
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00", "2026-01-31T12:00:00+00:00", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00z", "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T12:00:60Z", "0000-01-01T00:00:00Z", "26-01-31T12:00:00Z", "\u0662\u0660\u0662\u0666-01-31T12:00:00Z", "",
    ],
)  # fmt: skip
def test_a_moment_has_one_form(name: str, text: str) -> None:
    assert refused(plain_statement(**{"issued_at": "2026-01-31T12:00:00Z", "expires_at": "2026-02-01T12:00:00Z"} | {name: text})) == [Reason.TIME_FORM]


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9000, 1, 1)), st.integers(-14, 14))
def test_a_moment_is_the_same_wherever_it_is_written(at: datetime, hours: int) -> None:
    at = at.replace(microsecond=0, tzinfo=UTC)
    assert moment(stamp(at.astimezone(timezone(timedelta(hours=hours))))) == at


@pytest.mark.parametrize(
    ("stage", "digests"),
    [
        ("shadow", {}),
        ("shadow", {"charter": digest("c")}),
        ("shadow", {"charter": digest("c"), "model": digest("m")}),
        ("shadow", {"model": digest("m"), "evidence": digest("e")}),
        ("charter", {}),
        ("charter", {"charter": digest("c"), "model": digest("m")}),
        ("charter", {"charter": digest("c"), "stage evidence": digest("s")}),
    ],
)
def test_a_decision_is_about_all_that_its_stage_is_about_and_nothing_else(stage: str, digests: dict[str, str]) -> None:
    assert refused(plain_statement(stage=stage, digests=digests)) == [Reason.FIELD_INVALID]


def test_no_subject_stands_there_twice() -> None:
    plain = plain_statement()
    plain["subject"].append({"name": "model", "digest": {"sha256": digest("another")}})
    assert refused(plain) == [Reason.FIELD_INVALID]


@pytest.mark.parametrize(("name", "sha256"), [("model", "D" * 64), ("model", "d" * 63), ("model", "d" * 64 + "\n"), ("weights", "d" * 64)])
def test_a_subject_is_one_of_four_with_a_digest_in_small_letters(name: str, sha256: str) -> None:
    plain = plain_statement()
    plain["subject"][2] = {"name": name, "digest": {"sha256": sha256}}
    assert refused(plain) == [Reason.FIELD_INVALID]


@pytest.mark.parametrize("changes", [{"model": "stop-bad-parts", "model_version": "7"}, {"model_version": "7"}, {"model": "stop-bad-parts"}])
def test_a_decision_about_the_charter_names_no_version(changes: dict[str, str]) -> None:
    assert refused(plain_statement(stage="charter")) == []
    assert refused(plain_statement(stage="charter", **changes)) == [Reason.FIELD_INVALID]


def test_a_statement_just_fits_into_a_tag() -> None:
    plain = plain_statement(shown=[["", ""]])
    plain["predicate"]["shown"][0][1] = "n" * (MOST_BYTES - len(canonical(plain)))
    assert refused(plain) == []
    plain["predicate"]["shown"][0][1] += "n"
    assert refused(plain) == [Reason.TOO_LONG]


@settings(max_examples=40)
@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3))
def test_whatever_is_read_has_the_very_bytes_that_it_is_written_in(reason: str, shown: list[tuple[str, str]]) -> None:
    content = canonical(plain_statement(reason=reason, shown=[list(pair) for pair in shown]))
    statement, found = read_statement(content, "here")
    assert found if statement is None else statement_bytes(statement) == content


@settings(max_examples=60)
@given(st.data())
def test_no_edit_of_a_statement_breaks_the_reader(data: st.DataObject) -> None:
    content = bytearray(statement_bytes(a_statement()))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    statement, found = read_statement(bytes(content), "here")
    assert isinstance(statement, Statement) if not found else statement is None
