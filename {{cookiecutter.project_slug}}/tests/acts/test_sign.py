"""`poc sign`: whose signature counts, what is refused before anybody is asked, and that nothing is written down by halves."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import environment, strictly
from guarded_servers import a_guarded_server
from signed_versions import CHARTER, a_registered_version, facts_of

from poc import cli, layout
from poc.acts.promote import promote
from poc.acts.sign import Asked, Decided, sign, to_sign
from poc.acts.signing_keys import key_of, person_of
from poc.acts.signoff_page import sign_in_browser
from poc.errors import ExitCode, InputRefused, PocError
from poc.rules.evidence import Outcome
from poc.rules.signoff import Entry
from poc.rules.signoff.ledger import MOST_LETTERS, entry_fits
from poc.steps.vouch import ledger_in, load_trust, verified
from poc.tools import tracking
from signoffs import PROJECT, a_ledger, a_trust_folder, address, fingerprint_of, lay_down, public_key_of
from signoffs import key_of as private_key_of


@pytest.fixture
def root(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a repository with a charter that nobody has signed, away from the keys and the settings of whoever runs this."""
    (repository / layout.CHARTER).write_bytes(CHARTER)
    monkeypatch.setenv("POC_TRUST", str(a_trust_folder(tmp_path / "trust")))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return repository


def decided(root: Path, stage: str = "charter", by: str = "sam", **asked: Any) -> Decided:
    return sign(root, to_sign(root, Asked(stage=stage, **{"key": private_key_of(by), **asked})))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(PocError) as caught:
        act()
    return caught.value.code


def a_version(root: Path, verdict: Outcome = "GO", *, until: Any = "charter") -> str:
    """Register a version whose ledger is signed up to a stage, before the look where it is the charter's."""
    version = a_registered_version(root, verdict)
    lay_down(a_ledger(facts_of(version), until=until), root)
    return version


def in_ledger(root: Path) -> list[str]:
    return sorted(path.name for path in (root / layout.SIGNOFFS).glob("*")) if (root / layout.SIGNOFFS).is_dir() else []


def test_a_charter_that_the_sponsor_signs_lacks_the_owner_only_and_then_nobody(root: Path) -> None:
    assert [finding.what for finding in decided(root).lacks] == ["charter: nobody has signed as owner"]
    done = decided(root, by="olga")
    assert (done.lacks, done.files) == ((), ["signoffs/0002.json", "signoffs/0002.sig"])
    assert all(not each.found for each in verified(ledger_in(root), load_trust(root)).decisions)


def test_what_is_signed_is_what_was_shown(root: Path) -> None:
    prepared = to_sign(root, Asked(stage="charter", key=private_key_of("sam")))
    done = sign(root, prepared)
    assert json.loads(done.entry.statement)["predicate"]["shown"] == [list(pair) for pair in prepared.facts.shown_of_charter]
    assert (root / done.files[0]).read_bytes() == done.entry.statement


@pytest.mark.parametrize(
    ("by", "asked", "code"),
    [
        ("bo", {}, "role_not_held"),
        ("bo", {"role": "sponsor"}, "role_not_held"),
        ("bo", {"signer": address("sam")}, "key_not_trusted"),
        ("stranger", {"signer": address("sam")}, "key_not_trusted"),
        ("uma", {}, "role_not_held"),
        ("sid", {"on_behalf_of": address("olga")}, "not_the_deputy"),
    ],
)
def test_a_signature_that_would_count_for_nothing_is_not_asked_for(by: str, asked: dict[str, Any], code: str, root: Path) -> None:
    assert refusal(lambda: to_sign(root, Asked(stage="charter", **{"key": private_key_of(by), **asked}))) == code
    assert in_ledger(root) == []


def test_a_builder_is_told_that_builders_do_not_sign(root: Path) -> None:
    with pytest.raises(PocError, match="signed_by_builder") as caught:
        to_sign(root, Asked(stage="charter", key=private_key_of("bo")))
    assert caught.value.exit_code == ExitCode.SIGNATURE


def test_where_git_takes_a_builder_for_the_signer_somebody_else_says_who_they_are(root: Path) -> None:
    git(root, "user.email", address("bo"))
    with pytest.raises(InputRefused, match="none of the keys here is listed for bo") as caught:
        to_sign(root, Asked(stage="charter"))
    assert "--as" in caught.value.problems[0].fix


def test_a_deputy_signs_for_whom_they_stand_in(root: Path) -> None:
    said = decided(root, by="sid").statement.predicate
    assert (said.signer, said.role, said.on_behalf_of) == (address("sid"), "sponsor", address("sam"))


