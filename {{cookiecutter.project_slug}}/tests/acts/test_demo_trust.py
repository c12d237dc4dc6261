"""Keys for trying things out: they sign, and what they sign verifies nowhere else."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import PLAIN, a_plain_charter
from click.testing import CliRunner

from poc import layout
from poc.acts.demo_trust import make_demo_trust, signers
from poc.cli import poc
from poc.errors import InputRefused, NotSignedOff, Refused
from poc.rules.signoff import NAMESPACE, Trust
from poc.steps.trust import load_trust
from poc.tools import ssh, strict_yaml
from signoffs import a_trust_folder

BOSS = "alex@example.com"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "a project"
    root.mkdir()
    agree(root)
    monkeypatch.chdir(root)
    return root


def agree(root: Path, **sponsor: str) -> None:
    people = [
        {"role": "sponsor", "name": "Alex", "title": "Plant manager", "email": BOSS, **sponsor},
        {"role": "owner", "name": "Olga", "title": "Head of quality", "email": "olga@example.com", "deputy": "dana@example.com"},
        *(person for person in PLAIN["people"] if person["role"] not in ("sponsor", "owner")),
    ]
    (root / layout.CHARTER).write_text(json.dumps(a_plain_charter(people=people)))


def trusted(root: Path) -> Trust:
    return load_trust(root, str(layout.DEMO_TRUST))


def complaint(signed_with: Path, trust: Trust, namespace: str) -> str:
    signature = ssh.sign(b"a decision", key=signed_with, namespace=namespace)
    at = datetime.now(UTC)
    return ssh.verify(
        b"a decision", signature, signer=BOSS, namespace=trust.roles.namespace, allowed_signers=trust.signers, revoked=trust.revoked, at=at
    ).complaint


def test_everybody_who_may_sign_has_a_key_and_builders_have_none(project: Path) -> None:
    made, charter = make_demo_trust(project), strict_yaml.load_charter(project / layout.CHARTER)
    assert list(made.keys) == signers(charter)
    assert {BOSS, "olga@example.com", "dana@example.com"} <= set(made.keys)
    assert not {person.email for person in charter.people if person.role == "builder"} & set(made.keys)
    assert {stat.S_IMODE(key.stat().st_mode) for key in made.keys.values()} == {0o600}


def test_the_trust_files_say_what_the_charter_says(project: Path) -> None:
    make_demo_trust(project)
    trust, charter = trusted(project), strict_yaml.load_charter(project / layout.CHARTER)
    assert trust.found == () and trust.roles.is_demo and not trust.is_protected
    assert trust.roles.people == {person.role: [person.email] for person in charter.people if person.role != "builder"}
    assert trust.roles.deputies == {"olga@example.com": ["dana@example.com"]}
    assert trust.builders == {person.email for person in charter.people if person.role == "builder"}


def test_a_demo_key_signs_here_and_nowhere_else(project: Path, tmp_path: Path) -> None:
    key = make_demo_trust(project).keys[BOSS]
    here = trusted(project)
    assert complaint(key, here, here.roles.namespace) == ""
    line = f'{BOSS} namespaces="{NAMESPACE}" {key.with_name(f"{BOSS}.pub").read_text()}'
    elsewhere = load_trust(project, str(a_trust_folder(tmp_path / "trust", signers=line)))
    assert complaint(key, elsewhere, NAMESPACE) == ""  # were it trusted there, it could sign there
    assert "namespace" in complaint(key, elsewhere, here.roles.namespace)


def test_two_projects_do_not_believe_each_others_demo_keys(project: Path) -> None:
    make_demo_trust(project)
    before = trusted(project).roles.namespace
    make_demo_trust(project, force=True)
    assert trusted(project).roles.namespace != before


def test_keys_that_are_there_are_kept_unless_it_is_forced(project: Path) -> None:
    key = make_demo_trust(project).keys[BOSS]
    before = key.read_bytes()
    with pytest.raises(InputRefused, match="there are demo keys already"):
        make_demo_trust(project)
    assert key.read_bytes() == before
    make_demo_trust(project, force=True)
    assert key.read_bytes() != before
    assert [path.name for path in (project / layout.STATE).iterdir()] == ["demo-trust"]


@pytest.mark.parametrize("email", ["../../x@example.com", "*@example.com", "cf\u043e@example.com"])
def test_an_address_that_is_more_than_an_address_writes_no_file(email: str, project: Path) -> None:
    agree(project, email=email)
    with pytest.raises(InputRefused):
        make_demo_trust(project)
    assert not (project / layout.STATE).exists()


def test_git_never_gets_the_keys(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    with pytest.raises(Refused, match="git would take the demo keys"):
        make_demo_trust(project)
    assert not (project / layout.STATE).exists()
    (project / ".gitignore").write_text(".poc/\n")
    make_demo_trust(project)
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    assert subprocess.run(["git", "ls-files"], cwd=project, check=True, capture_output=True, text=True).stdout.split() == [".gitignore", "charter.yaml"]


def test_the_folder_for_demos_verifies_nothing_that_is_signed_in_earnest(project: Path) -> None:
    make_demo_trust(project)
    a_trust_folder(project / layout.DEMO_TRUST)
    with pytest.raises(NotSignedOff, match="holds trust files for real sign-offs") as caught:
        trusted(project)
    assert caught.value.code == "trust_in_the_change"


def test_the_folder_for_demos_counts_in_its_place_only(project: Path, tmp_path: Path) -> None:
    make_demo_trust(project)
    shutil.copytree(project / layout.DEMO_TRUST, tmp_path / "copy")
    with pytest.raises(NotSignedOff, match=r"count in \.poc/demo-trust alone") as caught:
        load_trust(project, str(tmp_path / "copy"))
    assert caught.value.code == "demo_trust_elsewhere"


def test_the_command_says_what_to_type_next(project: Path) -> None:
    said = CliRunner().invoke(poc, ["demo-trust"])
    assert said.exit_code == 0 and "DEMO" in said.output
    assert "export POC_TRUST=.poc/demo-trust\n" in said.output
    assert f"poc sign charter --key .poc/demo-trust/keys/{BOSS}\n" in said.output


def test_the_command_says_it_to_programs_too(project: Path) -> None:
    said = json.loads(CliRunner().invoke(poc, ["demo-trust", "--json"]).output)
    assert said["setting"] == "POC_TRUST=.poc/demo-trust" and (project / said["keys"][BOSS]).is_file()
