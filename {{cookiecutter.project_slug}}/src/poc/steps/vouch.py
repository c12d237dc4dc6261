"""Vouch for a version: the trust files, the ledger and the bytes that are there brought before the one verifier."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from poc import layout
from poc.rules.evidence import Verdict
from poc.rules.signoff import (
    Decision,
    Entry,
    Facts,
    Finding,
    Ledger,
    Reason,
    Trust,
    Verified,
    check,
    findings_for,
    read_entries,
    shown_of_charter,
    shown_of_verdict,
    tree_digest,
)
from poc.rules.signoff.admission import judged_by_what_is_signed, verdict_follows_from_limits
from poc.rules.signoff.ledger import time_has_come
from poc.rules.signoff.sshsig import (
    SshSignature,
    algorithm_is_sound,
    assurance_is_true,
    namespace_is_ours,
    passkey_is_at_home,
    person_was_verified,
    read_signature,
)
from poc.rules.signoff.trust import key_is_of_the_signer, ssh_agrees
from poc.rules.verdict import overall
from poc.steps.consistent import contradictions
from poc.steps.inputs import charter_of
from poc.steps.trust import load_trust as load_trust  # noqa: PLC0414 - who vouches is asked for both
from poc.tools import files, ssh, strict_yaml

#: Folders of a version as it was fetched: the model, the run's evidence, and what was gathered for each stage.
MODEL, EVIDENCE, STAGES = "model", "evidence", "stages"


def ledger_in(root: Path) -> list[Entry]:
    """Read the entries that lie in a repository, in the order of their numbers."""
    folder = root / layout.SIGNOFFS
    found = []
    for path in folder.glob("*.json"):
        if path.is_file() and re.fullmatch(r"\d{4}|[1-9]\d{4,}", path.stem, re.ASCII):
            signature = path.with_suffix(".sig")
            found.append(Entry(number=int(path.stem), statement=path.read_bytes(), signature=signature.read_bytes() if signature.is_file() else b""))
    return sorted(found, key=lambda entry: entry.number)


def verified(entries: Sequence[Entry], trust: Trust, now: datetime | None = None) -> Ledger:
    """Read entries and check each one's signature; what is wrong with one stays with it, what is wrong with their row, or is yet to come, concerns all."""
    decisions, found = read_entries(entries)
    found = [*found, *time_has_come(decisions, now or datetime.now(UTC))]
    return Ledger(decisions=tuple(_verified(decision, trust) for decision in decisions), found=tuple(found))


def _verified(decision: Decision, trust: Trust) -> Verified:
    entry, said = decision.entry, decision.statement.predicate
    if said.assurance == "branch":
        return Verified(decision=decision, fingerprint="", found=tuple(branch_approved(decision, trust)))
    signature, found = read_signature(entry.signature, entry.where)
    if signature is None:
        return Verified(decision=decision, fingerprint="", found=tuple(found))
    return Verified(decision=decision, fingerprint=signature.fingerprint, found=tuple(_of_signature(decision, signature, trust)))


def _of_signature(decision: Decision, signature: SshSignature, trust: Trust) -> list[Finding]:
    entry, said = decision.entry, decision.statement.predicate
    checked = ssh.verify(
        entry.statement,
        entry.signature,
        signer=said.signer,
        namespace=trust.roles.namespace,
        allowed_signers=trust.signers,
        revoked=trust.revoked,
        at=decision.statement.issued_at,
    )
    return [
        *algorithm_is_sound(signature, entry.where),
        *namespace_is_ours(signature, trust.roles.namespace, entry.where),
        *person_was_verified(signature, entry.where),
        *passkey_is_at_home(signature, trust.roles.passkeys, entry.where),
        *assurance_is_true(said.assurance, signature, entry.where),
        *key_is_of_the_signer(said.signer, signature.key, trust, entry.where),
        *ssh_agrees(checked.complaint, entry.where),
    ]


@check
def branch_approved(decision: Decision, trust: Trust) -> list[Finding]:
    """Refuse an approval by branch that the trust files do not allow, or whose statement does not lie on the protected branch, byte for byte."""
    entry, said, allowed = decision.entry, decision.statement.predicate, trust.roles.approvals_on_branch
    if (
        allowed
        and said.stage in allowed.stages
        and said.signer in allowed.people
        and trust.on_branch.get(entry.where) == entry.statement
        and not entry.signature
    ):
        return []
    ref = allowed.ref if allowed else "no branch"
    return [Finding(reason=Reason.BRANCH_NOT_APPROVED, what=f"{said.signer}'s approval of {said.stage} does not count by {ref}", where=entry.where)]


def charter_facts(root: Path) -> Facts:
    """Work out what a charter is, from the file in a repository.

    Raises:
        InputRefused: the charter is not acceptable.
    """
    path = root / layout.CHARTER
    charter = strict_yaml.load_charter(path)
    return Facts(charter=charter, charter_sha256=files.sha256_of_file(path), shown_of_charter=shown_of_charter(charter))


def facts_of(folder: Path, *, version: str, trained_by: str) -> Facts:
    """Work out what a version is, from its bytes as they were fetched.

    Raises:
        PocError: what every version has is missing, or cannot be read.
    """
    charter_step = folder / EVIDENCE / "charter"
    of_charter = charter_facts(charter_step)
    verdict = files.read_record(folder / EVIDENCE / "gate" / layout.VERDICT_JSON, Verdict)
    model, evidence = files.tree_of(folder / MODEL), files.tree_of(folder / EVIDENCE)
    stages = files.tree_of(folder / STAGES)
    return Facts(
        charter=of_charter.charter,
        charter_sha256=of_charter.charter_sha256,
        shown_of_charter=of_charter.shown_of_charter,
        version=version,
        model_sha256=tree_digest(model.files),
        evidence_sha256=tree_digest(evidence.files),
        stage_evidence={stage: tree_digest(gathered) for stage, gathered in _by_stage(stages.files).items()},
        verdict=verdict.overall,
        looked_at=_looked_at(verdict),
        shown_of_verdict=shown_of_verdict(of_charter.charter, verdict, _data_card(charter_step)),
        trained_by=trained_by,
        found=(
            *judged_by_what_is_signed(of_charter.charter, charter_of(charter_step)),
            *verdict_follows_from_limits(verdict.overall, overall(verdict.limits)),
            *contradictions(folder / MODEL, folder / EVIDENCE, of_charter.charter, verdict),
        ),
        strange=(*model.strange, *evidence.strange, *stages.strange),
    )


def _by_stage(gathered: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Part what was gathered by stage: the first folder of each path."""
    found: dict[str, dict[str, str]] = {}
    for path, digest in gathered.items():
        stage, _, name = path.partition("/")
        if name:
            found.setdefault(stage, {})[name] = digest
    return found


def _data_card(charter_step: Path) -> str:
    card = charter_step / layout.DATA_CARD_MD
    return card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""


def _looked_at(verdict: Verdict) -> datetime | None:
    """Return when the sealed rows were first looked at, by anybody."""
    try:
        at = datetime.fromisoformat(verdict.first_look_at)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def findings(stage: str, facts: Facts, ledger: Ledger, trust: Trust, now: datetime | None = None) -> list[Finding]:
    """List everything that speaks against a stage holding a version, now."""
    return findings_for(stage, facts, ledger, trust, now or datetime.now(UTC))
