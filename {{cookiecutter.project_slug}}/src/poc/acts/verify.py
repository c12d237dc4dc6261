"""Verify everything that was ever signed, and hold every stage in MLflow against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poc import layout
from poc.errors import PocError
from poc.rules.signoff import GATED, Entry, Finding, Ledger, Reason, StageName, Trust, Verified, check, nothing_is_missing
from poc.rules.signoff.ledger import decisions_are_about, numbers_follow, replaced, replaced_is_signed_again
from poc.rules.signoff.moves import (
    DEMOTED_TAG,
    STAGE_TAG,
    Demoted,
    alias_is_plain,
    signed_charter_stays,
    stage_of_alias,
    tag_says_who_signed,
    tags_are_backed,
)
from poc.steps import vouch
from poc.steps.copies import Copies, both_copies, held_by_branch, held_by_mlflow, pull, sound_copies, tell_mlflow
from poc.steps.standing import fetched
from poc.steps.trust import AT_A_REF, load_trust
from poc.tools import strict_yaml, tracking


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was verified, what does not hold, and what is worth knowing all the same; `stages` has who holds each, `pulled` what git got, `pushed` MLflow."""

    decisions: tuple[Verified, ...]
    found: tuple[Finding, ...]
    notes: tuple[str, ...]
    stages: Mapping[str, str]
    pulled: tuple[str, ...]
    trust: Trust
    pushed: tuple[str, ...] = ()


def verify(root: Path, *, is_pulling: bool = False, is_pushing: bool = False) -> Checked:
    """Verify both copies of the ledger, and every stage over the bytes that MLflow holds; where asked for, either copy gets what it lacks first."""
    project = strict_yaml.load_charter(root / layout.CHARTER).project
    pulled = _pull(root, project) if is_pulling else ()
    pushed = tuple(entry.where for entry in tell_mlflow(root, project)) if is_pushing else ()
    trust, copies = load_trust(root), both_copies(root, project)
    ledger = vouch.verified(copies.entries, trust)
    holders = {alias: version for alias, version in sorted(tracking.holders(project).items()) if stage_of_alias(alias)}
    found = [*_of_ledger(root, ledger, trust), *_of_copies(project, copies)]
    for alias, version in holders.items():
        found += [*alias_is_plain(alias, version), *_of_alias(project, alias, version, ledger, trust)]
    for stage in GATED:
        found += _of_tags(project, stage, holders)
    notes = [*_revoked(ledger, trust), *_mended(root, trust), *_unfinished(project, holders, copies)]
    return Checked(decisions=ledger.decisions, found=tuple(found), notes=tuple(notes), stages=holders, pulled=pulled, trust=trust, pushed=pushed)


def verify_ledger(root: Path) -> Checked:
    """Verify what lies in git, without MLflow."""
    trust = load_trust(root)
    ledger = vouch.verified(vouch.ledger_in(root), trust)
    found = _of_ledger(root, ledger, trust)
    return Checked(decisions=ledger.decisions, found=tuple(found), notes=(*_revoked(ledger, trust), *_mended(root, trust)), stages={}, pulled=(), trust=trust)


def _pull(root: Path, project: str) -> tuple[str, ...]:
    """Take over what was signed elsewhere, such as on the page."""
    copies = sound_copies(root, project, lambda copies: copies.git_lacks)
    pull(root, copies.git_lacks)
    return tuple(entry.where for entry in copies.git_lacks)


def _of_ledger(root: Path, ledger: Ledger, trust: Trust) -> Iterator[Finding]:
    """List what is wrong with trust files, row, signatures and charter."""
    yield from trust.found
    yield from ledger.found
    for each in ledger.decisions:
        yield from (finding for finding in each.found if finding.reason is not Reason.KEY_REVOKED)
    of_charter = vouch.charter_facts(root)
    yield from decisions_are_about(of_charter.charter.project, [each.decision for each in ledger.decisions])
    yield from signed_charter_stays(of_charter, ledger)
    yield from _of_branch(root, trust)


def _of_branch(root: Path, trust: Trust) -> list[Finding]:
    """Hold the ledger against the one on the branch that the trust files come from: a change may add to it, and mend a fork, and nothing else."""
    ref, here = _branch(trust), vouch.ledger_in(root)
    there = held_by_branch(root, ref) if ref else []
    return [*replaced_is_signed_again(here, there, theirs=ref), *nothing_is_missing(here, there, theirs=ref)]


def _branch(trust: Trust) -> str:
    """Name the ref that the trust files come from; nothing where they lie in a folder."""
    return trust.where.removeprefix(AT_A_REF).partition(":")[0] if trust.where.startswith(AT_A_REF) else ""


