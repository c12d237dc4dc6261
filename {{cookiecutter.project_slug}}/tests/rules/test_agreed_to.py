"""What the brief, the model card and the version's description say of who agreed to the charter: no more than is so."""

from __future__ import annotations

import pytest
from briefs import a_brief, a_judged
from builders import PLAIN

from poc.rules.describe import description
from poc.rules.evidence import UNSIGNED, Signoff
from poc.rules.model_card import model_card
from poc.rules.write_brief import SIGNED_LATER, brief_of
from poc.tools.pages import brief_page

#: The sealed rows of `a_judged` were first looked at on 2026-01-15.
SIGNED = Signoff(is_signed=True, by=["sam@example.com as sponsor", "olga@example.com as owner"], signed_at="2026-01-10T12:00:00Z")
LATER = SIGNED.model_copy(update={"signed_at": "2026-01-20T12:00:00Z"})
DEMO = SIGNED.model_copy(update={"is_demo": True})
EXCUSED = {"data": {"why_rows_may_repeat": "Parts of one batch honestly look alike"}}


def test_a_page_whose_charter_was_signed_before_the_look_says_by_whom_and_is_no_draft() -> None:
    brief = a_brief(signoff=SIGNED)
    assert brief.drafts == (
        "The charter (version 1) was signed by sam@example.com as sponsor and olga@example.com as owner, before the look: costs and limits are theirs."
    )
    assert (brief.mark, brief.agreed) == ("", "Signed") and SIGNED_LATER not in brief.next_step


@pytest.mark.parametrize(("signoff", "mark"), [(UNSIGNED, "DRAFT"), (DEMO, "DEMO"), (SIGNED, "")])
def test_every_form_of_the_page_carries_the_same_mark(signoff: Signoff, mark: str) -> None:
    judged = a_judged(signoff=signoff)
    brief = brief_of(judged)
    html = brief_page(brief).decode()
    assert (f'<strong class="draft">{mark}</strong>' in html) == bool(mark) and ("DRAFT" in html) == (mark == "DRAFT")
    for page in (description(brief), model_card(judged, brief)):
        assert f"**{mark or 'Signed'}:** " in page and ("DRAFT" in page) == (mark == "DRAFT")


def test_a_signature_given_when_the_result_was_known_is_called_that() -> None:
    assert "only after these rows were first looked at" in a_brief(signoff=LATER).drafts


@pytest.mark.parametrize("signed_at", ["", "yesterday"])
def test_a_moment_that_cannot_be_read_is_not_taken_for_an_early_one(signed_at: str) -> None:
    assert "only after" in a_brief(signoff=SIGNED.model_copy(update={"signed_at": signed_at})).drafts


def test_a_demo_agrees_to_nothing() -> None:
    brief = a_brief(signoff=DEMO, **EXCUSED)
    assert "outside of this demo nobody agreed to anything" in brief.drafts
    assert any(each.startswith("Rows may repeat across the splits; nobody has signed the reason: ") for each in brief.not_proven)


def test_what_was_signed_is_excused_by_name() -> None:
    features = [{**PLAIN["features"][0], "why_it_may_decide_alone": "The torque is the failure itself"}, *PLAIN["features"][1:]]
    brief = a_brief(signoff=SIGNED, features=features, **EXCUSED)
    assert "Rows may repeat across the splits; signed for this reason: Parts of one batch honestly look alike." in brief.not_proven
    assert f"{features[0]['name']} may decide alone; signed for this reason: The torque is the failure itself." in brief.not_proven


def test_a_long_row_of_signers_makes_the_letters_smaller_and_not_the_page_longer() -> None:
    many = SIGNED.model_copy(update={"by": [f"{'somebody' * 4}.{number}@example.com as sponsor" for number in range(9)]})
    assert len(a_brief(signoff=many).drafts) < 300
    assert a_brief(signoff=many).print_pt <= a_brief(signoff=SIGNED).print_pt
