"""`poc mlflow` before it starts anything."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from installed import installed_in

from poc.acts.guarded_server import next_entry_findings, warnings
from poc.acts.mlflow_server import serve_guarded
from poc.errors import EnvironmentRefused
from poc.steps.copies import push
from poc.tools import tracking
from poc.tools.tracking.guard.server import database_in
from signoffs import PROJECT, a_trust_folder, address, followed, lay_down


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*installed_in(tmp_path / "installed").split(":"), *sys.path])


def test_a_taken_port_is_refused_with_another_to_try(repository: Path, installed: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentRefused, match=f"port {port} is taken"):
            serve_guarded(repository, host="127.0.0.1", port=port, on_ready=lambda _: pytest.fail("it was served"))


@pytest.mark.parametrize("uri", ["mysql://db/mlflow", "mssql+pyodbc://db/mlflow", "./mlruns", "http://elsewhere:5000"])
def test_a_database_that_takes_production_for_another_spelling_of_itself_is_refused_and_so_is_none(uri: str) -> None:
    with pytest.raises(EnvironmentRefused, match="the guard does not know"):
        database_in(f"guarded:{uri}")


@pytest.mark.parametrize("uri", ["sqlite:////somewhere/mlflow.db", "postgresql://poc@db/mlflow", "postgresql+psycopg://poc@db/mlflow"])
def test_sqlite_and_postgresql_are_guarded(uri: str) -> None:
    assert database_in(f"guarded:{uri}") == uri


def test_without_trust_files_it_is_said_before_anybody_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POC_TRUST", raising=False)
    assert len(warnings()) == 1
    assert warnings()[0].startswith("no version will get a stage here: ")


def test_an_approval_by_branch_stops_the_ledger_until_the_server_stands_in_a_clone_that_knows_the_branch(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {"ref": "origin/main", "stages": ["shadow"], "people": [address("olga")]}
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(tmp_path / "trust", approvals_on_branch=allowed)))
    by_branch, later = followed(followed([], key="", assurance="branch"), stage="shadow", role="owner")
    assert "origin/main stops the ledger here" in warnings()[0]
    assert [each.reason for each in next_entry_findings(PROJECT, *by_branch.tag)] == ["branch_not_approved"]
    assert "ledger_gap" in {each.reason for each in next_entry_findings(PROJECT, *later.tag)}

    lay_down([by_branch], repository)
    for command in ("init -q -b change", "add signoffs", "commit -q -m merged", "update-ref refs/remotes/origin/main HEAD"):
        settings = ["-c", "user.name=Bo", "-c", "user.email=bo@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *settings, *command.split()], cwd=repository, check=True)
    assert warnings() == [] and next_entry_findings(PROJECT, *by_branch.tag) == []
    tracking.make_registered(PROJECT)
    push(PROJECT, [by_branch])
    assert next_entry_findings(PROJECT, *later.tag) == []
