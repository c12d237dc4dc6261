"""Charters as runs logged them: byte for byte, so that one can be signed by somebody who has no repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poc import layout
from poc.errors import InputRefused
from poc.rules.signoff import Finding, Reason, refuse_with
from poc.tools.tracking.artifacts import bring
from poc.tools.tracking.connection import connect, is_on_this_machine, ui_root
from poc.tools.tracking.stages import EVIDENCE

#: Among how many of the newest runs a charter is looked for: one that has only begun, or was refused at once, has none.
NEWEST = 20


@dataclass(frozen=True, kw_only=True)
class CharterRun:
    """The run that a charter is from."""

    run_id: str
    name: str
    began: datetime


def fetch_newest_charter(project: str, into: Path) -> CharterRun:
    """Download what the newest run of a project that has a charter logged with it.

    Raises:
        InputRefused: there is no such run.
        NotSignedOff: what lies there is no plain file.
    """
    client = connect()
    experiment = client.get_experiment_by_name(project)
    ids = [experiment.experiment_id] if experiment else []
    runs = client.search_runs(ids, "tags.`poc.kind` = 'run'", order_by=["attributes.start_time DESC"], max_results=NEWEST) if ids else []
    for run in runs:
        folder = into / str(run.info.run_id)
        bring(f"{run.info.artifact_uri}/{EVIDENCE}/charter", folder)
        path = folder / layout.CHARTER_YAML
        if folder.is_symlink() or path.is_symlink():
            refuse_with([Finding(reason=Reason.STRANGE_FILE, what="the charter is a link, no plain file", where=f"MLflow, run {run.info.run_name}")])
        if path.is_file():
            path.replace(into / layout.CHARTER_YAML)
            began = datetime.fromtimestamp(run.info.start_time / 1e3, UTC)
            return CharterRun(run_id=str(run.info.run_id), name=str(run.info.run_name), began=began)
    raise InputRefused(f"MLflow has no run of {project} that tells its charter", where="MLflow", fix="poc run, with MLFLOW_TRACKING_URI naming this server")


def charter_page_url(project: str) -> str:
    """Say where a guarded server shows the charter to be signed; nowhere without a server. Passkeys know this machine by its name only."""
    return "" if is_on_this_machine() else f"{ui_root().replace('//127.0.0.1', '//localhost')}/signoff/{project}/charter"
