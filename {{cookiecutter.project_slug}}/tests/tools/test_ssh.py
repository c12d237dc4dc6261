"""Signing and verifying with the real `ssh-keygen`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from poc.errors import EnvironmentRefused, InputRefused, NotSignedOff
from poc.rules.signoff import read_signers
from poc.tools import ssh

STATEMENT, NAMESPACE, SIGNER = b'{"decision":"approve"}', "signoff@prod-first-poc", "cfo@example.com"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    ssh.make_key(tmp_path / "a key", "a comment")
    return tmp_path / "a key"


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def line(key: Path, options: str = "", person: str = SIGNER) -> bytes:
    return f'{person} namespaces="{NAMESPACE}"{options} {public(key)}\n'.encode()


def checked(key: Path, signature: bytes, **changes: Any) -> ssh.Checked:
    asked = {"signer": SIGNER, "namespace": NAMESPACE, "allowed_signers": line(key), "revoked": b"", "at": NOW} | changes
    return ssh.verify(asked.pop("statement", STATEMENT), signature, **asked)


def a_signature(key: Path | str) -> bytes:
    return ssh.sign(STATEMENT, key=key, namespace=NAMESPACE)


def test_what_a_key_signs_verifies_and_names_the_key(key: Path) -> None:
    found = checked(key, a_signature(key))
    assert found == ssh.Checked(fingerprint=ssh.fingerprint_of_file(key), complaint="")


def test_the_fingerprint_is_the_one_that_the_trust_files_are_read_with(key: Path) -> None:
    lines, _ = read_signers(line(key), NAMESPACE, "allowed_signers")
    assert [each.fingerprint for each in lines] == [checked(key, a_signature(key)).fingerprint]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"statement": STATEMENT + b" "}, "incorrect signature"),
        ({"namespace": "git"}, "namespace does not match"),
        ({"signer": "ceo@example.com"}, "Could not verify"),
        ({"allowed_signers": b""}, "Could not verify"),
    ],
    ids=["other bytes", "other namespace", "other signer", "nobody allowed"],
)
def test_what_differs_in_one_thing_does_not_verify(changes: dict[str, Any], complaint: str, key: Path) -> None:
    signature = a_signature(key)
    assert checked(key, signature).complaint == ""
    found = checked(key, signature, **changes)
    assert found.fingerprint == "" and complaint in found.complaint


@pytest.mark.parametrize("signature", [b"", b"no signature", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"])
def test_what_is_no_signature_is_complained_of_without_names_of_temporary_files(signature: bytes, key: Path) -> None:
    found = checked(key, signature)
    assert found.complaint and "/tmp" not in found.complaint


def test_a_revoked_key_signs_nothing(key: Path, tmp_path: Path) -> None:
    signature = a_signature(key)
    ssh.make_key(tmp_path / "another", "")
    assert checked(key, signature, revoked=public(tmp_path / "another").encode()).complaint == ""
    assert checked(key, signature, revoked=f"# left the company\n{public(key)}\n".encode()).complaint == "the key is revoked"


def test_a_key_is_revoked_by_a_krl_too(key: Path, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", tmp_path / "krl", tmp_path / "a key.pub"], check=True)
    revoked = (tmp_path / "krl").read_bytes()
    assert checked(key, a_signature(key), revoked=revoked).complaint == "the key is revoked"


@pytest.mark.parametrize("revoked", [b"SHA256:2yzI7laIEPEXxZq2auSLJ+0jTuahh38G9fJpnutlO4E\n", b"SSHKRL\n\0\0\0\0\1"], ids=["a fingerprint", "half a KRL"])
def test_a_list_of_revocations_that_cannot_be_read_lets_nobody_sign(revoked: bytes, key: Path) -> None:
    assert checked(key, a_signature(key), revoked=revoked).complaint


def test_after_a_rotation_old_signatures_verify_and_new_ones_by_the_old_key_do_not(key: Path, tmp_path: Path) -> None:
    ssh.make_key(tmp_path / "new", "")
    signers = line(key, ',valid-before="20260201"') + line(tmp_path / "new", ',valid-after="20260201"')
    january, february = datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC)
    assert checked(key, a_signature(key), allowed_signers=signers, at=january).complaint == ""
    assert "expired" in checked(key, a_signature(key), allowed_signers=signers, at=february).complaint
    assert checked(key, a_signature(tmp_path / "new"), allowed_signers=signers, at=february).complaint == ""
    assert "not yet valid" in checked(key, a_signature(tmp_path / "new"), allowed_signers=signers, at=january).complaint


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_rotation_happens_at_the_same_moment_in_every_time_zone(zone: str, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    signature, until_february = a_signature(key), line(key, ',valid-before="20260201"')
    assert checked(key, signature, allowed_signers=until_february, at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC)).complaint == ""
    assert checked(key, signature, allowed_signers=until_february, at=datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC)).complaint


def test_twenty_at_once_do_not_disturb_each_other(key: Path) -> None:
    def sign_and_verify(number: int) -> str:
        statement = f"decision {number}".encode()
        return checked(key, ssh.sign(statement, key=key, namespace=NAMESPACE), statement=statement).complaint

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sign_and_verify, range(20))) == [""] * 20


def test_a_key_with_a_passphrase_is_refused_where_nobody_can_type_it(locked_key: Path) -> None:
    with pytest.raises(NotSignedOff, match="passphrase"):
        a_signature(locked_key)


def signing_at_a_terminal(key: Path, target: Path, *, typed_by_a_person: bool) -> tuple[int, int]:
    """Sign in a process that has a terminal; return its number and the terminal's other end."""
    program = "import sys, pathlib; from poc.tools import ssh; pathlib.Path(sys.argv[2]).write_bytes(ssh.sign(%r, key=pathlib.Path(sys.argv[1]), namespace=%r))"
    child, terminal = pty.fork()
    if child == 0:
        if not typed_by_a_person:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        command = [sys.executable, "-c", program % (STATEMENT, NAMESPACE), str(key), str(target)]
        os.execve(sys.executable, command, os.environ | {"PYTHONPATH": str(Path(ssh.__file__).parents[2])})
    return child, terminal


