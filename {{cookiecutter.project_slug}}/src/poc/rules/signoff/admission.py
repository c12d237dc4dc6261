"""Whether a stage may hold a version: the one answer that promotion, verification, MLflow's guard, the sign-off page and the server ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

from poc.rules.charter import Charter, Stage
from poc.rules.evidence import Outcome
from poc.rules.signoff.facts import Facts, Ledger, Verified, newest
from poc.rules.signoff.holding import decision_holds, is_approved
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import StageName
from poc.rules.signoff.trust import Trust

#: In which order stages are passed.
ORDER: tuple[StageName, ...] = get_args(StageName)


def findings_for(stage: str, facts: Facts, ledger: Ledger, trust: Trust, now: datetime) -> list[Finding]:
    """List everything that speaks against a stage holding a version; an empty list lets it."""
    found = [*trust.found, *ledger.found, *stage_is_agreed(stage, facts), *files_are_plain(facts)]
    if found:
        return found
    found = [
        *_passed(stage, facts, ledger, trust, now),
        *nothing_was_taken_back(stage, facts, ledger),
        *verdict_suffices(stage, facts),
        *charter_came_first(stage, facts, ledger, trust),
        *facts.found,
    ]
    return list(dict.fromkeys(found))


def _passed(stage: str, facts: Facts, ledger: Ledger, trust: Trust, at: datetime) -> list[Finding]:
    """List what a stage lacks as of a moment; earlier stages are judged by what lay in the ledger when this one was signed, and as of then."""
    agreed, found = facts.stage(stage), stage_is_agreed(stage, facts)
    if agreed is None or found:
        return found
    newest_of = {role: newest(stage, role, facts.version, ledger) for role in agreed.signers}
    found = [finding for role, verified in newest_of.items() for finding in is_decided(stage, role, facts.version, verified)]
    decided = [verified for verified in newest_of.values() if verified is not None]
    found += [finding for verified in decided for finding in decision_holds(verified, agreed, facts, trust, at)]
    before = _before(stage)
    if before is None:
        return found
    then = _as_it_was(ledger, decided)
    signed_at = min([at, *(verified.decision.statement.issued_at for verified in decided)])
    return [*found, *_passed(before, facts, then, trust, signed_at)]


def _before(stage: str) -> StageName | None:
    """Name the stage before a stage: in which order they come is nobody's to agree."""
    return ORDER[ORDER.index(stage) - 1] if stage in ORDER[1:] else None


def _as_it_was(ledger: Ledger, decided: Sequence[Verified]) -> Ledger:
    """Return the ledger as it was before the first of some decisions; a clock could lie about that, the row cannot."""
    first = min((ledger.decisions.index(verified) for verified in decided), default=len(ledger.decisions))
    return replace(ledger, decisions=ledger.decisions[:first])


@check
def stage_is_agreed(stage: str, facts: Facts) -> list[Finding]:
    """Refuse a stage that the charter does not have, or has twice: nobody agreed who signs it."""
    times = sum(each.name == stage for each in facts.charter.stages)
    if times == 1:
        return []
    what = f"the charter has the stage {stage!r} {times} times" if times else f"the charter has no stage {stage!r}"
    return [Finding(reason=Reason.STAGE_UNKNOWN, what=what, where="charter.yaml, stages")]


@check
def files_are_plain(facts: Facts) -> list[Finding]:
    """Refuse links and special files among what is signed: what they lead to is not."""
    return [Finding(reason=Reason.STRANGE_FILE, what=f"{name!a} is no plain file", where=ascii(name)) for name in facts.strange]


@check
def judged_by_what_is_signed(signed: Charter, judged_by: Charter) -> list[Finding]:
    """Refuse a verdict by another charter than the one whose bytes are signed."""
    if signed == judged_by:
        return []
    return [Finding(reason=Reason.JUDGED_BY_ANOTHER_CHARTER, what="charter.json, which judged, is not what charter.yaml says", where="evidence/charter")]


@check
def verdict_follows_from_limits(verdict: Outcome, of_limits: Outcome) -> list[Finding]:
    """Refuse a verdict that its own limits do not give: somebody wrote over it before it was signed."""
    if verdict == of_limits:
        return []
    what = f"verdict.json says {verdict}, and its limits say {of_limits}"
    return [Finding(reason=Reason.EVIDENCE_CHANGED, what=what, where="evidence/gate")]


@check
def is_decided(stage: str, role: str, version: str, verified: Verified | None) -> list[Finding]:
    """Refuse a stage about which a role that has to sign has decided nothing."""
    if verified is not None:
        return []
    command = f"poc sign {stage} --version {version}" if version and stage != "charter" else f"poc sign {stage}"
    return [Finding(reason=Reason.NOT_SIGNED, what=f"{stage}: nobody has signed as {role}", where="signoffs/", fix=f"have it signed: {command}")]


@check
def nothing_was_taken_back(stage: str, facts: Facts, ledger: Ledger) -> list[Finding]:
    """Refuse a version of which somebody took back an earlier stage after a later one was signed; a no to another charter takes nothing back."""
    ours = replace(ledger, decisions=tuple(each for each in ledger.decisions if each.decision.statement.digests.get("charter") == facts.charter_sha256))
    before = ORDER[: ORDER.index(stage)] if stage in ORDER else ()
    earlier = [agreed for name in before if (agreed := facts.stage(name))]
    last = [newest(agreed.name, role, facts.version, ours) for agreed in earlier for role in agreed.signers]
    return [finding for verified in last if verified for finding in is_approved(verified)]


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

    That approval counts even where it has expired since; the newest one has to hold too, which `_passed` checks.
    """
    agreed = facts.stage("charter")
    if stage != "production":
        return []
    return [
        Finding(
            reason=Reason.CHARTER_SIGNED_AFTER_THE_LOOK,
            what=f"nobody had signed this charter as {role} before the sealed rows were looked at",
            where="signoffs/",
        )
        for role in (agreed.signers if agreed else ["sponsor"])
        if agreed is None or not _had_agreed(role, agreed, facts, ledger, trust)
    ]


def _had_agreed(role: str, agreed: Stage, facts: Facts, ledger: Ledger, trust: Trust) -> bool:
    """Say whether a role's last word about this charter, before the sealed rows were looked at, was a yes that holds."""
    words = [
        verified
        for verified in ledger.decisions
        if (said := verified.decision.statement).predicate.stage == "charter"
        and said.predicate.role == role
        and said.digests.get("charter") == facts.charter_sha256
        and facts.looked_at is not None
        and said.issued_at <= facts.looked_at
    ]
    return bool(words) and not decision_holds(words[-1], agreed, facts, trust, words[-1].decision.statement.issued_at)
