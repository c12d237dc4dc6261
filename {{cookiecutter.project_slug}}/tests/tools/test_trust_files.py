"""A folder with trust files: what is read of it, where it really lies, and who could change it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from poc.errors import InputRefused
from poc.rules.signoff import NAMESPACE
from poc.tools import trust_files
from poc.tools.strict_yaml import load_roles

ROLES = "schema_version: 1\npeople:\n  sponsor: [cfo@example.com]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir()
    for name in trust_files.NAMES:
        (folder / name).write_text(name)
    return folder


def test_the_three_files_are_read_byte_for_byte_and_nothing_else(folder: Path) -> None:
    (folder / "revoked").write_bytes(b"\xff\r\n\0")
    (folder / "notes").touch()
    assert trust_files.read_folder(folder) == {"allowed_signers": b"allowed_signers", "revoked": b"\xff\r\n\0", "roles.yaml": b"roles.yaml"}


def test_what_is_no_plain_file_is_missing(folder: Path) -> None:
    (folder / "revoked").unlink()
    os.mkfifo(folder / "revoked")  # reading it would wait for ever
    (folder / "roles.yaml").unlink()
    (folder / "roles.yaml").mkdir()
    assert set(trust_files.read_folder(folder)) == {"allowed_signers"}


def test_a_file_that_is_far_too_large_is_missing(folder: Path) -> None:
    os.truncate(folder / "revoked", trust_files.LARGEST_BYTES + 1)
    assert "revoked" not in trust_files.read_folder(folder)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert trust_files.read_folder(tmp_path / "nowhere") == {}


def test_files_are_read_through_links_as_kubernetes_mounts_them(folder: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "..data").symlink_to(folder)
    for name in trust_files.NAMES:
        (mounted / name).symlink_to(f"..data/{name}")
    assert trust_files.read_folder(mounted) == trust_files.read_folder(folder)
    assert trust_files.places_of(mounted)[1:] == [folder / name for name in trust_files.NAMES]


@pytest.mark.parametrize(("path", "is_inside"), [("trust", True), ("trust/deeper/file", True), ("trusted", False), ("other", False), (".", False)])
def test_inside_is_told_by_what_a_folder_is_and_not_by_its_name(path: str, is_inside: bool, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "by another name").symlink_to(folder)
    assert trust_files.is_inside(tmp_path / path, folder) is is_inside
    assert trust_files.is_inside(tmp_path / path, tmp_path / "by another name") is is_inside


def test_a_folder_that_one_may_write_can_be_changed(folder: Path) -> None:
    assert trust_files.can_be_changed(folder)


#: Root may write everything, so it asks as somebody else; what has to be imported lies where only root may look.
ASKED = """
import os, sys
from pathlib import Path
from poc.tools import trust_files
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
print(trust_files.can_be_changed(Path(sys.argv[1])))
"""
SOMEBODY = 12345


def test_a_folder_that_one_may_only_read_cannot() -> None:
    with tempfile.TemporaryDirectory() as reachable:
        Path(reachable).chmod(0o755)
        folder = Path(reachable) / "trust"
        folder.mkdir()
        for name in trust_files.NAMES:
            (folder / name).touch()
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555)
            if os.geteuid() == 0:
                os.chown(path, SOMEBODY, SOMEBODY)
        assert asked_whether_it_can_be_changed(folder) == "False"
        (folder / "revoked").chmod(0o644)
        assert asked_whether_it_can_be_changed(folder) == "True"
        folder.chmod(0o755)  # or its owner could not be rid of it


def asked_whether_it_can_be_changed(folder: Path) -> str:
    command = [sys.executable, "-c", ASKED, str(folder), str(SOMEBODY)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_roles_are_read_with_the_real_namespace_unless_they_name_a_demos() -> None:
    assert load_roles(ROLES.encode(), where="roles.yaml").namespace == NAMESPACE
    assert load_roles(f"{ROLES}namespace: demo-0123456789abcdef@prod-first-poc\n".encode(), where="roles.yaml").is_demo


@pytest.mark.parametrize(
    ("said", "what", "where"),
    [
        (ROLES + "owners: []\n", "there is no field 'owners' here", "trust/roles.yaml line 4, column 1, owners"),
        (ROLES + "people: {}\n", "'people' stands here a second time", "trust/roles.yaml line 4, column 1"),
        (ROLES.replace("cfo@example.com", "cfo"), "entry 1 of sponsor is 'cfo', not an e-mail address", "trust/roles.yaml line 3, column 13, people.sponsor.0"),
        (ROLES.replace("[", "&them ["), "&them: anchors and aliases are not read", "trust/roles.yaml line 3, column 12"),
        (ROLES + "namespace: git\n", "namespace is 'git', which does not have the form", "trust/roles.yaml line 4, column 1, namespace"),
        ("", "the file holds no fields", "trust/roles.yaml line 1, column 1"),
    ],
    ids=["unknown field", "twice", "no address", "anchor", "namespace", "empty"],
)
def test_what_is_wrong_with_roles_is_said_with_line_and_column(said: str, what: str, where: str) -> None:
    with pytest.raises(InputRefused) as caught:
        load_roles(said.encode(), where="trust/roles.yaml")
    assert any(problem.what.startswith(what) and problem.where == where for problem in caught.value.problems), caught.value


def test_roles_that_are_no_text_are_refused() -> None:
    with pytest.raises(InputRefused, match="not UTF-8"):
        load_roles(b"\xff", where="roles.yaml")
