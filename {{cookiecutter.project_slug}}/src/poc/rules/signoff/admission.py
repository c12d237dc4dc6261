"""Whether a stage may hold a version: the one answer that promotion, verification, MLflow's guard, the sign-off page and the server ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from poc.rules.charter import Charter, Stage
from poc.rules.evidence import Outcome
from poc.rules.signoff.ledger import Decision
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.shown import Shown
from poc.rules.signoff.statement import SKEW
from poc.rules.signoff.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a version is, worked out from the bytes that are there: digests by subject, verdict, the moment of the look (UTC), and what a signer is shown.

    `stage_evidence` holds the digest of what was gathered for a stage, by stage; `found` is what is wrong with the bytes by themselves. Without a version
    only the charter can be judged.
    """

    charter: Charter
    charter_sha256: str
    shown_of_charter: Shown
    version: str = ""
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


def findings_for(stage: str, facts: Facts, ledger: Ledger, trust: Trust, now: datetime) -> list[Finding]:
    """List everything that speaks against a stage holding a version; an empty list lets it."""
    found = [*trust.found, *ledger.found, *facts.found, *stage_is_agreed(stage, facts), *files_are_plain(facts)]
    return found or [*_passed(stage, facts, ledger, trust, now), *verdict_suffices(stage, facts), *charter_came_first(stage, facts, ledger, trust)]


def newest(stage: str, role: str, version: str, ledger: Ledger) -> Verified | None:
    """Find the newest decision of a role about a stage and a version; it is not asked whether it is any good."""
    for verified in reversed(ledger.decisions):
        said = verified.decision.statement.predicate
        if (said.stage, said.role, said.model_version) == (stage, role, "" if stage == "charter" else version):
            return verified
    return None


def _passed(stage: str, facts: Facts, ledger: Ledger, trust: Trust, at: datetime) -> list[Finding]:
    """List what a stage lacks as of a moment; earlier stages are judged as of when this one was signed."""
    agreed = facts.stage(stage)
    if agreed is None:
        return stage_is_agreed(stage, facts)
    found: list[Finding] = []
    signed_at = at
    for role in agreed.signers:
        verified = newest(stage, role, facts.version, ledger)
        found += is_decided(stage, role, verified)
        if verified is not None:
            found += decision_holds(verified, agreed, facts, trust, at)
            signed_at = min(signed_at, verified.decision.statement.issued_at)
    before = _before(stage, facts.charter)
    return found + ([] if before is None else _passed(before, facts, ledger, trust, signed_at))


def _before(stage: str, charter: Charter) -> str | None:
    """Name the stage before a stage; the charter is before all others, wherever it stands."""
    names = ["charter", *(each.name for each in charter.stages if each.name != "charter")]
    return None if stage == "charter" else names[names.index(stage) - 1]


@check
def stage_is_agreed(stage: str, facts: Facts) -> list[Finding]:
    """Refuse a stage that the charter does not have: nobody agreed who signs it."""
    if facts.stage(stage):
        return []
    return [Finding(reason=Reason.STAGE_UNKNOWN, what=f"the charter has no stage {stage!r}", where="charter.yaml, stages")]


@check
def files_are_plain(facts: Facts) -> list[Finding]:
    """Refuse links and special files among what is signed: what they lead to is not."""
    return [Finding(reason=Reason.STRANGE_FILE, what=f"{name} is no plain file", where=name) for name in facts.strange]


@check
def judged_by_what_is_signed(signed: Charter, judged_by: Charter) -> list[Finding]:
    """Refuse a verdict by another charter than the one whose bytes are signed."""
    if signed == judged_by:
        return []
    return [Finding(reason=Reason.JUDGED_BY_ANOTHER_CHARTER, what="charter.json, which judged, is not what charter.yaml says", where="evidence/charter")]


@check
def is_decided(stage: str, role: str, verified: Verified | None) -> list[Finding]:
    """Refuse a stage about which a role that has to sign has decided nothing."""
    if verified is not None:
        return []
    return [Finding(reason=Reason.NOT_SIGNED, what=f"{stage}: nobody has signed as {role}", where="signoffs/")]


def decision_holds(verified: Verified, agreed: Stage, facts: Facts, trust: Trust, at: datetime) -> list[Finding]:
    """List everything that is wrong with one decision: its signature, who signed, what was signed, and when."""
    return [
        *verified.found,
        *is_approved(verified),
        *project_is_ours(verified, facts),
        *charter_is_the_same(verified, facts),
        *bytes_are_the_same(verified, facts),
        *numbers_are_the_same(verified, facts),
        *signer_holds_the_role(verified, facts, trust),
        *signer_is_no_builder(verified, facts, trust),
        *key_is_no_builders(verified, facts, trust),
        *builders_are_named(verified, facts, trust),
        *is_in_time(verified, at),
        *is_not_for_ever(verified, agreed),
    ]


