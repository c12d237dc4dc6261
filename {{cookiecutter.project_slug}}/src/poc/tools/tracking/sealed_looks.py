"""Looks at the sealed set: each an MLflow run that names the one before."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from poc.tools.tracking.connection import connect, experiment_of
from poc.tools.tracking.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

#: Tags that hold a look's sketch, piece by piece: MLflow cuts a tag at 8,000 characters, and its pages hide tags that begin with `mlflow.`.
SKETCH = "mlflow.poc.sketch."
PIECE = 7_900
#: Runs and experiments asked for at a time.
PAGE = 1_000
#: Tag of a look that was given up before it saw anything, because another gate had taken over; it counts for nothing and stays on record.
GIVEN_UP = "poc.given_up"
#: Experiment tag with the digest of the newest look, so that removing the last one shows too.
NEWEST_LOOK = "poc.newest_look"


@dataclass(frozen=True, kw_only=True)
class Look:
    """A counted look at the sealed set, as MLflow keeps it; `result_sha256` is empty until it is finished, `at` is when it was taken (UTC).

    `sketch` is of all rows that its run had, sealed or open; empty in looks of the first version.
    """

    number: int
    candidate_sha256: str
    sealed_sha256: str
    previous: str
    digest: str
    charter_version: int
    sketch: Sequence[str] = ()
    project: str = ""
    run_id: str = ""
    at: str = ""
    result_sha256: str = ""


def looks(project: str) -> list[Look]:
    """List every look of a project by number, deleted ones too: hiding a run does not undo it; a tag that is gone reads as empty or 0."""
    client = connect()
    return sorted(_looks_in(client, {experiment_of(client, project): project}), key=lambda look: look.number)


def looks_of_all_projects() -> list[Look]:
    """List every look that this MLflow knows, of whatever project, the oldest first: a new name makes no new rows."""
    from mlflow.entities import ViewType

    client, token = connect(), None
    names: dict[str, str] = {}
    while token != "":
        page = client.search_experiments(ViewType.ALL, max_results=PAGE, page_token=token)
        names |= {each.experiment_id: each.name for each in page}
        token = page.token or ""
    return _looks_in(client, names)


def _looks_in(client: MlflowClient, names: Mapping[str, str]) -> list[Look]:
    """Read the looks of experiments, named by id; page by page, because a look too many to be listed would be a look for free."""
    from mlflow.entities import ViewType

    found: list[Look] = []
    token = None
    while token != "":
        page = client.search_runs(list(names), "tags.`poc.kind` = 'look'", ViewType.ALL, PAGE, ["attributes.start_time ASC"], token)
        found += [_look(run, names[run.info.experiment_id]) for run in page if GIVEN_UP not in run.data.tags]
        token = page.token or ""
    return found


def newest_look(project: str) -> str:
    """Return the digest of the newest look that was recorded, empty when there was none."""
    client = connect()
    return str(client.get_experiment(experiment_of(client, project)).tags.get(NEWEST_LOOK, ""))


def _look(run: Run, project: str) -> Look:
    tags = run.data.tags

    def number(name: str) -> int:
        return int(tags[name]) if tags.get(name, "").isdecimal() else 0

    return Look(
        number=number("poc.look"),
        candidate_sha256=tags.get("poc.candidate_sha256", ""),
        sealed_sha256=tags.get("poc.sealed_sha256", ""),
        previous=tags.get("poc.look_before", ""),
        digest=tags.get("poc.look_sha256", ""),
        charter_version=number("poc.charter_version"),
        sketch=tuple(filter(None, "".join(tags[name] for name in sorted(tags) if name.startswith(SKETCH)).split(","))),
        project=project,
        run_id=run.info.run_id,
        at=_at(run),
        result_sha256=tags.get("poc.result_sha256", ""),
    )


def _at(run: Run) -> str:
    return datetime.fromtimestamp(run.info.start_time / 1e3, UTC).isoformat(timespec="seconds")


def _in_pieces(sketch: Sequence[str]) -> dict[str, str]:
    text = ",".join(sketch)
    return {f"{SKETCH}{number:04}": text[start : start + PIECE] for number, start in enumerate(range(0, len(text), PIECE))}


@uninterrupted()
def open_look(project: str, parent_run: str, look: Look) -> Look:
    """Record a look before anything is seen, so that a crash cannot give one for free; all of it in one call, so that nobody meets half a look."""
    client = connect()
    tags = {
        "poc.kind": "look",
        "poc.look": str(look.number),
        "poc.candidate_sha256": look.candidate_sha256,
        "poc.sealed_sha256": look.sealed_sha256,
        "poc.look_before": look.previous,
        "poc.look_sha256": look.digest,
        "poc.charter_version": str(look.charter_version),
    } | _in_pieces(look.sketch)
    if parent_run:
        tags["mlflow.parentRunId"] = parent_run
    experiment = experiment_of(client, project)
    run = client.create_run(experiment, run_name=f"look {look.number}", tags=tags)
    return replace(look, project=project, run_id=run.info.run_id, at=_at(run))


@uninterrupted()
def note_look(look: Look) -> None:
    """Note a look beside the chain as the newest, once it is sure to stand."""
    client = connect()
    client.set_experiment_tag(experiment_of(client, look.project), NEWEST_LOOK, look.digest)


@uninterrupted()
def give_up_look(look: Look) -> None:
    """Withdraw a look that has seen nothing; its number goes to the next."""
    client = connect()
    client.set_tag(look.run_id, GIVEN_UP, "before anything was seen")
    client.set_terminated(look.run_id, "KILLED")


@uninterrupted()
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
