"""Verifying all of it: what an enthusiastic builder with write access can do to MLflow and to git, and what is said of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import poc, strictly
from signed_versions import CHARTER, a_registered_version, a_signed_version, facts_of

from poc import layout
from poc.acts.promote import demote
from poc.acts.verify import verify, verify_ledger
from poc.errors import NotSignedOff
from poc.rules.signoff.moves import stage_of_alias
from poc.steps.copies import held_by_mlflow
from poc.steps.vouch import ledger_in
from poc.tools import tracking
from poc.tools.tracking.connection import connect
from signoffs import NOW, PROJECT, a_ledger, a_trust_folder, followed, lay_down, signer_line

#: Each fetches a version from a real MLflow, and several do it often.
pytestmark = pytest.mark.slow


def codes(root: Path) -> list[str]:
    return [finding.reason for finding in verify(root).found]


def set_alias(alias: str, version: str) -> None:
    connect().set_registered_model_alias(PROJECT, alias, version)


def test_where_all_agrees_nothing_is_found(root: Path) -> None:
    checked = verify(root)
    assert (checked.found, checked.notes, checked.stages, len(checked.decisions)) == ((), (), {"shadow": "1"}, 3)


def test_where_nothing_is_signed_and_nothing_registered_nothing_differs(repository: Path, trust: Path) -> None:
    a_registered_version(repository)
    assert verify(repository).found == ()
    assert verify_ledger(repository).found == ()


@pytest.mark.parametrize("alias", ["shadow", pytest.param("production")])
def test_an_alias_that_was_set_by_hand_is_found(root: Path, alias: str) -> None:
    set_alias(alias, a_registered_version(root))
    checked = verify(root)
    fixes = {finding.fix for finding in checked.found if finding.reason == "not_signed"}
    assert f"have it signed: poc sign {alias} --version 2; or take it off: poc demote {alias} --reason WHY" in fixes
    assert all(f"version 2 holds {alias}" in finding.what for finding in checked.found if finding.reason == "not_signed")


VARIANTS = {
    "Production": "production",
    "PILOT": "pilot",
    "shad\N{CYRILLIC SMALL LETTER O}w": "shadow",
    "\N{FULLWIDTH LATIN SMALL LETTER P}ilot": "pilot",
    "pr0duction": "production",
    "pro_duction": "production",
}


@pytest.mark.parametrize("alias", VARIANTS)
def test_an_alias_that_only_looks_like_a_stage_is_known_for_it(alias: str) -> None:
    assert stage_of_alias(alias) == VARIANTS[alias]


@pytest.mark.parametrize("alias", ["shadow", "pilot", "production"])
def test_a_stage_is_its_own_alias(alias: str) -> None:
    assert stage_of_alias(alias) == alias


def test_an_alias_that_only_looks_like_a_stage_is_found(root: Path) -> None:
    set_alias("Shadow", "1")
    assert codes(root) == ["alias_variant"]


def test_whatever_else_is_wrong_with_it_such_an_alias_can_only_be_removed(root: Path) -> None:
    set_alias("Production", "1")
    found = verify(root).found
    assert len(found) > 1 and {finding.fix.replace("that alias", "the alias 'Production'") for finding in found} == {"remove the alias 'Production' in MLflow"}


def test_another_model_under_a_stage_is_not_to_be_signed_but_registered_anew(root: Path) -> None:
    model_file().write_bytes(model_file().read_bytes() + b"\0")
    found, *_ = verify(root).found
    assert (
        found.reason == "model_changed"
        and found.fix.startswith("register the model anew")
        and found.fix.endswith("take it off: poc demote shadow --reason WHY")
    )


@pytest.mark.parametrize("alias", ["candidate", "champion", "shadows", "pre-production", "latest"])
def test_other_aliases_are_nobodys_business(alias: str) -> None:
    assert stage_of_alias(alias) is None


def model_file() -> Path:
    return next(tracking.artifact_root().rglob("model.onnx"))


def evidence() -> Path:
    return next(tracking.artifact_root().rglob("evidence"))


CHANGES: dict[str, tuple[Callable[[], Any], str]] = {
    "a byte of the model": (lambda: model_file().write_bytes(model_file().read_bytes() + b"\0"), "model_changed"),
    "a file beside the model": (lambda: (model_file().parent / "model.onnx.data").write_bytes(b"more"), "model_changed"),
    "a hidden file": (lambda: (model_file().parent / ".hidden").write_bytes(b""), "model_changed"),
    "a link": (lambda: (model_file().parent / "link").symlink_to("/etc/hostname"), "strange_file"),
    "a figure of the evidence": (lambda: (evidence() / "register/model_card.md").write_bytes(b"better"), "evidence_changed"),
    "evidence added": (lambda: (evidence() / "more.json").write_bytes(b"{}"), "evidence_changed"),
    "the model gone": (lambda: model_file().unlink(), "model_changed"),
    "the verdict emptied": (lambda: (evidence() / "gate/verdict.json").write_bytes(b""), "alias_not_vouched_for"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_below_a_stage_is_found(root: Path, change: str) -> None:
    act, code = CHANGES[change]
    act()
    assert code in codes(root)


def test_a_figure_of_a_run_logged_afterwards_changes_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "load.json").write_bytes(b"{}")
    assert tracking.log_afterwards(str(connect().get_model_version(PROJECT, "1").run_id), "load", [], tmp_path)
    assert codes(root) == []


def test_a_tag_that_no_alias_backs_is_found(root: Path) -> None:
    connect().set_model_version_tag(PROJECT, a_registered_version(root), "poc.stage.production", "signed by the sponsor")
    assert codes(root) == ["tag_forged"]


def test_a_holder_whose_tag_names_somebody_else_is_found(root: Path) -> None:
    said = json.loads(tracking.versions_with_tag(PROJECT, "poc.stage.shadow")["1"])
    said["signed"][0]["signer"] = "sam@example.com"
    connect().set_model_version_tag(PROJECT, "1", "poc.stage.shadow", json.dumps(said))
    assert codes(root) == ["tag_forged"]


def test_a_stage_that_was_taken_without_a_word_is_found(root: Path) -> None:
    connect().delete_registered_model_alias(PROJECT, "shadow")
    checked = verify(root)
    assert [finding.reason for finding in checked.found] == ["alias_removed_without_a_note"] and not checked.notes


def test_a_demotion_leaves_nothing_to_find(root: Path) -> None:
    demote(root, "shadow", reason="it drifts")
    assert codes(root) == []


def test_a_no_after_the_promotion_is_found(root: Path) -> None:
    lay_down(followed(ledger_in(root), facts_of("1"), stage="shadow", role="owner", decision="reject", reason="it drifts", issued_at=NOW), root)
    checked = verify(root)
    assert [finding.reason for finding in checked.found] == ["rejected"]
    assert "signoffs/0004.json" in checked.notes[0]  # MLflow does not know it yet


def test_a_renewed_approval_leaves_nothing_to_find(root: Path) -> None:
    lay_down(followed(ledger_in(root), facts_of("1"), stage="shadow", role="owner", issued_at=NOW), root)
    assert codes(root) == []


def test_an_entry_that_git_lost_is_found_and_brought_back(root: Path) -> None:
    entries = ledger_in(root)
    for name in ("0003.json", "0003.sig"):
        (root / layout.SIGNOFFS / name).unlink()
    assert codes(root) == ["ledger_truncated"]
    assert verify(root, is_pulling=True).pulled == ("signoffs/0003.json",)
    assert ledger_in(root) == entries and codes(root) == []


def test_an_entry_that_mlflow_lost_is_found(root: Path) -> None:
    connect().delete_registered_model_tag(PROJECT, "poc.ledger.0002")
    assert codes(root) == ["ledger_gap"]


def test_an_entry_that_is_another_in_mlflow_is_found(root: Path) -> None:
    connect().set_registered_model_tag(PROJECT, "poc.ledger.0003", "{}\n")
    assert codes(root) == ["ledger_forked"]


def test_what_nobody_signed_is_not_pulled(root: Path) -> None:
    forged = followed(ledger_in(root), facts_of("1"), stage="pilot", role="owner", key="bo", issued_at=NOW)[-1]
    tracking.push_ledger(PROJECT, {forged.number: forged.tag[1]})
    with pytest.raises(NotSignedOff) as caught:
        verify(root, is_pulling=True)
    assert caught.value.code == "key_not_trusted"
    assert len(ledger_in(root)) == 3


def test_what_was_signed_in_a_terminal_is_brought_to_mlflow_before_any_stage_is_held(repository: Path, trust: Path) -> None:
    a_signed_version(repository, until="charter")
    assert "poc verify --push" in verify(repository).notes[0]
    assert verify(repository, is_pushing=True).pushed == ("signoffs/0001.json", "signoffs/0002.json")
    assert held_by_mlflow(PROJECT) == ledger_in(repository) and verify(repository).notes == ()


def test_what_nobody_signed_is_not_pushed(root: Path) -> None:
    lay_down(followed(ledger_in(root), facts_of("1"), stage="pilot", role="owner", key="bo", issued_at=NOW)[-1:], root)
    with pytest.raises(NotSignedOff) as caught:
        verify(root, is_pushing=True)
    assert caught.value.code == "key_not_trusted"
    assert len(held_by_mlflow(PROJECT)) == 3


def test_a_charter_that_was_signed_before_anything_is_registered_is_pushed_all_the_same(repository: Path, trust: Path) -> None:
    (repository / layout.CHARTER).write_bytes(CHARTER)
    assert verify(repository, is_pushing=True).pushed == () and not tracking.is_registered(PROJECT)
    lay_down(a_ledger(until="charter"), repository)
    assert verify(repository, is_pushing=True).pushed == ("signoffs/0001.json", "signoffs/0002.json")
    assert held_by_mlflow(PROJECT) == ledger_in(repository)


def test_an_entry_that_was_edited_is_found_in_git_alone(root: Path) -> None:
    path = root / layout.SIGNOFFS / "0002.json"
    path.write_bytes(path.read_bytes().replace(b'"decision":"approve"', b'"decision":"reject"'))
    assert {finding.reason for finding in verify_ledger(root).found} == {"ledger_broken", "signature_invalid"}


def test_an_entry_that_was_taken_out_is_found_in_git_alone(root: Path) -> None:
    (root / layout.SIGNOFFS / "0002.json").unlink()
    assert "ledger_gap" in {finding.reason for finding in verify_ledger(root).found}


def test_a_charter_that_was_loosened_once_signed_is_found_in_git_alone(root: Path) -> None:
    path = root / layout.CHARTER
    path.write_bytes(path.read_bytes().replace(b'"missed_share": "0.12"', b'"missed_share": "0.42"'))
    assert [finding.reason for finding in verify_ledger(root).found] == ["charter_changed"]


def test_a_new_version_of_the_charter_may_await_its_signature(root: Path) -> None:
    path = root / layout.CHARTER
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2').replace(b'"missed_share": "0.12"', b'"missed_share": "0.10"'))
    assert verify_ledger(root).found == ()


def test_a_key_that_is_revoked_costs_the_stage_and_is_no_fault_of_the_ledger(root: Path, trust: Path) -> None:
    a_trust_folder(trust, revoked=["olga"])
    assert verify_ledger(root).found == () and "0003.json" in verify_ledger(root).notes[-1]
    assert "key_revoked" in codes(root)


def test_a_list_of_revocations_that_cannot_be_read_is_told_of_once_and_says_nothing_of_any_key(root: Path, trust: Path) -> None:
    (trust / layout.REVOKED).write_text("olga@example.com\n")
    for checked in (verify_ledger(root), verify(root)):
        assert checked.notes == () and [finding.reason for finding in checked.found] == ["trust_unreadable"]


def test_an_unsafe_line_of_the_trust_files_is_found(root: Path, trust: Path) -> None:
    a_trust_folder(trust, signers=(trust / layout.ALLOWED_SIGNERS).read_text() + signer_line("*"))
    assert "wildcard_signer" in [finding.reason for finding in verify_ledger(root).found]


def test_a_private_key_that_is_committed_is_found(root: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "id").write_text("-----BEGIN OPENSSH " + "PRIVATE KEY-----\nAAAA\n")
    subprocess.run(["git", "add", "id"], cwd=root, check=True)
    assert "private_key_committed" in [finding.reason for finding in verify_ledger(root).found]


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, check=True)


@pytest.fixture
def on_main(root: Path, trust: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the trust files and the ledger lie on a protected branch."""
    trust.rename(root / "trust")
    git(root, "init", "--quiet")
    git(root, "add", "trust", "signoffs")
    git(root, "commit", "--quiet", "-m", "trust")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    monkeypatch.setenv("POC_TRUST", "git:origin/main:trust")
    return root


