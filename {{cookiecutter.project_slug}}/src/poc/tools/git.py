"""git: what lies at a ref, whose commits these are, and private keys that are among the files; the working tree never stands in for a ref."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from poc.errors import EnvironmentRefused

PATIENCE_S = 60.0
#: Names that mean one ref and nothing else: no revision such as `main~1` or `@{u}`, no option, no path.
_REF = re.compile(r"(?!.*(\.\.|//|@\{|\.lock(/|$)|/\.|[./]$))[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_PRIVATE_KEY = "-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----|PuTTY-User-Key-File-[0-9]"


def full_name(ref: str) -> str | None:
    """Return a ref's full name; a short one is a remote-tracking branch, whatever branch or tag has the same name. None where it is no name."""
    if not _REF.fullmatch(ref) or ref == "HEAD":
        return None
    return ref if ref.startswith("refs/") else f"refs/remotes/{ref}"


def top_of(folder: Path) -> Path | None:
    """Return the top folder of the working tree that a folder is in."""
    found = _ask(folder, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found).rstrip("\n")) if found else None


def resolves(folder: Path, ref: str) -> str | None:
    """Return the commit that a ref names, or None."""
    name = full_name(ref)
    found = _ask(folder, "rev-parse", "--verify", "--quiet", name + "^{commit}") if name else None
    return found.decode().strip() if found else None


def is_checked_out(folder: Path, ref: str) -> bool:
    """Say whether a ref is the branch that is checked out here, or an alias of it: the change under review."""
    name, branch = full_name(ref), _ask(folder, "symbolic-ref", "--quiet", "HEAD")
    while name and (points := _ask(folder, "symbolic-ref", "--quiet", name)):
        name = points.decode().strip()
    return bool(name and branch) and name == (branch or b"").decode().strip()


def read_at(folder: Path, ref: str, path: str) -> bytes | None:
    """Return the bytes of a plain file at a ref, its path counted from the top of the repository; None where there is no such file."""
    return _entries(folder, ref, path).get(path)


def list_at(folder: Path, ref: str, path: str) -> dict[str, bytes]:
    """Return the plain files that lie in a folder at a ref, by their paths from the top of the repository."""
    return _entries(folder, ref, f"{path.rstrip('/')}/")


def _entries(folder: Path, ref: str, path: str) -> dict[str, bytes]:
    commit = resolves(folder, ref)
    listed = _ask(folder, "ls-tree", "-z", "--full-tree", commit, "--", path) if commit else None
    found = {}
    for line in (listed or b"").split(b"\0"):
        about, _, name = line.partition(b"\t")
        if about.startswith(b"100"):  # plain files; a link's content would be the path it leads to
            found[os.fsdecode(name)] = _ask(folder, "cat-file", "blob", about.split()[2].decode()) or b""
    return found


def commit(folder: Path) -> str:
    """Return the commit that is checked out, if the folder is the top of its repository: one around it, such as a template's, says nothing of it."""
    found, top = _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"), top_of(folder)
    return found.decode().strip() if found and top and top.resolve() == folder.resolve() else ""


def user_email(folder: Path) -> str:
    """Return whose commits these are, as git's settings say; empty where they do not."""
    return (_ask(folder, "config", "user.email") or b"").decode(errors="replace").strip()


def signing_key(folder: Path) -> str | None:
    """Return what git signs with where it signs with SSH: the file of a key, or a public key's line."""
    if (_ask(folder, "config", "gpg.format") or b"").strip() != b"ssh":
        return None
    found = _ask(folder, "config", "--type=path", "user.signingkey")
    return found.decode(errors="replace").strip() or None if found else None


def private_keys_committed(folder: Path) -> list[str]:
    """List the files that are committed, or about to be, and hold a private key; paths count from the folder.

    Raises:
        EnvironmentRefused: git could not look.
    """
    if top_of(folder) is None:
        return []
    found = set[str]()
    for place in ("--cached", *(["HEAD"] if _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") else [])):
        done = _run(folder, "grep", "-l", "-z", "-a", "-E", "-e", _PRIVATE_KEY, place, "--", ".")
        if done.returncode > 1 or b"error: " in done.stderr:  # 1 says that there is none, also where it could not read
            raise EnvironmentRefused("git cannot look for private keys", where=str(folder), fix=done.stderr.decode(errors="replace").strip())
        found |= {os.fsdecode(name).removeprefix("HEAD:") for name in done.stdout.split(b"\0") if name}
    return sorted(found)


def is_ignored(folder: Path, path: str) -> bool:
    """Say whether git leaves a path out; where there is no repository, nothing is ignored."""
    return _ask(folder, "check-ignore", "--quiet", "--", path) is not None


def _ask(folder: Path, *question: str) -> bytes | None:
    """Ask git; None where it has no answer."""
    done = _run(folder, *question)
    return done.stdout if done.returncode == 0 else None


def _run(folder: Path, *question: str) -> subprocess.CompletedProcess[bytes]:
    """Run git, away from variables that would send it elsewhere or swap objects.

    Raises:
        EnvironmentRefused: there is no git on this machine, or it does not trust this repository's owner.
    """
    program = shutil.which("git")
    if program is None:
        raise EnvironmentRefused("there is no git on this machine", where="PATH", fix="install git")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings |= {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [program, "-C", str(folder), *question], env=settings, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentRefused(f"git took longer than {PATIENCE_S:.0f} s", where=str(folder), fix="try again") from error
    if b"dubious ownership" in done.stderr:
        fix = f"git config --global --add safe.directory {folder}"
        raise EnvironmentRefused("git does not answer: the repository belongs to another user", where=str(folder), fix=fix)
    return done
