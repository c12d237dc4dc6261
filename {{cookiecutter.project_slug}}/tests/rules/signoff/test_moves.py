"""Moves between stages: who was faster, what is written down, and what only claims to be."""

from __future__ import annotations

import pytest

from poc.rules.signoff import Facts, Reason
from poc.rules.signoff.moves import (
    Demoted,
    Held,
    about,
    bytes_stayed,
    move_took_hold,
    nobody_was_faster,
    note_of_now,
    signed_by,
    tag_says_who_signed,
    tags_are_backed,
)
from signoffs import a_ledger, believed, facts

HELD = Held(by="bo@example.com", at="2026-01-31T12:00:00Z", signed=[]).text()
NOTE = Demoted(version="7", by="bo@example.com", reason="it drifts", at="2026-01-31T12:00:00Z")


@pytest.mark.parametrize(
    ("holder", "expected", "is_fine"), [(None, None, True), ("6", "6", True), ("7", "6", True), ("8", "6", False), (None, "6", False), ("6", None, False)]
)
def test_a_stage_is_taken_from_whom_it_was_expected_of_or_is_held_already(holder: str | None, expected: str | None, is_fine: bool) -> None:
    assert (nobody_was_faster("shadow", "7", holder, expected) == []) == is_fine


def test_who_was_slower_is_told_the_command_that_means_it_all_the_same() -> None:
    (found,) = nobody_was_faster("shadow", "7", None, "6")
    assert found.what == "no version holds shadow now, and version 6 did when you decided"
    assert "poc promote shadow --version 7 --instead-of none" in found.fix


def test_a_move_is_what_mlflow_says_afterwards() -> None:
    assert move_took_hold("shadow", "7", "7") == [] == move_took_hold("shadow", None, None)
    assert [each.reason for each in [*move_took_hold("shadow", "7", "8"), *move_took_hold("shadow", None, "8")]] == [Reason.ANOTHER_WAS_PROMOTED] * 2


@pytest.mark.parametrize(
    "after", [None, facts(model_sha256="a" * 64), facts(evidence_sha256="a" * 64), facts(strange=("link",)), facts(trained_by="sam@example.com")]
)
def test_whatever_changed_of_a_version_since_it_was_verified_counts(after: Facts | None) -> None:
    assert bytes_stayed("shadow", facts(), facts()) == []
    assert [each.reason for each in bytes_stayed("shadow", facts(), after)] == [Reason.BYTES_CHANGED_MEANWHILE]


def test_a_tag_is_backed_by_the_alias_or_excused_by_a_note() -> None:
    assert tags_are_backed("shadow", {"7": HELD}, "7", None) == []
    assert tags_are_backed("shadow", {"7": HELD}, None, NOTE) == []
    assert [each.reason for each in tags_are_backed("shadow", {"7": HELD}, "8", None)] == [Reason.TAG_FORGED]
    assert [each.reason for each in tags_are_backed("shadow", {"7": "signed"}, None, None)] == [Reason.TAG_FORGED]
    assert [each.reason for each in tags_are_backed("shadow", {"7": HELD}, None, replace_version("8"))] == [Reason.ALIAS_REMOVED_WITHOUT_A_NOTE]


def test_a_note_that_is_older_than_the_promotion_excuses_nothing() -> None:
    held = Held(by="bo@example.com", at="2026-01-31T12:00:01Z", signed=[]).text()
    assert [each.reason for each in tags_are_backed("shadow", {"7": held}, None, NOTE)] == [Reason.ALIAS_REMOVED_WITHOUT_A_NOTE]
    assert note_of_now(NOTE, "7", held) is None is note_of_now(None, "7", held)
    assert note_of_now(NOTE, "7", HELD) == NOTE == note_of_now(NOTE, "7", "")


def replace_version(version: str) -> Demoted:
    return NOTE.model_copy(update={"version": version})


def test_a_tag_names_the_decisions_that_count() -> None:
    ledger = believed(a_ledger(until="pilot"))
    signed = signed_by("pilot", facts(), ledger)
    assert [(each.role, each.entry) for each in signed] == [("owner", 4), ("user_representative", 5), ("risk", 6)]
    said = Held(by="bo@example.com", at="2026-01-31T12:00:00Z", signed=signed)
    assert tag_says_who_signed("pilot", said.text(), facts(), ledger) == []
    for forged in (
        said.model_copy(update={"signed": signed[:2]}),
        said.model_copy(update={"signed": [signed[0].model_copy(update={"signer": "sam@example.com"}), *signed[1:]]}),
    ):
        assert [each.reason for each in tag_says_who_signed("pilot", forged.text(), facts(), ledger)] == [Reason.TAG_FORGED]
    assert [each.reason for each in tag_says_who_signed("pilot", "signed by the sponsor", facts(), ledger)] == [Reason.TAG_FORGED]


def test_decisions_about_other_versions_are_not_logged_with_one() -> None:
    ledger = believed(a_ledger(until="shadow"))
    assert len(about("7", ledger)) == 3
    assert len(about("8", ledger)) == 2  # the charter's


def test_a_tag_that_somebody_typed_is_none() -> None:
    assert Held.read("signed") is None is Demoted.read('{"version": 7}')
    assert Demoted.read(NOTE.text()) == NOTE
