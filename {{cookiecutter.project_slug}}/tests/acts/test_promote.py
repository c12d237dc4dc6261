"""Promotions on a real MLflow: who may, who was faster, what a crash leaves, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guarded_servers import a_guarded_server
from signed_versions import a_registered_version, a_signed_version, facts_of

from poc.acts.promote import demote, promote, rollback
from poc.acts.verify import verify
from poc.errors import EnvironmentRefused, InputRefused, NotSignedOff
from poc.rules.signoff import Entry
from poc.rules.signoff.moves import Demoted, Held
from poc.steps import copies
from poc.steps.vouch import ledger_in
from poc.tools import tracking
from poc.tools.tracking.connection import connect
from signoffs import NOW, PROJECT, a_ledger, a_trust_folder, followed, lay_down

#: Each fetches a version from a real MLflow, and several do it often.
pytestmark = pytest.mark.slow


@pytest.fixture
def root(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a repository whose version 1 is signed for shadow."""
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(tmp_path / "trust")))
    a_signed_version(repository, until="shadow")
    return repository


def and_decided(entries: list[Entry], version: str, **decision: Any) -> list[Entry]:
    """Add what the owner decides now about a version and shadow; changes as for `followed`."""
    return followed(entries, facts_of(version), **{"stage": "shadow", "role": "owner", "issued_at": NOW, **decision})


def one_more(root: Path) -> str:
    """Register another version that the owner signs for shadow."""
    version = a_registered_version(root)
    lay_down(and_decided(ledger_in(root), version), root)
    return version


def model_file() -> Path:
    """Find the file of the newest version's model."""
    return max(tracking.artifact_root().rglob("model.onnx"), key=lambda path: path.stat().st_ctime_ns)


def code_of(refused: Callable[[], object]) -> str:
    with pytest.raises(NotSignedOff) as caught:
        refused()
    return caught.value.code


def test_a_version_that_is_signed_for_holds_its_stage_and_says_who_signed(root: Path) -> None:
    lay_down(a_ledger(facts_of("1")), root)
    for stage in ("shadow", "pilot", "production"):
        promote(root, stage, "1")
    assert tracking.holders(PROJECT) == {"candidate": "1", "shadow": "1", "pilot": "1", "production": "1"}
    said = Held.read(tracking.versions_with_tag(PROJECT, "poc.stage.production")["1"])
    assert said and [(each.role, each.signer) for each in said.signed] == [
        ("sponsor", "sam@example.com"),
        ("owner", "olga@example.com"),
        ("risk", "rae@example.com"),
    ]
    run_id = connect().get_model_version(PROJECT, "1").run_id
    assert len(connect().list_artifacts(run_id, "signoffs")) == 2 * len(ledger_in(root))


def test_a_version_that_nobody_signed_is_refused_and_nothing_is_written(root: Path) -> None:
    version = a_registered_version(root)
    assert code_of(lambda: promote(root, "shadow", version)) == "not_signed"
    assert tracking.holders(PROJECT) == {"candidate": version}
    assert tracking.model_tags(PROJECT) == {} == tracking.ledger_held(PROJECT)


def test_a_version_is_not_promoted_past_a_stage_that_it_did_not_pass(root: Path) -> None:
    assert code_of(lambda: promote(root, "pilot", one_more(root))) == "not_signed"


def test_a_stage_that_the_charter_does_not_have_is_refused(root: Path) -> None:
    assert code_of(lambda: promote(root, "staging", "1")) == "stage_unknown"


def test_a_changed_byte_of_the_model_is_refused(root: Path) -> None:
    model_file().write_bytes(model_file().read_bytes() + b"\0")
    assert code_of(lambda: promote(root, "shadow", "1")) == "model_changed"


def test_a_decision_that_only_mlflow_knows_counts_and_comes_to_git(root: Path) -> None:
    before = ledger_in(root)
    version = a_registered_version(root)
    entry = and_decided(before, version)[-1]
    tracking.push_ledger(PROJECT, {each.number: each.tag[1] for each in [*before, entry]})
    assert promote(root, "shadow", version).pulled == [entry.where]
    assert ledger_in(root) == [*before, entry]


