"""Attacks on the evidence before anybody signs: whoever can write into a run exchanges or embellishes something, and all signers sign what lies there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attack import Attack
from preparing import SIGNERS
from programs import promote
from reports import write_reports
from worlds import OTHER, PROJECT, World

from poc import layout
from poc.rules.signoff import Reason
from poc.steps.judged import candidate_digest
from poc.steps.vouch import facts_of
from poc.tools import files, tracking

TO_PRODUCTION = promote("production")
CANDIDATE, VERDICT = "evidence/evaluate/candidate.json", "evidence/gate/verdict.json"
Record = dict[str, Any]


def _signed_as_it_lies_there(world: World) -> None:
    """Have every stage signed for a version of which nobody has decided yet, over the bytes that are there now."""
    world.version = OTHER
    with world.entered(), tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(PROJECT, OTHER, Path(folder))
        facts = facts_of(Path(folder), version=OTHER, trained_by=at.trained_by)
    world.versions[OTHER] |= {**facts.digests("production"), "shown": facts.shown("production")}
    for stage in ("shadow", "pilot", "production"):
        for person, role in SIGNERS[stage]:
            world.sign(stage, person, role, version=OTHER)


def _changed(path: Path, change: Callable[[Record], object]) -> None:
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    path.write_text(json.dumps(said), encoding="utf-8")


def _rewriting(name: str, *, with_reports: bool = True) -> Callable[[World, Callable[[Record], object]], None]:
    """Change a record, and the reports so that they tell nothing of it."""

    def lay(world: World, change: Callable[[Record], object]) -> None:
        if change is not _as_it_was:
            _changed(world.artifacts(OTHER) / name, change)
        if with_reports:
            write_reports(world.artifacts(OTHER) / "evidence")
        _signed_as_it_lies_there(world)

    return lay


def _exchanging_the_model(world: World, content: bytes) -> None:
    model = world.artifacts(OTHER) / "model" / layout.CANDIDATE_MODEL
    model.write_bytes(content or model.read_bytes())
    _signed_as_it_lies_there(world)


def _exchanging_model_and_candidate(world: World, content: bytes) -> None:
    """Put another model there, name it in the candidate's record, and that in the version's tag, which is where a server used to look."""
    artifacts = world.artifacts(OTHER)
    model = artifacts / "model" / layout.CANDIDATE_MODEL
    model.write_bytes(content or model.read_bytes())
    _changed(artifacts / CANDIDATE, lambda said: said.update(model_sha256=files.sha256_of_file(model)))
    write_reports(artifacts / "evidence")
    with world.entered():
        world.client().set_model_version_tag(PROJECT, OTHER, "poc.candidate_sha256", candidate_digest(artifacts / "evidence/evaluate"))
    _signed_as_it_lies_there(world)


def _under_another_charter(world: World, digest: str) -> None:
    """Let the candidate name another charter, and the verdict that candidate."""
    artifacts = world.artifacts(OTHER)
    _changed(artifacts / CANDIDATE, lambda said: said.update(charter_sha256=digest or said["charter_sha256"]))
    _changed(artifacts / VERDICT, lambda said: said.update(candidate_sha256=candidate_digest(artifacts / "evidence/evaluate")))
    write_reports(artifacts / "evidence")
    _signed_as_it_lies_there(world)


def _as_it_was(_: Record) -> None:
    """Change nothing."""


ATTACKS = (
    Attack(name="model exchanged before it was signed", lay=_exchanging_the_model, control=b"", attack=b"another model",
           through=TO_PRODUCTION, reason=Reason.MODEL_IS_NOT_THE_CANDIDATE, guard="model_is_the_candidate"),
    Attack(name="model exchanged before it was signed, with its record, reports and tag", lay=_exchanging_model_and_candidate, control=b"",
           attack=b"another model", through=TO_PRODUCTION, reason=Reason.ANOTHER_CANDIDATE_WAS_JUDGED, guard="candidate_was_judged"),
    Attack(name="candidate of another charter", lay=_under_another_charter, control="", attack="0" * 64,
           through=TO_PRODUCTION, reason=Reason.JUDGED_BY_ANOTHER_CHARTER, guard="candidate_was_frozen_under"),
    Attack(name="evidence edited before it was signed", lay=_rewriting("evidence/ingest/splits.json", with_reports=False), control=_as_it_was,
           attack=lambda said: said.update(how="by hand"),
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, guard="files_are_as_reported"),
    Attack(name="fewer errors counted, before it was signed", lay=_rewriting(VERDICT), control=_as_it_was,
           attack=lambda said: said["limits"][0].update(measured=0.0, low=0.0, high=0.001),
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, guard="limits_follow_from_figures"),
    Attack(name="more looks than were agreed", lay=_rewriting(VERDICT), control=_as_it_was,
           attack=lambda said: said.update(look=said["look"] + 9, looks_allowed=said["looks_allowed"] + 9),
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, guard="looks_are_agreed"),
)  # fmt: skip
