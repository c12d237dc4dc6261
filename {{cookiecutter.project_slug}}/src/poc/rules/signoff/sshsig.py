"""SSHSIG: what a signature says of itself, and a passkey's answer in that form.

Formats: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig and PROTOCOL.u2f in the same folder.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import Assurance

MAGIC = b"SSHSIG"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
SK_ED25519 = "sk-ssh-ed25519@openssh.com"
USER_PRESENT, USER_VERIFIED = 0x01, 0x04
#: Kinds of signature by kind of key.
ALGORITHMS = {
    "ssh-ed25519": ["ssh-ed25519"],
    "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
    "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
    "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
    "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
    SK_ED25519: [SK_ED25519],
    SK_ECDSA: [SK_ECDSA, WEBAUTHN],
}


@dataclass(frozen=True, kw_only=True)
class SshSignature:
    """What an SSHSIG holds; `application`, `flags` and `origin` only where a security key or a passkey made it."""

    key_type: str
    key: bytes
    namespace: str
    hash_algorithm: str
    signature_type: str
    application: str = ""
    flags: int | None = None
    origin: str = ""

    @property
    def fingerprint(self) -> str:
        """Return the key's fingerprint, as `ssh-keygen -l` prints it."""
        return fingerprint(self.key)

    @property
    def assurance(self) -> Assurance:
        """Say what made it."""
        return "passkey" if self.signature_type == WEBAUTHN else "hardware key" if self.key_type in (SK_ECDSA, SK_ED25519) else "key"


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint: SHA256 of its blob, in base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def string(content: bytes) -> bytes:
    """Write a string as SSH does: its length in four bytes, then its bytes."""
    return struct.pack(">I", len(content)) + content


def mpint(number: int) -> bytes:
    """Write a positive whole number as SSH does: big-endian, with room for a sign."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def to_be_signed(statement: bytes, namespace: str) -> bytes:
    """Return the blob that is signed in place of a statement; for a passkey it is the challenge."""
    return MAGIC + string(namespace.encode()) + string(b"") + string(b"sha512") + string(hashlib.sha512(statement).digest())


def armoured(key: bytes, namespace: str, signature: bytes) -> bytes:
    """Pack a signature of a key as SSHSIG in its armour; `signature` is SSH's own form, its type first."""
    blob = MAGIC + struct.pack(">I", 1) + string(key) + string(namespace.encode()) + string(b"") + string(b"sha512") + string(signature)
    return _in_armour(blob)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, length: int) -> bytes:
        taken = self.content[self.at : self.at + length]
        if len(taken) != length:
            raise ValueError("it ends too early")
        self.at += length
        return taken

    def string(self) -> bytes:
        return self.take(struct.unpack(">I", self.take(4))[0])

    def text(self) -> str:
        return self.string().decode("ascii")

    def end(self) -> None:
        if self.at != len(self.content):
            raise ValueError("something follows its end")


def read_signature(content: bytes, where: str) -> tuple[SshSignature | None, list[Finding]]:
    """Read what a signature says of itself; whether it is one over these bytes is `ssh-keygen`'s to say."""
    if found := signature_is_there(content, where):
        return None, found
    try:
        return _parsed(_unarmoured(content)), []
    except (ValueError, struct.error, binascii.Error) as error:
        return None, [Finding(reason=Reason.SIGNATURE_MALFORMED, what=f"this is no SSH signature: {error}", where=where)]


@check
def signature_is_there(content: bytes, where: str) -> list[Finding]:
    """Refuse nothing in place of a signature."""
    return [] if content.strip() else [Finding(reason=Reason.SIGNATURE_MISSING, what="there is no signature", where=where)]


def _unarmoured(content: bytes) -> bytes:
    """Take off the armour, which has one form only: else one signature would lie in two copies of the ledger in other bytes."""
    lines = content.decode("ascii").split("\n")
    blob = base64.b64decode("".join(lines[1:-2]), validate=True)
    if _in_armour(blob) != content:
        raise ValueError("its armour is not written as ssh-keygen writes it")
    return blob


def _in_armour(blob: bytes) -> bytes:
    return "\n".join([BEGIN, *textwrap.wrap(base64.b64encode(blob).decode(), 70), END, ""]).encode()


