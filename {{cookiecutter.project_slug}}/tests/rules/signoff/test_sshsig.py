from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passkeys_made import Passkey

from poc.rules.signoff import NAMESPACE, Reason
from poc.rules.signoff.sshsig import (
    SK_ECDSA,
    SK_ED25519,
    WEBAUTHN,
    SshSignature,
    algorithm_is_sound,
    armoured,
    assurance_is_true,
    mpint,
    passkey_is_at_home,
    person_was_verified,
    read_signature,
    rsa_bits,
    string,
)
from poc.tools import ssh
from signoffs import fingerprint_of, signed

SIGNED = signed(b"{}", "sam")
KINDS = [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")]


def read(content: bytes) -> SshSignature:
    signature, found = read_signature(content, "here")
    assert signature and not found
    return signature


def refused(content: bytes) -> list[Reason]:
    signature, found = read_signature(content, "here")
    assert (signature is None) == bool(found)
    return [finding.reason for finding in found]


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_what_ssh_keygen_makes_is_read(kind: str, bits: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *(["-b", bits] if bits else []), "-N", "", "-f", key], check=True)
    signature = read(ssh.sign(b"{}", key=key, namespace=NAMESPACE))
    assert (signature.namespace, signature.fingerprint, signature.assurance) == (NAMESPACE, ssh.fingerprint_of_file(key), "key")
    assert algorithm_is_sound(signature, "here") == [] and person_was_verified(signature, "here") == []
    assert kind != "rsa" or rsa_bits(signature.key) == 2048


def test_a_signature_names_its_key() -> None:
    assert read(SIGNED.signature).fingerprint == fingerprint_of("sam") != fingerprint_of("olga")


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_nothing_is_no_signature(content: bytes) -> None:
    assert refused(content) == [Reason.SIGNATURE_MISSING]


