"""Moves between stages: which alias stands for a stage, what is written down of a move, and whether that is still so."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from poc.rules.signoff.canonical import canonical, sha256_of
from poc.rules.signoff.facts import Facts, Ledger, Verified, newest
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import GATED, StageName

#: Tag of the version that a promotion put on a stage.
STAGE_TAG = "poc.stage."
#: Tags of the registered model: who held a stage before, and why it was taken from whom.
PREVIOUS_TAG = "poc.previous."
DEMOTED_TAG = "poc.demoted."
#: Figures and letters that stand for the letter they look like.
_TWINS = str.maketrans("013i", "olel")
_LAST_OF_ASCII = 127

T = TypeVar("T", bound="_Tag")


class _Tag(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def text(self) -> str:
        """Write it as MLflow keeps it."""
        return canonical(self.model_dump(mode="json")).decode()

    @classmethod
    def read(cls: type[T], text: str) -> T | None:
        """Read it back; None where it was not written by us."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


class Signed(BaseModel):
    """Who decided, in which entry of the ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    signer: str
    entry: int
    statement_sha256: str


class Held(_Tag):
    """What a version that holds a stage carries: who signed, and who promoted it when."""

    by: str
    at: str
    signed: list[Signed]


class Demoted(_Tag):
    """Why a stage was taken from a version, by whom and when."""

    version: str
    by: str
    reason: str
    at: str


def note_of_now(note: Demoted | None, version: str, held: str) -> Demoted | None:
    """Return a note if it is about this version as it holds its stage now; one older than the promotion, which `held` tells of, is about an earlier time."""
    promoted = Held.read(held)
    is_older = note is not None and promoted is not None and note.at < promoted.at
    return note if note and note.version == version and not is_older else None


def stage_of_alias(alias: str) -> StageName | None:
    """Say for which stage people would take an alias, however it is typed: a letter beyond ASCII may look like any, and figures like some letters."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", alias).casefold() if letter.isalnum()).translate(_TWINS)
    pattern = "".join("." if ord(letter) > _LAST_OF_ASCII else re.escape(letter) for letter in plain)
    return next((stage for stage in GATED if re.fullmatch(pattern, stage.translate(_TWINS))), None)


def signed_by(stage: str, facts: Facts, ledger: Ledger) -> list[Signed]:
    """List the decisions that count for a version's stage."""
    agreed = facts.stage(stage)
    found = [newest(stage, role, facts.version, ledger) for role in (agreed.signers if agreed else [])]
    return [_signed(each) for each in found if each]


def _signed(verified: Verified) -> Signed:
    said, entry = verified.decision.statement.predicate, verified.decision.entry
    return Signed(role=said.role, signer=said.signer, entry=entry.number, statement_sha256=sha256_of(entry.statement))


def _approves(verified: Verified, stage: str, version: str) -> bool:
    said = verified.decision.statement.predicate
    return (said.stage, said.model_version, said.decision) == (stage, version, "approve")


def about(version: str, ledger: Ledger) -> list[Verified]:
    """List the decisions about a version and about the charter."""
    return [each for each in ledger.decisions if each.decision.statement.predicate.model_version in ("", version)]


@check
def nobody_was_faster(stage: str, version: str, holder: str | None, expected: str | None) -> list[Finding]:
    """Refuse to put a version in the place of another than was there when this was decided; the version itself may be there already."""
    if holder in (version, expected):
        return []
    there, thought = f"version {holder}" if holder else "no version", f"version {expected}" if expected else "no version"
    fix = f"see who promoted it: poc verify; to replace it all the same: poc promote {stage} --version {version} --instead-of {holder or 'none'}"
    return [
        Finding(reason=Reason.ANOTHER_WAS_PROMOTED, what=f"{there} holds {stage} now, and {thought} did when you decided", where=f"MLflow, {stage}", fix=fix)
    ]


