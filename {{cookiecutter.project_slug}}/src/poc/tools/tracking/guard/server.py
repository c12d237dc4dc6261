"""MLflow's server put together with the guard: refuses to start where a part of the guard is missing."""

from __future__ import annotations

import os
from typing import cast

from poc.errors import EnvironmentRefused
from poc.tools.tracking.guard.opening import Opening
from poc.tools.tracking.guard.shield import App, Shield
from poc.tools.tracking.guard.signed import Signed

#: What MLflow knows the guard by: `mlflow server --app-name signoff`.
APP = "signoff"
#: Stands before a database's address, so that MLflow asks for our stores: `guarded:postgresql://...`.
SCHEME = "guarded:"
#: MySQL and SQL Server take Production for production, and so would the guard have to everywhere.
DATABASES = ("sqlite:", "postgresql:", "postgresql+")


def database_in(store_uri: str) -> str:
    """Take the database's own address out of a guarded one.

    Raises:
        EnvironmentRefused: the guard does not know this kind of database.
    """
    uri = store_uri.removeprefix(SCHEME)
    if not uri.startswith(DATABASES):
        raise EnvironmentRefused(f"the guard does not know {uri.partition(':')[0]}", where="--backend-store-uri", fix="SQLite or PostgreSQL")
    return uri


def guarded_app() -> App:
    """Return MLflow's application behind the guard.

    Raises:
        EnvironmentRefused: MLflow was started with stores that are not guarded, in workspaces, or on a server that goes past the guard.
    """
    from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
    from mlflow.server import handlers
    from mlflow.server.fastapi_app import app

    from poc.tools.tracking.guard.registry import GuardedRegistry
    from poc.tools.tracking.guard.tracking import GuardedTracking

    tracking, registry = handlers._get_tracking_store(), handlers._get_model_registry_store()
    missing = [
        name
        for name, is_there in {
            "runs": isinstance(tracking, GuardedTracking),
            "the registry": isinstance(registry, GuardedRegistry),
            "artifacts": os.environ.get("_MLFLOW_SGI_NAME") == "uvicorn",
            "workspaces": not MLFLOW_ENABLE_WORKSPACES.get(),
        }.items()
        if not is_there
    ]
    if missing:
        raise EnvironmentRefused(f"nothing would guard {', '.join(missing)}", where="mlflow server", fix="start it with: poc mlflow")
    return Opening(Shield(app, signed_in_this_server()))


def signed_in_this_server() -> Signed:
    """Return what tells which runs are signed, from the registry of the server that this process is."""
    from mlflow.server import handlers

    from poc.tools.tracking.guard.registry import GuardedRegistry

    return Signed(lambda: cast(GuardedRegistry, handlers._get_model_registry_store()))  # `guarded_app` has seen that it is one