def test_a_change_may_add_to_the_ledger_of_the_protected_branch(on_main: Path) -> None:
    lay_down(followed(ledger_in(on_main), facts_of("1"), stage="shadow", role="owner", issued_at=NOW), on_main)
    assert verify_ledger(on_main).found == ()


def test_a_change_that_takes_the_last_decisions_out_is_found_by_the_protected_branch(on_main: Path) -> None:
    for path in (on_main / layout.SIGNOFFS).iterdir():
        path.unlink()
    assert [finding.reason for finding in verify_ledger(on_main).found] == ["ledger_truncated"]


def test_a_change_that_puts_another_decision_in_the_place_of_one_is_found_by_the_protected_branch(on_main: Path) -> None:
    lay_down(followed(ledger_in(on_main)[:-1], facts_of("1"), stage="shadow", role="owner", decision="reject", reason="wait", issued_at=NOW), on_main)
    assert [finding.reason for finding in verify_ledger(on_main).found] == ["ledger_forked"]


def test_without_trust_nothing_is_verified(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POC_TRUST")
    with pytest.raises(NotSignedOff) as caught:
        verify_ledger(root)
    assert caught.value.code == "trust_not_configured"


def test_a_promotion_that_was_cut_off_is_a_note(root: Path) -> None:
    connect().delete_model_version_tag(PROJECT, "1", "poc.stage.shadow")
    checked = verify(root)
    assert checked.found == () and "poc promote shadow --version 1" in checked.notes[0]


def test_the_command_says_what_differs_and_its_status_says_so(root: Path, trust: Path) -> None:
    told = poc(root, "verify", POC_TRUST=str(trust))
    assert (told.returncode, told.stderr) == (0, "")
    assert "3 decisions, 0 differences" in told.stdout and "amper-" in told.stdout
    set_alias("production", "1")
    said = poc(root, "verify", "--json", POC_TRUST=str(trust))
    assert (said.returncode, strictly(said.stdout)["exit_code"]) == (6, 6)
    assert {each["code"] for each in strictly(said.stdout)["differences"]} >= {"not_signed"}
    assert all(each["what"] and each["where"] and each["fix"] for each in strictly(said.stdout)["differences"])
    assert poc(root, "verify", "--ledger", POC_TRUST=str(trust)).returncode == 0
    assert poc(root, "verify", "--ledger", "--pull").returncode == 2


def test_a_charter_of_another_project_is_not_the_one_that_the_ledger_is_about(root: Path) -> None:
    path = root / layout.CHARTER
    path.write_bytes(path.read_bytes().replace(PROJECT.encode(), b"another-project").replace(b'"version": 1', b'"version": 2'))
    assert {finding.reason for finding in verify_ledger(root).found} == {"other_project"}


def test_a_change_mends_a_fork_where_what_it_takes_out_is_signed_again(on_main: Path) -> None:
    *before, lost = ledger_in(on_main)
    other = followed(before, facts_of("1"), stage="shadow", role="owner", decision="reject", reason="wait", issued_at=NOW)
    lay_down(followed(other, facts_of("1"), stage="shadow", role="owner", issued_at=NOW), on_main)
    checked = verify_ledger(on_main)
    assert checked.found == () and f"takes {lost.where} of origin/main out" in checked.notes[-1]
