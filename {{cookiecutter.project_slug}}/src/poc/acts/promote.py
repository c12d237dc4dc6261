"""Put a version on a stage once it is signed for, take it off, or put back the one before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, PocError
from poc.rules.signoff import Facts, Trust, refuse_with, stamp, stop_at
from poc.rules.signoff.moves import (
    DEMOTED_TAG,
    PREVIOUS_TAG,
    STAGE_TAG,
    Demoted,
    Held,
    Signed,
    about,
    bytes_stayed,
    move_took_hold,
    nobody_was_faster,
    signed_by,
    what_comes_is_signed,
)
from poc.rules.signoff.statement import reason_on_one_line
from poc.steps.copies import both_copies, log_beside_evidence, pull, push
from poc.steps.standing import Standing, fetched, judged, standing
from poc.steps.trust import load_trust
from poc.tools import git, strict_yaml, tracking


class AsSeen:
    """Replace whichever version holds the stage when the command begins."""


AS_SEEN = AsSeen()


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """A version on its stage: instead of which one, by whose decisions, and which of them git did not have yet."""

    stage: str
    version: str
    instead_of: str | None
    signed: list[Signed]
    pulled: list[str]
    trust: Trust


def promote(root: Path, stage: str, version: str, *, instead_of: str | AsSeen | None = AS_SEEN) -> Promoted:
    """Put a version on a stage, in the place of exactly the one that is expected there; cut off anywhere, a second call finishes.

    Raises:
        NotSignedOff: it is not signed for, or somebody else was faster.
        InputRefused: there is no such version.
    """
    project, trust = strict_yaml.load_charter(root / layout.CHARTER).project, load_trust(root)
    expected = tracking.holders(project).get(stage) if isinstance(instead_of, AsSeen) else instead_of
    stands = _judge(root, project, stage, version, trust)
    with tracking.moving(project) as is_still_ours:
        stands = _judge_again(root, project, stage, stands, trust)
        holder = tracking.holders(project).get(stage)
        stop_at(nobody_was_faster(stage, version, holder, expected))
        push(project, stands.copies.mlflow_lacks)
        pull(root, stands.copies.git_lacks)
        if holder not in (None, version):
            tracking.tag_model(project, {f"{PREVIOUS_TAG}{stage}": str(holder)})
        holds = tracking.move_alias(project, stage, version, instead_of=holder, is_still_ours=is_still_ours)
        stop_at(move_took_hold(stage, version, holds))
        if (note := _note(project, stage)) and note.version == version:
            tracking.tag_model(project, {f"{DEMOTED_TAG}{stage}": None})  # how it lost the stage once must not serve a second time
        signed = signed_by(stage, stands.facts, stands.ledger)
        tracking.tag_holder(project, f"{STAGE_TAG}{stage}", version, Held(by=_person(root), at=_now(), signed=signed).text())
    _check_afterwards(root, project, stage, stands)
    return Promoted(stage=stage, version=version, instead_of=expected, signed=signed, pulled=[each.where for each in stands.copies.git_lacks], trust=trust)


def demote(root: Path, stage: str, *, reason: str) -> str:
    """Take a stage from the version that holds it, and return which that was: the reason is noted first, and no sponsor is asked.

    Raises:
        InputRefused: no version holds it, or the reason tells nobody why.
    """
    reason = reason_on_one_line(reason, is_needed=True)
    project = strict_yaml.load_charter(root / layout.CHARTER).project
    with tracking.moving(project) as is_still_ours:
        holder = tracking.holders(project).get(stage)
        left = tracking.versions_with_tag(project, f"{STAGE_TAG}{stage}")
        if holder is None and not left:
            raise InputRefused(f"no version of {project} holds {stage}", where="MLflow", fix="poc verify lists what holds which stage")
        return _take_off(root, project, stage, holder or next(iter(left)), reason, is_still_ours)


def rollback(root: Path, stage: str) -> Promoted:
    """Put back the version that held a stage before; it has to be signed for still.

    Raises:
        InputRefused: none did, or it is there.
        NotSignedOff: it is not signed for any more, or somebody else was faster.
    """
    project = strict_yaml.load_charter(root / layout.CHARTER).project
    before, holder = tracking.model_tags(project).get(f"{PREVIOUS_TAG}{stage}"), tracking.holders(project).get(stage)
    if before is None or before == holder:
        what = f"version {holder} holds {stage}" if holder else f"no version holds {stage}"
        raise InputRefused(f"{what}, and MLflow knows of none that did before", where="MLflow", fix=f"name one: poc promote {stage} --version N")
    return promote(root, stage, before, instead_of=holder)


def _judge(root: Path, project: str, stage: str, version: str, trust: Trust) -> Standing:
    """Fetch a version and let the one verifier judge it."""
    with tempfile.TemporaryDirectory() as folder:
        return _passed(standing(root, project, stage, version, trust, into=Path(folder)))


def _judge_again(root: Path, project: str, stage: str, before: Standing, trust: Trust) -> Standing:
    """Judge anew where somebody has decided something since: it may have been a no."""
    copies = both_copies(root, project)
    return before if copies == before.copies else _passed(judged(stage, before.at, before.facts, copies, trust))


def _passed(stands: Standing) -> Standing:
    stop_at([*stands.found, *what_comes_is_signed([each for each in stands.ledger.decisions if each.decision.entry in stands.copies.git_lacks])])
    return stands


def _check_afterwards(root: Path, project: str, stage: str, stands: Standing) -> None:
    """Log the decisions beside the evidence, then look whether the bytes are still those that were verified.

    Raises:
        NotSignedOff: they are not; the stage is taken off again.
    """
    with tempfile.TemporaryDirectory() as folder:
        log_beside_evidence(stands.at.run_id, [each.decision.entry for each in about(stands.at.version, stands.ledger)], Path(folder))
    if found := bytes_stayed(stage, stands.facts, _facts_now(project, stands.at.version)):
        with tracking.moving(project) as is_still_ours:
            if tracking.holders(project).get(stage) == stands.at.version:
                _take_off(root, project, stage, stands.at.version, found[0].what, is_still_ours)
        refuse_with(found)


def _facts_now(project: str, version: str) -> Facts | None:
    try:
        return fetched(project, version)[1]
    except PocError:  # something is missing now, or cannot be read
        return None


def _take_off(root: Path, project: str, stage: str, holder: str, reason: str, is_still_ours: Callable[[], bool]) -> str:
    """Note why, then take the alias away, then the version's tag: cut off anywhere, what is left tells."""
    held = Held.read(tracking.versions_with_tag(project, f"{STAGE_TAG}{stage}").get(holder, ""))
    at = max(_now(), held.at if held else "")  # whoever promoted it may have had a clock that is ahead
    note = Demoted(version=holder, by=_person(root), reason=reason, at=at)
    tracking.tag_model(project, {f"{DEMOTED_TAG}{stage}": note.text()})
    if stage in tracking.holders(project):
        stop_at(move_took_hold(stage, None, tracking.move_alias(project, stage, None, instead_of=holder, is_still_ours=is_still_ours)))
    tracking.tag_holder(project, f"{STAGE_TAG}{stage}", None)
    return holder


def _note(project: str, stage: str) -> Demoted | None:
    return Demoted.read(tracking.model_tags(project).get(f"{DEMOTED_TAG}{stage}", ""))


def _person(root: Path) -> str:
    return git.user_email(root) or "unknown"


def _now() -> str:
    return stamp(datetime.now(UTC))
