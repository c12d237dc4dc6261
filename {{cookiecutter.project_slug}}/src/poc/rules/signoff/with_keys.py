"""Who is about to sign, as what, and with which of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poc.rules.charter import Charter, Role, Stage
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import SK_ECDSA, SK_ED25519, key_facts
from poc.rules.signoff.statement import Assurance
from poc.rules.signoff.trust import SignerLine, Trust


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key as `ssh-keygen` takes it, a file or a public line whose private half an agent holds, and its fingerprint."""

    place: Path | str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """In which role somebody signs, and for whom where they stand in."""

    role: Role
    on_behalf_of: str = ""


def owner_of(fingerprint: str, trust: Trust) -> str:
    """Return whose key it is by the trust files; nobody's where no line gives it."""
    return next((line.person for line in trust.lines if line.fingerprint == fingerprint), "")


def first_of(keys: Sequence[Key], person: str, trust: Trust) -> Key | None:
    """Return the first of some keys that the trust files give to a person."""
    listed = {line.fingerprint for line in _lines_of(person, trust)}
    return next((key for key in keys if key.fingerprint in listed), None)


def assurance_of(fingerprint: str, trust: Trust) -> Assurance:
    """Say with what a key's signature is made: a security key asks who is there, any other may be a copy."""
    kinds = {key_facts(line.key)[0] for line in trust.lines if line.fingerprint == fingerprint}
    return "hardware key" if kinds & {SK_ECDSA, SK_ED25519} else "key"


def parts_of(person: str, stage: Stage, charter: Charter, on_behalf_of: str = "") -> list[Part]:
    """List in which roles somebody may sign a stage by the charter: their own, or else those of the people whom they stand in for.

    Whether they may stand in for somebody whom they name, is for the verifier to say.
    """
    held = [each for each in charter.people if each.role in stage.signers]
    if on_behalf_of:
        return [Part(role=each.role, on_behalf_of=on_behalf_of) for each in held if each.email == on_behalf_of]
    own = [Part(role=each.role) for each in held if each.email == person]
    return own or [Part(role=each.role, on_behalf_of=each.email) for each in held if each.deputy == person]


def _lines_of(person: str, trust: Trust) -> list[SignerLine]:
    return [line for line in trust.lines if line.person == person and trust.roles.namespace in line.namespaces]


@check
def key_is_listed(person: str, fingerprint: str, trust: Trust) -> list[Finding]:
    """Refuse a key that the trust files do not give to this person, before anybody is asked to sign with it."""
    if fingerprint in {line.fingerprint for line in _lines_of(person, trust)}:
        return []
    whose = f"it is {owner}'s" if (owner := owner_of(fingerprint, trust)) else "it is nobody's"
    return [Finding(reason=Reason.KEY_NOT_TRUSTED, what=f"the key {fingerprint} is not listed for {person}: {whose}", where=trust.where)]


@check
def branch_may_approve(person: str, stage: str, trust: Trust) -> list[Finding]:
    """Refuse an approval by branch that no merge could make count."""
    allowed = trust.roles.approvals_on_branch
    if allowed and stage in allowed.stages and person in allowed.people:
        return []
    what = f"the trust files take no approval by branch of {person} for {stage}"
    return [Finding(reason=Reason.BRANCH_NOT_APPROVED, what=what, where=trust.where, fix="sign with a key: poc sign, or with a passkey: poc sign --browser")]
