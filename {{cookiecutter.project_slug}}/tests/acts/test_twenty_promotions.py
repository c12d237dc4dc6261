"""Twenty promotions at once, each of another version that is signed for: one holds the stage, the others are told, and the ledger stays whole.

`make promotions` prints the counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import environment
from postgres import a_postgres
from signed_versions import a_registered_version, a_signed_version, facts_of
from tracking_server import a_tracking_server

from poc.acts.verify import verify
from poc.steps.copies import held_by_mlflow
from poc.steps.vouch import ledger_in
from poc.tools import tracking
from signoffs import NOW, PROJECT, a_trust_folder, followed, lay_down

pytestmark = [pytest.mark.slow, pytest.mark.server]
AT_ONCE = 20


@contextmanager
def sqlite(folder: Path, empty_database: Path) -> Iterator[str]:
    """Keep records in the repository's own file."""
    yield ""


@contextmanager
def postgresql(folder: Path, empty_database: Path) -> Iterator[str]:
    """Reach PostgreSQL without a server in between."""
    with a_postgres() as address:
        yield address


@contextmanager
def a_server_on_postgresql(folder: Path, empty_database: Path) -> Iterator[str]:
    """Reach PostgreSQL through MLflow's server."""
    with a_postgres() as address, a_tracking_server(folder, empty_database, backend=address) as server:
        yield server


WAYS = {"SQLite": sqlite, "PostgreSQL": postgresql, "a server on PostgreSQL": a_server_on_postgresql}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, repository: Path, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Stand before each way to reach MLflow in turn, with twenty versions that are signed for shadow."""
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(tmp_path / "trust")))
    with WAYS[request.param](tmp_path / "server", empty_database) as address, monkeypatch.context() as patch:
        if address:
            patch.setenv("MLFLOW_TRACKING_URI", address)
        a_signed_version(repository, until="shadow")
        for _ in range(AT_ONCE - 1):
            version = a_registered_version(repository)
            lay_down(followed(ledger_in(repository), facts_of(version), stage="shadow", role="owner", issued_at=NOW), repository)
        yield request.param


def at_once(root: Path) -> list[tuple[int, str, str]]:
    """Promote every version in a process of its own; return how each ended and what it said."""
    settings = {name: os.environ[name] for name in ("POC_TRUST", "MLFLOW_TRACKING_URI") if name in os.environ}
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "poc", "promote", "shadow", "--version", str(version), "--instead-of", "none", "--json"],
            cwd=root, env=environment() | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for version in range(1, AT_ONCE + 1)
    ]  # fmt: skip
    said = [each.communicate() for each in begun]
    return [(each.returncode, *texts) for each, texts in zip(begun, said, strict=True)]


def test_of_twenty_promotions_at_once_one_wins_and_the_others_are_told(way: str, repository: Path) -> None:
    began = time.monotonic()
    ended = at_once(repository)
    seconds = time.monotonic() - began
    counted = Counter("holds shadow" if code == 0 else json.loads(said)["error"] for code, said, _ in ended)
    sys.stdout.write(f"\n{way}: {AT_ONCE} promotions at once in {seconds:.0f} s: {', '.join(f'{n} {what}' for what, n in counted.items())}\n")
    assert counted == {"holds shadow": 1, "another_was_promoted": AT_ONCE - 1}
    winner = json.loads(next(said for code, said, _ in ended if code == 0))["version"]
    assert tracking.holders(PROJECT)["shadow"] == winner
    assert list(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")) == [winner]
    for code, _, complaint in ended:
        assert code == 0 or f"version {winner} holds shadow now, and no version did when you decided" in complaint
        assert "Traceback" not in complaint
    assert held_by_mlflow(PROJECT) == ledger_in(repository)
    assert len(ledger_in(repository)) == AT_ONCE + 2
    assert verify(repository).found == ()
