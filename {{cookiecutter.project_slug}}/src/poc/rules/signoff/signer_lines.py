"""The lines of `allowed_signers`, judged one by one before `ssh-keygen` sees them: it takes more than anybody should."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections import Counter
from collections.abc import Sequence

from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import fingerprint, key_facts, rsa_bits
from poc.rules.signoff.trust import PERSON, SignerLine

#: NIST SP 800-57 part 1, table 2: fewer bits give less than 112 bits of strength.
LEAST_RSA_BITS = 2048
KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
_OPTION = r'[a-z-]+(?:="[^"]*")?'
_ONE_OPTION = r'([a-z-]+)(?:="([^"]*)")?'
_LINE = re.compile(rf"(\S+)\s+(?:({_OPTION}(?:,{_OPTION})*)\s+)?({'|'.join(map(re.escape, KEY_TYPES))})\s+([A-Za-z0-9+/=]+)(?:\s.*)?")
_KNOWN_OPTIONS = {"namespaces", "valid-after", "valid-before"}
#: A day, or a moment, in UTC.
_DATE = re.compile(r"\d{8}(\d{4}(\d{2})?)?")


def read_signers(content: bytes, namespace: str, where: str) -> tuple[list[SignerLine], list[Finding]]:
    """Read `allowed_signers`, with everything that is wrong with any line that could be ours."""
    lines: list[SignerLine] = []
    found: list[Finding] = []
    for number, text in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        line, place = text.removesuffix("\r").strip(" \t"), f"{where} line {number}"
        if line and not line.startswith("#"):
            wrong = line_is_safe(line, namespace, place)
            found += wrong
            lines += [] if wrong else [_line(line, number)]
    return lines, [*found, *keys_have_one_owner(lines, where)]


def line_is_safe(text: str, namespace: str, where: str) -> list[Finding]:
    """List what `ssh-keygen` would take in a line, and nobody should."""
    return (
        line_is_plain(text, where)
        or line_names_one_person(text, where)
        or line_is_no_authority(text, where)
        or line_is_read(text, where)
        or line_is_for_us(text, namespace, where)
    )


@check
def line_is_plain(text: str, where: str) -> list[Finding]:
    """Refuse letters at which we might part a line and `ssh-keygen` would not: it would read another line than we do."""
    if odd := sorted({letter for letter in text if letter != "\t" and not " " <= letter <= "~"}):
        return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"the line holds {odd[0]!a}; in plain letters only it is read alike by all", where=where)]
    return []


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
    if re.search(r"(^|[\s,])cert-authority([\s,]|$)", text, re.IGNORECASE):
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
    elif twice := [name for name, times in Counter(_option_names(match[2])).items() if times > 1]:
        what = f"the option {twice[0]} stands there twice"
    elif odd := [name for name, value in _options(match[2]).items() if name.startswith("valid-") and not _DATE.fullmatch(value)]:
        what = f"{odd[0]} is not written as YYYYMMDD or YYYYMMDDHHMMSS, in UTC"
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
    return text.split(maxsplit=1)[0]


@check
def key_is_readable(kind: str, encoded: str, where: str) -> list[Finding]:
    """Refuse a key that is not what its line says."""
    try:
        key = base64.b64decode(encoded, validate=True)
        if base64.b64encode(key).decode() != encoded:
            raise ValueError("it is padded in another way than ssh-keygen does it")
        found, bits = key_facts(key)[0], rsa_bits(key) if kind == "ssh-rsa" else LEAST_RSA_BITS
    except (ValueError, binascii.Error, struct.error) as error:
        return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"the key cannot be read: {error}", where=where)]
    if found != kind:
        return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"the key is of kind {found!a}, not {kind}", where=where)]
    if bits < LEAST_RSA_BITS:
        return [Finding(reason=Reason.SIGNER_LINE_MALFORMED, what=f"an RSA key of {bits} bits can be forged; {LEAST_RSA_BITS} are the least", where=where)]
    return []


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
    return SignerLine(person=match[1], namespaces=tuple(name.strip() for name in names), key=base64.b64decode(match[4]), line=number)


def _options(text: str | None) -> dict[str, str]:
    return dict(re.findall(_ONE_OPTION, text or ""))


def _option_names(text: str | None) -> list[str]:
    return [name for name, _ in re.findall(_ONE_OPTION, text or "")]