def test_whoever_may_sign_in_two_roles_says_in_which(root: Path) -> None:
    people = json.loads(CHARTER)["people"] + [{"role": "owner", "name": "Sam", "title": "Owner too", "email": address("sam")}]
    (root / layout.CHARTER).write_text(json.dumps(json.loads(CHARTER) | {"people": people}))
    with pytest.raises(InputRefused, match="as sponsor, owner"):
        to_sign(root, Asked(stage="charter", key=private_key_of("sam")))
    assert decided(root, role="sponsor").statement.predicate.role == "sponsor"


def test_a_revoked_key_signs_nothing(root: Path) -> None:
    (Path(os.environ["POC_TRUST"]) / layout.REVOKED).write_text(f"{public_key_of('sam')}\n")
    assert refusal(lambda: decided(root)) == "key_revoked"
    assert in_ledger(root) == []


def test_without_trust_files_nobody_signs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POC_TRUST")
    assert refusal(lambda: decided(root)) == "trust_not_configured"


def test_a_no_is_written_down_with_its_reason_and_holds(root: Path) -> None:
    done = decided(root, decision="reject", reason="the costs\nare guesses")
    assert done.statement.predicate.reason == "the costs are guesses"
    assert {finding.reason for finding in done.lacks} == {"rejected", "not_signed"}
    assert decided(root).statement.predicate.seq == 2


def test_of_two_who_sign_at_once_one_is_told_to_sign_again(root: Path) -> None:
    first, second = (to_sign(root, Asked(stage="charter", key=private_key_of(by))) for by in ("sam", "olga"))
    sign(root, first)
    assert refusal(lambda: sign(root, second)) == "ledger_forked"
    assert in_ledger(root) == ["0001.json", "0001.sig"]


def test_a_broken_ledger_is_not_signed_on(root: Path) -> None:
    decided(root)
    path = root / layout.SIGNOFFS / "0001.json"
    path.write_bytes(path.read_bytes().replace(b'"approve"', b'"reject"'))
    path.rename(path.with_name("0002.json"))
    assert refusal(lambda: decided(root, by="olga")) == "ledger_gap"


@pytest.mark.slow
def test_a_version_is_signed_over_the_bytes_that_mlflow_holds(root: Path) -> None:
    version = a_version(root)
    done = decided(root, "shadow", "olga", version=version)
    facts = facts_of(version)
    assert done.statement.digests == {"charter": facts.charter_sha256, "model": facts.model_sha256, "evidence": facts.evidence_sha256}
    assert done.lacks == ()
    promote(root, "shadow", version)
    assert tracking.holders(PROJECT)["shadow"] == version


@pytest.mark.slow
@pytest.mark.parametrize(("verdict", "stage", "until", "code"), [("NO-GO", "shadow", "charter", "no_go"), ("NOT PROVEN", "pilot", "shadow", "not_proven")])
def test_a_verdict_that_the_stage_does_not_take_can_only_be_refused(verdict: Outcome, stage: str, until: str, code: str, root: Path) -> None:
    version = a_version(root, verdict, until=until)
    assert refusal(lambda: decided(root, stage, "olga", version=version)) == code
    assert decided(root, stage, "olga", version=version, decision="reject", reason="not yet").statement.predicate.decision == "reject"


@pytest.mark.slow
def test_a_stage_is_signed_after_the_one_before_which_is_judged_as_of_that_moment(root: Path) -> None:
    version = a_version(root)
    assert refusal(lambda: decided(root, "pilot", "olga", version=version)) == "not_signed"
    decided(root, "shadow", "olga", version=version)
    assert decided(root, "pilot", "olga", version=version).statement.predicate.stage == "pilot"


@pytest.mark.slow
def test_what_is_attached_is_signed_and_lies_in_mlflow(root: Path, tmp_path: Path) -> None:
    version, report = a_version(root), tmp_path / "shadow report.csv"
    report.write_text("day,agreed\n1,0.98\n")
    done = decided(root, "shadow", "olga", version=version, attached=(report,))
    assert done.statement.digests["stage evidence"] == facts_of(version).stage_evidence["shadow"] and done.lacks == ()
    report.write_text("day,agreed\n1,1.00\n")
    with pytest.raises(InputRefused, match=r"another shadow report\.csv was gathered"):
        decided(root, "shadow", "olga", version=version, attached=(report,))