@check
def move_took_hold(stage: str, version: str | None, holder: str | None) -> list[Finding]:
    """Refuse to call a version promoted that does not hold its stage, and a stage empty that a version holds."""
    if holder == version:
        return []
    what = f"{f'version {holder}' if holder else 'no version'} holds {stage}: another took over, because this was so slow"
    again = f"poc promote {stage} --version {version} --instead-of {holder or 'none'}" if version else f"poc demote {stage} --reason WHY"
    return [Finding(reason=Reason.ANOTHER_WAS_PROMOTED, what=what, where=f"MLflow, {stage}", fix=f"see who promoted it: poc verify; then again: {again}")]


@check
def bytes_stayed(stage: str, before: Facts, after: Facts | None) -> list[Finding]:
    """Refuse a version whose bytes were changed between being verified and being promoted."""
    if after == before:
        return []
    what = f"version {before.version} has other bytes than were verified a moment ago; {stage} was taken from it"
    fix = f"find out who can write to MLflow's artifacts; then register anew, or put the version before back: poc rollback {stage}"
    return [Finding(reason=Reason.BYTES_CHANGED_MEANWHILE, what=what, where=f"MLflow, version {before.version}", fix=fix)]


@check
def what_comes_is_signed(lacking: Sequence[Verified]) -> list[Finding]:
    """Refuse to take decisions over from MLflow that are not signed: nobody could take them out again. A key may be revoked since."""
    return [finding for each in lacking for finding in each.found if finding.reason is not Reason.KEY_REVOKED]


@check
def alias_is_plain(alias: str, version: str) -> list[Finding]:
    """Refuse an alias that people take for a stage and that is none."""
    stage = stage_of_alias(alias)
    if stage is None or alias == stage:
        return []
    what = f"version {version} holds {alias!a}, which people take for {stage}"
    return [Finding(reason=Reason.ALIAS_VARIANT, what=what, where=f"MLflow, {alias!a}", fix="remove that alias in MLflow")]


@check
def tags_are_backed(stage: str, tags: Mapping[str, str], holder: str | None, demoted: Demoted | None) -> list[Finding]:
    """Refuse a version that says it holds a stage and does not; a demotion that was cut off leaves one, beside a note."""
    found = []
    for version in tags:
        if version == holder or note_of_now(demoted, version, tags[version]):
            continue
        if holder is None and Held.read(tags[version]):
            what, reason = f"{stage} was taken from version {version}, and nobody says why", Reason.ALIAS_REMOVED_WITHOUT_A_NOTE
            fix = f"put it back: poc promote {stage} --version {version}; or say why it is gone: poc demote {stage} --reason WHY"
        else:
            what, reason = f"version {version} says that it holds {stage}, and does not", Reason.TAG_FORGED
            fix = f"remove its tag {STAGE_TAG}{stage} in MLflow"
        found.append(Finding(reason=reason, what=what, where=f"MLflow, version {version}", fix=fix))
    return found


@check
def tag_says_who_signed(stage: str, text: str, facts: Facts, ledger: Ledger) -> list[Finding]:
    """Refuse a holder that names other decisions than the ledger holds, or was not put there by a promotion."""
    said = Held.read(text)
    there = [_signed(each) for each in ledger.decisions if _approves(each, stage, facts.version)]
    if said and all(each in there for each in said.signed) and {each.role for each in said.signed} == {each.role for each in signed_by(stage, facts, ledger)}:
        return []
    what = f"what version {facts.version} says of who signed {stage} is not what the ledger says"
    fix = f"write it anew: poc promote {stage} --version {facts.version}"
    return [Finding(reason=Reason.TAG_FORGED, what=what, where=f"MLflow, version {facts.version}, {STAGE_TAG}{stage}", fix=fix)]


@check
def signed_charter_stays(facts: Facts, ledger: Ledger) -> list[Finding]:
    """Refuse a charter whose bytes differ from those that were agreed under the same version; a new version may await its signature."""
    said = [each.decision.statement for each in ledger.decisions if each.decision.statement.predicate.stage == "charter"]
    same = [each for each in said if (each.predicate.charter_version, each.predicate.decision) == (facts.charter.version, "approve")]
    if not same or same[-1].digests.get("charter") == facts.charter_sha256:
        return []
    what = f"charter.yaml has other bytes than {same[-1].predicate.signer} signed as version {facts.charter.version}"
    return [Finding(reason=Reason.CHARTER_CHANGED, what=what, where="charter.yaml")]