def _parsed(blob: bytes) -> SshSignature:
    outer = _Reader(blob)
    if outer.take(6) != MAGIC or outer.take(4) != b"\0\0\0\1":
        raise ValueError("it does not begin like one")
    key, namespace, _, hash_algorithm, signature = outer.string(), outer.text(), outer.string(), outer.text(), outer.string()
    outer.end()
    key_type, application = key_facts(key)
    inner = _Reader(signature)
    signature_type = inner.text()
    inner.string()  # the signature proper
    flags, origin = None, ""
    if application:
        flags = inner.take(1)[0]
        inner.take(4)  # the authenticator's counter
    if signature_type == WEBAUTHN:
        origin = inner.string().decode()
        inner.string(), inner.string()  # client data, extensions
    inner.end()
    return SshSignature(
        key_type=key_type,
        key=key,
        namespace=namespace,
        hash_algorithm=hash_algorithm,
        signature_type=signature_type,
        application=application,
        flags=flags,
        origin=origin,
    )


def key_facts(key: bytes) -> tuple[str, str]:
    """Return a public key's type, and for a security key or a passkey the application that it was made for.

    Raises:
        ValueError: this is no such key.
    """
    reader = _Reader(key)
    kind = reader.text()
    if kind == SK_ECDSA:
        reader.string(), reader.string()  # the curve, the point
    elif kind == SK_ED25519:
        reader.string()
    else:
        return kind, ""
    application = reader.string().decode()
    reader.end()
    return kind, application


def rsa_bits(key: bytes) -> int:
    """Return how long an RSA key's modulus is.

    Raises:
        ValueError: this is no such key.
    """
    reader = _Reader(key)
    reader.string(), reader.string()  # the kind, the exponent
    modulus = reader.string()
    reader.end()
    return int.from_bytes(modulus, "big").bit_length()


@check
def algorithm_is_sound(signature: SshSignature, where: str) -> list[Finding]:
    """Refuse a signature of a kind that its key does not make, or over a digest that is no longer safe, such as RSA with SHA-1."""
    if signature.signature_type in ALGORITHMS.get(signature.key_type, ()) and signature.hash_algorithm in ("sha512", "sha256"):
        return []
    what = f"a key of kind {signature.key_type!a} signed as {signature.signature_type!a} over {signature.hash_algorithm!a}"
    return [Finding(reason=Reason.SIGNATURE_INVALID, what=what, where=where)]


@check
def namespace_is_ours(signature: SshSignature, namespace: str, where: str) -> list[Finding]:
    """Refuse a signature that was made for something else, such as a git commit, or for a demo."""
    if signature.namespace == namespace:
        return []
    return [Finding(reason=Reason.OTHER_NAMESPACE, what=f"it was signed for {signature.namespace!r}, not for {namespace!r}", where=where)]


@check
def person_was_verified(signature: SshSignature, where: str) -> list[Finding]:
    """Refuse a passkey or security key that asked for no finger, face or PIN: whoever holds it could have signed."""
    if signature.flags is None or signature.flags & (USER_PRESENT | USER_VERIFIED) == USER_PRESENT | USER_VERIFIED:
        return []
    return [Finding(reason=Reason.PRESENCE_ONLY, what="the security key was touched, and did not ask who touched it", where=where)]


@check
def passkey_is_at_home(signature: SshSignature, homes: Sequence[str], where: str) -> list[Finding]:
    """Refuse a passkey that was made for, or used on, another site than those that the trust files name."""
    if signature.signature_type != WEBAUTHN:
        return []
    home = signature.application
    if home in homes and _belongs(signature.origin, home):
        return []
    return [Finding(reason=Reason.PASSKEY_ELSEWHERE, what=f"a passkey of {home!r}, used on {signature.origin!r}, which is no site of ours", where=where)]


def _belongs(origin: str, home: str) -> bool:
    scheme, _, host = origin.partition("://")
    host = host.partition(":")[0]
    return (scheme == "https" and (host == home or host.endswith(f".{home}"))) or (scheme == "http" and host == home == "localhost")


@check
def assurance_is_true(claimed: Assurance, signature: SshSignature, where: str) -> list[Finding]:
    """Refuse a claim to have signed with something else than one did."""
    if claimed == signature.assurance:
        return []
    return [Finding(reason=Reason.ASSURANCE_OVERSTATED, what=f"it claims a {claimed} and was made with a {signature.assurance}", where=where)]
