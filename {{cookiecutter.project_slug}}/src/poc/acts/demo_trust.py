"""Make trust files and keys for trying things out: with a namespace of their own, so that what they sign counts in this folder only."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, Problem, Refused
from poc.rules.charter import Charter
from poc.rules.signoff.trust import PERSON
from poc.tools import files, git, ssh, strict_yaml

KEYS = "keys"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where trust files for trying things out lie, and the private key of each person, by address."""

    folder: Path
    keys: Mapping[str, Path]


def make_demo_trust(root: Path, *, force: bool = False) -> Demo:
    """Write trust files and a key for each person who may sign by the charter, and for each deputy, all of them or none.

    Raises:
        InputRefused: the charter is not acceptable, an address could not stand in trust files, or there are demo keys already and `force` was not given.
        Refused: git would take the keys for files of the project.
        EnvironmentRefused: there is no OpenSSH that can make keys.
    """
    folder = root / layout.DEMO_TRUST
    charter = strict_yaml.load_charter(root / layout.CHARTER)
    people = signers(charter)
    _check(root, people, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / folder.name
        _write(made, charter, people)
        if folder.exists():
            folder.rename(Path(temporary) / "before")
        made.rename(folder)
    return Demo(folder=folder, keys={person: folder / KEYS / person for person in people})


def signers(charter: Charter) -> list[str]:
    """List who may sign by a charter: everybody but builders, and whoever stands in for them; each once."""
    may_sign = [person for person in charter.people if person.role != "builder"]
    return list(dict.fromkeys([person.email for person in may_sign] + [person.deputy for person in may_sign if person.deputy]))


def _check(root: Path, people: Sequence[str], *, force: bool) -> None:
    if (root / layout.DEMO_TRUST).exists() and not force:
        raise InputRefused(
            "there are demo keys already",
            where=str(layout.DEMO_TRUST),
            fix="use them, or make others, by which nothing verifies that these signed: poc demo-trust --force",
        )
    if odd := [person for person in people if not PERSON.fullmatch(person)]:
        fix = "write it in letters, digits and . + _ - only"
        raise InputRefused([Problem(what=f"{person!r} cannot stand in trust files", where=f"{layout.CHARTER}, people", fix=fix) for person in odd])
    if git.top_of(root) and not git.is_ignored(root, str(layout.DEMO_TRUST / KEYS / "any")):
        raise Refused(
            "git would take the demo keys for files of the project", where=".gitignore", fix=f"add a line {layout.STATE}/", code="private_key_committed"
        )


def _write(folder: Path, charter: Charter, people: Sequence[str]) -> None:
    (folder / KEYS).mkdir(parents=True)
    namespace = f"demo-{secrets.token_hex(8)}@prod-first-poc"
    lines = {person: ssh.make_key(folder / KEYS / person, f"{person} (demo)") for person in people}
    files.write_atomically(folder / layout.ALLOWED_SIGNERS, "".join(f'{person} namespaces="{namespace}" {key}\n' for person, key in lines.items()).encode())
    files.write_atomically(folder / layout.REVOKED, b"")
    files.write_atomically(folder / layout.ROLES, roles_yaml(charter, namespace).encode())


def roles_yaml(charter: Charter, namespace: str) -> str:
    """Write roles as a charter has them; JSON's quotes are YAML's too."""
    roles: dict[str, list[str]] = {}
    for person in charter.people:
        roles.setdefault(person.role, []).append(person.email)
    builders = roles.pop("builder", [])
    deputies = {person.email: person.deputy for person in charter.people if person.deputy and person.role != "builder"}
    return "\n".join(
        [
            "# For trying things out: made by `poc demo-trust` from charter.yaml. The namespace is this folder's own.",
            "schema_version: 1",
            f"namespace: {json.dumps(namespace)}",
            "people:",
            *(f"  {role}: {json.dumps(emails)}" for role, emails in roles.items()),
            *(["deputies:", *(f"  {json.dumps(email)}: {json.dumps([deputy])}" for email, deputy in deputies.items())] if deputies else []),
            *(["builders:", *(f"  - email: {json.dumps(email)}" for email in builders)] if builders else []),
            "passkeys: [localhost]",
            "",
        ]
    )
