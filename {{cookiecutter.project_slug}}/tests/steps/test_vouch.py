"""What a version is by its bytes, and what each decision's signature is worth, with the real `ssh-keygen` and the real trust files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reports import write_reports
from signed_versions import write_version

from poc import layout
from poc.errors import PocError
from poc.rules.evidence import Verdict
from poc.rules.signoff import GATED, Entry, Reason, Trust, statement_bytes
from poc.rules.signoff.trust import ApprovalsOnBranch
from poc.steps import vouch
from poc.steps.judged import candidate_digest
from poc.steps.trust import load_trust
from poc.tools import files
from signoffs import NOW, a_ledger, a_statement, a_trust, a_trust_folder, address, facts, followed, lay_down, signed, verified

GATE = Path("evidence/gate") / layout.VERDICT_JSON


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a version once, as it is when it was fetched."""
    folder = tmp_path_factory.mktemp("versions") / "fetched"
    write_version("GO", folder)
    return folder


@pytest.fixture
def fetched(whole: Path, tmp_path: Path) -> Path:
    """Return a copy of it, to do with as one likes."""
    return shutil.copytree(whole, tmp_path / "fetched", symlinks=True)


def facts_of(folder: Path) -> vouch.Facts:
    return vouch.facts_of(folder, version="7", trained_by=address("bo"))


def put(path: Path, content: bytes = b"more") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "model byte": (lambda at: put(at / "model/model.onnx", (at / "model/model.onnx").read_bytes()[:-1] + b"\xff"), {"model"}),
    "external data": (lambda at: put(at / "model/model.onnx.data"), {"model"}),
    "hidden file": (lambda at: put(at / "model/.hidden"), {"model"}),
    "model file gone": (lambda at: (at / "model/MLmodel").unlink(), {"model"}),
    "evidence added": (lambda at: put(at / "evidence/benchmark/more.json"), {"evidence"}),
    "evidence renamed": (lambda at: (at / "evidence/register/brief.html").rename(at / "evidence/register/page.html"), {"evidence"}),
    "charter with CR LF": (lambda at: put(*_with_crlf(at / "evidence/charter/charter.yaml")), {"charter", "evidence"}),
    "evidence for another stage": (lambda at: put(at / "stages/pilot/alerts.csv"), set()),
    "evidence for this stage": (lambda at: put(at / "stages/shadow/alerts.csv"), {"stage evidence"}),
}


def _with_crlf(path: Path) -> tuple[Path, bytes]:
    return path, path.read_bytes().replace(b"\n", b"\r\n")


@pytest.mark.parametrize(("change", "changed"), CHANGES.values(), ids=CHANGES)
def test_what_changes_shows_in_the_digest_of_what_it_belongs_to(fetched: Path, change: Callable[[Path], object], changed: set[str]) -> None:
    before = facts_of(fetched).digests("shadow")
    change(fetched)
    after = facts_of(fetched).digests("shadow")
    assert {name for name in before | after if before.get(name) != after.get(name)} == changed


@pytest.mark.parametrize("place", ["model/link", "evidence/charter/link", "stages/pilot/link", "stages/pilot"])
def test_a_link_is_told_wherever_it_lies(fetched: Path, place: str) -> None:
    (fetched / place).parent.mkdir(parents=True, exist_ok=True)
    (fetched / place).symlink_to("/etc")
    assert facts_of(fetched).strange == (place.partition("/")[2],)


@pytest.mark.parametrize("folder", ["model", "evidence", "stages"])
def test_a_folder_behind_a_link_is_told(fetched: Path, folder: str) -> None:
    (fetched / "stages/pilot").mkdir(parents=True)
    (fetched / folder).rename(fetched / "elsewhere")
    (fetched / folder).symlink_to(fetched / "elsewhere")
    assert facts_of(fetched).strange == (folder,)


def test_a_verdict_by_another_charter_than_is_signed_is_told(fetched: Path) -> None:
    put(fetched / "evidence/charter/charter.json", (fetched / "evidence/charter/charter.json").read_bytes().replace(b'"version":1', b'"version":2'))
    assert Reason.JUDGED_BY_ANOTHER_CHARTER in told(fetched)


