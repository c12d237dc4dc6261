"""An authenticator in software: it answers as a browser would, rightly or, where a test asks for it, wrongly."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from poc.rules.signoff.sshsig import to_be_signed
from poc.tools.passkeys import Assertion, Created, public_key, public_line, sshsig, to_base64url

PRESENT, VERIFIED, HAS_KEY, HAS_EXTENSIONS = 0x01, 0x04, 0x40, 0x80


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A passkey, the site it is for, and how it answers."""

    rp_id: str = "localhost"
    origin: str = "http://localhost:8123"
    flags: int = PRESENT | VERIFIED
    extensions: bytes = b""
    is_framed: bool = False
    secret: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def spki(self) -> bytes:
        """Return what `getPublicKey()` returns."""
        return self.secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key(self) -> bytes:
        """Return the public key as OpenSSH packs it."""
        return public_key(self.spki, self.rp_id)

    @property
    def line(self) -> str:
        """Return the public key as `allowed_signers` has it behind the address and the options."""
        return public_line(self.key)

    def but(self, **changes: object) -> Passkey:
        """Return the same passkey, answering in another way."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def get(self, challenge: bytes) -> Assertion:
        """Answer as `navigator.credentials.get()` does."""
        data, note = self._data(), self._note("webauthn.get", challenge)
        signed = self.secret.sign(data + hashlib.sha256(note).digest(), ec.ECDSA(SHA256()))
        return Assertion(authenticator_data=data, client_data=note, signature=signed)

    def create(self, challenge: bytes) -> Created:
        """Answer as `navigator.credentials.create()` does."""
        return Created(authenticator_data=self._data(HAS_KEY), client_data=self._note("webauthn.create", challenge), public_key=self.spki)

    def sign(self, statement: bytes, namespace: str) -> bytes:
        """Sign a statement; the armoured signature."""
        return sshsig(self.get(to_be_signed(statement, namespace)), self.key, namespace)

    def _data(self, more_flags: int = 0) -> bytes:
        flags = self.flags | more_flags | (HAS_EXTENSIONS if self.extensions else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + (7).to_bytes(4, "big") + self.extensions

    def _note(self, kind: str, challenge: bytes) -> bytes:
        said = {"type": kind, "challenge": to_base64url(challenge), "origin": self.origin, "crossOrigin": self.is_framed}
        return json.dumps(said, separators=(",", ":")).encode()
