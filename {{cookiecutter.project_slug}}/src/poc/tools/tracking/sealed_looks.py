"""Looks at the sealed set: each an MLflow run that names the one before."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from poc.tools.tracking.connection import connect, experiment_of

#: Experiment tag with the digest of the newest look, so that removing the last one shows too.
NEWEST_LOOK = "poc.newest_look"


@dataclass(frozen=True, kw_only=True)
class Look:
    """A counted look at the sealed set, as MLflow keeps it; `result_sha256` is empty until it is finished."""

    number: int
    candidate_sha256: str
    sealed_sha256: str
    previous: str
    digest: str
    charter_version: int
    run_id: str = ""
    result_sha256: str = ""


def looks(project: str) -> list[Look]:
    """List every look of a project by number, deleted ones too: hiding a run does not undo it; a tag that is gone reads as empty or 0."""
    from mlflow.entities import ViewType

    client = connect()
    runs = client.search_runs([experiment_of(client, project)], "tags.`poc.kind` = 'look'", ViewType.ALL, max_results=1000)
    return sorted((_look(run.info.run_id, run.data.tags) for run in runs), key=lambda look: look.number)


def looks_at(sealed_sha256: str) -> list[Look]:
    """List every look at a sealed set, of whatever project, the oldest first: a new name is no new set."""
    from mlflow.entities import ViewType

    client = connect()
    experiments = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ALL)]
    wanted = f"tags.`poc.kind` = 'look' and tags.`poc.sealed_sha256` = '{sealed_sha256}'"
    runs = client.search_runs(experiments, wanted, ViewType.ALL, max_results=1000, order_by=["attributes.start_time ASC"])
    return [_look(run.info.run_id, run.data.tags) for run in runs]


def newest_look(project: str) -> str:
    """Return the digest of the newest look that was recorded, empty when there was none."""
    client = connect()
    return str(client.get_experiment(experiment_of(client, project)).tags.get(NEWEST_LOOK, ""))


def _look(run_id: str, tags: Mapping[str, str]) -> Look:
    def number(name: str) -> int:
        return int(tags[name]) if tags.get(name, "").isdecimal() else 0

    return Look(
        number=number("poc.look"),
        candidate_sha256=tags.get("poc.candidate_sha256", ""),
        sealed_sha256=tags.get("poc.sealed_sha256", ""),
        previous=tags.get("poc.look_before", ""),
        digest=tags.get("poc.look_sha256", ""),
        charter_version=number("poc.charter_version"),
        run_id=run_id,
        result_sha256=tags.get("poc.result_sha256", ""),
    )


def open_look(project: str, parent_run: str, look: Look) -> Look:
    """Record a look before anything is seen, so that a crash cannot give one for free."""
    client = connect()
    tags = {
        "poc.kind": "look",
        "poc.look": str(look.number),
        "poc.candidate_sha256": look.candidate_sha256,
        "poc.sealed_sha256": look.sealed_sha256,
        "poc.look_before": look.previous,
        "poc.look_sha256": look.digest,
        "poc.charter_version": str(look.charter_version),
    }
    if parent_run:
        tags["mlflow.parentRunId"] = parent_run
    experiment = experiment_of(client, project)
    run = client.create_run(experiment, run_name=f"look {look.number}", tags=tags)
    client.set_experiment_tag(experiment, NEWEST_LOOK, look.digest)
    return replace(look, run_id=run.info.run_id)


def finish_look(look: Look, result: Path) -> None:
    """Store what a look found with the look itself, and its digest last."""
    client = connect()
    client.log_artifact(look.run_id, str(result))
    client.set_terminated(look.run_id, "FINISHED")
    client.set_tag(look.run_id, "poc.result_sha256", hashlib.sha256(result.read_bytes()).hexdigest())


def result_of_look(look: Look, name: str) -> bytes | None:
    """Return what a look found; None when it was never finished or its file is gone."""
    client = connect()
    if not look.result_sha256 or not any(each.path == name for each in client.list_artifacts(look.run_id)):
        return None
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(look.run_id, name, folder)).read_bytes()
