"""Whom to believe: read from outside of the change under review, or not at all."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from poc import layout
from poc.errors import NotSignedOff
from poc.rules.signoff import Trust
from poc.steps.trust import load_trust
from poc.steps.vouch import ledger_in, verified
from signoffs import NOW, a_trust_folder, address, fingerprint_of, followed, lay_down, public_key_of, signer_line

#: In two parts, so that this file holds none.
A_PRIVATE_KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"


def git(folder: Path, *command: str) -> None:
    settings = ["-c", "user.name=Bo", "-c", "user.email=bo@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *command], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-q", "-m", "a change")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without git, and outside of it trust files in `trust`."""
    monkeypatch.delenv("POC_TRUST", raising=False)
    root = tmp_path / "a project"
    root.mkdir()
    (root / layout.CHARTER).touch()
    a_trust_folder(tmp_path / "trust")
    return root


@pytest.fixture(scope="session")
def cloned_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project and its clone: git takes a quarter of a second to make them."""
    folder = tmp_path_factory.mktemp("cloned")
    a_trust_folder(folder / "a project" / "trust")
    git(folder / "a project", "init", "-q", "-b", "main")
    commit(folder / "a project")
    git(folder, "clone", "-q", "a project", "a clone")
    git(folder / "a clone", "remote", "set-url", "origin", "../a project")
    git(folder / "a clone", "checkout", "-q", "-b", "change")
    a_trust_folder(folder / "a clone" / "trust", people=["bo"])
    (folder / "a clone" / layout.CHARTER).touch()
    commit(folder / "a clone")
    return folder


@pytest.fixture
def clone(project: Path, cloned_once: Path) -> Path:
    """A clone whose remote has trust files on its protected branch, and in which a change names a judge of its own."""
    shutil.copytree(cloned_once, project.parent, dirs_exist_ok=True)
    return project.parent / "a clone"


def refused(root: Path, place: str) -> NotSignedOff:
    with pytest.raises(NotSignedOff) as caught:
        load_trust(root, place)
    return caught.value


def people(trust: Trust) -> set[str]:
    return {line.person for line in trust.lines}


def test_trust_files_outside_of_the_project_are_believed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POC_TRUST", str(project.parent / "trust"))
    trust = load_trust(project)
    assert trust.found == () and address("sam") in people(trust) and not trust.roles.is_demo
    assert (trust.signers, trust.revoked) == ((project.parent / "trust" / "allowed_signers").read_bytes(), b"")
    assert trust.where == str(project.parent / "trust")


def test_a_relative_place_counts_from_the_project_wherever_one_stands(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load_trust(project, "../trust").found == ()


@pytest.mark.parametrize("setting", [None, "", "  "])
def test_without_a_place_nobody_is_believed(setting: str | None, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if setting is not None:
        monkeypatch.setenv("POC_TRUST", setting)
    with pytest.raises(NotSignedOff, match="export POC_TRUST=git:origin/main:trust") as caught:
        load_trust(project)
    assert (caught.value.code, caught.value.exit_code) == ("trust_not_configured", 6)


def test_trust_files_in_the_repository_are_refused(project: Path) -> None:
    a_trust_folder(project / "trust")
    assert refused(project, "trust").code == "trust_in_the_change"
    assert refused(project, str(project / "trust")).code == "trust_in_the_change"


def test_trust_files_elsewhere_in_a_repository_that_holds_the_project_are_refused(project: Path) -> None:
    assert load_trust(project, "../trust").found == ()
    git(project.parent, "init", "-q")
    assert refused(project, "../trust").code == "trust_in_the_change"


def test_a_server_without_a_project_reads_trust_files_wherever_it_stands(project: Path) -> None:
    assert load_trust(project.parent, str(project.parent / "trust")).found == ()
    (project.parent / layout.CHARTER).touch()
    assert refused(project.parent, str(project.parent / "trust")).code == "trust_in_the_change"


def test_a_link_from_outside_leads_back_into_the_repository_in_vain(project: Path) -> None:
    inside = a_trust_folder(project / "hidden")
    (project.parent / "link").symlink_to(inside)
    assert refused(project, "../link").code == "trust_in_the_change"
    (project.parent / "trust" / "roles.yaml").unlink()
    (project.parent / "trust" / "roles.yaml").symlink_to(inside / "roles.yaml")
    assert refused(project, "../trust").code == "trust_in_the_change"


def test_a_missing_list_of_revocations_is_not_an_empty_one(project: Path) -> None:
    (project.parent / "trust" / "revoked").unlink()
    assert refused(project, "../trust").code == "revocation_list_missing"


def test_all_files_that_are_missing_are_named_at_once(project: Path) -> None:
    problems = refused(project, "../nowhere").problems
    assert [problem.what.split()[0] for problem in problems] == ["allowed_signers", "revoked", "roles.yaml"]


def test_roles_that_cannot_be_read_are_refused_with_line_and_column(project: Path) -> None:
    (project.parent / "trust" / "roles.yaml").write_text("schema_version: 1\npeople: {boss: []}\n")
    error = refused(project, "../trust")
    assert (error.code, "roles.yaml line 2, column 10" in str(error)) == ("trust_unreadable", True)


def test_what_is_wrong_with_a_line_is_wrong_with_all(project: Path) -> None:
    with (project.parent / "trust" / "allowed_signers").open("a") as file:
        file.write(signer_line("eve").replace(address("eve"), "*"))
    assert [finding.reason for finding in load_trust(project, "../trust").found] == ["wildcard_signer"]


@pytest.mark.parametrize("line", ["{fingerprint}", "256 {fingerprint} a key", "sam@example.com {key}", "ssh-ed25519", "ssh-rsa AAAA"])
def test_a_revocation_that_names_no_key_is_told(line: str, project: Path) -> None:
    said = line.format(fingerprint=fingerprint_of("sam"), key=public_key_of("sam"))
    (project.parent / "trust" / "revoked").write_text(f"# left the company\n\n{public_key_of('rae')}\n{said}\n")
    (finding,) = load_trust(project, "../trust").found
    assert (finding.reason, finding.where.endswith("revoked line 4")) == ("trust_unreadable", True)


def test_revocations_may_be_a_krl(project: Path) -> None:
    key = project.parent / "sam.pub"
    key.write_text(public_key_of("sam"))
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", project.parent / "trust" / "revoked", key], check=True)
    trust = load_trust(project, "../trust")
    (sam,) = verified(followed([], stage="charter", role="sponsor"), trust).decisions
    (olga,) = verified(followed([], stage="charter", role="owner"), trust).decisions
    assert (trust.found, [finding.reason for finding in sam.found], olga.found) == ((), ["key_revoked"], ())


def test_a_krl_that_was_cut_off_is_told(project: Path) -> None:
    (project.parent / "trust" / "revoked").write_bytes(b"SSHKRL\n\0\0\0\0\1")
    (finding,) = load_trust(project, "../trust").found
    assert finding.reason == "trust_unreadable" and finding.what.endswith("Invalid KRL file revoked: incomplete message")


def test_trust_is_read_from_a_remotes_branch_and_not_from_the_change(clone: Path) -> None:
    trust = load_trust(clone, "git:origin/main:trust")
    assert (trust.found, address("sam") in people(trust)) == ((), True)


def test_the_branch_that_is_checked_out_is_the_change(clone: Path) -> None:
    assert refused(clone, "git:refs/heads/change:trust").code == "trust_in_the_change"
    git(clone, "checkout", "-q", "-b", "another")
    assert people(load_trust(clone, "git:refs/heads/change:trust")) == {address("bo")}


@pytest.mark.parametrize("place", ["git:", "git:main:trust", "git:HEAD:trust", "git:origin/nowhere:trust", "git:--help:trust", "git:origin/main~0:trust"])
def test_what_is_no_ref_of_a_remote_is_refused(place: str, clone: Path) -> None:
    assert refused(clone, place).code == "trust_unreadable"


def test_a_folder_that_the_ref_does_not_have_is_refused(clone: Path) -> None:
    assert refused(clone, "git:origin/main:nowhere").code == "trust_unreadable"


def test_trust_files_may_lie_at_the_top_of_their_ref(clone: Path) -> None:
    git(clone, "checkout", "-q", "--orphan", "trusted")
    git(clone, "rm", "-q", "-r", "--cached", ".")
    a_trust_folder(clone)
    commit(clone)
    git(clone, "checkout", "-q", "change")
    assert load_trust(clone, "git:refs/heads/trusted:").found == ()


def test_a_place_at_a_ref_without_a_repository_is_refused(project: Path) -> None:
    assert refused(project, "git:origin/main:trust").code == "trust_unreadable"


def test_a_private_key_among_the_files_spoils_all_trust(clone: Path) -> None:
    (clone / "deploy-key").write_text(A_PRIVATE_KEY)
    assert load_trust(clone, "git:origin/main:trust").found == ()
    commit(clone)
    (finding,) = load_trust(clone, "git:origin/main:trust").found
    assert (finding.reason, finding.where) == ("private_key_committed", "deploy-key")


def by_branch(root: Path, **changes: str) -> None:
    """Lay down an approval of shadow that nobody signed."""
    lay_down(followed([], key="", **{"assurance": "branch", **changes}), root)


@pytest.fixture
def merged(clone: Path, project: Path) -> Path:
    """A clone where the owner's approval of shadow was merged, and the trust files say that such a merge counts."""
    allowed = {"ref": "origin/main", "stages": ["shadow"], "people": [address("olga")]}
    a_trust_folder(project.parent / "trust", approvals_on_branch=allowed)
    by_branch(project)
    commit(project)
    git(clone, "fetch", "-q")
    shutil.copytree(project / "signoffs", clone / "signoffs")
    return clone


