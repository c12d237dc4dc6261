"""Reading at a ref with the real git, in repositories that try to show something else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from poc.errors import EnvironmentRefused
from poc.tools import git

#: In two parts, so that this file holds none.
A_PRIVATE_KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"


def run(folder: Path, *command: str) -> str:
    settings = ["-c", "user.name=Bo", "-c", "user.email=bo@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *settings, *command], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, **contents: str) -> None:
    for name, content in contents.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    run(folder, "add", "--all", "--force")
    run(folder, "commit", "-q", "-m", "a change")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with a branch checked out that changes what `origin/main` holds."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    origin = tmp_path / "origin"
    origin.mkdir()
    run(origin, "init", "-q", "-b", "main")
    commit(origin, trust__roles="agreed", trust__revoked="", charter="agreed")
    run(tmp_path, "clone", "-q", str(origin), "a clone")
    run(tmp_path / "a clone", "checkout", "-q", "-b", "change")
    commit(tmp_path / "a clone", trust__roles="changed")
    return tmp_path / "a clone"


def test_a_file_is_read_as_it_is_at_the_ref_and_not_as_it_lies_here(clone: Path) -> None:
    assert git.read_at(clone, "origin/main", "trust/roles") == b"agreed"
    assert git.read_at(clone, "refs/heads/change", "trust/roles") == b"changed"


def test_an_empty_file_is_there_and_a_missing_one_is_not(clone: Path) -> None:
    assert (git.read_at(clone, "origin/main", "trust/revoked"), git.read_at(clone, "origin/main", "trust/nothing")) == (b"", None)


def test_the_files_of_a_folder_are_listed_by_their_paths(clone: Path) -> None:
    assert git.list_at(clone, "origin/main", "trust") == {"trust/roles": b"agreed", "trust/revoked": b""}
    assert git.list_at(clone, "origin/nowhere", "trust") == {}


def test_paths_count_from_the_top_wherever_one_stands(clone: Path) -> None:
    assert git.read_at(clone / "trust", "origin/main", "trust/roles") == b"agreed"


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_a_branch_or_tag_of_the_same_name_does_not_stand_in_for_the_remotes(kind: str, clone: Path) -> None:
    run(clone, kind, "origin/main", "change")
    assert run(clone, "show", "origin/main:trust/roles") == "changed"  # git itself falls for it
    assert git.read_at(clone, "origin/main", "trust/roles") == b"agreed"


def test_variables_do_not_send_git_to_another_repository(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = tmp_path / "forged"
    run(tmp_path, "clone", "-q", "a clone", "forged")
    run(forged, "update-ref", "refs/remotes/origin/main", "refs/remotes/origin/change")
    monkeypatch.setenv("GIT_DIR", str(forged / ".git"))
    assert run(clone, "show", "origin/main:trust/roles") == "changed"  # git itself falls for it
    assert git.read_at(clone, "origin/main", "trust/roles") == b"agreed"


def test_a_replaced_object_is_not_read(clone: Path) -> None:
    run(clone, "replace", "origin/main:trust/roles", "change:trust/roles")
    assert run(clone, "show", "origin/main:trust/roles") == "changed"  # git itself falls for it
    assert git.read_at(clone, "origin/main", "trust/roles") == b"agreed"


def test_a_link_is_no_file(clone: Path) -> None:
    (clone / "trust" / "link").symlink_to("roles")
    commit(clone)
    assert git.read_at(clone, "refs/heads/change", "trust/link") is None
    assert "trust/link" not in git.list_at(clone, "refs/heads/change", "trust")


@pytest.mark.parametrize(
    "ref", ["", "-h", "--output=x", "HEAD", "@", "origin/main~1", "main..change", "origin/main:trust", "origin/ma*", "@{u}", "origin/", "a b"]
)
def test_what_is_no_plain_name_of_a_ref_names_nothing(ref: str, clone: Path) -> None:
    assert git.full_name(ref) is None
    assert (git.resolves(clone, ref), git.read_at(clone, ref, "trust/roles")) == (None, None)


def test_a_ref_resolves_to_its_commit(clone: Path) -> None:
    assert git.resolves(clone, "origin/main") == run(clone, "rev-parse", "refs/remotes/origin/main")
    assert git.resolves(clone, "main") is None  # a short name is a remote's branch


def test_the_branch_that_is_checked_out_is_known_under_an_alias_too(clone: Path) -> None:
    run(clone, "symbolic-ref", "refs/heads/alias", "refs/heads/change")
    assert [git.is_checked_out(clone, ref) for ref in ("refs/heads/change", "refs/heads/alias", "refs/heads/main", "origin/main")] == [True, True, False, False]


def test_gits_settings_say_who_commits_and_with_which_key(clone: Path) -> None:
    assert (git.user_email(clone), git.signing_key(clone)) == ("", None)
    run(clone, "config", "user.email", "bo@example.com")
    run(clone, "config", "user.signingkey", "~/.ssh/id_ed25519.pub")
    assert (git.user_email(clone), git.signing_key(clone)) == ("bo@example.com", None)
    run(clone, "config", "gpg.format", "ssh")
    assert git.signing_key(clone) == f"{clone.parent}/.ssh/id_ed25519.pub"


def test_a_private_key_is_found_whether_committed_or_about_to_be(clone: Path) -> None:
    assert git.private_keys_committed(clone) == []
    commit(clone, keys__deploy=A_PRIVATE_KEY)
    (clone / "staged é").write_text(A_PRIVATE_KEY)
    run(clone, "add", "staged é")
    run(clone, "rm", "-q", "--cached", "keys/deploy")
    assert git.private_keys_committed(clone) == ["keys/deploy", "staged é"]


def test_nothing_in_this_project_passes_for_a_private_key(tmp_path: Path) -> None:
    project = Path(__file__).parents[2]
    if git.top_of(project) is None:  # just written: as it will be when it is committed
        project = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns(".venv", ".tools", ".poc", ".*_cache"))
        run(project, "init", "-q")
        run(project, "add", "--all")
        assert "src/poc/tools/git.py" in run(project, "ls-files")
    assert git.private_keys_committed(project) == []


def test_a_private_key_that_git_does_not_have_is_none_of_its_business(clone: Path) -> None:
    (clone / "mine").write_text(A_PRIVATE_KEY)
    assert git.private_keys_committed(clone) == []


def test_where_git_cannot_look_there_may_be_a_key(clone: Path) -> None:
    for path in (clone / ".git" / "objects").glob("??/*"):
        path.unlink()
    with pytest.raises(EnvironmentRefused, match="git cannot look for private keys"):
        git.private_keys_committed(clone)


def test_what_git_ignores_is_known(clone: Path) -> None:
    (clone / ".gitignore").write_text(".poc/\n")
    assert [git.is_ignored(clone, path) for path in (".poc/demo-trust/keys", "charter")] == [True, False]


def test_where_there_is_no_repository_nothing_is_known(tmp_path: Path) -> None:
    assert (git.top_of(tmp_path), git.resolves(tmp_path, "origin/main"), git.read_at(tmp_path, "origin/main", "trust/roles")) == (None, None, None)
    assert (git.is_checked_out(tmp_path, "origin/main"), git.private_keys_committed(tmp_path)) == (False, [])


def test_the_top_of_a_repository_is_found_from_below(clone: Path) -> None:
    assert git.top_of(clone / "trust") == clone.resolve()


def test_a_machine_without_git_is_told_so(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentRefused, match="there is no git"):
        git.read_at(clone, "origin/main", "trust/roles")
