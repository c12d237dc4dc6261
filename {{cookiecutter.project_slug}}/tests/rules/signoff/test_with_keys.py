"""Who is about to sign, as what, with which key: worked out from charter and trust files alone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from poc.rules.charter import Stage
from poc.rules.signoff import NAMESPACE
from poc.rules.signoff.sshsig import SK_ECDSA, SK_ED25519, fingerprint, string
from poc.rules.signoff.with_keys import Key, Part, assurance_of, branch_may_approve, first_of, key_is_listed, owner_of, parts_of
from signoffs import a_trust, address, agreed, fingerprint_of, signer_line

CHARTER = next(stage for stage in agreed().stages if stage.name == "charter")
SHADOW = next(stage for stage in agreed().stages if stage.name == "shadow")
ON_A_STICK = {
    SK_ED25519: string(SK_ED25519.encode()) + string(b"p" * 32) + string(b"ssh:"),
    SK_ECDSA: string(SK_ECDSA.encode()) + string(b"nistp256") + string(b"p" * 65) + string(b"ssh:"),
}


def a_key(person: str) -> Key:
    return Key(place=Path(person), fingerprint=fingerprint_of(person))


def test_a_key_belongs_to_whom_the_trust_files_give_it() -> None:
    assert owner_of(fingerprint_of("sam"), a_trust()) == address("sam")
    assert owner_of(fingerprint_of("sam"), a_trust(people=["olga"])) == ""


def test_of_several_keys_the_first_that_is_listed_for_the_person_signs() -> None:
    keys = [a_key("olga"), a_key("sam"), a_key("rae")]
    assert first_of(keys, address("sam"), a_trust()) == keys[1]
    assert first_of(keys[:1], address("sam"), a_trust()) is None


def test_a_key_that_is_listed_for_something_else_does_not_sign_here() -> None:
    trust = a_trust(signers=signer_line("sam", namespace="git"))
    assert first_of([a_key("sam")], address("sam"), trust) is None
    assert [finding.reason for finding in key_is_listed(address("sam"), fingerprint_of("sam"), trust)] == ["key_not_trusted"]


@pytest.mark.parametrize("kind", ON_A_STICK)
def test_only_a_security_key_is_called_one(kind: str) -> None:
    line = f'{address("sam")} namespaces="{NAMESPACE}" {kind} {base64.b64encode(ON_A_STICK[kind]).decode()}\n'
    trust = a_trust(signers=line + signer_line("olga"))
    assert trust.found == ()
    assert assurance_of(fingerprint(ON_A_STICK[kind]), trust) == "hardware key" and assurance_of(fingerprint_of("olga"), trust) == "key"


@pytest.mark.parametrize(
    ("person", "stage", "whom", "parts"),
    [
        ("sam", CHARTER, "", [Part(role="sponsor")]),
        ("sid", CHARTER, "", [Part(role="sponsor", on_behalf_of=address("sam"))]),
        ("sid", SHADOW, "", []),
        ("bo", CHARTER, "", []),
        ("uma", CHARTER, "olga", [Part(role="owner", on_behalf_of=address("olga"))]),
    ],
)
def test_somebody_signs_in_their_own_role_or_in_that_of_whom_they_stand_in_for(person: str, stage: Stage, whom: str, parts: list[Part]) -> None:
    assert parts_of(address(person), stage, agreed(), address(whom) if whom else "") == parts


def test_only_whom_the_trust_files_name_is_approved_by_a_branch() -> None:
    trust = a_trust(approvals_on_branch={"ref": "origin/main", "stages": ["pilot"], "people": [address("olga")]})
    asked = [("olga", "pilot", trust), ("olga", "production", trust), ("sam", "pilot", trust), ("olga", "pilot", a_trust())]
    assert [not branch_may_approve(address(person), stage, by) for person, stage, by in asked] == [True, False, False, False]
