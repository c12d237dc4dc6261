"""Whether one decision holds: its signature, who signed, what was signed, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from poc.rules.charter import Stage
from poc.rules.signoff.facts import Facts, Verified
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import SKEW
from poc.rules.signoff.trust import Trust
from poc.rules.words import listed


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
        return [Finding(reason=Reason.ROLE_NOT_HELD, what=f"{person} is not {said.role} by {who}", where=_where(verified), fix=_by_whom(said.stage, facts))]
    if said.on_behalf_of and not (holder.deputy == said.signer and said.signer in trust.roles.deputies.get(person, [])):
        what = f"{said.signer} stands in for {person} neither by charter nor by trust files, or by one of them only"
        return [Finding(reason=Reason.NOT_THE_DEPUTY, what=what, where=_where(verified))]
    return []


def _by_whom(stage: str, facts: Facts) -> str:
    """Say whose signature a stage asks for; nothing of a stage that the charter does not have."""
    agreed = facts.stage(stage)
    return f"who signs {stage}: {listed(list(agreed.signers))}, where charter.yaml and roles.yaml both name the person" if agreed else ""


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
    """Refuse a statement that leaves out a builder who is known, and one about the work of nobody: then anybody could have built what they sign."""
    said = verified.decision.statement.predicate
    known = facts.builders(said.stage, trust)
    if known and known <= {builder.lower() for builder in said.builders}:
        return []
    if not known:
        what = "neither charter nor trust files nor the run say who built this"
        return [Finding(reason=Reason.BUILDERS_DIFFER, what=what, where=_where(verified))]
    missing = ", ".join(sorted(known - {builder.lower() for builder in said.builders}))
    return [Finding(reason=Reason.BUILDERS_DIFFER, what=f"the statement does not name {missing} among the builders", where=_where(verified))]


@check
def is_in_time(verified: Verified, at: datetime) -> list[Finding]:
    """Refuse a decision that does not hold yet, or no longer."""
    statement = verified.decision.statement
    if statement.issued_at - at > SKEW:
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
