"""What a run may say of its charter: who had agreed to it when the run began, or that nobody had."""

from __future__ import annotations

from collections.abc import Sequence

from poc.rules.charter import Stage
from poc.rules.evidence import Signoff
from poc.rules.signoff.facts import Facts, Ledger, Verified, newest
from poc.rules.signoff.holding import decision_holds
from poc.rules.signoff.reasons import Finding
from poc.rules.signoff.trust import Trust
from poc.rules.signoff.words import who


def signoff_of(facts: Facts, ledger: Ledger, trust: Trust, found: Sequence[Finding]) -> Signoff:
    """Say who agreed to a charter, and since when each of them had; `found` is what the verifier says of its stage."""
    stage = facts.stage("charter")
    if found or stage is None:
        return Signoff(is_signed=False, is_demo=trust.roles.is_demo, why_not="; ".join(dict.fromkeys(finding.what for finding in found)))
    signed = [verified for role in stage.signers if (verified := newest("charter", role, "", ledger))]
    return Signoff(
        is_signed=True,
        is_demo=trust.roles.is_demo,
        by=[who(verified.decision.statement.predicate) for verified in signed],
        signed_at=max(_first(role, stage, facts, ledger, trust) for role in stage.signers),
    )


def _first(role: str, stage: Stage, facts: Facts, ledger: Ledger, trust: Trust) -> str:
    """Return when a role first agreed to this very charter: a signature that was renewed since is as old as the first."""
    return next(each.decision.statement.predicate.issued_at for each in ledger.decisions if _agrees(each, role, stage, facts, trust))


def _agrees(verified: Verified, role: str, stage: Stage, facts: Facts, trust: Trust) -> bool:
    said, issued_at = verified.decision.statement.predicate, verified.decision.statement.issued_at
    return (said.stage, said.role) == ("charter", role) and not decision_holds(verified, stage, facts, trust, issued_at)
