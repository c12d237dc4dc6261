"""Registered versions: the bytes that were judged, their tags, and who holds an alias."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poc.rules.markdown import shortened
from poc.tools.tracking.connection import connect, tracking_uri, ui_root
from poc.tools.tracking.uninterrupted import uninterrupted


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A registered version, where its model lies and where to see it."""

    version: str
    source: str
    version_url: str


@uninterrupted()
def make_registered(project: str) -> None:
    """Make the registered model where there is none yet; before it has any version, its tags hold the ledger's copy."""
    from mlflow.exceptions import MlflowException

    try:
        connect().create_registered_model(project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def find_version(project: str, run_id: str, candidate_sha256: str, verdict: str) -> Registered | None:
    """Find the version that a run registered of a candidate before, with the same verdict."""
    for each in connect().search_model_versions(f"name = '{project}' and run_id = '{run_id}'"):
        if each.tags.get("poc.candidate_sha256") == candidate_sha256 and each.tags.get("verdict") == verdict:
            return _registered(project, str(each.version), str(each.source))
    return None


@uninterrupted()
def create_version(project: str, run_id: str, source: str, *, tags: Mapping[str, str], description: str) -> Registered:
    """Make a version with all its tags and its description in one call: a kill leaves none, or a complete one."""
    make_registered(project)
    version = connect().create_model_version(project, source, run_id, tags=dict(tags), description=shortened(description)).version
    return _registered(project, str(version), source)


@uninterrupted()
def set_alias(project: str, alias: str, version: str) -> None:
    """Point an alias at a version; first sets at the same moment collide in MLflow, so it is tried twice."""
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        client.set_registered_model_alias(project, alias, version)
    except MlflowException:
        client.set_registered_model_alias(project, alias, version)


@uninterrupted()
def withdraw_alias(project: str, alias: str, candidate_sha256: str) -> None:
    """Take an alias away from a candidate's versions, where one of them holds it."""
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        holder = client.get_model_version_by_alias(project, alias)
    except MlflowException:  # nobody holds it
        return
    if holder.tags.get("poc.candidate_sha256") == candidate_sha256:
        client.delete_registered_model_alias(project, alias)


@uninterrupted()
def log_model(run_id: str, model: Path, *, features: Sequence[tuple[str, str]], output: tuple[str, int] = ("probability", 1)) -> str:
    """Log an ONNX file as an MLflow model, byte for byte as it was judged, and return where it lies; `output` is its name and how many columns it has."""
    from importlib.metadata import version

    import mlflow.onnx
    import numpy as np
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    client = connect()
    inputs = Schema([TensorSpec(np.dtype(np.float32) if kind == "number" else np.dtype(str), (-1, 1), name) for name, kind in features])
    outputs = Schema([TensorSpec(np.dtype(np.float32), (-1, output[1]), output[0])])
    needed = [f"{package}=={version(package)}" for package in ("mlflow", "onnx", "onnxruntime")]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        mlflow.onnx.save_model(onnx.load(model), str(target), signature=ModelSignature(inputs, outputs), pip_requirements=needed, save_as_external_data=False)
        (target / "model.onnx").write_bytes(model.read_bytes())  # MLflow writes the graph anew; its bytes need not be the ones that were judged
        client.log_artifacts(run_id, str(target), "model")
    return f"{client.get_run(run_id).info.artifact_uri}/model"


def model_bytes(source: str) -> bytes:
    """Read back the model file that lies at a version's source."""
    connect()
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as folder:
        return Path(download_artifacts(artifact_uri=f"{source}/model.onnx", dst_path=folder, tracking_uri=tracking_uri())).read_bytes()


def _registered(project: str, version: str, source: str) -> Registered:
    return Registered(version=version, source=source, version_url=f"{ui_root()}/#/models/{project}/versions/{version}?workflowType=machine_learning")