def _mended(root: Path, trust: Trust) -> Iterator[str]:
    """Tell of decisions that this change takes out of the protected branch's ledger, to mend a fork."""
    if (ref := _branch(trust)) and (taken_out := replaced(vouch.ledger_in(root), held_by_branch(root, ref))):
        yield f"this change takes {', '.join(entry.where for entry in taken_out)} of {ref} out, and has them decided again behind what took their place"


def _of_copies(project: str, copies: Copies) -> list[Finding]:
    """List where git and MLflow contradict each other, and what one of them lost; what git is ahead by, the next promotion brings."""
    held = held_by_mlflow(project)
    here = [entry for entry in copies.entries if entry not in copies.git_lacks]
    return [*copies.found, *nothing_is_missing(here, held), *_gaps_in(held)]


def _gaps_in(held: Sequence[Entry]) -> list[Finding]:
    """Say of MLflow's copy where it has a gap."""
    return [Finding(reason=each.reason, what=f"in MLflow {each.what}", where="MLflow", fix="poc promote brings it back") for each in numbers_follow(held)]


def _of_alias(project: str, alias: str, version: str, ledger: Ledger, trust: Trust) -> list[Finding]:
    """Ask the one verifier about a version that holds a stage, over the bytes that MLflow holds."""
    stage = stage_of_alias(alias)
    assert stage  # no other alias comes here
    where = f"MLflow, {alias}, version {version}"
    try:
        at, facts = fetched(project, version)
    except PocError as error:
        return _cannot_be_read(error, where, alias)
    told = [*trust.found, *ledger.found]  # once, not of each stage
    found = [each for each in vouch.findings(stage, facts, ledger, trust) if each not in told]
    if f"{STAGE_TAG}{stage}" in at.tags and alias == stage:
        found = [*found, *tag_says_who_signed(stage, at.tags[f"{STAGE_TAG}{stage}"], facts, ledger)]
    return _vouched_for(alias, version, found)


@check
def _cannot_be_read(error: PocError, where: str, alias: str) -> list[Finding]:
    """Refuse a version of which something is missing."""
    return [
        Finding(reason=Reason.ALIAS_NOT_VOUCHED_FOR, what=problem.what, where=f"{where}, {problem.where}", fix=_taken_off(alias)) for problem in error.problems
    ]


def _vouched_for(alias: str, version: str, found: Sequence[Finding]) -> list[Finding]:
    """Say of which version each finding speaks, and that the stage can be taken off it whatever else is done."""
    return [Finding(reason=each.reason, what=f"version {version} holds {alias}, but {each.what}", where=each.where, fix=_fix(alias, each)) for each in found]


def _fix(alias: str, found: Finding) -> str:
    return f"{found.problem.fix}; or {_taken_off(alias)}" if alias in GATED else _taken_off(alias)


def _taken_off(alias: str) -> str:
    """Say how an alias is taken off; what only looks like a stage's has no other right to be there."""
    return f"take it off: poc demote {alias} --reason WHY" if alias in GATED else f"remove the alias {alias!a} in MLflow"


def _of_tags(project: str, stage: StageName, holders: Mapping[str, str]) -> list[Finding]:
    note = tracking.model_tags(project).get(f"{DEMOTED_TAG}{stage}")
    return tags_are_backed(stage, tracking.versions_with_tag(project, f"{STAGE_TAG}{stage}"), holders.get(stage), Demoted.read(note) if note else None)


def _revoked(ledger: Ledger, trust: Trust) -> Iterator[str]:
    """Tell of decisions whose key was revoked since: they count for nothing, and stay on record. By a list that cannot be read none is, or all are."""
    for each in () if trust.found else ledger.decisions:
        if any(finding.reason is Reason.KEY_REVOKED for finding in each.found):
            yield f"{each.decision.entry.where} is signed with a key that is revoked, and counts for nothing"


def _unfinished(project: str, holders: Mapping[str, str], copies: Copies) -> Iterator[str]:
    """Tell of moves that were cut off, and of decisions that MLflow does not know yet."""
    for stage in GATED:
        tagged = tracking.versions_with_tag(project, f"{STAGE_TAG}{stage}")
        if (holder := holders.get(stage)) and holder not in tagged:
            yield f"version {holder} holds {stage} without saying who signed: poc promote {stage} --version {holder} writes it down"
        elif not holder and tagged and not _of_tags(project, stage, holders):  # or it is told as a difference
            yield f"{stage} was taken off and its tag was left: poc demote {stage} --reason WHY finishes"
    if copies.mlflow_lacks:
        yield f"MLflow does not know {', '.join(entry.where for entry in copies.mlflow_lacks)} yet: poc verify --push brings it there"
