"""How a version stands for a stage: fetched whole from MLflow, and judged by both copies of the ledger."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from poc.rules.signoff import Facts, Finding, Ledger, Trust
from poc.steps import vouch
from poc.steps.copies import Copies, both_copies
from poc.tools import tracking


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A version's facts, the ledger, and everything that speaks against the version holding the stage; nothing lets it."""

    at: tracking.VersionFacts
    facts: Facts
    copies: Copies
    ledger: Ledger
    found: tuple[Finding, ...]


def standing(root: Path, project: str, stage: str, version: str, trust: Trust, *, into: Path) -> Standing:
    """Fetch a version into a folder and judge exactly what lies there then.

    Raises:
        PocError: there is no such version, or something that every version has is missing.
    """
    at = tracking.fetch_version(project, version, into)
    facts = vouch.facts_of(into, version=at.version, trained_by=at.trained_by)
    return judged(stage, at, facts, both_copies(root, project), trust)


def judged(stage: str, at: tracking.VersionFacts, facts: Facts, copies: Copies, trust: Trust) -> Standing:
    """Judge a version that was fetched."""
    ledger = vouch.verified(copies.entries, trust)
    return Standing(at=at, facts=facts, copies=copies, ledger=ledger, found=(*copies.found, *vouch.findings(stage, facts, ledger, trust)))


def fetched(project: str, version: str) -> tuple[tracking.VersionFacts, Facts]:
    """Work out what a version is, from the bytes that MLflow holds now."""
    with tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(project, version, Path(folder))
        return at, vouch.facts_of(Path(folder), version=at.version, trained_by=at.trained_by)
