"""Passkeys: what a browser hands over, as an OpenSSH key and an OpenSSH signature (cryptography)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from poc.rules.signoff.browsing import CreatedFacts, Noted, from_base64url
from poc.rules.signoff.reasons import Finding, Reason, refuse_with
from poc.rules.signoff.sshsig import SK_ECDSA, WEBAUTHN, armoured, mpint, string

CURVE = "nistp256"
#: Further bits of an authenticator's byte of flags (Web Authentication, 6.1): a new key follows, extensions follow.
HAS_KEY, HAS_EXTENSIONS = 0x40, 0x80
#: What authenticator data begins with: the digest of the relying party's id, the flags, a counter of four bytes.
HEAD_BYTES = 37
#: A point on the curve as SSH writes it: 4, then its two coordinates.
POINT_BYTES = 65
WHERE = "the browser's answer"


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What `navigator.credentials.get()` returns; the signature is in DER."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Created:
    """What `navigator.credentials.create()` returns; the public key is that of `getPublicKey()`, in DER."""

    authenticator_data: bytes
    client_data: bytes
    public_key: bytes


def public_key(spki: bytes, rp_id: str) -> bytes:
    """Turn what `getPublicKey()` returns into the key as OpenSSH packs it, with the relying party's id as its application.

    Raises:
        NotSignedOff: it is no key on the curve P-256, the only one that OpenSSH verifies a page's signatures with.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        _malformed(f"the public key cannot be read: {error}")
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        _malformed("this passkey's key is not on the curve P-256 (ES256), the only one whose signatures on a page OpenSSH verifies")
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b"".join(map(string, (SK_ECDSA.encode(), CURVE.encode(), point, rp_id.encode())))


def public_line(key: bytes) -> str:
    """Write a key as `allowed_signers` and `.pub` files have it: its type, and itself in base64."""
    return f"{SK_ECDSA} {base64.b64encode(key).decode()}"


def sshsig(assertion: Assertion, key: bytes, namespace: str) -> bytes:
    """Pack a passkey's answer as the armoured signature that `ssh-keygen -Y verify` reads.

    Raises:
        NotSignedOff: it is no such answer, or says more than OpenSSH takes.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    data = assertion.authenticator_data
    flags, counter, extensions = _flags(data), data[33:HEAD_BYTES], data[HEAD_BYTES:]
    if flags & HAS_KEY:
        _malformed("it holds a key, as when a passkey is made; a signature was asked for")
    if bool(flags & HAS_EXTENSIONS) != bool(extensions):
        _malformed("it holds extensions that its flags do not announce, or announces some that are not there")
    try:
        r, s = decode_dss_signature(assertion.signature)
    except ValueError as error:
        _malformed(f"the signature cannot be read: {error}")
    origin = noted(assertion.client_data).origin
    proper = string(WEBAUTHN.encode()) + string(mpint(r) + mpint(s)) + bytes([flags]) + counter
    return armoured(key, namespace, proper + string(origin.encode()) + string(assertion.client_data) + string(extensions))


def noted(client_data: bytes) -> Noted:
    """Read a browser's note.

    Raises:
        NotSignedOff: it is no such note.
    """
    try:
        said = json.loads(client_data)
        kind, challenge, origin = (str(said[name]) for name in ("type", "challenge", "origin"))
        return Noted(kind=kind, challenge=from_base64url(challenge), origin=origin, is_framed=said.get("crossOrigin") is True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _malformed(f"its client data cannot be read: {error!r}")


def key_that_signed(assertion: Assertion, keys: Sequence[bytes]) -> bytes | None:
    """Find the key that made an answer among those of one person, because a browser does not say which it was; None where none did."""
    return next((key for key in keys if _is_by(assertion, key)), None)


def _is_by(assertion: Assertion, key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    head = string(SK_ECDSA.encode()) + string(CURVE.encode())
    if not key.startswith(head):
        return False
    signed = assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest()
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key[len(head) + 4 :][:POINT_BYTES]).verify(assertion.signature, signed, ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def created_facts(created: Created) -> CreatedFacts:
    """Read what a browser and an authenticator say of a new passkey.

    Raises:
        NotSignedOff: they say nothing that can be read.
    """
    data = created.authenticator_data
    return CreatedFacts(note=noted(created.client_data), site_sha256=data[:32].hex(), flags=_flags(data))


def to_base64url(content: bytes) -> str:
    """Write base64 as the web does."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _flags(data: bytes) -> int:
    if len(data) < HEAD_BYTES:
        _malformed(f"its authenticator data has {len(data)} bytes; the shortest has {HEAD_BYTES}")
    return data[32]


def _malformed(what: str) -> NoReturn:
    refuse_with(
        [Finding(reason=Reason.SIGNATURE_MALFORMED, what=what, where=WHERE, fix="open the page again in a browser that is up to date, and try once more")]
    )