def told(folder: Path) -> set[Reason]:
    return {each.reason for each in facts_of(folder).found}


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a record of the evidence, and every report with it."""
    said = json.loads(path.read_bytes())
    change(said)
    path.write_text(json.dumps(said))
    write_reports(path.parents[1])


def test_a_version_as_it_was_written_does_not_contradict_itself(fetched: Path) -> None:
    assert facts_of(fetched).found == ()


@pytest.mark.parametrize("content", [b"another model", None])
def test_a_model_that_was_not_judged_is_told(fetched: Path, content: bytes | None) -> None:
    (fetched / "model/model.onnx").unlink()
    if content:
        put(fetched / "model/model.onnx", content)
    assert told(fetched) == {Reason.MODEL_IS_NOT_THE_CANDIDATE}


def test_a_model_whose_digest_was_written_into_the_candidate_was_not_judged_either(fetched: Path) -> None:
    put(fetched / "model/model.onnx", b"another model")
    digest = files.sha256_of_file(fetched / "model/model.onnx")
    rewrite(fetched / "evidence/evaluate/candidate.json", lambda said: said.update(model_sha256=digest))
    assert told(fetched) == {Reason.ANOTHER_CANDIDATE_WAS_JUDGED}


def test_a_candidate_under_another_charter_is_told(fetched: Path) -> None:
    rewrite(fetched / "evidence/evaluate/candidate.json", lambda said: said.update(charter_sha256="0" * 64))
    digest = candidate_digest(fetched / "evidence/evaluate")
    rewrite(fetched / GATE, lambda said: said.update(candidate_sha256=digest))
    assert told(fetched) == {Reason.JUDGED_BY_ANOTHER_CHARTER}


#: What somebody writes into the evidence before it is signed.
WRITTEN_OVER: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a limit's outcome": ("gate/verdict.json", lambda said: said["limits"][0].update(verdict="NOT PROVEN")),
    "a limit's bound": ("gate/verdict.json", lambda said: said["limits"][0].update(high=0.001)),
    "a limit left out": ("gate/verdict.json", lambda said: said["limits"].pop()),
    "what was counted": ("gate/verdict.json", lambda said: said["counted"].update(missed=0)),
    "the money": ("gate/verdict.json", lambda said: said["money"]["per_period"].update(low=1e9, middle=1e9, high=1e9)),
    "how fast it is": ("benchmark/timings.json", lambda said: said["targets"][0]["timings"][0].update(open_loop_p99_ms=0.01)),
    "the memory": ("replay/rehearsal.json", lambda said: said.update(server_memory_mb=1.0)),
    "the looks allowed": ("gate/verdict.json", lambda said: said.update(looks_allowed=said["looks_allowed"] + 1)),
    "the look": ("gate/verdict.json", lambda said: said.update(look=9)),
}


@pytest.mark.parametrize(("name", "change"), WRITTEN_OVER.values(), ids=WRITTEN_OVER)
def test_evidence_that_does_not_give_its_verdict_is_told(fetched: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    rewrite(fetched / "evidence" / name, change)
    assert Reason.EVIDENCE_CONTRADICTS_ITSELF in told(fetched)


UNLIKE_ITS_REPORT: dict[str, Callable[[Path], object]] = {
    "added": lambda at: put(at / "compress/more.json"),
    "gone": lambda at: (at / "evaluate/sample_request.json").unlink(),
    "report gone": lambda at: (at / "validate/report.json").unlink(),
    "report of another step": lambda at: put(at / "train/report.json", (at / "export/report.json").read_bytes()),
    "made from something else": lambda at: put(at / "ingest/report.json", (at / "ingest/report.json").read_bytes() + b"\n"),
}


@pytest.mark.parametrize("change", UNLIKE_ITS_REPORT.values(), ids=UNLIKE_ITS_REPORT)
def test_evidence_unlike_its_reports_is_told(fetched: Path, change: Callable[[Path], object]) -> None:
    change(fetched / "evidence")
    assert told(fetched) == {Reason.EVIDENCE_CONTRADICTS_ITSELF}


def test_an_entry_that_is_yet_to_come_stops_the_whole_row() -> None:
    entries = a_ledger(until="shadow")
    ahead = followed(entries, stage="shadow", role="owner", issued_at=NOW + timedelta(minutes=6))
    assert [each.reason for each in verified(ahead).found] == [Reason.SIGNED_IN_THE_FUTURE]
    assert verified(followed(entries, stage="shadow", role="owner", issued_at=NOW)).found == ()


@pytest.mark.parametrize("name", ["charter/charter.yaml", "charter/charter.json", "gate/verdict.json"])
def test_without_what_every_version_has_there_are_no_facts(fetched: Path, name: str) -> None:
    (fetched / "evidence" / name).unlink()
    with pytest.raises(PocError):
        facts_of(fetched)


@pytest.mark.parametrize("said", ["2026-01-15T09:00:00", "", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_look_at_no_certain_moment_is_none(fetched: Path, said: str) -> None:
    verdict = files.read_record(fetched / GATE, Verdict)
    files.write_record(fetched / GATE, verdict.model_copy(update={"first_look_at": said}))
    assert facts_of(fetched).looked_at is None


def test_a_look_is_told_in_utc(fetched: Path) -> None:
    verdict = files.read_record(fetched / GATE, Verdict)
    files.write_record(fetched / GATE, verdict.model_copy(update={"first_look_at": "2026-01-15T09:00:00+02:00"}))
    assert facts_of(fetched).looked_at == datetime(2026, 1, 15, 7, tzinfo=UTC)


def test_a_ledger_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    entries = [Entry(number=number, statement=b"{}", signature=b"s" * (number % 2)) for number in (1, 2, 9_999, 10_000)]
    lay_down(reversed(entries), tmp_path)  # type: ignore[arg-type]
    assert vouch.ledger_in(tmp_path) == entries


@pytest.mark.parametrize("name", ["1.json", "00001.json", "0001.JSON", "0001.json.bak", "\u0660\u0660\u0660\u0661.json", "notes.json", ".0001.json"])
def test_other_files_are_no_entries(tmp_path: Path, name: str) -> None:
    put(tmp_path / layout.SIGNOFFS / name, b"{}")
    (tmp_path / layout.SIGNOFFS / "0002.json").mkdir()
    assert vouch.ledger_in(tmp_path) == []


def test_where_nobody_signed_there_is_no_ledger(tmp_path: Path) -> None:
    assert vouch.ledger_in(tmp_path) == []


def test_trust_files_are_read_from_their_folder(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    trust = load_trust(tmp_path / "repository", str(a_trust_folder(tmp_path / "trust")))
    assert (trust.found, trust.roles, trust.signers) == ((), a_trust().roles, a_trust().signers)
    assert vouch.findings("shadow", facts(), vouch.verified(a_ledger(until="shadow"), trust), trust) == []


def test_a_demos_keys_are_believed_by_the_demo_alone() -> None:
    demo = "demo-0123456789abcdef@prod-first-poc"
    entries = a_ledger(until="charter", namespace=demo)
    assert {each.reason for each in verified(entries).decisions[0].found} == {Reason.OTHER_NAMESPACE, Reason.SIGNATURE_INVALID}
    assert verified(entries, a_trust(namespace=demo)).decisions[0].found == ()
    assert {each.reason for each in verified(a_ledger(until="charter"), a_trust(namespace=demo)).decisions[0].found} >= {Reason.OTHER_NAMESPACE}


def found_in(entry: Entry, trust: Trust | None = None) -> set[Reason]:
    return {each.reason for each in verified([entry], trust).decisions[0].found}


def test_a_signature_is_over_these_bytes_by_this_person_for_this_purpose() -> None:
    statement = a_statement()
    good = signed(statement)
    assert found_in(good) == set()
    assert found_in(replace(good, signature=b"")) == {Reason.SIGNATURE_MISSING}
    assert found_in(replace(good, signature=signed(a_statement(reason="another")).signature)) == {Reason.SIGNATURE_INVALID}
    assert found_in(signed(statement, "eve")) == {Reason.KEY_NOT_TRUSTED, Reason.SIGNATURE_INVALID}
    assert found_in(signed(statement, "sam")) == {Reason.KEY_NOT_TRUSTED, Reason.SIGNATURE_INVALID}
    assert found_in(signed(statement, namespace="git")) == {Reason.OTHER_NAMESPACE, Reason.SIGNATURE_INVALID}
    assert found_in(signed(a_statement(assurance="passkey"))) == {Reason.ASSURANCE_OVERSTATED}
    assert found_in(good, a_trust(revoked=["olga"])) == {Reason.KEY_REVOKED}


BY_BRANCH = Entry(number=1, statement=statement_bytes(a_statement(assurance="branch")), signature=b"")
ALLOWED = ApprovalsOnBranch(ref="origin/main", stages=list(GATED), people=[address("olga")])


def by_branch(entry: Entry = BY_BRANCH, *, lies_there: bytes = BY_BRANCH.statement, allowed: ApprovalsOnBranch | None = ALLOWED) -> set[Reason]:
    trust = a_trust()
    return found_in(entry, replace(trust, roles=trust.roles.model_copy(update={"approvals_on_branch": allowed}), on_branch={entry.where: lies_there}))


def test_an_approval_by_branch_counts_as_far_as_the_trust_files_say() -> None:
    assert by_branch() == set()
    refused = [
        by_branch(allowed=None),
        by_branch(allowed=ALLOWED.model_copy(update={"stages": ["pilot"]})),
        by_branch(allowed=ALLOWED.model_copy(update={"people": [address("uma")]})),
        by_branch(lies_there=BY_BRANCH.statement + b"\n"),
        by_branch(replace(BY_BRANCH, signature=signed(BY_BRANCH.statement, "olga").signature)),
    ]
    assert refused == [{Reason.BRANCH_NOT_APPROVED}] * 5


def test_a_signature_of_a_key_that_ended_is_judged_as_of_when_it_was_made() -> None:
    ends = a_trust().signers.decode().replace("olga@example.com namespaces", f'olga@example.com valid-before="{NOW:%Y%m%d}",namespaces')
    trust = a_trust(signers=ends)
    assert trust.found == () and found_in(signed(a_statement()), trust) == set()
    assert found_in(signed(a_statement(issued_at=NOW + timedelta(days=365))), trust) == {Reason.SIGNATURE_INVALID}
