"""A decision before it is signed: what somebody wants to decide, as the statement that would be the ledger's next entry, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import ValidationError

from poc.rules.signoff.admission import ORDER, charter_came_first, findings_for, stage_is_agreed, verdict_suffices
from poc.rules.signoff.facts import Facts, Ledger, Verified
from poc.rules.signoff.holding import decision_holds
from poc.rules.signoff.ledger import Decision, Entry, next_link
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import (
    Assurance,
    Predicate,
    Statement,
    fields_are_right,
    is_short_enough,
    reason_on_one_line,
    stamp,
    statement_bytes,
    subjects,
)
from poc.rules.signoff.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to decide, as whom, and with what they will sign."""

    stage: str
    decision: Literal["approve", "reject"]
    reason: str
    signer: str
    role: str
    assurance: Assurance
    on_behalf_of: str = ""


def statement_of(
    wish: Wish, facts: Facts, trust: Trust, entries: Sequence[Entry], at: datetime, *, git_commit: str = ""
) -> tuple[Statement | None, list[Finding]]:
    """Write a wish as the statement that follows on the ledger's last; None together with everything that keeps it from being one.

    Raises:
        InputRefused: a no says nothing of why, or a reason cannot be kept.
    """
    where = f"{wish.stage}, {wish.role}"
    stage = facts.stage(wish.stage)
    if stage is None:
        return None, stage_is_agreed(wish.stage, facts)
    of_charter, (number, before) = wish.stage == "charter", next_link(entries)
    predicate = {
        "project": facts.charter.project,
        "charter_version": facts.charter.version,
        "stage": wish.stage,
        "decision": wish.decision,
        "reason": reason_on_one_line(wish.reason, is_needed=wish.decision == "reject"),
        "signer": wish.signer,
        "role": wish.role,
        "on_behalf_of": wish.on_behalf_of,
        "builders": sorted(facts.builders(wish.stage, trust)),
        "assurance": wish.assurance,
        "model": "" if of_charter else facts.charter.project,
        "model_version": "" if of_charter else facts.version,
        "git_commit": git_commit,
        "seq": number,
        "prev": before,
        "issued_at": stamp(at),
        "expires_at": stamp(at + timedelta(days=stage.valid_days)),
        "shown": list(facts.shown(wish.stage)),
    }
    named = [subject.model_dump() for subject in subjects(facts.digests(wish.stage))]
    try:
        statement = Statement.model_validate({"subject": named, "predicate": predicate})
    except ValidationError as error:
        return None, fields_are_right(error, where)
    found = is_short_enough(statement_bytes(statement), where)
    return (None, found) if found else (statement, [])


def speaks_against(statement: Statement, fingerprint: str, facts: Facts, trust: Trust, at: datetime) -> list[Finding]:
    """List what would be wrong with a statement once it is signed with a key: so that nobody is asked for a signature that is worth nothing."""
    entry = Entry(number=statement.predicate.seq, statement=statement_bytes(statement), signature=b"")
    return [*trust.found, *_against(Verified(decision=Decision(entry=entry, statement=statement), fingerprint=fingerprint, found=()), facts, trust, at)]


def comes_too_early(said: Predicate, facts: Facts, ledger: Ledger, trust: Trust, at: datetime) -> list[Finding]:
    """List what keeps a yes from ever counting: a verdict that the stage does not take, and earlier stages, which are judged as of this signature."""
    if said.decision == "reject":
        return []
    before = ORDER[max(0, ORDER.index(said.stage) - 1)]
    earlier = [] if before == said.stage else findings_for(before, facts, ledger, trust, at)
    return [*verdict_suffices(said.stage, facts), *charter_came_first(said.stage, facts, ledger, trust), *earlier]


@check
def stage_is_still_open(said: Predicate, attached: Sequence[str], ledger: Ledger) -> list[Finding]:
    """Refuse to attach something new to a stage that somebody decided about: they decided on what lay there then."""
    decided = [each.decision for each in ledger.decisions if _is_about_the_same(each.decision.statement.predicate, said)]
    if not attached or not decided:
        return []
    first = decided[0]
    what = f"{first.statement.predicate.signer} decided about {said.stage} without {', '.join(map(ascii, attached))} (entry {first.entry.number})"
    fix = "leave --attach out and name the file and its sha256 in --reason, or register a new version and attach it to the first decision"
    return [Finding(reason=Reason.SIGNED_IS_FIXED, what=what, where=first.entry.where, fix=fix)]


def _is_about_the_same(one: Predicate, other: Predicate) -> bool:
    return (one.stage, one.model_version) == (other.stage, other.model_version)


def last_is_sound(entry: Entry, facts: Facts, ledger: Ledger, trust: Trust, at: datetime) -> list[Finding]:
    """List what is wrong with the ledger's last entry, which has just been signed; a no is as good as a yes."""
    last = ledger.decisions[-1] if ledger.decisions else None
    found = [*trust.found, *ledger.found]
    if last is None or last.decision.entry != entry:
        return found or [Finding(reason=Reason.LEDGER_BROKEN, what="the decision cannot be read back", where=entry.where)]
    return found or _against(last, facts, trust, at)


def _against(verified: Verified, facts: Facts, trust: Trust, at: datetime) -> list[Finding]:
    stage = facts.stage(verified.decision.statement.predicate.stage)
    if stage is None:
        return stage_is_agreed(verified.decision.statement.predicate.stage, facts)
    return [finding for finding in decision_holds(verified, stage, facts, trust, at) if finding.reason is not Reason.REJECTED]
