"""What tests share: a repository of its own for each, with an empty MLflow database in it."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples everywhere and no clock: a property fails because it is wrong, never because the machine is busy or the draw was unlucky.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Undo what a shell does to its background jobs: they ignore Ctrl-C, and so would every process that tests start and stop by it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give workers the longest file first: begun last, it is what all wait for. Alone, quick tests speak first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.name != "test_run.py")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make MLflow's schema once; it takes a second."""
    from poc.tools import tracking

    folder = tmp_path_factory.mktemp("mlflow")
    (folder / "charter.yaml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.prepare_database()
    return folder / ".poc" / "mlflow.db"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path) -> Path:
    """Stand in an empty repository, whose path holds a space, with an MLflow that knows nothing yet."""
    root = tmp_path / "a repository"
    (root / ".poc").mkdir(parents=True)
    (root / "charter.yaml").touch()
    shutil.copy(empty_database, root / ".poc" / "mlflow.db")
    monkeypatch.chdir(root)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "POC_REPORTS_ARE_LOGGED_BY_LAUNCHER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return root
