"""A passkey's answer becomes a signature that `ssh-keygen` verifies, and what is no such answer is refused in words."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from passkeys_made import HAS_KEY, PRESENT, VERIFIED, Passkey

from poc.errors import NotSignedOff
from poc.rules.signoff.sshsig import passkey_is_at_home, person_was_verified, read_signature, to_be_signed
from poc.tools import passkeys

NAMESPACE, STATEMENT, WHO = "signoff@prod-first-poc", b'{"decision":"approve"}', "cfo@acme.com"


def verify(folder: Path, passkey: Passkey, signature: bytes, statement: bytes = STATEMENT) -> str:
    """Return what `ssh-keygen` says against a signature; nothing where it verifies."""
    (folder / "allowed_signers").write_text(f'{WHO} namespaces="{NAMESPACE}" {passkey.line}\n')
    (folder / "signature").write_bytes(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", WHO, "-n", NAMESPACE, "-s", "signature"]
    done = subprocess.run(command, cwd=folder, input=statement, capture_output=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


@pytest.fixture(scope="module")
def passkey() -> Passkey:
    return Passkey()


def test_ssh_keygen_verifies_what_a_passkey_signed(tmp_path: Path, passkey: Passkey) -> None:
    signature = passkey.sign(STATEMENT, NAMESPACE)
    assert verify(tmp_path, passkey, signature) == ""
    read, found = read_signature(signature, "here")
    assert read and not found and read.assurance == "passkey" and read.application == "localhost" and read.origin == passkey.origin
    assert [*person_was_verified(read, "here"), *passkey_is_at_home(read, ["localhost"], "here")] == []


def test_extensions_are_signed_along(tmp_path: Path, passkey: Passkey) -> None:
    assert verify(tmp_path, passkey, passkey.but(extensions=b"\xa0").sign(STATEMENT, NAMESPACE)) == ""


def test_another_statement_is_not_what_was_signed(tmp_path: Path, passkey: Passkey) -> None:
    assert "verification failed" in verify(tmp_path, passkey, passkey.sign(STATEMENT, NAMESPACE), STATEMENT + b" ")


@pytest.mark.parametrize("part", ["authenticator_data", "client_data"])
def test_what_is_changed_after_the_signature_verifies_no_longer(part: str, tmp_path: Path, passkey: Passkey) -> None:
    given = passkey.get(to_be_signed(STATEMENT, NAMESPACE))
    changed = {"authenticator_data": given.authenticator_data[:-1] + b"\x08", "client_data": given.client_data.replace(b"8123", b"8124")}
    signature = passkeys.sshsig(replace(given, **{part: changed[part]}), passkey.key, NAMESPACE)
    assert "verification failed" in verify(tmp_path, passkey, signature)


def test_a_key_says_for_which_site_it_was_made_and_another_site_gives_another_signature(tmp_path: Path, passkey: Passkey) -> None:
    elsewhere = passkey.but(rp_id="evil.example")
    given = elsewhere.get(to_be_signed(STATEMENT, NAMESPACE))
    assert elsewhere.line != passkey.line
    assert "verification failed" in verify(tmp_path, passkey, passkeys.sshsig(given, passkey.key, NAMESPACE))


def test_a_touch_alone_is_packed_and_said_to_be_one(tmp_path: Path, passkey: Passkey) -> None:
    signature = passkey.but(flags=PRESENT).sign(STATEMENT, NAMESPACE)
    assert verify(tmp_path, passkey, signature) == ""  # OpenSSH takes it; the rules do not
    read, _ = read_signature(signature, "here")
    assert read and [finding.reason for finding in person_was_verified(read, "here")] == ["presence_only"]


def test_another_origin_is_packed_and_said_to_be_one(passkey: Passkey) -> None:
    read, _ = read_signature(passkey.but(origin="https://localhost.evil.example").sign(STATEMENT, NAMESPACE), "here")
    assert read and [finding.reason for finding in passkey_is_at_home(read, ["localhost"], "here")] == ["passkey_elsewhere"]


def of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("spki", "words"),
    [
        (of(ed25519.Ed25519PrivateKey.generate()), "not on the curve P-256"),
        (of(ec.generate_private_key(ec.SECP384R1())), "not on the curve P-256"),
        (b"no key", "cannot be read"),
    ],
    ids=["Ed25519", "P-384", "no key"],
)
def test_a_key_that_openssh_cannot_use_is_refused_in_words(spki: bytes, words: str) -> None:
    with pytest.raises(NotSignedOff, match=words):
        passkeys.public_key(spki, "localhost")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"authenticator_data": b"short"}, "the shortest has 37"),
        ({"authenticator_data": bytes(32) + bytes([PRESENT | VERIFIED | HAS_KEY]) + bytes(4)}, "it holds a key"),
        ({"authenticator_data": bytes(32) + bytes([PRESENT | VERIFIED]) + bytes(4) + b"\xa0"}, "do not announce"),
        ({"authenticator_data": bytes(32) + bytes([PRESENT | VERIFIED | 0x80]) + bytes(4)}, "announces some that are not there"),
        ({"signature": b"no signature"}, "the signature cannot be read"),
        ({"client_data": b"{}"}, "client data cannot be read"),
        ({"client_data": b"[1]"}, "client data cannot be read"),
        ({"client_data": b"\xff"}, "client data cannot be read"),
        ({"client_data": b'{"type":"webauthn.get","challenge":"!","origin":"x"}'}, "client data cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_refused_in_words(changes: dict[str, bytes], words: str, passkey: Passkey) -> None:
    with pytest.raises(NotSignedOff, match=words):
        passkeys.sshsig(replace(passkey.get(b"challenge"), **changes), passkey.key, NAMESPACE)


def test_of_several_keys_the_one_that_signed_is_found(passkey: Passkey) -> None:
    others = [Passkey().key, b"no key", passkey.but(rp_id="elsewhere.example").key[:40]]
    assert passkeys.key_that_signed(passkey.get(b"challenge"), [*others, passkey.key]) == passkey.key
    assert passkeys.key_that_signed(passkey.get(b"challenge"), others) is None
