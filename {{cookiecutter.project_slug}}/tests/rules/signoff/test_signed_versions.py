"""A version that was registered and signed through, over the bytes that a real MLflow holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from signed_versions import a_registered_version, a_signed_version, facts_of

from poc.rules.signoff import GATED, Reason, findings_for
from poc.steps import vouch
from signoffs import NOW, a_ledger, a_trust, verified


def reasons(stages: Sequence[str], version: str, root: Path) -> list[list[Reason]]:
    """Say for each stage why a version may not hold it, by the ledger in a repository."""
    facts, ledger = facts_of(version), verified(vouch.ledger_in(root))
    return [[each.reason for each in findings_for(stage, facts, ledger, a_trust(), NOW)] for stage in stages]


def test_a_version_that_was_signed_through_may_hold_every_stage(repository: Path) -> None:
    version = a_signed_version(repository)
    assert reasons(["charter", *GATED], version, repository) == [[], [], [], []]


def test_what_nobody_signed_may_hold_none(repository: Path) -> None:
    version = a_registered_version(repository)
    assert all(Reason.NOT_SIGNED in found for found in reasons(["charter", *GATED], version, repository))


@pytest.mark.slow
def test_a_second_version_is_signed_in_the_same_ledger(repository: Path) -> None:
    first, second = a_signed_version(repository), a_signed_version(repository, until="pilot")
    assert reasons(GATED, first, repository) == [[], [], []]
    shadow, pilot, production = reasons(GATED, second, repository)
    assert (shadow, pilot) == ([], []) and set(production) == {Reason.NOT_SIGNED}


@pytest.mark.parametrize(("verdict", "reason"), [("NOT PROVEN", Reason.NOT_PROVEN), ("NO-GO", Reason.NO_GO)])
def test_signatures_do_not_make_a_go(repository: Path, verdict: str, reason: Reason) -> None:
    version = a_signed_version(repository, verdict=verdict)  # type: ignore[arg-type]
    assert reasons(GATED, version, repository) == [[] if verdict == "NOT PROVEN" else [reason], [reason], [reason]]


def test_what_was_gathered_for_a_stage_is_signed_with_it(repository: Path) -> None:
    version = a_registered_version(repository, more={"stages/pilot/alerts.csv": b"1,2\n"})
    ledger = verified(a_ledger(facts_of(version)))
    assert findings_for("pilot", facts_of(version), ledger, a_trust(), NOW) == []
    assert [each.decision.statement.predicate.stage for each in ledger.decisions if "stage evidence" in each.decision.statement.digests] == ["pilot"] * 3