def reasons(root: Path, place: str = "../trust") -> list[str]:
    return [finding.reason for decision in verified(ledger_in(root), load_trust(root, place)).decisions for finding in decision.found]


def test_an_approval_that_was_merged_counts_and_one_in_a_change_does_not(merged: Path) -> None:
    assert reasons(merged) == []
    by_branch(merged, reason="another reason")
    assert reasons(merged) == ["branch_not_approved"]


def test_a_merge_counts_only_where_the_trust_files_say_so(merged: Path, project: Path) -> None:
    a_trust_folder(project.parent / "trust")
    assert reasons(merged) == ["branch_not_approved"]


@pytest.mark.parametrize("changes", [{"stages": ["pilot"]}, {"people": [address("sam")]}, {"ref": "origin/nowhere"}, {"ref": "refs/heads/change"}])
def test_a_merge_counts_for_the_stages_people_and_ref_that_they_name(changes: dict[str, object], merged: Path, project: Path) -> None:
    commit(merged)
    allowed = {"ref": "origin/main", "stages": ["shadow"], "people": [address("olga")], **changes}
    a_trust_folder(project.parent / "trust", approvals_on_branch=allowed)
    assert reasons(merged) == ["branch_not_approved"]


def test_without_git_no_merge_counts(merged: Path) -> None:
    shutil.rmtree(merged / ".git")
    assert reasons(merged) == ["branch_not_approved"]


