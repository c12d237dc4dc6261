"""How MLflow is reached: where its records are, the database made whole, one process at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from poc.errors import EnvironmentRefused
from poc.layout import STATE, project_root

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: The environment variable that moves MLflow's pages from `UI_PORT`: for `poc ui`, and for every link that is printed or recorded.
UI_PORT_SETTING = "POC_UI_PORT"
UI_PORT = 5000
SQLITE = "sqlite:///"
#: What MLflow's server tells its own processes: where the artifacts are that go through it.
DESTINATION = "_MLFLOW_SERVER_ARTIFACT_DESTINATION"


def tracking_uri() -> str:
    """Say where MLflow keeps its records: `MLFLOW_TRACKING_URI`, or SQLite in the repository's `.poc`; a relative path begins at the repository's root."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{STATE / 'mlflow.db'}"
    return f"{SQLITE}{project_root() / uri.removeprefix(SQLITE)}" if uri.startswith(SQLITE) else uri


def artifact_root() -> Path:
    """Say where artifacts lie when MLflow runs on this machine."""
    return project_root() / STATE / "mlartifacts"


def where_it_lies(uri: str) -> str:
    """Say where artifacts lie whose address leads through MLflow's server, where this process is that server; anywhere else the address stays."""
    destination = os.environ.get(DESTINATION)
    return f"{destination.rstrip('/')}/{urlsplit(uri).path.lstrip('/')}" if destination and urlsplit(uri).scheme == "mlflow-artifacts" else uri


def ui_root() -> str:
    """Say where MLflow's pages are: at the tracking server, or where `poc ui` puts them."""
    uri = tracking_uri()
    return uri.rstrip("/") if _is_served(uri) else f"http://127.0.0.1:{ui_port()}"


def _is_served(uri: str) -> bool:
    """Whether a server stands before the records, and says itself where artifacts lie."""
    return uri.startswith(("http://", "https://"))


def ui_port() -> int:
    """Say on which port `poc ui` puts MLflow's pages.

    Raises:
        EnvironmentRefused: the setting is no port.
    """
    said = os.environ.get(UI_PORT_SETTING) or str(UI_PORT)
    if not said.isdecimal() or not 0 < int(said) < 2**16:
        raise EnvironmentRefused(f"{UI_PORT_SETTING} is {said!r}, which is no port", where=UI_PORT_SETTING, fix="name one from 1 to 65535, or unset it")
    return int(said)


def prepare_database() -> None:
    """Make the SQLite database if there is none: under another name and under a lock, so that nobody meets half a schema.

    MLflow's own creation fails when two processes begin at once, and stays broken when one is killed.
    """
    path = _database()
    if path is None or path.exists():
        return
    with _locked(path):
        if path.exists():
            return
        draft = path.with_name(f".{path.name}.partial")
        draft.unlink(missing_ok=True)
        _mlflow_client()(f"{SQLITE}{draft}", f"{SQLITE}{draft}").search_experiments()
        draft.replace(path)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep other processes on this machine out while records are read and extended; through a tracking server, `turn` does for looks."""
    prepare_database()  # takes the same lock, and nobody can take it twice
    path = _database()
    with _locked(path) if path else nullcontext():
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _database() -> Path | None:
    uri = tracking_uri()
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def is_on_this_machine() -> bool:
    """Whether the records are a file here, not behind a tracking server."""
    return _database() is not None


def _mlflow_client() -> type[MlflowClient]:
    """Import MLflow without its telemetry and notices."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # MLflow's own seven take minutes to say that nobody answers
    from mlflow import MlflowClient

    for noisy in ("alembic", "mlflow", "sqlalchemy"):  # after the import, which sets levels of its own
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return MlflowClient


def connect() -> MlflowClient:
    """Connect to MLflow.

    Raises:
        EnvironmentRefused: the address is none that MLflow knows, or nobody answers there.
    """
    prepare_database()
    client_of, uri = _mlflow_client(), tracking_uri()
    from mlflow.exceptions import MlflowException

    try:
        client = client_of(uri, uri)
        if _database() is None:
            client.search_experiments(max_results=1)
    except MlflowException as error:
        raise EnvironmentRefused(
            f"MLflow cannot be reached: {str(error).splitlines()[0][:300]}",
            where="MLFLOW_TRACKING_URI",
            fix="correct it, start that server, or unset it to use SQLite in .poc",
        ) from error
    return client


def experiment_of(client: MlflowClient, project: str) -> str:
    """Find a project's experiment or make it; a deleted one comes back, because it holds the looks."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(project)
    if found is None:
        location = None if _is_served(tracking_uri()) else artifact_root().as_uri()
        try:
            return str(client.create_experiment(project, artifact_location=location, tags={"mlflow.experimentKind": "custom_model_development"}))
        except MlflowException as error:
            found = client.get_experiment_by_name(project)  # another process may have been faster
            if found is None:
                raise error from None
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def as_tags(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as MLflow's batches take them."""
    from mlflow.entities import RunTag

    return [RunTag(key, value) for key, value in tags.items()]
