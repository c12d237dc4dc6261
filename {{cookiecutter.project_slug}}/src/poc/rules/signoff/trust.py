"""Who is trusted: roles by name, keys by line, and whether both say so of a signature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from poc.rules.charter import Role
from poc.rules.charter_fields import Email, Section
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import fingerprint
from poc.rules.signoff.statement import StageName

NAMESPACE = "signoff@prod-first-poc"
#: Trust files for trying things out have a namespace of their own, so that what their keys sign verifies nowhere else.
DEMO_NAMESPACE = r"demo-[0-9a-f]{16,}@prod-first-poc"
PERSON = re.compile(r"[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+")


class Builder(Section):
    """Somebody who builds, and so never signs; with the fingerprints of the keys that are known to be theirs."""

    email: Email
    keys: list[Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]] = []


class ApprovalsOnBranch(Section):
    """Where a merge by the forge's rules counts as an approval: on which protected ref, for which stages, of whom."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    stages: list[StageName]
    people: list[Email]


class Roles(Section):
    """The file `roles.yaml`: who may sign in which role, who stands in for whom, who builds, and what else is accepted."""

    schema_version: Literal[1]
    namespace: Annotated[str, Field(pattern=f"^({re.escape(NAMESPACE)}|{DEMO_NAMESPACE})$")] = NAMESPACE
    people: dict[Role, list[Email]]
    deputies: dict[Email, list[Email]] = {}
    builders: list[Builder] = []
    passkeys: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]] = []
    approvals_on_branch: ApprovalsOnBranch | None = None

    @property
    def is_demo(self) -> bool:
        """Say whether these roles are for trying things out."""
        return self.namespace != NAMESPACE


@dataclass(frozen=True, kw_only=True)
class SignerLine:
    """A line of `allowed_signers`: one person, one key, what for, and at which line it stands."""

    person: str
    namespaces: tuple[str, ...]
    key: bytes
    line: int

    @property
    def fingerprint(self) -> str:
        """Return the key's fingerprint."""
        return fingerprint(self.key)


@dataclass(frozen=True, kw_only=True)
class Trust:
    """All that decides whom to believe: roles, keys, what is revoked, where it was read, and whether a builder could have changed it (`is_protected`).

    `signers` and `revoked` are the files' bytes, for `ssh-keygen`. `found` is what is wrong with them: with anything wrong, nobody is trusted.
    """

    where: str
    roles: Roles
    lines: tuple[SignerLine, ...]
    signers: bytes
    revoked: bytes
    is_protected: bool
    found: tuple[Finding, ...] = ()
    on_branch: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def builders(self) -> frozenset[str]:
        """Return the builders' addresses, in small letters, in whichever of the two places they stand."""
        return frozenset(email.lower() for email in (*(builder.email for builder in self.roles.builders), *self.roles.people.get("builder", [])))

    def keys_of_builders(self, builders: frozenset[str]) -> frozenset[str]:
        """Return the fingerprints of keys that are known to be a builder's."""
        listed = {key for builder in self.roles.builders for key in builder.keys}
        return frozenset(listed | {line.fingerprint for line in self.lines if line.person.lower() in builders | self.builders})

    def may_sign(self, role: str, person: str) -> bool:
        """Say whether a person holds a role."""
        return person in self.roles.people.get(role, [])  # type: ignore[call-overload]


@check
def key_is_of_the_signer(person: str, key: bytes, trust: Trust, where: str) -> list[Finding]:
    """Refuse a key that no line gives to this person for our namespace."""
    if any(line.person == person and line.key == key and trust.roles.namespace in line.namespaces for line in trust.lines):
        return []
    return [Finding(reason=Reason.KEY_NOT_TRUSTED, what=f"the key {fingerprint(key)} is not listed for {person}", where=f"{where}, {trust.where}")]


@check
def ssh_agrees(complaint: str, where: str) -> list[Finding]:
    """Refuse what `ssh-keygen -Y verify` refuses."""
    if not complaint:
        return []
    reason = Reason.KEY_REVOKED if "revoked" in complaint.lower() else Reason.SIGNATURE_INVALID
    return [Finding(reason=reason, what=f"ssh-keygen does not verify it: {complaint}", where=where)]
