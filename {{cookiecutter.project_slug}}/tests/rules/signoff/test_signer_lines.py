from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.signoff import NAMESPACE, Reason, read_signers
from poc.rules.signoff.sshsig import mpint, string
from poc.tools import ssh
from signoffs import NOW, a_trust, key_of, public_key_of, signer_line

KEY = " ".join(public_key_of("bo").split()[:2])
OURS = f'namespaces="{NAMESPACE}"'


def refused(content: str | bytes) -> list[Reason]:
    lines, found = read_signers(content if isinstance(content, bytes) else content.encode(), NAMESPACE, "allowed_signers")
    assert found or lines
    return [each.reason for each in found]


def rsa(bits: int) -> str:
    """Return a public line of an RSA key whose modulus has so many bits."""
    return f"ssh-rsa {base64.b64encode(string(b'ssh-rsa') + mpint(65537) + mpint(2 ** (bits - 1) + 1)).decode()}"


ACCEPTED = {
    "plain": f"bo@example.com {OURS} {KEY}",
    "with a comment": f"bo@example.com {OURS} {KEY} laptop of Bo",
    "CR LF": f"bo@example.com {OURS} {KEY}\r\n",
    "tabs": f"bo@example.com\t{OURS}\t{KEY}",
    "two namespaces": f'bo@example.com namespaces="git,{NAMESPACE}" {KEY}',
    "with an end": f'bo@example.com {OURS},valid-before="20300101" {KEY}',
    "a line about another namespace": f'bo@example.com namespaces="git" {KEY}',
    "remarks in any letters": f"# Schlüssel von Bo\n\nbo@example.com {OURS} {KEY}",
    "RSA": f"bo@example.com {OURS} {rsa(2048)}",
}
REFUSED = {
    f"*@example.com {OURS} {KEY}": Reason.WILDCARD_SIGNER,
    f"b?@example.com {OURS} {KEY}": Reason.WILDCARD_SIGNER,
    f"bo@example.com,sam@example.com {OURS} {KEY}": Reason.WILDCARD_SIGNER,
    f"!bo@example.com {OURS} {KEY}": Reason.WILDCARD_SIGNER,
    f"bo@example.com cert-authority,{OURS} {KEY}": Reason.CERTIFICATE_AUTHORITY,
    f"bo@example.com CERT-Authority,{OURS} {KEY}": Reason.CERTIFICATE_AUTHORITY,
    f"bo@example.com {KEY}": Reason.NAMESPACE_MISSING,
    f'bo@example.com namespaces="*" {KEY}': Reason.NAMESPACE_MISSING,
    f'bo@example.com namespaces="!git" {KEY}': Reason.NAMESPACE_MISSING,
    f'bo@example.com namespaces="signoff@*" {KEY}': Reason.NAMESPACE_MISSING,
    f'bo@example.com namespaces="" {KEY}': Reason.NAMESPACE_MISSING,
    f'bo@example.com namespaces="," {KEY}': Reason.NAMESPACE_MISSING,
    f"bo@example.com namespaces {KEY}": Reason.NAMESPACE_MISSING,
    f'bo@example.com valid-before="20300101" {KEY}': Reason.NAMESPACE_MISSING,
    f"bo@example.com no-touch-required,{OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f'bo@example.com namespaces="git",{OURS} {KEY}': Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com Namespaces={NAMESPACE} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f'"bo@example.com" {OURS} {KEY}': Reason.SIGNER_LINE_MALFORMED,
    f"bo {OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"{OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY.replace('ssh-ed25519', 'ssh-rsa')}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY.replace('ssh-ed25519', 'ssh-dss')}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY}=": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} ssh-ed25519 AAAA": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {rsa(2047)}": Reason.SIGNER_LINE_MALFORMED,
    f"b\u043e@example.com {OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com\u00a0{OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY} laptop\x0bsam@example.com {OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY}\x00": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY}\rsam@example.com {OURS} {KEY}": Reason.SIGNER_LINE_MALFORMED,
    f"bo@example.com {OURS} {KEY}\nsam@example.com {OURS} {KEY}": Reason.ONE_KEY_TWO_PEOPLE,
}


