"""Whether a stage may hold a version: over time, in what order, by whom; `test_every_check.py` has each check by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.signoff import GATED, Entry, Facts, Reason, Roles, Trust, findings_for, shown_of_charter, stamp
from signoffs import (
    LOOKED_AT,
    NOW,
    SIGNED_AT,
    SIGNERS,
    a_ledger,
    a_trust,
    address,
    agreed,
    believed,
    digest,
    facts,
    followed,
    plain_agreed,
    plain_roles,
    verified,
)

WHO = [("charter", "sponsor"), ("charter", "owner"), ("shadow", "owner"), *(("pilot", role) for role in SIGNERS["pilot"])]
HOUR = timedelta(hours=1)


def reasons(
    stage: str, entries: Sequence[Entry], *, of: Facts | None = None, trust: Trust | None = None, at: datetime = NOW, with_keys: bool = False
) -> list[Reason]:
    """Say why version 7 may not hold a stage; signatures are believed unless a test is about them."""
    ledger = verified(entries, trust) if with_keys else believed(entries)
    return [each.reason for each in findings_for(stage, of or facts(), ledger, trust or a_trust(), at)]


def signed_again(entries: Sequence[Entry], stage: str, role: str, at: datetime = NOW, *, of: Facts | None = None, **changes: Any) -> list[Entry]:
    return followed(entries, of, key="", stage=stage, role=role, issued_at=at, **changes)


def people(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**person, **(changes if at == number else {})} for at, person in enumerate(plain_agreed()["people"])]


def test_with_real_keys_a_version_that_was_signed_through_may_hold_every_stage() -> None:
    ledger = verified(a_ledger())
    assert [findings_for(stage, facts(), ledger, a_trust(), NOW) for stage in ("charter", *GATED)] == [[], [], [], []]


def test_signatures_by_keys_that_are_not_listed_are_worth_nothing() -> None:
    entries = a_ledger(until="shadow", but={("shadow", "owner"): {"key": "eve"}})
    assert set(reasons("shadow", entries, with_keys=True)) == {Reason.KEY_NOT_TRUSTED, Reason.SIGNATURE_INVALID}


def test_a_revoked_key_signs_nothing_not_even_what_it_signed_before() -> None:
    assert reasons("shadow", a_ledger(until="shadow"), trust=a_trust(revoked=["sam"]), with_keys=True) == [Reason.KEY_REVOKED]


def test_a_builder_signs_under_nobodys_name() -> None:
    entries = a_ledger(until="shadow", but={("shadow", "owner"): {"key": "bo"}})
    assert Reason.SIGNED_WITH_BUILDERS_KEY in reasons("shadow", entries, with_keys=True)


@pytest.mark.parametrize(("stage", "role"), WHO)
def test_nobody_may_be_missing_on_the_way(stage: str, role: str) -> None:
    found = reasons("production", a_ledger(without=[(stage, role)]))
    assert set(found) == {Reason.NOT_SIGNED} | ({Reason.CHARTER_SIGNED_AFTER_THE_LOOK} if stage == "charter" else set())


@pytest.mark.parametrize(("stage", "role"), WHO)
def test_a_no_on_the_way_stops_what_comes_after_it(stage: str, role: str) -> None:
    assert Reason.REJECTED in reasons("production", a_ledger(but={(stage, role): {"decision": "reject"}}))


@pytest.mark.parametrize(("stage", "role"), WHO)
def test_a_no_that_comes_later_stops_it_too_and_a_later_yes_lets_it_go_on(stage: str, role: str) -> None:
    refused = signed_again(a_ledger(), stage, role, decision="reject", reason="it drifts")
    assert reasons("production", refused) == [Reason.REJECTED]
    assert reasons("production", signed_again(refused, stage, role)) == []


def test_a_no_to_pilot_leaves_shadow_alone() -> None:
    assert reasons("shadow", signed_again(a_ledger(), "pilot", "risk", decision="reject")) == []


def test_a_yes_to_another_version_is_none_to_this_one() -> None:
    assert set(reasons("shadow", a_ledger(until="shadow"), of=facts(version="8"))) == {Reason.NOT_SIGNED}


def test_a_stage_is_signed_before_the_one_after_it() -> None:
    early = a_ledger(until="shadow", without=[("shadow", "owner")])
    late = followed(followed(early, key="", stage="pilot", role="owner", issued_at=NOW), key="", stage="shadow", role="owner", issued_at=NOW)
    turned = [*late]
    for role in ("user_representative", "risk"):
        turned = signed_again(turned, "pilot", role)
    assert reasons("pilot", turned) == [Reason.NOT_SIGNED]
    assert reasons("pilot", signed_again(turned, "pilot", "owner")) == []


def test_an_earlier_stage_may_expire_once_the_later_one_is_signed() -> None:
    after_shadow = SIGNED_AT["shadow"] + timedelta(days=61)
    assert reasons("shadow", a_ledger(), at=after_shadow) == [Reason.EXPIRED]
    assert reasons("production", a_ledger(), at=after_shadow) == []


def test_an_earlier_stage_that_had_expired_before_the_later_one_was_signed_does_not_count() -> None:
    ends = [stamp(SIGNED_AT["pilot"] + hours) for hours in (timedelta(0), HOUR)]
    found = [reasons("production", a_ledger(but={("shadow", "owner"): {"expires_at": at}})) for at in ends]
    assert found == [[Reason.EXPIRED], []]


def test_the_charter_may_be_signed_again_without_undoing_what_it_let_pass() -> None:
    assert reasons("production", signed_again(signed_again(a_ledger(), "charter", "sponsor"), "charter", "owner")) == []


def test_a_new_charter_leaves_versions_alone_that_were_judged_by_the_old_one() -> None:
    newer = agreed(version=2)
    of_new = facts(charter=newer, charter_sha256=digest("newer"), shown_of_charter=shown_of_charter(newer))
    assert reasons("production", signed_again(a_ledger(), "charter", "sponsor", of=of_new)) == []
    assert reasons("production", signed_again(a_ledger(), "charter", "sponsor", of=of_new, decision="reject")) == []
    assert Reason.OTHER_CHARTER_VERSION in reasons("charter", signed_again(a_ledger(), "charter", "sponsor", of=of_new))


def test_the_charter_was_signed_before_the_look() -> None:
    assert reasons("production", a_ledger(), of=facts(looked_at=SIGNED_AT["charter"] + HOUR)) == []
    assert reasons("production", a_ledger(), of=facts(looked_at=SIGNED_AT["charter"])) == [Reason.CHARTER_SIGNED_AFTER_THE_LOOK]
    assert reasons("production", a_ledger(), of=facts(looked_at=None)) == [Reason.CHARTER_SIGNED_AFTER_THE_LOOK] * 2
    assert reasons("pilot", a_ledger(), of=facts(looked_at=None)) == []


def test_a_charter_that_was_refused_before_the_look_was_not_agreed_then() -> None:
    begun = signed_again(a_ledger(until="charter"), "charter", "sponsor", LOOKED_AT - HOUR, decision="reject")
    mended = signed_again(begun, "charter", "sponsor", LOOKED_AT + HOUR)
    assert reasons("production", a_ledger(since="shadow", after=mended)) == [Reason.CHARTER_SIGNED_AFTER_THE_LOOK]
    in_time = signed_again(begun, "charter", "sponsor", LOOKED_AT)
    assert reasons("production", a_ledger(since="shadow", after=in_time)) == []


@pytest.mark.parametrize(("verdict", "admitted"), [("GO", ["shadow", "pilot", "production"]), ("NOT PROVEN", ["shadow"]), ("NO-GO", []), (None, [])])
def test_only_shadow_takes_what_is_not_proven(verdict: Any, admitted: list[str]) -> None:
    assert [stage for stage in GATED if reasons(stage, a_ledger(), of=facts(verdict=verdict)) == []] == admitted
    assert reasons("charter", a_ledger(), of=facts(verdict=verdict)) == []


DEPUTY = {("charter", "sponsor"): {"signer": address("sid"), "on_behalf_of": address("sam")}}


def test_a_deputy_signs_where_charter_and_trust_files_say_so() -> None:
    entries = a_ledger(until="charter", but=DEPUTY)
    assert reasons("charter", entries, with_keys=True) == []
    assert reasons("charter", entries, trust=a_trust(deputies={})) == [Reason.NOT_THE_DEPUTY]
    assert reasons("charter", entries, of=facts(charter=agreed(people=people(0, deputy=None)))) == [Reason.NOT_THE_DEPUTY]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signer": address("sid")}, Reason.ROLE_NOT_HELD),
        ({"signer": address("sid"), "on_behalf_of": address("olga")}, Reason.ROLE_NOT_HELD),
        ({"signer": address("uma"), "on_behalf_of": address("sam")}, Reason.NOT_THE_DEPUTY),
        ({"signer": address("sam"), "on_behalf_of": address("sam")}, Reason.NOT_THE_DEPUTY),
        ({"signer": address("sam"), "on_behalf_of": address("sid")}, Reason.ROLE_NOT_HELD),
        ({"signer": "Sam@example.com"}, Reason.ROLE_NOT_HELD),
        ({"signer": "sam@example.com "}, Reason.ROLE_NOT_HELD),
        ({"signer": address("olga")}, Reason.ROLE_NOT_HELD),
    ],
)
def test_nobody_else_signs_for_the_sponsor(changes: Mapping[str, str], reason: Reason) -> None:
    assert reasons("charter", a_ledger(until="charter", but={("charter", "sponsor"): changes})) == [reason]


def test_a_builder_stands_in_for_nobody() -> None:
    entries = a_ledger(until="charter", but={("charter", "sponsor"): {"signer": address("bo"), "on_behalf_of": address("sam")}})
    of, trust = facts(charter=agreed(people=people(0, deputy=address("bo")))), a_trust(deputies={address("sam"): [address("bo")]})
    assert set(reasons("charter", entries, of=of, trust=trust)) == {Reason.SIGNED_BY_BUILDER, Reason.SIGNED_WITH_BUILDERS_KEY}


@pytest.mark.parametrize("trained_by", [address("olga"), "Olga@Example.com"])
def test_who_trained_it_does_not_sign_for_it_whatever_their_role(trained_by: str) -> None:
    of = facts(trained_by=trained_by)
    entries = a_ledger(of, until="shadow")
    assert set(reasons("shadow", entries, of=of)) == {Reason.SIGNED_BY_BUILDER, Reason.SIGNED_WITH_BUILDERS_KEY}
    assert reasons("charter", entries, of=of) == []


def test_whoever_is_listed_as_builder_anywhere_in_the_trust_files_is_one() -> None:
    for roles in ({"builders": [{"email": address("olga")}]}, {"people": {**plain_roles()["people"], "builder": [address("olga")]}}):
        trust = replace(a_trust(), roles=Roles.model_validate(plain_roles(**roles)))
        assert Reason.SIGNED_BY_BUILDER in reasons("shadow", a_ledger(until="shadow"), trust=trust)


def test_the_work_of_nobody_is_signed_by_nobody() -> None:
    of = facts(charter=agreed(people=people(4)[:4]), trained_by="")
    entries = a_ledger(of, until="shadow")
    assert set(reasons("shadow", entries, of=of, trust=a_trust(builders=[]))) == {Reason.BUILDERS_DIFFER}
    assert Reason.BUILDERS_DIFFER in reasons("shadow", entries, of=of)


def test_stages_come_in_their_own_order_whatever_the_charter_says() -> None:
    turned = agreed(stages=[plain_agreed()["stages"][number] for number in (0, 3, 1, 2)])
    assert Reason.NOT_SIGNED in reasons("production", a_ledger(without=[("pilot", "risk")]), of=facts(charter=turned))


@pytest.mark.parametrize("kept", [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 2, 3], []])
def test_no_stage_is_left_out_or_stands_there_twice(kept: list[int]) -> None:
    of = facts(charter=agreed().model_copy(update={"stages": [agreed().stages[number] for number in kept]}))
    assert Reason.STAGE_UNKNOWN in reasons("production", a_ledger(), of=of)


@pytest.mark.parametrize("stage", ["candidate", "Production", "", "production "])
def test_no_other_stage_can_be_signed(stage: str) -> None:
    assert reasons(stage, a_ledger()) == [Reason.STAGE_UNKNOWN]


def test_anything_wrong_with_trust_ledger_or_bytes_stops_all() -> None:
    assert reasons("shadow", a_ledger(), trust=a_trust(signers="*\n")) == [Reason.WILDCARD_SIGNER]
    assert Reason.LEDGER_GAP in reasons("shadow", a_ledger()[1:])
    assert reasons("shadow", a_ledger(), of=facts(strange=("model/link",))) == [Reason.STRANGE_FILE]


def test_an_empty_ledger_lets_nothing_pass() -> None:
    assert all(Reason.NOT_SIGNED in reasons(stage, []) for stage in ("charter", *GATED))


@settings(max_examples=40)
@given(st.sets(st.integers(0, 8)))
def test_without_any_one_signature_no_stage_behind_it_is_passed(left_out: set[int]) -> None:
    everyone = [(stage, role) for stage, roles in SIGNERS.items() for role in roles]
    entries = a_ledger(without=[everyone[number] for number in left_out], but={who: {"key": ""} for who in everyone})
    missing = {everyone[number][0] for number in left_out}
    passed = [stage for stage in ("charter", *GATED) if reasons(stage, entries) == []]
    order = ["charter", *GATED]
    assert passed == [stage for stage in order if not missing & set(order[: order.index(stage) + 1])]
