"""What is judged: a version as its bytes show it, and the decisions about it with what each signature is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from poc.rules.charter import Charter, Stage
from poc.rules.evidence import Outcome
from poc.rules.signoff.ledger import Decision
from poc.rules.signoff.reasons import Finding
from poc.rules.signoff.shown import Shown
from poc.rules.signoff.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a version is, worked out from the bytes that are there: digests by subject, verdict, the moment of the look (UTC), and what a signer is shown.

    `stage_evidence` holds the digest of what was gathered for a stage, by stage; `found` is what is wrong with the bytes by themselves. Without a version
    only the charter can be judged; `came_from` then says which run told it, where it lies in no repository.
    """

    charter: Charter
    charter_sha256: str
    shown_of_charter: Shown
    version: str = ""
    came_from: str = ""
    model_sha256: str = ""
    evidence_sha256: str = ""
    stage_evidence: Mapping[str, str] = field(default_factory=dict)
    verdict: Outcome | None = None
    looked_at: datetime | None = None
    shown_of_verdict: Shown = ()
    trained_by: str = ""
    strange: tuple[str, ...] = ()
    found: tuple[Finding, ...] = ()

    def digests(self, stage: str) -> dict[str, str]:
        """Return the subjects of a decision about a stage."""
        if stage == "charter":
            return {"charter": self.charter_sha256}
        gathered = self.stage_evidence.get(stage)
        return {"charter": self.charter_sha256, "model": self.model_sha256, "evidence": self.evidence_sha256} | (
            {"stage evidence": gathered} if gathered else {}
        )

    def shown(self, stage: str) -> Shown:
        """Return what the signer of a stage is shown."""
        return self.shown_of_charter if stage == "charter" else self.shown_of_verdict

    def builders(self, stage: str, trust: Trust) -> frozenset[str]:
        """Return who built what is signed, in small letters: by the charter, by the trust files, and by the run."""
        agreed = {person.email.lower() for person in self.charter.people if person.role == "builder"}
        trained = {self.trained_by.lower()} if self.trained_by and stage != "charter" else set()
        return frozenset(agreed | trained | trust.builders)

    def stage(self, name: str) -> Stage | None:
        """Find a stage of the charter."""
        return next((each for each in self.charter.stages if each.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A decision with what its signature is worth: the key, and what is wrong with it by itself."""

    decision: Decision
    fingerprint: str
    found: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All decisions, oldest first, and what is wrong with the row as a whole."""

    decisions: tuple[Verified, ...]
    found: tuple[Finding, ...]


def newest(stage: str, role: str, version: str, ledger: Ledger) -> Verified | None:
    """Find the newest decision of a role about a stage and a version; it is not asked whether it is any good."""
    for verified in reversed(ledger.decisions):
        said = verified.decision.statement.predicate
        if (said.stage, said.role, said.model_version) == (stage, role, "" if stage == "charter" else version):
            return verified
    return None