def _where(verified: Verified) -> str:
    said = verified.decision.statement.predicate
    return f"{verified.decision.entry.where}, {said.stage}, {said.role}"


@check
def is_approved(verified: Verified) -> list[Finding]:
    """Refuse a no, however many a yes came before."""
    said = verified.decision.statement.predicate
    if said.decision == "approve":
        return []
    return [Finding(reason=Reason.REJECTED, what=f"{said.signer} said no: {said.reason or 'without a reason'}", where=_where(verified))]


@check
def project_is_ours(verified: Verified, facts: Facts) -> list[Finding]:
    """Refuse a decision about another project or another model."""
    said, project = verified.decision.statement.predicate, facts.charter.project
    if said.project == project and said.model == ("" if said.stage == "charter" else project):
        return []
    return [Finding(reason=Reason.OTHER_PROJECT, what=f"it is about {said.project}, model {said.model or 'none'}; this is {project}", where=_where(verified))]


@check
def charter_is_the_same(verified: Verified, facts: Facts) -> list[Finding]:
    """Refuse a decision under another charter, be it another version or other bytes."""
    said, digests = verified.decision.statement.predicate, verified.decision.statement.digests
    if said.charter_version != facts.charter.version:
        what = f"it was signed under version {said.charter_version} of the charter; this is version {facts.charter.version}"
        return [Finding(reason=Reason.OTHER_CHARTER_VERSION, what=what, where=_where(verified))]
    if digests.get("charter") == facts.charter_sha256:
        return []
    return [Finding(reason=Reason.CHARTER_CHANGED, what="charter.yaml has other bytes than were signed", where=_where(verified))]


@check
def bytes_are_the_same(verified: Verified, facts: Facts) -> list[Finding]:
    """Refuse a decision about other bytes than are there: of the model, of the evidence, of what was gathered for the stage."""
    signed, there = verified.decision.statement.digests, facts.digests(verified.decision.statement.predicate.stage)
    reasons = {"model": Reason.MODEL_CHANGED, "evidence": Reason.EVIDENCE_CHANGED, "stage evidence": Reason.STAGE_EVIDENCE_CHANGED}
    return [
        Finding(reason=reason, what=f"the {name} has other bytes than were signed, or more or fewer files", where=_where(verified))
        for name, reason in reasons.items()
        if signed.get(name) != there.get(name)
    ]


@check
def numbers_are_the_same(verified: Verified, facts: Facts) -> list[Finding]:
    """Refuse a decision whose signer was shown other numbers than the evidence holds."""
    said = verified.decision.statement.predicate
    shown, there = dict(said.shown), dict(facts.shown(said.stage))
    if tuple(said.shown) == facts.shown(said.stage):
        return []
    name = next((name for name in [*there, *shown] if shown.get(name) != there.get(name)), "order")
    what = f"the signer was shown {name} {shown.get(name, 'nowhere')!r}; the evidence says {there.get(name, 'nothing')!r}"
    return [Finding(reason=Reason.NUMBERS_DIFFER, what=what, where=_where(verified))]


@check
def signer_holds_the_role(verified: Verified, facts: Facts, trust: Trust) -> list[Finding]:
    """Refuse a signer who has the role neither by charter and trust files, nor as the deputy that both name."""
    said = verified.decision.statement.predicate
    person = said.on_behalf_of or said.signer
    holder = next((each for each in facts.charter.people if each.role == said.role and each.email == person), None)
    if holder is None or not trust.may_sign(said.role, person):
        who = "the charter" if holder is None else trust.where
        return [Finding(reason=Reason.ROLE_NOT_HELD, what=f"{person} is not {said.role} by {who}", where=_where(verified))]
    if said.on_behalf_of and not (holder.deputy == said.signer and said.signer in trust.roles.deputies.get(person, [])):
        what = f"{said.signer} stands in for {person} neither by charter nor by trust files, or by one of them only"
        return [Finding(reason=Reason.NOT_THE_DEPUTY, what=what, where=_where(verified))]
    return []