LINES = SIGNED.signature.split(b"\n")
FORMS = {
    "CR LF": SIGNED.signature.replace(b"\n", b"\r\n"),
    "no line break at the end": SIGNED.signature[:-1],
    "a blank line more": SIGNED.signature + b"\n",
    "something behind it": SIGNED.signature + b"and more\n",
    "something before it": b"\n" + SIGNED.signature,
    "another signature behind it": SIGNED.signature + SIGNED.signature,
    "one long line": b"\n".join([LINES[0], b"".join(LINES[1:-2]), *LINES[-2:]]),
    "a blank within": SIGNED.signature.replace(LINES[1], LINES[1][:9] + b" " + LINES[1][9:]),
    "another armour": SIGNED.signature.replace(b"SSH SIGNATURE", b"SIGNATURE"),
    "no end": b"\n".join(LINES[:-2]) + b"\n",
    "armour alone": LINES[0] + b"\n" + LINES[-2] + b"\n",
    "no ASCII": SIGNED.signature.replace(b"A", "\u0410".encode(), 1),
    "a line": b"-----BEGIN SSH SIGNATURE-----",
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_armour_has_one_form(content: bytes) -> None:
    assert refused(content) == [Reason.SIGNATURE_MALFORMED]


@settings(max_examples=80)
@given(st.data())
def test_no_edit_of_a_signature_breaks_the_reader(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([SIGNED.signature, PASSKEY])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    refused(bytes(content))


@settings(max_examples=80)
@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_within_the_armour_break_the_reader(blob: bytes, begins_like_one: bool) -> None:
    inner = string(b"ssh-ed25519") + blob if begins_like_one else blob
    refused(armoured(inner, NAMESPACE, inner))
    refused(armoured(blob, NAMESPACE, string(WEBAUTHN.encode()) + blob))


PASSKEY = Passkey().sign(b"{}", NAMESPACE)


def test_a_passkey_tells_where_it_was_used_and_what_for() -> None:
    signature = read(PASSKEY)
    assert (signature.key_type, signature.application, signature.origin, signature.assurance) == (SK_ECDSA, "localhost", "http://localhost:8123", "passkey")


@pytest.mark.parametrize(("flags", "found"), [(0x05, []), (0x0D, []), *((flags, [Reason.PRESENCE_ONLY]) for flags in (0x00, 0x01, 0x04))])
def test_a_passkey_asks_who_is_there(flags: int, found: list[Reason]) -> None:
    assert [each.reason for each in person_was_verified(read(Passkey(flags=flags).sign(b"{}", NAMESPACE)), "here")] == found


@pytest.mark.parametrize(
    ("rp_id", "origin", "is_at_home"),
    [
        ("localhost", "http://localhost:8123", True),
        ("localhost", "https://localhost", True),
        ("models.example.com", "https://models.example.com", True),
        ("models.example.com", "https://signoff.models.example.com:8443", True),
        ("models.example.com", "http://models.example.com", False),
        ("models.example.com", "https://evilmodels.example.com", False),
        ("models.example.com", "https://models.example.com.evil.example", False),
        ("models.example.com", "https://models.example.com@evil.example", False),
        ("models.example.com", "HTTPS://models.example.com", False),
        ("models.example.com", "models.example.com", False),
        ("evil.example", "https://evil.example", False),
        ("localhost", "http://localhost.evil.example", False),
        ("localhost", "http://a.localhost", False),
    ],
)
def test_a_passkey_is_used_where_it_is_at_home(rp_id: str, origin: str, is_at_home: bool) -> None:
    signature = read(Passkey(rp_id=rp_id, origin=origin).sign(b"{}", NAMESPACE))
    found = [each.reason for each in passkey_is_at_home(signature, ["localhost", "models.example.com"], "here")]
    assert found == ([] if is_at_home else [Reason.PASSKEY_ELSEWHERE])


def test_no_home_lets_no_passkey_in() -> None:
    assert passkey_is_at_home(read(PASSKEY), [], "here") and not passkey_is_at_home(read(SIGNED.signature), [], "here")


@pytest.mark.parametrize(("claimed", "right"), [("passkey", False), ("hardware key", False), ("branch", False), ("key", True)])
def test_nobody_claims_more_than_they_signed_with(claimed: str, right: bool) -> None:
    assert (assurance_is_true(claimed, read(SIGNED.signature), "here") == []) is right  # type: ignore[arg-type]


RSA = string(b"ssh-rsa") + mpint(65537) + mpint(2**2047 + 1)
ED25519 = string(b"ssh-ed25519") + string(b"k" * 32)


@pytest.mark.parametrize(
    ("key", "kind", "is_sound"),
    [
        (RSA, "rsa-sha2-512", True),
        (RSA, "rsa-sha2-256", True),
        (RSA, "ssh-rsa", False),
        (RSA, "ssh-ed25519", False),
        (ED25519, "ssh-ed25519", True),
        (ED25519, "", False),
    ],
)
def test_a_signature_is_of_a_kind_that_its_key_makes_and_that_is_safe(key: bytes, kind: str, is_sound: bool) -> None:
    signature = read(armoured(key, NAMESPACE, string(kind.encode()) + string(b"s" * 64)))
    assert (algorithm_is_sound(signature, "here") == []) is is_sound


def test_a_key_that_is_no_passkey_does_not_pass_for_one() -> None:
    rest = string(b"https://localhost") + string(b"{}") + string(b"")
    signature = read(armoured(ED25519, NAMESPACE, string(WEBAUTHN.encode()) + string(b"s" * 64) + rest))
    assert signature.assurance == "passkey" and [each.reason for each in algorithm_is_sound(signature, "here")] == [Reason.SIGNATURE_INVALID]


def test_a_security_key_is_told_from_a_file() -> None:
    key = string(SK_ED25519.encode()) + string(b"k" * 32) + string(b"ssh:")
    signature = read(armoured(key, NAMESPACE, string(SK_ED25519.encode()) + string(b"s" * 64) + b"\x05\0\0\0\1"))
    assert (signature.assurance, signature.flags, algorithm_is_sound(signature, "here")) == ("hardware key", 5, [])