@pytest.mark.slow
def test_nothing_is_attached_by_whoever_does_not_sign(root: Path, tmp_path: Path) -> None:
    version, report = a_version(root), tmp_path / "report.csv"
    report.write_text("day,agreed\n")
    to_sign(root, Asked(stage="shadow", version=version, key=private_key_of("olga"), attached=(report,)))
    assert facts_of(version).stage_evidence == {}


def on_branch(root: Path, tmp_path: Path, **asked: Any) -> Decided:
    a_trust_folder(tmp_path / "trust", approvals_on_branch={"ref": "origin/main", "stages": ["charter"], "people": [address("olga")]})
    return sign(root, to_sign(root, Asked(**{"stage": "charter", "signer": address("olga"), "is_by_branch": True, **asked})))


def test_an_approval_by_branch_has_no_signature_and_counts_once_it_is_merged(root: Path, tmp_path: Path) -> None:
    done = on_branch(root, tmp_path)
    assert (done.statement.predicate.assurance, in_ledger(root)) == ("branch", ["0001.json"])
    assert "branch_not_approved" in [finding.reason for finding in done.lacks]


@pytest.mark.parametrize("asked", [{"signer": address("sam")}, pytest.param({"stage": "shadow"}, marks=pytest.mark.slow)])
def test_an_approval_by_branch_is_for_those_whom_the_trust_files_name(asked: dict[str, Any], root: Path, tmp_path: Path) -> None:
    version = {"version": a_version(root)} if asked.get("stage") else {}
    before = in_ledger(root)
    assert refusal(lambda: on_branch(root, tmp_path, **{"signer": address("olga"), **asked, **version})) == "branch_not_approved"
    assert in_ledger(root) == before


def git(root: Path, *settings: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for name, value in zip(settings[::2], settings[1::2], strict=True):
        subprocess.run(["git", "config", name, value], cwd=root, check=True)


def test_the_key_that_git_signs_with_is_taken_if_it_is_listed(root: Path) -> None:
    git(root, "gpg.format", "ssh", "user.signingkey", str(private_key_of("sam")), "user.email", address("sam"))
    trust = load_trust(root)
    assert person_of(root, "", None, trust) == address("sam")
    assert key_of(root, address("sam"), None, trust).fingerprint == fingerprint_of("sam")
    with pytest.raises(InputRefused, match="none of the keys here is listed for olga"):
        key_of(root, address("olga"), None, trust)


def test_a_key_in_the_home_folder_is_taken_if_both_halves_are_there(root: Path) -> None:
    folder = Path.home() / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519.pub").write_text(f"{public_key_of('sam')}\n")
    with pytest.raises(InputRefused, match="none of the keys here"):
        key_of(root, address("sam"), None, load_trust(root))
    (folder / "id_ed25519").write_bytes(private_key_of("sam").read_bytes())
    (folder / "id_ed25519").chmod(0o600)
    assert decided(root, key=None, signer=address("sam")).statement.predicate.signer == address("sam")


@pytest.fixture
def agent(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run an agent of its own that holds the owner's key."""
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    settings = dict(part.split("=", 1) for part in said.replace(";", "\n").splitlines() if part.startswith("SSH_"))
    monkeypatch.setenv("SSH_AUTH_SOCK", settings["SSH_AUTH_SOCK"])
    subprocess.run(["ssh-add", "-q", str(private_key_of("olga"))], check=True)
    yield
    subprocess.run(["ssh-agent", "-k"], env={**os.environ, **settings}, capture_output=True, check=True)


@pytest.mark.usefixtures("agent")
def test_a_key_that_an_agent_holds_signs(root: Path) -> None:
    assert decided(root, key=None, signer=address("olga")).statement.predicate.role == "owner"


def test_a_signature_that_no_tag_of_mlflow_could_hold_is_refused() -> None:
    entry = Entry(number=1, statement=b"s" * 3_600, signature=b"s" * (MOST_LETTERS - 3_601))
    assert entry_fits(entry) == []
    assert [finding.reason for finding in entry_fits(Entry(number=1, statement=entry.statement, signature=entry.signature + b"s"))] == ["too_long"]


def poc_sign(*arguments: str) -> Any:
    return CliRunner().invoke(cli.poc, ["sign", *arguments])


def test_a_link_to_a_version_that_is_not_there_is_shown_to_nobody(root: Path) -> None:
    with pytest.raises(InputRefused, match="no version 99"):
        sign_in_browser(root, "shadow", "99", on_ready=lambda _: pytest.fail("it was shown"))


def test_a_no_without_a_reason_is_refused_as_input(root: Path) -> None:
    for reason in ("", " ", "a" * 401, "\x1b[2K"):
        with pytest.raises(InputRefused):
            decided(root, decision="reject", reason=reason)
    assert in_ledger(root) == []


@pytest.mark.parametrize(
    "arguments", [["charter", "--version", "1"], ["shadow"], ["candidate"], ["charter", "--browser", "--yes"], ["charter", "--attach", layout.CHARTER.name]]
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], root: Path) -> None:
    assert poc_sign(*arguments).exit_code == ExitCode.USAGE


def test_where_nobody_can_be_asked_only_yes_signs(root: Path) -> None:
    asked = ["charter", "--key", str(private_key_of("sam"))]
    assert isinstance(poc_sign(*asked).exception, InputRefused) and in_ledger(root) == []
    said = poc_sign(*asked, "--yes").output
    assert "Tamper-evident, not tamper-proof" in said and "a miss costs" in said and "still open: charter: nobody has signed as owner" in said
    assert in_ledger(root) == ["0001.json", "0001.sig"]


def test_a_program_reads_the_statement_and_what_is_lacking(root: Path) -> None:
    said = strictly(CliRunner().invoke(cli.poc, ["sign", "charter", "--key", str(private_key_of("sam")), "--yes", "--json"]).stdout)
    assert (said["entry"], said["files"]) == (1, ["signoffs/0001.json", "signoffs/0001.sig"])
    assert [lack["code"] for lack in said["lacks"]] == ["not_signed"] and "Tamper-evident" in said["worth"]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "status", "left"), [("n", ExitCode.SIGNATURE, []), ("y", 0, ["0001.json", "0001.sig"])])
