"""A project to attack, and the hands of those who do: its repository, MLflow's records, trust files, everybody's keys, and a ledger to write into."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from poc import layout
from poc.rules.signoff import NAMESPACE, Entry, canonical, next_link, stamp
from poc.steps import vouch
from poc.tools import files, ssh

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROJECT = "stop-bad-parts"
#: Versions in MLflow: two good ones, one judged on another machine than the charter's, and one that is wrong about every part.
GOOD, OTHER, UNPROVEN, BAD = "1", "2", "3", "4"
PEOPLE = ("sam", "sid", "olga", "uma", "rae", "bo", "eve")
#: Settings by which a shell could send a command elsewhere.
FOREIGN = ("MLFLOW_", "POC_", "GIT_", "SSH_")


def at(*, days: float = 0, minutes: float = 0) -> str:
    """Write the moment that is so far from now as statements do; "now" is when this is asked, for a slow machine tries an attack minutes after it was read."""
    return stamp(datetime.now(UTC) + timedelta(days=days, minutes=minutes))


@dataclass
class World:
    """A project in a folder of its own, to do with as one likes; an attack may be about another version, and bring settings of its own."""

    folder: Path
    version: str = GOOD
    settings: dict[str, str] = field(default_factory=dict)
    aim: Any = None
    url: str = ""
    passkey: Any = None

    @property
    def root(self) -> Path:
        """Return the repository."""
        return self.folder / "repository"

    @property
    def trust(self) -> Path:
        """Return the folder with the trust files, outside of the repository."""
        return self.folder / "trust"

    @property
    def database(self) -> Path:
        """Return MLflow's database."""
        return self.root / layout.STATE / "mlflow.db"

    @cached_property
    def versions(self) -> dict[str, Any]:
        """Return what each version was when it was prepared: its run, digests, and the figures to be shown."""
        found: dict[str, Any] = json.loads((self.folder / "versions.json").read_text(encoding="utf-8"))
        return found

    def key(self, person: str) -> Path:
        """Return somebody's private key."""
        return self.folder / "keys" / person

    def public(self, person: str) -> str:
        """Return the kind of somebody's key, and the key."""
        return " ".join(self.key(person).with_suffix(".pub").read_text(encoding="utf-8").split()[:2])

    def line(self, person: str, options: str = f'namespaces="{NAMESPACE}"', *, name: str = "") -> str:
        """Write a line of `allowed_signers` for somebody's key, under their own name or another."""
        return f"{name or f'{person}@example.com'} {options} {self.public(person)}\n".replace("  ", " ")

    def artifacts(self, version: str = GOOD) -> Path:
        """Return the folder in which MLflow keeps the artifacts of a version's run."""
        return self.root / layout.STATE / "mlartifacts" / str(self.versions[version]["run_id"]) / "artifacts"

    def client(self) -> MlflowClient:
        """Reach MLflow as anybody can who has its address."""
        from mlflow import MlflowClient

        return MlflowClient(f"sqlite:///{self.database}", f"sqlite:///{self.database}")

    def mlflow(self) -> MlflowClient:
        """Reach MLflow through its server."""
        from mlflow import MlflowClient

        return MlflowClient(self.url, self.url)

    def entries(self) -> list[Entry]:
        """Read the ledger in git."""
        return vouch.ledger_in(self.root)

    def statement(self, stage: str = "production", person: str = "rae", role: str = "risk", *, version: str = GOOD, **said: Any) -> dict[str, Any]:
        """Write down what somebody decides next, with what is `said` in another way."""
        number, before = next_link(self.entries())
        about, of_charter = self.versions[version], stage == "charter"
        named = ("charter",) if of_charter else ("charter", "evidence", "model")
        predicate = {
            "project": PROJECT,
            "charter_version": 1,
            "stage": stage,
            "decision": "approve",
            "reason": "",
            "signer": f"{person}@example.com",
            "role": role,
            "on_behalf_of": "",
            "builders": ["bo@example.com"],
            "assurance": "key",
            "model": "" if of_charter else PROJECT,
            "model_version": "" if of_charter else version,
            "git_commit": "",
            "seq": number,
            "prev": before,
            "issued_at": at(),
            "expires_at": at(days=30),
            "shown": about["shown of charter" if of_charter else "shown"],
        }
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://prod-first-poc.dev/signoff/v1",
            "subject": [{"name": name, "digest": {"sha256": about[name]}} for name in named],
            "predicate": predicate | said,
        }

    def append(self, content: bytes, signature: bytes) -> None:
        """Append an entry to the ledger in git."""
        path = self.root / layout.SIGNOFFS / f"{next_link(self.entries())[0]:04d}.json"
        files.write_atomically(path, content)
        files.write_atomically(path.with_suffix(".sig"), signature)

    def sign(self, stage: str = "production", person: str = "rae", role: str = "risk", *, key: str = "", namespace: str = NAMESPACE, **said: Any) -> None:
        """Decide as somebody, with what is `said` in another way, and sign with their key or another one."""
        content = canonical(self.statement(stage, person, role, **said))
        self.append(content, ssh.sign(content, key=self.key(key or person), namespace=namespace))

    def sign_record(self, said: dict[str, Any], *, key: str = "rae") -> None:
        """Sign a statement that was written down."""
        self.sign_bytes(canonical(said), key=key)

    def sign_bytes(self, content: bytes, *, key: str = "rae") -> None:
        """Sign bytes as they are."""
        self.append(content, ssh.sign(content, key=self.key(key), namespace=NAMESPACE))

    def change_roles(self, **said: Any) -> None:
        """Change what `roles.yaml` says."""
        path = self.trust / layout.ROLES
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | said), encoding="utf-8")

    def forget(self, count: int) -> None:
        """Take the newest decisions out of git."""
        for entry in self.entries()[len(self.entries()) - count :]:
            path = self.root / entry.where
            path.unlink()
            path.with_suffix(".sig").unlink()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Stand in the repository, with this trust and no settings of whoever runs the attacks."""
        before, here = dict(os.environ), Path.cwd()
        os.chdir(self.root)
        for name in before:
            if name.startswith(FOREIGN):
                del os.environ[name]
        os.environ.update({"MLFLOW_DISABLE_TELEMETRY": "true", "POC_TRUST": str(self.trust)} | self.settings)
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)

    def copied(self, folder: Path) -> World:
        """Copy all of it, with MLflow's records of where things lie."""
        shutil.copytree(self.folder, folder, symlinks=True)
        there = World(folder)
        with closing(sqlite3.connect(there.database)) as database:
            for table, column in _texts(database):
                database.execute(f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)', (str(self.folder), str(folder)))
            database.commit()
        _forget_where_runs_lie()
        return there


def _forget_where_runs_lie() -> None:
    """Let MLflow look up anew where a run's artifacts lie: it remembers that by the run's id, which all copies share."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    _artifact_repos_cache.clear()


def _texts(database: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """List the columns that hold text."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for _, column, kind, *_ in database.execute(f'PRAGMA table_info("{table}")'):
            if "CHAR" in kind.upper() or "TEXT" in kind.upper():
                yield table, column
