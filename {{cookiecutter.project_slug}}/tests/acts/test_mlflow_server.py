"""`poc mlflow` before it starts anything."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from installed import installed_in

from poc.acts.guarded_server import warnings
from poc.acts.mlflow_server import serve_guarded
from poc.errors import EnvironmentRefused
from poc.tools.tracking.guard.server import database_in


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