def test_at_a_terminal_a_person_is_asked_the_charters_question(answer: str, status: int, left: list[str], root: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "poc", "sign", "charter", "--key", str(private_key_of("sam"))]
    settings = {**environment(), "POC_TRUST": os.environ["POC_TRUST"]}
    with subprocess.Popen(command, cwd=root, env=settings, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        os.write(ours, f"{answer}\n".encode())
        said, complaint = asking.communicate()
    os.close(ours)
    os.close(theirs)
    assert "Is this worth starting at all?\nSay yes, and sign it? [y/N]" in said
    assert (asking.returncode, in_ledger(root)) == (status, left), complaint


@pytest.mark.slow
@pytest.mark.server
def test_a_shared_mlflow_learns_of_a_decision_at_once_so_that_its_page_takes_the_next_number(
    root: Path, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_guarded_server(tmp_path / "server", empty_database, tmp_path / "trust") as address_of_server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address_of_server)
        version = a_version(root)
        decided(root, "shadow", "olga", version=version)
        assert list(tracking.ledger_held(PROJECT)) == [1, 2, 3]
        a_trust_folder(
            tmp_path / "trust", people=["sam", "olga", "uma"], approvals_on_branch={"ref": "origin/main", "stages": ["pilot"], "people": [address("rae")]}
        )
        done = decided(root, "pilot", "rae", key=None, signer=address("rae"), version=version, is_by_branch=True)
        assert (done.entry.number, list(tracking.ledger_held(PROJECT))) == (4, [1, 2, 3])


@pytest.mark.slow
def test_mlflow_on_this_machine_learns_of_a_decision_about_a_version_and_who_was_slower_signs_again(root: Path) -> None:
    version = a_version(root)
    slower = to_sign(root, Asked(stage="shadow", version=version, key=private_key_of("olga")))
    decided(root, "shadow", "olga", version=version, decision="reject", reason="wait")
    assert list(tracking.ledger_held(PROJECT)) == [1, 2, 3]
    assert refusal(lambda: sign(root, slower)) == "ledger_forked"
    assert decided(root, "shadow", "olga", version=version).entry.number == 4


def test_before_there_is_a_version_a_decision_stays_in_git(root: Path) -> None:
    decided(root)
    assert not tracking.is_registered(PROJECT)


@pytest.mark.slow
def test_nothing_new_is_attached_to_a_stage_that_somebody_decided_about(root: Path, tmp_path: Path) -> None:
    version, report = a_version(root), tmp_path / "report.csv"
    report.write_text("day,agreed\n")
    decided(root, "shadow", "olga", version=version, decision="reject", reason="attach the report")
    ask = Asked(stage="shadow", version=version, key=private_key_of("olga"), attached=(report,))
    assert refusal(lambda: to_sign(root, ask)) == "signed_is_fixed"