@pytest.mark.parametrize("line", ACCEPTED.values(), ids=ACCEPTED)
def test_a_line_for_one_person_one_key_and_named_purposes_is_read(line: str) -> None:
    [read], found = read_signers(line.encode(), NAMESPACE, "allowed_signers")
    assert (read.person, found) == ("bo@example.com", [])


@pytest.mark.parametrize(("line", "reason"), REFUSED.items(), ids=[f"{at} {reason}" for at, reason in enumerate(REFUSED.values())])
def test_every_other_line_is_refused(line: str, reason: Reason) -> None:
    assert refused(line) == [reason]


def test_one_bad_line_is_told_by_its_number_and_lets_nobody_sign() -> None:
    trust = a_trust(signers=f"# people\n{signer_line('sam')}* {OURS} {KEY}\n")
    [found] = trust.found
    assert (found.where, [line.line for line in trust.lines]) == ("allowed_signers line 3", [2])


def test_no_text_at_all_is_no_line() -> None:
    assert read_signers(b"", NAMESPACE, "allowed_signers") == ([], [])


def test_one_key_in_two_lines_of_one_person_is_one_persons() -> None:
    assert refused(f"bo@example.com {OURS} {KEY}\nBo@example.com {OURS} {KEY}") == []


@pytest.mark.parametrize(
    "line",
    [f'bo@example.com\u00a0namespaces="a,sam@example.com,b" {KEY}', f"*@example.com {KEY}", f'sam@example.com namespaces="*" {KEY}'],
    ids=["a blank that is none to ssh-keygen", "wildcard", "any namespace"],
)
def test_lines_are_refused_by_which_ssh_keygen_takes_a_builders_signature_for_the_sponsors(line: str) -> None:
    made = ssh.sign(b"{}", key=key_of("bo"), namespace=NAMESPACE)
    checked = ssh.verify(b"{}", made, signer="sam@example.com", namespace=NAMESPACE, allowed_signers=f"{line}\n".encode(), revoked=b"", at=NOW)
    assert checked.complaint == "" and refused(line)


WORDS = 'bo@example.com|*|a,b|!x|cert-authority|,| |\t|"|namespaces="*"|namespaces="git"|namespaces|=|\n|\r|ssh-ed25519|AAAA|#|\u00a0|\x0b|verify-required|\\'
PIECES = st.sampled_from([OURS, KEY, 'valid-before="20300101"', *WORDS.split("|")])


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_no_line_with_a_pattern_an_authority_or_without_a_purpose_passes(content: str) -> None:
    lines, found = read_signers(content.encode(), NAMESPACE, "allowed_signers")
    assert found or len(lines) == sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in content.split("\n"))
    for line in lines:
        assert line.person == "bo@example.com" and line.namespaces and all(line.namespaces)
        assert not any(sign in name for name in line.namespaces for sign in "*?!")


@settings(max_examples=100)
@given(st.binary(max_size=60), st.binary(max_size=20))
def test_no_bytes_break_the_reader(content: bytes, after: bytes) -> None:
    read_signers(content, NAMESPACE, "allowed_signers")
    read_signers(f"bo@example.com {OURS} ssh-rsa ".encode() + content + b"\n" + after, NAMESPACE, "allowed_signers")


def test_ssh_keygen_can_read_what_is_accepted(tmp_path: Path) -> None:
    signers = tmp_path / "allowed_signers"
    for line in ACCEPTED.values():
        signers.write_text(f"{line}\n")
        asked = ["ssh-keygen", "-Y", "match-principals", "-I", "bo@example.com", "-f", str(signers)]
        assert subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == "bo@example.com"
