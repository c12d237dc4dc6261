"""MLflow's server with the guard in it: what MLflow loads by the entry points in `pyproject.toml`.

Every process that imports MLflow imports this module: it imports nothing itself.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poc.rules.signoff import Finding, Trust


def registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    """Make the guarded registry."""
    from poc.tools.tracking.guard import Guard
    from poc.tools.tracking.guard.registry import GuardedRegistry
    from poc.tools.tracking.guard.server import database_in

    return GuardedRegistry(database_in(store_uri), Guard(findings=findings, next_entry_findings=next_entry_findings))


def tracking_store(store_uri: str, artifact_uri: str) -> Any:
    """Make the guarded record of runs."""
    from poc.tools.tracking.guard.server import database_in, signed_in_this_server
    from poc.tools.tracking.guard.tracking import GuardedTracking

    return GuardedTracking(database_in(store_uri), artifact_uri, signed_in_this_server())


def create_app() -> Any:
    """Put MLflow's server together: its own application behind the guard, with the sign-off page beside it."""
    from poc.acts.signoff_page import mounted
    from poc.tools.tracking.guard.server import guarded_app

    for line in warnings():
        logging.getLogger("uvicorn.error").warning(line)
    return mounted(guarded_app())


def warnings() -> list[str]:
    """Say what the guard will refuse whatever is signed, because nobody can be believed, or no git here knows the branch that merges approve on."""
    from poc.errors import PocError

    try:
        trust = _trust()
    except PocError as error:
        return [f"no version will get a stage here: {error.problems[0].what}"]
    found = [f"no version will get a stage here: {each.problem.what}" for each in trust.found]
    return [*found, *_unseen_branch(trust)]


def findings(project: str, stage: str, version: str) -> list[Finding]:
    """List what speaks against a stage holding a version, from the bytes that this server holds."""
    from poc.errors import PocError
    from poc.steps import vouch
    from poc.steps.copies import held_by_mlflow
    from poc.steps.standing import fetched

    try:
        trust, (_, facts) = _trust(), fetched(project, version)
        return vouch.findings(stage, facts, vouch.verified(held_by_mlflow(project), trust), trust)
    except PocError as error:
        return _as_findings(error)


def next_entry_findings(project: str, tag: str, value: str) -> list[Finding]:
    """List what speaks against a tag becoming the next entry of the ledger's copy."""
    from poc.errors import PocError
    from poc.rules.signoff import entry_of_tag
    from poc.rules.signoff.guarded import entry_is_whole
    from poc.steps import vouch
    from poc.steps.copies import held_by_mlflow

    try:
        trust, entry = _trust(), entry_of_tag(tag, value)
        # Where its number was taken meanwhile, the database says so.
        before = [each for each in held_by_mlflow(project) if entry and each.number < entry.number]
        ledger = vouch.verified([*before, *([entry] if entry else [])], trust)
    except PocError as error:
        return _as_findings(error)
    return [*trust.found, *ledger.found, *entry_is_whole(entry, value, project, ledger)]


def _unseen_branch(trust: Trust) -> list[str]:
    """Say that approvals by branch are refused here, and with the first one every later decision: the ledger's copy has no gaps."""
    from poc.tools import git

    allowed = trust.roles.approvals_on_branch
    if allowed is None or git.resolves(_root(), allowed.ref):
        return []
    return [f"the first approval by {allowed.ref} stops the ledger here: no git here knows that branch; start in a clone that fetches it, or allow none"]


def _trust() -> Trust:
    from poc.steps.trust import load_trust

    return load_trust(_root())


def _root() -> Path:
    from poc.errors import InputRefused
    from poc.layout import project_root

    try:
        return project_root()
    except InputRefused:  # a server of its own has no repository, only trust files
        return Path.cwd()


def _as_findings(error: Any) -> list[Finding]:
    """Turn an error into findings: what cannot be looked at is not vouched for."""
    from poc.rules.signoff import Finding, Reason

    reason = Reason(error.code) if error.code in set(Reason) else Reason.ALIAS_NOT_VOUCHED_FOR
    return [Finding(reason=reason, what=problem.what, where=problem.where, fix=problem.fix) for problem in error.problems]
