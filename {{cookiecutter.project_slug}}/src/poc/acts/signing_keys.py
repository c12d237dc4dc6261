"""With which key somebody signs: the one that they name, or the first that the trust files list for them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from poc import layout
from poc.acts.demo_trust import KEYS
from poc.errors import InputRefused, PocError
from poc.rules.signoff import Trust
from poc.rules.signoff.sshsig import fingerprint
from poc.rules.signoff.with_keys import Key, first_of, owner_of
from poc.tools import git, ssh

SSH_FOLDER = Path(".ssh")


def person_of(root: Path, named: str, key: Path | None, trust: Trust) -> str:
    """Say who signs: whoever is named, else the owner of the key that is named, else whose commits these are.

    Raises:
        InputRefused: nothing says who.
    """
    found = named or (owner_of(ssh.fingerprint_of_file(key), trust) if key else "") or git.user_email(root)
    if not found:
        raise InputRefused("nothing says who signs", where="git config user.email", fix="poc sign --as you@example.com")
    return found


def key_of(root: Path, person: str, named: Path | None, trust: Trust) -> Key:
    """Find the key to sign with: the one that is named, else the first that is listed among those at hand.

    Raises:
        InputRefused: there is none.
    """
    if named:
        return Key(place=named, fingerprint=ssh.fingerprint_of_file(named))
    found = first_of(list(_at_hand(root, person, trust)), person, trust)
    if found is None:
        raise InputRefused(
            f"none of the keys here is listed for {person}",
            where=trust.where,
            fix="poc sign --key FILE, or with a passkey: --browser; whoever is not who git says: --as EMAIL; keys: docs/platform.md, Trust files",
        )
    return found


def _at_hand(root: Path, person: str, trust: Trust) -> Iterator[Key]:
    """List the keys at hand: of the demo, git's, the agent's, and those in the home folder."""
    if trust.roles.is_demo:
        yield from _of_file(root / layout.DEMO_TRUST / KEYS / person)
    if at := git.signing_key(root):
        yield from _of_line(at.removeprefix("key::")) if at.startswith(("key::", "ssh-", "ecdsa-", "sk-")) else _of_file(Path(at).expanduser())
    for line in ssh.agent_keys():
        yield from _of_line(line)
    for public in sorted((Path.home() / SSH_FOLDER).glob("*.pub")):
        yield from _of_file(public.with_suffix(""))


def _of_file(path: Path) -> Iterator[Key]:
    try:
        yield Key(place=path, fingerprint=ssh.fingerprint_of_file(path))
    except PocError:  # one of many places to look; what is no key is none
        return


def _of_line(line: str) -> Iterator[Key]:
    try:
        yield Key(place=line, fingerprint=fingerprint(base64.b64decode(line.split()[1], validate=True)))
    except (IndexError, binascii.Error):
        return
