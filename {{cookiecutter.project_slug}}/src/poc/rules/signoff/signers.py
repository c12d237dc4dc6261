"""Who may sign what, and with which passkeys, on a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poc.rules.charter import Person, Role, Stage
from poc.rules.signoff.facts import Facts
from poc.rules.signoff.sshsig import SK_ECDSA, key_facts
from poc.rules.signoff.statement import StageName
from poc.rules.signoff.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Somebody who may sign a stage in a role: by themselves, or for somebody; `keys` are the passkeys of theirs that work on this site."""

    stage: StageName
    role: Role
    email: str
    name: str
    on_behalf_of: str
    keys: tuple[bytes, ...]


def signers_of(stages: Sequence[Stage], facts: Facts, trust: Trust, rp_id: str) -> tuple[Signer, ...]:
    """List who may sign which stage in which role, by charter and trust files alike, whether or not they have a passkey for this site."""
    return tuple(
        signer
        for stage in stages
        for role in stage.signers
        for person in facts.charter.people
        if person.role == role and trust.may_sign(role, person.email)
        for signer in _themselves_or_deputy(stage, person, facts, trust, rp_id)
    )


def _themselves_or_deputy(stage: Stage, person: Person, facts: Facts, trust: Trust, rp_id: str) -> list[Signer]:
    builders = facts.builders(stage.name, trust)
    names = {each.email: each.name for each in facts.charter.people}
    deputy = person.deputy if person.deputy in trust.roles.deputies.get(person.email, []) else None
    return [
        Signer(
            stage=stage.name,
            role=person.role,
            email=email,
            name=names.get(email, email),
            on_behalf_of="" if email == person.email else person.email,
            keys=passkeys_of(email, trust, rp_id),
        )
        for email in (person.email, deputy)
        if email and email.lower() not in builders
    ]


def passkeys_of(email: str, trust: Trust, rp_id: str) -> tuple[bytes, ...]:
    """List the keys of a person that are passkeys made for a site."""
    return tuple(
        line.key for line in trust.lines if line.person == email and trust.roles.namespace in line.namespaces and key_facts(line.key) == (SK_ECDSA, rp_id)
    )


def site_of(origin: str, homes: Sequence[str]) -> str | None:
    """Return the id under which passkeys of an origin are made: the longest of the trusted ones that it belongs to."""
    scheme, _, host = origin.partition("://")
    host = host.partition(":")[0]
    fitting = [home for home in homes if host == home or (scheme == "https" and host.endswith(f".{home}"))]
    return max(fitting, key=len, default=None)
