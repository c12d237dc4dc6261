"""Who is trusted: the lines of `allowed_signers` judged one by one, and roles by name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from poc.rules.charter import Role
from poc.rules.charter_fields import Email, Section
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import fingerprint, key_facts
from poc.rules.signoff.statement import StageName

NAMESPACE = "signoff@prod-first-poc"
#: Trust files for trying things out have a namespace of their own, so that what their keys sign verifies nowhere else.
DEMO_NAMESPACE = r"demo-[0-9a-f]{16,}@prod-first-poc"
PERSON = re.compile(r"[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+")
KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
_OPTION = r'[a-z-]+(?:="[^"]*")?'
_LINE = re.compile(rf"(\S+)\s+(?:({_OPTION}(?:,{_OPTION})*)\s+)?({'|'.join(map(re.escape, KEY_TYPES))})\s+([A-Za-z0-9+/=]+)(?:\s.*)?")
_KNOWN_OPTIONS = {"namespaces", "valid-after", "valid-before", "verify-required"}


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
        """Return the builders' addresses, in small letters."""
        return frozenset(builder.email.lower() for builder in self.roles.builders)

    def keys_of_builders(self, builders: frozenset[str]) -> frozenset[str]:
        """Return the fingerprints of keys that are known to be a builder's."""
        listed = {key for builder in self.roles.builders for key in builder.keys}
        return frozenset(listed | {line.fingerprint for line in self.lines if line.person.lower() in builders | self.builders})

    def may_sign(self, role: str, person: str) -> bool:
        """Say whether a person holds a role."""
        return person in self.roles.people.get(role, [])  # type: ignore[call-overload]


def read_signers(content: bytes, namespace: str, where: str) -> tuple[list[SignerLine], list[Finding]]:
    """Read `allowed_signers`, with everything that is wrong with any line that could be ours."""
    lines: list[SignerLine] = []
    found: list[Finding] = []
    for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        place = f"{where} line {number}"
        wrong = line_is_safe(text.strip(), namespace, place)
        found += wrong
        if not wrong:
            lines.append(_line(text.strip(), number))
    return lines, [*found, *keys_have_one_owner(lines, where)]


def line_is_safe(text: str, namespace: str, where: str) -> list[Finding]:
    """List what `ssh-keygen` would take in a line, and nobody should."""
    return line_names_one_person(text, where) or line_is_no_authority(text, where) or line_is_read(text, where) or line_is_for_us(text, namespace, where)


@check
def line_names_one_person(text: str, where: str) -> list[Finding]:
    """Refuse patterns and lists in place of one person's address."""
    people = _person(text)
    if any(sign in people for sign in "*?!,"):
        return [Finding(reason=Reason.WILDCARD_SIGNER, what=f"{people!r} stands for more than one person", where=where)]
    return []


@check
def line_is_no_authority(text: str, where: str) -> list[Finding]:
    """Refuse authorities: they could name anybody as a signer."""
    if re.search(r"(^|[\s,])cert-authority([\s,]|$)", text):
        return [Finding(reason=Reason.CERTIFICATE_AUTHORITY, what="an authority could name anybody as a signer", where=where)]
    return []


@check
def line_is_read(text: str, where: str) -> list[Finding]:
    """Refuse lines that are not written as they must be: an address, known options, a key of the kind that they say."""
    match = _LINE.fullmatch(text)
    if not PERSON.fullmatch(_person(text)):
        what = f"{_person(text)!a} is no e-mail address"
    elif not match:
        what = "this line is not: address, options, kind of key, key"
    elif unknown := sorted(set(_options(match[2])) - _KNOWN_OPTIONS):
        what = f"the option {unknown[0]} is not known here"
    else:
        return key_is_readable(match[3], match[4], where)
    return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=what, where=where)]


@check
def line_is_for_us(text: str, namespace: str, where: str) -> list[Finding]:
    """Refuse a key without a namespace, or with a pattern for one: it would vouch for anything."""
    match = _LINE.fullmatch(text)
    allowed = [name.strip() for name in _options(match[2]).get("namespaces", "").split(",")] if match else []
    if any(allowed) and not any(sign in name for name in allowed for sign in "*?!"):
        return []
    return [Finding(reason=Reason.NAMESPACE_MISSING, what=f'without namespaces="{namespace}" this key would vouch for anything', where=where)]


def _person(text: str) -> str:
    return text.split(maxsplit=1)[0].strip('"')


@check
def key_is_readable(kind: str, encoded: str, where: str) -> list[Finding]:
    """Refuse a key that is not what its line says."""
    try:
        found = key_facts(base64.b64decode(encoded, validate=True))[0]
    except (ValueError, binascii.Error, OSError) as error:
        return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"the key cannot be read: {error}", where=where)]
    return [] if found == kind else [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"the key is of kind {found}, not {kind}", where=where)]


@check
def keys_have_one_owner(lines: Sequence[SignerLine], where: str) -> list[Finding]:
    """Refuse a key that stands under two addresses: one of them would sign for the other."""
    owners: dict[bytes, set[str]] = {}
    for line in lines:
        owners.setdefault(line.key, set()).add(line.person.lower())
    return [
        Finding(reason=Reason.ONE_KEY_TWO_PEOPLE, what=f"{' and '.join(sorted(people))} have the same key, {fingerprint(key)}", where=where)
        for key, people in owners.items()
        if len(people) > 1
    ]


def _line(text: str, number: int) -> SignerLine:
    match = _LINE.fullmatch(text)
    assert match  # `line_is_safe` has seen it
    names = _options(match[2])["namespaces"].split(",")
    return SignerLine(person=match[1].strip('"'), namespaces=tuple(name.strip() for name in names), key=base64.b64decode(match[4]), line=number)


def _options(text: str | None) -> dict[str, str]:
    found = re.findall(r'([a-z-]+)(?:="([^"]*)")?', text or "")
    return dict(found)


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