def test_a_project_below_the_top_of_its_repository_finds_its_own_approvals(tmp_path: Path, project: Path) -> None:
    allowed = {"ref": "refs/heads/main", "stages": ["shadow"], "people": [address("olga")]}
    outside = tmp_path / "elsewhere"
    a_trust_folder(outside, approvals_on_branch=allowed)
    work = tmp_path / "a repository" / "projects" / "line-stop"
    by_branch(work)
    git(tmp_path / "a repository", "init", "-q", "-b", "main")
    commit(tmp_path / "a repository")
    assert reasons(work, str(outside)) == ["branch_not_approved"]  # main is checked out: it is the change
    git(work, "checkout", "-q", "-b", "change")
    assert reasons(work, str(outside)) == []


def test_after_a_rotation_the_old_keys_signatures_hold_and_it_signs_nothing_new(project: Path) -> None:
    today = NOW.strftime("%Y%m%d")
    rotated = signer_line("olga").replace('" ssh', f'",valid-before="{today}" ssh') + signer_line("olga", key="olga new")
    a_trust_folder(project.parent / "trust", signers=rotated)
    trust = load_trust(project, "../trust")
    (before,) = verified(followed([]), trust).decisions
    (after,) = verified(followed([], issued_at=NOW.replace(hour=23)), trust).decisions
    (new,) = verified(followed([], key="olga new", issued_at=NOW.replace(hour=23)), trust).decisions
    assert (trust.found, before.found, [finding.reason for finding in after.found], new.found) == ((), (), ["signature_invalid"], ())


@pytest.mark.parametrize("option", ['valid-before="2026-07-01"', 'valid-after="20260701Z"', 'valid-before=""', "valid-before", "verify-required"])
def test_an_option_that_openssh_does_not_read_is_told(option: str, project: Path) -> None:
    a_trust_folder(project.parent / "trust", signers=signer_line("olga").replace('" ssh', f'",{option} ssh'))
    assert [finding.reason for finding in load_trust(project, "../trust").found] == ["signer_line_malformed"]
