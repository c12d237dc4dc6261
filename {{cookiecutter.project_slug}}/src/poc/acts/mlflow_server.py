"""Run MLflow's server with the guard in it: nothing gets a stage there without signatures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from poc.acts.guarded_server import warnings
from poc.acts.ui import refuse_taken, run_server
from poc.errors import EnvironmentRefused
from poc.tools import tracking
from poc.tools.tracking.guard.server import APP, SCHEME, database_in

#: The environment variables that say where the server's records and artifacts are.
DATABASE_SETTING = "POC_MLFLOW_DATABASE"
ARTIFACTS_SETTING = "POC_MLFLOW_ARTIFACTS"


def serve_guarded(root: Path, *, host: str, port: int, on_ready: Callable[[list[str]], None]) -> None:
    """Run the server until it is stopped; `on_ready` is called once it listens, with what will keep it from giving any stage.

    Records are in the repository's SQLite, or where `POC_MLFLOW_DATABASE` says; artifacts beside it, or where `POC_MLFLOW_ARTIFACTS` says.

    Raises:
        EnvironmentRefused: the port is taken, the database is of a kind that the guard does not know, or the server ended by itself.
    """
    if not _is_installed():
        raise EnvironmentRefused("MLflow does not find the guard", where="this Python's packages", fix="make setup, which installs this project")
    refuse_taken(host, port, fix=f"name another: --port {port + 1}")
    found = warnings()
    settings = {"MLFLOW_BACKEND_STORE_URI": f"{SCHEME}{_database()}"}  # not an argument: it may hold a password, and everybody sees a process's arguments
    options = ["--app-name", APP, "--artifacts-destination", os.environ.get(ARTIFACTS_SETTING) or tracking.artifact_root().as_uri()]
    run_server(host, port, options, settings, sys.stderr, root=root, on_ready=lambda: on_ready(found), log="what was written above")


def _database() -> str:
    given = os.environ.get(DATABASE_SETTING)
    if given:
        return database_in(given)
    tracking.prepare_database()
    uri = tracking.tracking_uri()
    return database_in(uri)


def _is_installed() -> bool:
    from importlib.metadata import entry_points

    return bool(entry_points(group="mlflow.app", name=APP))