@pytest.fixture
def locked_key(key: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "a secret", "-f", key], check=True, stdout=subprocess.DEVNULL)
    return key


def test_at_a_terminal_a_person_types_the_passphrase(locked_key: Path, tmp_path: Path) -> None:
    child, terminal = signing_at_a_terminal(locked_key, tmp_path / "sig", typed_by_a_person=True)
    said = b""
    while b"passphrase" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, b"a secret\n")
    assert os.waitpid(child, 0)[1] == 0
    os.close(terminal)
    assert checked(locked_key, (tmp_path / "sig").read_bytes()).complaint == ""


def test_a_script_that_a_terminal_started_is_not_kept_waiting_for_a_passphrase(locked_key: Path, tmp_path: Path) -> None:
    child, terminal = signing_at_a_terminal(locked_key, tmp_path / "sig", typed_by_a_person=False)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    os.close(terminal)
    assert not (tmp_path / "sig").exists()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    process.terminate()
    process.wait()


@pytest.mark.parametrize("form", ["file", "line", "line of git's settings"])
def test_a_key_that_only_an_agent_holds_signs_by_its_public_half(form: str, agent: None, key: Path) -> None:
    subprocess.run(["ssh-add", "-q", key], check=True)
    key.unlink()
    named = {"file": key.with_name("a key.pub"), "line": public(key), "line of git's settings": f"key::{public(key)}"}[form]
    assert checked(key, a_signature(named)).complaint == ""
    assert ssh.agent_keys() == [key.with_name("a key.pub").read_text().strip()]


def test_without_an_agent_a_public_half_signs_nothing_and_no_keys_are_listed(key: Path) -> None:
    key.unlink()
    with pytest.raises(NotSignedOff, match="No private key found"):
        a_signature(key.with_name("a key.pub"))
    assert ssh.agent_keys() == []


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="there is no such key"):
        a_signature(tmp_path / "nowhere")
    with pytest.raises(InputRefused, match="no key that ssh-keygen can read"):
        ssh.fingerprint_of_file(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("", "there is no ssh-keygen"),
        ("echo ssh-keygen: unknown option -- Y >&2; exit 1", "too old"),
        ("echo No user exists for uid 1000650000 >&2; exit 255", "users only that the system knows"),
    ],
    ids=["none", "old", "a container's made-up user"],
)
def test_an_openssh_that_cannot_is_no_bad_signature(program: str, said: str, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signature, folder = a_signature(key), tmp_path / "bin"
    folder.mkdir()
    if program:
        (folder / "ssh-keygen").write_text(f"#!/bin/sh\n{program}\n")
        (folder / "ssh-keygen").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(EnvironmentRefused, match=said):
        checked(key, signature)
