"""Who holds an alias: the version, and the candidate that it was registered from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poc import layout
from poc.errors import InputRefused
from poc.tools.tracking.connection import connect
from poc.tools.tracking.registry import model_bytes


@dataclass(frozen=True, kw_only=True)
class Held:
    """A registered version; `candidate_sha256` is the digest of the candidate's record that it was registered with, empty where it has none."""

    version: str
    source: str
    run_id: str
    candidate_sha256: str


def holder_of(project: str, alias: str) -> str:
    """Say which version holds an alias now.

    Raises:
        InputRefused: none does.
    """
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        return str(client.get_model_version_by_alias(project, alias).version)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise InputRefused(f"no version of {project} holds the alias {alias}", where="MLflow", fix="poc run --candidate registers one") from error


def fetch_candidate(project: str, version: str, folder: Path) -> Held:
    """Download a version's candidate into a folder: record, model and sample request; whether they belong together is for the caller to check."""
    client = connect()
    found = client.get_model_version(project, version)
    held = Held(version=version, source=str(found.source), run_id=str(found.run_id), candidate_sha256=str(found.tags.get("poc.candidate_sha256", "")))
    for name in (layout.CANDIDATE_JSON, layout.SAMPLE_REQUEST):
        Path(client.download_artifacts(held.run_id, f"evidence/evaluate/{name}", str(folder))).replace(folder / name)
    (folder / layout.CANDIDATE_MODEL).write_bytes(model_bytes(held.source))
    return held
