"""A small project to run steps in: the working directory, with MLflow's records in its own `.poc`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from artifacts import Run, a_project

from poc import layout
from poc.rules.evidence import Validation
from poc.steps.perform import LOGGED_BY_LAUNCHER

MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", LOGGED_BY_LAUNCHER)


@pytest.fixture
def project(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in MLFLOW:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(a_project(tmp_path))
    (tmp_path / ".poc").mkdir()
    shutil.copy(empty_database, tmp_path / ".poc" / "mlflow.db")
    return tmp_path


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Perform every step up to export on the small project, except validate, which is written by hand."""
    root = a_project(tmp_path_factory.mktemp("exported"))
    with pytest.MonkeyPatch.context() as patch:
        for name in MLFLOW:
            patch.delenv(name, raising=False)
        patch.chdir(root)
        run = Run(root=root / "run")
        for step in ("charter", "ingest"):
            run.perform(step)
        run.write("validate", {layout.VALIDATION_JSON: Validation(declared=1, evaluated=1, warnings=[], drift={}, auc_alone={})})
        for step in ("train", "export"):
            run.perform(step)
    return run.root


@pytest.fixture
def exported(exported_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Hand out a copy of a run up to export: one fitted model, and its graph."""
    for name in MLFLOW:
        monkeypatch.delenv(name, raising=False)
    return Run(root=Path(shutil.copytree(exported_once, tmp_path / "run")))