@check
def signer_is_no_builder(verified: Verified, facts: Facts, trust: Trust) -> list[Finding]:
    """Refuse a builder as signer: by charter, by trust files, by the run, or by the statement itself."""
    said = verified.decision.statement.predicate
    built = facts.builders(said.stage, trust) | {builder.lower() for builder in said.builders}
    if said.signer.lower() not in built and said.on_behalf_of.lower() not in built:
        return []
    return [Finding(reason=Reason.SIGNED_BY_BUILDER, what=f"{said.on_behalf_of or said.signer} built what is signed", where=_where(verified))]


@check
def key_is_no_builders(verified: Verified, facts: Facts, trust: Trust) -> list[Finding]:
    """Refuse a builder's key, under whatever name."""
    if verified.fingerprint not in trust.keys_of_builders(facts.builders(verified.decision.statement.predicate.stage, trust)):
        return []
    return [Finding(reason=Reason.SIGNED_WITH_BUILDERS_KEY, what=f"the key {verified.fingerprint} is a builder's", where=_where(verified))]


@check
def builders_are_named(verified: Verified, facts: Facts, trust: Trust) -> list[Finding]:
    """Refuse a statement that names other builders than are known."""
    said = verified.decision.statement.predicate
    known = facts.builders(said.stage, trust)
    if known <= {builder.lower() for builder in said.builders}:
        return []
    missing = ", ".join(sorted(known - {builder.lower() for builder in said.builders}))
    return [Finding(reason=Reason.BUILDERS_DIFFER, what=f"the statement does not name {missing} among the builders", where=_where(verified))]


@check
def is_in_time(verified: Verified, at: datetime) -> list[Finding]:
    """Refuse a decision that does not hold yet, or no longer."""
    statement = verified.decision.statement
    if statement.issued_at > at + SKEW:
        return [
            Finding(reason=Reason.SIGNED_IN_THE_FUTURE, what=f"it was signed at {statement.predicate.issued_at}, which is yet to come", where=_where(verified))
        ]
    if at < statement.expires_at:
        return []
    return [Finding(reason=Reason.EXPIRED, what=f"it held until {statement.predicate.expires_at}", where=_where(verified))]


@check
def is_not_for_ever(verified: Verified, agreed: Stage) -> list[Finding]:
    """Refuse a decision that holds for longer than the charter allows its stage, or for no time at all."""
    statement = verified.decision.statement
    if timedelta(0) < statement.expires_at - statement.issued_at <= timedelta(days=agreed.valid_days):
        return []
    what = f"it holds from {statement.predicate.issued_at} to {statement.predicate.expires_at}; the charter allows {agreed.valid_days} days"
    return [Finding(reason=Reason.VALID_TOO_LONG, what=what, where=_where(verified))]


@check
def verdict_suffices(stage: str, facts: Facts) -> list[Finding]:
    """Refuse what was shown to break the charter, and, beyond shadow, what was not shown to keep it."""
    if stage == "charter" or facts.verdict == "GO" or (stage == "shadow" and facts.verdict == "NOT PROVEN"):
        return []
    reason = Reason.NOT_PROVEN if facts.verdict == "NOT PROVEN" else Reason.NO_GO
    return [
        Finding(
            reason=reason,
            what=f"the verdict is {facts.verdict or 'missing'}, and {stage} takes GO{' or NOT PROVEN' if stage == 'shadow' else ''}",
            where="verdict.json",
        )
    ]


@check
def charter_came_first(stage: str, facts: Facts, ledger: Ledger, trust: Trust) -> list[Finding]:
    """Refuse production where the charter was signed only after the sealed rows had been looked at: whoever signs then knows the result.

    A first approval counts even where it has expired since; the newest one has to hold too, which `_passed` checks.
    """
    agreed = facts.stage("charter")
    if stage != "production":
        return []
    looked_at = facts.looked_at
    late = [
        role
        for role in (agreed.signers if agreed else ["sponsor"])
        if looked_at is None or not _agreed_before(looked_at, role, agreed, facts, ledger.decisions, trust)
    ]
    return [
        Finding(
            reason=Reason.CHARTER_SIGNED_AFTER_THE_LOOK,
            what=f"nobody had signed this charter as {role} before the sealed rows were looked at",
            where="signoffs/",
        )
        for role in late
    ]


def _agreed_before(looked_at: datetime, role: str, agreed: Stage | None, facts: Facts, decisions: Sequence[Verified], trust: Trust) -> bool:
    def is_one(verified: Verified) -> bool:
        said, issued_at = verified.decision.statement.predicate, verified.decision.statement.issued_at
        is_ours = (said.stage, said.role) == ("charter", role) and issued_at <= looked_at
        return is_ours and agreed is not None and not decision_holds(verified, agreed, facts, trust, issued_at)

    return any(map(is_one, decisions))
