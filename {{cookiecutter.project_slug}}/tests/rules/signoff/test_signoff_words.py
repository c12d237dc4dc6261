"""How a signature is said: what stands behind it, and what it is worth, in words that claim no more than is so."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from poc.rules.signoff.statement import Assurance
from poc.rules.signoff.words import MADE_WITH, lower_assurance, signed_in_words, worth_of
from signoffs import a_statement, a_trust

A_DEMO = "demo-0123456789abcdef@prod-first-poc"


def test_a_signature_is_said_with_who_as_what_with_what_and_from_when_until_when() -> None:
    said = a_statement(stage="charter", role="sponsor", issued_at="2026-01-10T12:00:00Z", expires_at="2026-04-10T12:00:00Z").predicate
    assert signed_in_words(said) == (
        "sam@example.com as sponsor signed version 1 of the charter on 2026-01-10 12:00 UTC, with a key in a file, which says nothing of who held it; "
        "it holds until 2026-04-10 12:00 UTC"
    )


def test_a_no_is_said_with_its_reason_and_a_deputy_with_whom_they_stand_in_for() -> None:
    said = a_statement(decision="reject", reason="too few rows", signer="sid@example.com", role="user_representative", on_behalf_of="uma@example.com").predicate
    words = signed_in_words(said)
    assert words.startswith("sid@example.com as user representative, for uma@example.com refused version 7 for shadow on ")
    assert words.endswith(": too few rows")  # a no does not lapse


def test_no_two_kinds_of_signature_are_said_alike() -> None:
    assert set(MADE_WITH) == set(get_args(Assurance)) and len(set(MADE_WITH.values())) == len(MADE_WITH)


@pytest.mark.parametrize(("assurance", "is_lower"), [("passkey", False), ("hardware key", False), ("key", False), ("branch", True)])
def test_an_approval_by_branch_is_called_the_lower_assurance_that_it_is(assurance: Assurance, *, is_lower: bool) -> None:
    assert bool(lower_assurance(assurance)) == is_lower
    assert "no signature" in MADE_WITH["branch"] and "no signature" in lower_assurance("branch")


def test_what_a_builder_can_write_is_never_called_tamper_proof() -> None:
    open_to_all, protected = (worth_of(replace(a_trust(), is_protected=is_protected)) for is_protected in (False, True))
    assert open_to_all.startswith("Tamper-evident, not tamper-proof") and not protected.startswith("Tamper-evident")
    assert "cannot write" in protected and "(Trust files: trust.)" in protected


@pytest.mark.parametrize("is_protected", [True, False])
def test_a_demo_says_so_before_all_else(*, is_protected: bool) -> None:
    assert worth_of(replace(a_trust(namespace=A_DEMO), is_protected=is_protected)).startswith("DEMO: ")