def test_a_no_that_only_mlflow_knows_counts(root: Path) -> None:
    entry = and_decided(ledger_in(root), "1", decision="reject", reason="too early")[-1]
    tracking.push_ledger(PROJECT, {each.number: each.tag[1] for each in [*ledger_in(root), entry]})
    assert code_of(lambda: promote(root, "shadow", "1")) == "rejected"


def test_mlflow_gets_every_decision_that_it_lacks(root: Path) -> None:
    promote(root, "shadow", "1")
    assert copies.held_by_mlflow(PROJECT) == ledger_in(root)


def test_copies_of_the_ledger_that_contradict_each_other_are_refused_and_left_alone(root: Path) -> None:
    entries = ledger_in(root)
    other = and_decided(entries[:-1], "1", decision="reject")[-1]
    tracking.push_ledger(PROJECT, {each.number: each.tag[1] for each in [*entries[:-1], other]})
    assert code_of(lambda: promote(root, "shadow", "1")) == "ledger_forked"
    assert ledger_in(root) == entries


def test_what_nobody_signed_is_not_taken_over_from_mlflow(root: Path) -> None:
    entries = ledger_in(root)
    forged = and_decided(entries, "1", stage="pilot", key="bo")[-1]
    tracking.push_ledger(PROJECT, {each.number: each.tag[1] for each in [*entries, forged]})
    assert code_of(lambda: promote(root, "shadow", "1")) == "key_not_trusted"
    assert ledger_in(root) == entries


def test_who_comes_second_is_told_who_was_faster_and_what_to_do(root: Path) -> None:
    version = one_more(root)
    promote(root, "shadow", version, instead_of=None)
    with pytest.raises(NotSignedOff, match="version 2 holds shadow now, and no version did") as caught:
        promote(root, "shadow", "1", instead_of=None)
    assert caught.value.code == "another_was_promoted"
    assert "poc promote shadow --version 1 --instead-of 2" in caught.value.problems[0].fix
    assert tracking.holders(PROJECT)["shadow"] == "2"


