"""Stages: a version's bytes as MLflow holds them, who holds which alias, and the copy of the ledger in a registered model's tags."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from poc.errors import InputRefused, NotSignedOff
from poc.rules.signoff import Finding, Reason, refuse_with
from poc.rules.signoff.ledger import TAG
from poc.tools.tracking.artifacts import bring
from poc.tools.tracking.connection import connect, one_at_a_time
from poc.tools.tracking.turns import a_move, turn
from poc.tools.tracking.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from mlflow.entities.model_registry import RegisteredModel

#: What belongs to a version beside its model: folders among its run's artifacts.
EVIDENCE = "evidence"
STAGES = "stages"
SIGNOFFS = "signoffs"
FORBIDDEN = 403


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """What MLflow says of a version; `trained_by` is empty where its run does not say."""

    version: str
    source: str
    run_id: str
    trained_by: str
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def fetch_version(project: str, version: str, into: Path) -> VersionFacts:
    """Download a version whole: its model, and its run's evidence, exactly as MLflow holds them.

    Links in folders of this machine stay links, so that whoever digests them refuses; a folder that MLflow lacks is left out.

    Raises:
        InputRefused: there is no such version.
        NotSignedOff: what lies there is no plain file.
    """
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        found = client.get_model_version(project, version)
        run = client.get_run(str(found.run_id))
        at = client.get_model_version_download_uri(project, version)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise InputRefused(f"MLflow has no version {version} of {project} with a run", where="MLflow", fix="poc runs lists what there is") from error
    into.mkdir(parents=True, exist_ok=True)
    bring(str(at), into / "model")
    for folder in (EVIDENCE, STAGES):
        bring(f"{run.info.artifact_uri}/{folder}", into / folder)
    return VersionFacts(
        version=str(found.version),
        source=str(found.source),
        run_id=str(found.run_id),
        trained_by=str(run.data.tags.get("poc.trained_by", "")),
        aliases=tuple(found.aliases),
        tags=dict(found.tags),
    )


def is_registered(project: str) -> bool:
    """Say whether there is a registered model, with versions or without."""
    return _registered_model(project) is not None


def holders(project: str) -> dict[str, str]:
    """Say which version holds each alias; nothing where nothing is registered."""
    found = _registered_model(project)
    return {str(alias): str(version) for alias, version in found.aliases.items()} if found else {}


def model_tags(project: str) -> dict[str, str]:
    """Return the registered model's own tags; nothing where nothing is registered."""
    found = _registered_model(project)
    return dict(found.tags) if found else {}


def versions_with_tag(project: str, tag: str) -> dict[str, str]:
    """Find what each version says in a tag, by version."""
    client, token = connect(), None
    found: dict[str, str] = {}
    while token != "":
        page = client.search_model_versions(f"name = '{project}'", max_results=1_000, page_token=token)
        found |= {str(each.version): str(each.tags[tag]) for each in page if tag in each.tags}
        token = page.token or ""
    return found


def _registered_model(project: str) -> RegisteredModel | None:
    from mlflow.exceptions import MlflowException

    try:
        return connect().get_registered_model(project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


@contextmanager
def _as_the_guard_says() -> Iterator[None]:
    """Hand on what a guarded server refuses, in its words and with its code.

    Raises:
        NotSignedOff: it does.
    """
    from mlflow.exceptions import MlflowException
    from requests import HTTPError  # type: ignore[import-untyped]  # uploads go past MLflow's own errors

    try:
        yield
    except MlflowException as error:
        if error.error_code != "PERMISSION_DENIED":
            raise
        raise _refused(str(error.message)) from error
    except HTTPError as error:
        if error.response is None or error.response.status_code != FORBIDDEN:
            raise
        raise _refused(_message_in(error.response.text)) from error


def _refused(message: str) -> NotSignedOff:
    code = re.search(r"\[([a-z_]+)\]", message)
    said = f"MLflow's server says: {message.removeprefix('PERMISSION_DENIED: ')}"
    return NotSignedOff(said, where="MLflow", code=code[1] if code else Reason.ALIAS_NOT_VOUCHED_FOR)


def _message_in(text: str) -> str:
    """Return what the guard says in its answer; of somebody else's, such as a proxy's, the beginning."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]


def ledger_held(project: str) -> dict[int, str]:
    """Return MLflow's copy of the ledger: each decision by its number."""
    found = {re.fullmatch(re.escape(TAG) + r"([0-9]{4}|[1-9][0-9]{4,})", name): value for name, value in model_tags(project).items()}
    return {int(name[1]): value for name, value in found.items() if name}


@uninterrupted()
@_as_the_guard_says()
def push_ledger(project: str, missing: Mapping[int, str]) -> None:
    """Append decisions to MLflow's copy of the ledger, within a turn; one that is there stays as it is.

    Raises:
        NotSignedOff: MLflow holds another decision under this number.
    """
    client, held = connect(), ledger_held(project)
    for number, value in sorted(missing.items()):
        if number not in held:
            client.set_registered_model_tag(project, f"{TAG}{number:04}", value)
        elif held[number] != value:
            refuse_with([Finding(reason=Reason.LEDGER_FORKED, what=f"MLflow holds another entry {number}", where=f"MLflow, {TAG}{number:04}")])


@contextmanager
def moving(project: str) -> Iterator[Callable[[], bool]]:
    """Keep others from moving this project's stages; what is yielded says whether the turn is still this one's."""
    with one_at_a_time(), turn(a_move(project)) as is_still_ours:
        yield is_still_ours


@uninterrupted()
@_as_the_guard_says()
def move_alias(project: str, alias: str, to_version: str | None, *, instead_of: str | None, is_still_ours: Callable[[], bool]) -> str | None:
    """Point an alias at a version, or at none, if it is held as expected and the turn is kept; return who holds it now.

    MLflow itself cannot compare and set: `moving` has to be around this.
    """
    client, holder = connect(), holders(project).get(alias)
    if holder != instead_of or not is_still_ours():
        return holder
    if to_version is not None:
        client.set_registered_model_alias(project, alias, to_version)
    elif holder is not None:
        client.delete_registered_model_alias(project, alias)
    return holders(project).get(alias)


@uninterrupted()
@_as_the_guard_says()
def tag_model(project: str, tags: Mapping[str, str | None]) -> None:
    """Write tags of the registered model, and take away those without a value."""
    client = connect()
    for name, value in tags.items():
        if value is None:
            client.delete_registered_model_tag(project, name)
        else:
            client.set_registered_model_tag(project, name, value)


@uninterrupted()
@_as_the_guard_says()
def tag_holder(project: str, tag: str, version: str | None, value: str = "") -> None:
    """Let one version carry a tag and no other one; none at all without a version."""
    client = connect()
    for other in versions_with_tag(project, tag):
        if other != version:
            client.delete_model_version_tag(project, other, tag)
    if version is not None:
        client.set_model_version_tag(project, version, tag, value)


@uninterrupted()
@_as_the_guard_says()
def log_stage_evidence(run_id: str, stage: str, paths: Sequence[Path]) -> None:
    """Log what was gathered for a stage, which is signed with it."""
    for path in paths:
        connect().log_artifact(run_id, str(path), f"{STAGES}/{stage}")


@uninterrupted()
@_as_the_guard_says()
def log_signoffs(run_id: str, folder: Path) -> None:
    """Log decisions beside the evidence that they are about."""
    connect().log_artifacts(run_id, str(folder), SIGNOFFS)
