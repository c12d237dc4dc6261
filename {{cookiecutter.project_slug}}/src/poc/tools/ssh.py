"""OpenSSH: `ssh-keygen` signs and verifies, `ssh-add` lists what an agent holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from poc.errors import EnvironmentRefused, InputRefused, NotSignedOff

#: Verifying takes a hundredth of a second.
PATIENCE_S = 30.0
#: How long an agent or a security key may take where nobody sits at a terminal.
PATIENCE_WITHOUT_TERMINAL_S = 60.0
_GOOD = re.compile(r'^Good ".*" signature for .* with \S+ key (SHA256:\S+)$', re.MULTILINE)
_INSTALL = "install OpenSSH 8.9 or newer (openssh-client)"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What `ssh-keygen` says of a signature: the fingerprint of its key, or a complaint; no complaint means that it is valid."""

    fingerprint: str
    complaint: str


def sign(statement: bytes, *, key: Path | str, namespace: str) -> bytes:
    """Sign bytes and return the armoured signature; at a terminal `ssh-keygen` asks for passphrase, PIN or touch, elsewhere it asks nothing.

    `key` is the file of a private key or of a security key's handle, or a public key, as a file or as its line, whose private half an agent holds.

    Raises:
        EnvironmentRefused: there is no OpenSSH that can.
        InputRefused: there is no such key.
        NotSignedOff: it was not signed: a wrong passphrase, an agent that refused, a key that nobody touched.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = _key_file(key, Path(folder))
        content = Path(folder) / "statement"
        content.write_bytes(statement)
        done = _at_the_terminal([find(), "-q", "-Y", "sign", "-f", str(file), "-n", namespace, str(content)])
        signature = content.with_suffix(".sig")
        if done.returncode == 0 and signature.is_file():
            return signature.read_bytes()
    _stop_without_user(done.stderr)
    raise NotSignedOff(
        f"ssh-keygen did not sign: {_first_line(done.stderr, folder) or f'it ended with {done.returncode}'}",
        where=str(key),
        fix="at a terminal it asks for a passphrase, a PIN or a touch; an agent has to be unlocked",
        code="signature_missing",
    )


def _key_file(key: Path | str, folder: Path) -> Path:
    if isinstance(key, str):
        file = folder / "key.pub"
        file.write_text(key.removeprefix("key::") + "\n", encoding="utf-8")
        return file
    if not key.is_file():
        raise InputRefused("there is no such key", where=str(key), fix="name the file of a key: ssh-keygen -t ed25519 makes one")
    return key.absolute()  # a name that begins with a hyphen would be read as an option


def _at_the_terminal(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that may ask the person; where nobody sits at a terminal it gets none, so that it fails instead of waiting."""
    settings = {**os.environ, "LC_ALL": "C"}
    if sys.stdin is not None and sys.stdin.isatty():
        # Standard error stays the terminal's: a security key says there that it waits to be touched.
        done = subprocess.run(command, env=settings, check=False)
        return subprocess.CompletedProcess(command, done.returncode, "", "the reason stands above")
    try:
        return subprocess.run(
            command,
            env={**settings, "SSH_ASKPASS_REQUIRE": "never"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=PATIENCE_WITHOUT_TERMINAL_S,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"nobody answered for {PATIENCE_WITHOUT_TERMINAL_S:.0f} s")


def verify(statement: bytes, signature: bytes, *, signer: str, namespace: str, allowed_signers: bytes, revoked: bytes, at: datetime) -> Checked:
    """Verify a signature as of a moment, against exactly these trust files; `revoked` is a list of public keys or a KRL.

    Raises:
        EnvironmentRefused: there is no OpenSSH that can.
    """
    with _files(allowed_signers=allowed_signers, revoked=revoked, signature=signature) as folder:
        command = [
            *(find(), "-Y", "verify", "-f", f"{folder}/allowed_signers", "-I", signer, "-n", namespace, "-s", f"{folder}/signature"),
            *("-O", f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"),
        ]
        done = _asking_nobody([*command, "-r", f"{folder}/revoked"], statement)
        if good := _good(done):
            return Checked(fingerprint=good, complaint="")
        # It says of a revoked key no more than of any other that it could not verify.
        if _good(_asking_nobody(command, statement)):
            return Checked(fingerprint="", complaint="the key is revoked")
    return Checked(fingerprint="", complaint=_first_line(done.stderr, folder) or _first_line(done.stdout, folder) or f"it ended with {done.returncode}")


def krl_complaint(content: bytes) -> str:
    """Say what is wrong with a KRL; nothing where it can be read.

    Raises:
        EnvironmentRefused: there is no OpenSSH that can.
    """
    with _files(revoked=content) as folder:
        done = _asking_nobody([find(), "-Q", "-l", "-f", f"{folder}/revoked"])
        return "" if done.returncode == 0 else _first_line(done.stderr, folder) or f"ssh-keygen ended with {done.returncode}"


def _good(done: subprocess.CompletedProcess[str]) -> str:
    """Return the fingerprint of a valid signature's key."""
    said = _GOOD.search(done.stdout) if done.returncode == 0 else None
    return said[1] if said else ""


@contextmanager
def _files(**contents: bytes) -> Iterator[str]:
    """Keep contents in files of a folder of their own, which goes with them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            Path(folder, name).write_bytes(content)
        yield folder


def _asking_nobody(command: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command away from this shell's settings: times are UTC, words English, and there is no agent."""
    settings = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(command, input=given, env=settings, capture_output=True, check=False, timeout=PATIENCE_S, start_new_session=True)
    except subprocess.TimeoutExpired as error:
        raise EnvironmentRefused(f"ssh-keygen took longer than {PATIENCE_S:.0f} s", where=command[0], fix="try again") from error
    said = subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    _stop_without_user(said.stderr)
    return said


def _stop_without_user(said: str) -> None:
    """Refuse to take for a bad signature what a container's made-up user brings about."""
    if "No user exists for uid" in said:
        raise EnvironmentRefused("ssh-keygen runs for users only that the system knows", where="/etc/passwd", fix=f"add this user: {said.strip()}")


def _first_line(said: str, folder: str) -> str:
    """Return the first line that was said, without the folder of temporary files."""
    return next((line.strip().replace(f"{folder}/", "") for line in said.splitlines() if line.strip()), "")


def find() -> str:
    """Return the `ssh-keygen` that signs and verifies.

    Raises:
        EnvironmentRefused: there is none, or it is too old.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise EnvironmentRefused("there is no ssh-keygen on this machine", where="PATH", fix=_INSTALL)
    _check_age(program)
    return program


@cache
def _check_age(program: str) -> None:
    """Refuse an OpenSSH that cannot verify as of a moment: it would not say so, but ignore the moment."""
    asked = _asking_nobody([program, "-Y", "verify", "-f", os.devnull, "-I", "nobody", "-n", "nothing", "-s", os.devnull, "-O", "verify-time=never"])
    if '"verify-time"' not in asked.stderr:
        raise EnvironmentRefused("this ssh-keygen is too old to verify signatures as of a moment", where=program, fix=_INSTALL)


def agent_keys() -> list[str]:
    """List the public keys that an agent holds, a line each; none where there is no agent."""
    program = shutil.which("ssh-add")
    if program is None or not os.environ.get("SSH_AUTH_SOCK"):
        return []
    try:
        done = subprocess.run([program, "-L"], capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def fingerprint_of_file(key: Path) -> str:
    """Return the fingerprint of a key, private or public, without its passphrase.

    Raises:
        EnvironmentRefused: there is no OpenSSH that can.
        InputRefused: there is no such key.
    """
    done = _asking_nobody([find(), "-l", "-E", "sha256", "-f", str(key.absolute())])
    said = re.search(r"SHA256:\S+", done.stdout) if done.returncode == 0 else None
    if said is None:
        raise InputRefused(
            f"this is no key that ssh-keygen can read: {_first_line(done.stderr, str(key.parent))}", where=str(key), fix="name the file of a key"
        )
    return said[0]


def make_key(path: Path, comment: str) -> str:
    """Make an ed25519 key without a passphrase, as for trying things out, and return its public line.

    Raises:
        EnvironmentRefused: there is no OpenSSH that can, or it could not write the key.
    """
    done = _asking_nobody([find(), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path.absolute())])
    if done.returncode:
        raise EnvironmentRefused(f"ssh-keygen made no key: {_first_line(done.stderr + done.stdout, str(path.parent))}", where=str(path), fix="make room for it")
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()