def test_who_moves_a_stage_between_look_and_turn_is_not_overwritten(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_more(root)
    fetch = tracking.fetch_version

    def while_others_promote(project: str, version: str, into: Path) -> tracking.VersionFacts:
        tracking.set_alias(PROJECT, "shadow", "2")
        return fetch(project, version, into)

    monkeypatch.setattr(tracking, "fetch_version", while_others_promote)
    assert code_of(lambda: promote(root, "shadow", "1")) == "another_was_promoted"
    assert tracking.holders(PROJECT)["shadow"] == "2"


def test_the_one_before_is_known_and_its_tag_goes(root: Path) -> None:
    promote(root, "shadow", "1")
    promote(root, "shadow", one_more(root))
    assert tracking.model_tags(PROJECT)["poc.previous.shadow"] == "1"
    assert list(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")) == ["2"]


def test_bytes_that_are_swapped_once_verified_cost_the_version_its_stage(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move = tracking.move_alias

    def and_swap(*args: Any, **more: Any) -> str | None:
        holds = move(*args, **more)
        model_file().write_bytes(b"swapped")
        return holds

    monkeypatch.setattr(tracking, "move_alias", and_swap)
    assert code_of(lambda: promote(root, "shadow", "1")) == "bytes_changed_meanwhile"
    assert "shadow" not in tracking.holders(PROJECT)
    assert tracking.versions_with_tag(PROJECT, "poc.stage.shadow") == {}


def test_a_promotion_that_lost_its_turn_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poc.tools.tracking.turns.is_on_this_machine", lambda: False)
    monkeypatch.setattr("poc.tools.tracking.turns._holder", lambda *_: "somebody else")
    assert code_of(lambda: promote(root, "shadow", "1")) == "another_was_promoted"
    assert "shadow" not in tracking.holders(PROJECT)


def test_a_demotion_that_lost_its_turn_says_so_and_leaves_the_tag(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(root, "shadow", "1")
    monkeypatch.setattr("poc.tools.tracking.turns.is_on_this_machine", lambda: False)
    monkeypatch.setattr("poc.tools.tracking.turns._holder", lambda *_: "somebody else")
    assert code_of(lambda: demote(root, "shadow", reason="it drifts")) == "another_was_promoted"
    assert list(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")) == ["1"]


@pytest.mark.parametrize("cut_at", ["push_ledger", "tag_model", "move_alias", "tag_holder", "log_signoffs"])
def test_a_second_call_finishes_a_promotion_that_was_cut_off(root: Path, monkeypatch: pytest.MonkeyPatch, cut_at: str) -> None:
    promote(root, "shadow", "1")
    version = one_more(root)
    with monkeypatch.context() as patch:
        patch.setattr(tracking, cut_at, _raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            promote(root, "shadow", version)
    promote(root, "shadow", version)
    assert tracking.holders(PROJECT)["shadow"] == version
    assert list(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")) == [version]
    assert tracking.model_tags(PROJECT)["poc.previous.shadow"] == "1"
    assert copies.held_by_mlflow(PROJECT) == ledger_in(root)


def _raise_interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_decision_that_was_half_taken_over_is_taken_over_whole(root: Path, tmp_path: Path) -> None:
    entries = ledger_in(root)
    (tmp_path / "signoffs").mkdir()
    (tmp_path / "signoffs" / "0001.sig").write_bytes(entries[0].signature)  # as a kill between the two files leaves it
    assert ledger_in(tmp_path) == []
    copies.pull(tmp_path, entries)
    assert ledger_in(tmp_path) == entries


def test_a_demotion_says_why_and_takes_the_stage_off(root: Path) -> None:
    promote(root, "shadow", "1")
    assert demote(root, "shadow", reason="it drifts") == "1"
    assert "shadow" not in tracking.holders(PROJECT)
    assert tracking.versions_with_tag(PROJECT, "poc.stage.shadow") == {}
    note = Demoted.read(tracking.model_tags(PROJECT)["poc.demoted.shadow"])
    assert note and (note.version, note.reason) == ("1", "it drifts")


@pytest.mark.parametrize("cut_at", ["move_alias", "tag_holder"])
def test_a_second_call_finishes_a_demotion_that_was_cut_off(root: Path, monkeypatch: pytest.MonkeyPatch, cut_at: str) -> None:
    promote(root, "shadow", "1")
    with monkeypatch.context() as patch:
        patch.setattr(tracking, cut_at, _raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            demote(root, "shadow", reason="it drifts")
    assert json.loads(tracking.model_tags(PROJECT)["poc.demoted.shadow"])["version"] == "1"
    assert demote(root, "shadow", reason="it drifts") == "1"
    assert "shadow" not in tracking.holders(PROJECT)
    assert tracking.versions_with_tag(PROJECT, "poc.stage.shadow") == {}


def test_a_note_of_an_earlier_demotion_does_not_excuse_an_alias_that_is_gone(root: Path) -> None:
    promote(root, "shadow", "1")
    demote(root, "shadow", reason="it drifts")
    note = tracking.model_tags(PROJECT)["poc.demoted.shadow"]
    promote(root, "shadow", "1")
    assert "poc.demoted.shadow" not in tracking.model_tags(PROJECT)
    tracking.tag_model(PROJECT, {"poc.demoted.shadow": note.replace('"at":"2', '"at":"1')})  # of a thousand years ago
    connect().delete_registered_model_alias(PROJECT, "shadow")
    assert [finding.reason for finding in verify(root).found] == ["alias_removed_without_a_note"]


def test_a_demotion_is_never_noted_as_older_than_the_promotion(root: Path) -> None:
    promote(root, "shadow", "1")
    said = Held.read(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")["1"])
    assert said
    tracking.tag_holder(PROJECT, "poc.stage.shadow", "1", said.model_copy(update={"at": "9999-01-01T00:00:00Z"}).text())  # by a clock that is ahead
    demote(root, "shadow", reason="it drifts")
    assert json.loads(tracking.model_tags(PROJECT)["poc.demoted.shadow"])["at"] == "9999-01-01T00:00:00Z"


@pytest.mark.parametrize("reason", ["", " ", "a" * 401, "an \x1b[2K escape", "hid\u200bden"])
def test_a_reason_that_tells_nobody_why_is_refused_before_anything_is_written(root: Path, reason: str) -> None:
    with pytest.raises(InputRefused):
        demote(root, "shadow", reason=reason)
    assert tracking.model_tags(PROJECT) == {}


def test_a_stage_that_nobody_holds_is_not_demoted(root: Path) -> None:
    with pytest.raises(InputRefused, match="no version of stop-bad-parts holds shadow"):
        demote(root, "shadow", reason="it drifts")


def test_a_rollback_puts_back_the_one_before(root: Path) -> None:
    promote(root, "shadow", "1")
    promote(root, "shadow", one_more(root))
    assert rollback(root, "shadow").version == "1"
    assert tracking.holders(PROJECT)["shadow"] == "1"


def test_after_a_demotion_a_rollback_puts_back_the_one_before(root: Path) -> None:
    promote(root, "shadow", "1")
    promote(root, "shadow", one_more(root))
    demote(root, "shadow", reason="it drifts")
    assert rollback(root, "shadow").version == "1"


def test_a_rollback_to_a_version_that_somebody_has_rejected_since_is_refused(root: Path) -> None:
    promote(root, "shadow", "1")
    promote(root, "shadow", one_more(root))
    lay_down(and_decided(ledger_in(root), "1", decision="reject", reason="it drifts"), root)
    assert code_of(lambda: rollback(root, "shadow")) == "rejected"
    assert tracking.holders(PROJECT)["shadow"] == "2"


def test_without_one_before_there_is_no_rollback(root: Path) -> None:
    promote(root, "shadow", "1")
    with pytest.raises(InputRefused, match="version 1 holds shadow, and MLflow knows of none that did before"):
        rollback(root, "shadow")


def test_an_approval_by_branch_has_no_signature_file(tmp_path: Path) -> None:
    entry = Entry(number=1, statement=b"{}", signature=b"")
    copies.pull(tmp_path, [entry])
    assert [path.name for path in (tmp_path / "signoffs").iterdir()] == ["0001.json"]
    assert ledger_in(tmp_path) == [entry]


@pytest.mark.server
def test_a_guarded_server_lets_every_move_pass_that_is_signed_for(
    repository: Path, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = a_trust_folder(tmp_path / "trust")
    monkeypatch.setenv("POC_TRUST", str(trust))
    with a_guarded_server(tmp_path / "server", empty_database, trust) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        a_signed_version(repository, until="shadow")
        promote(repository, "shadow", "1")
        promote(repository, "shadow", one_more(repository))
        rollback(repository, "shadow")
        demote(repository, "shadow", reason="it drifts")
        promote(repository, "shadow", "2")
        assert tracking.holders(PROJECT)["shadow"] == "2"
        assert verify(repository).found == ()


@pytest.mark.server
def test_what_a_guarded_server_refuses_is_said_in_its_words_and_with_its_code(
    repository: Path, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(tmp_path / "trust")))
    with a_guarded_server(tmp_path / "server", empty_database, a_trust_folder(tmp_path / "theirs", revoked=["olga"])) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        a_signed_version(repository, until="shadow")
        with pytest.raises(NotSignedOff, match="MLflow's server says: Refused") as caught:
            promote(repository, "shadow", "1")
        assert caught.value.code == "key_revoked"
        assert "shadow" not in tracking.holders(PROJECT)


@pytest.mark.parametrize("source", ["s3://bucket/x", "dbfs:/x"])
def test_a_version_in_a_store_that_nobody_here_can_read_is_refused_in_words(root: Path, source: str) -> None:
    version = connect().create_model_version(PROJECT, source, connect().get_model_version(PROJECT, "1").run_id).version
    with pytest.raises(EnvironmentRefused, match="cannot be read here"):
        promote(root, "shadow", str(version))
