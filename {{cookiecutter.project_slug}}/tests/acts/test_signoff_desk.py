"""What the sign-off page shows, prepares, takes and refuses; each refusal beside the answer that differs in one thing and is recorded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from passkeys_made import PRESENT, Passkey
from signed_versions import CHARTER

from poc.acts.signoff_books import InMLflow, InRepository
from poc.acts.signoff_desk import Look, SignoffDesk
from poc.acts.signoff_page import ORIGIN_SETTING, mounted
from poc.errors import EnvironmentRefused, InputRefused, NotSignedOff
from poc.rules.signoff import NAMESPACE, Entry, Facts, Trust
from poc.steps import vouch
from poc.steps.copies import held_by_mlflow, pull, push
from poc.tools import tracking
from poc.tools.passkeys import to_base64url
from poc.tools.signoff_page import Answer, Choice, Enrolment, NewPasskey, View
from poc.tools.tracking.connection import connect
from signoffs import PEOPLE, PROJECT, a_ledger, a_trust, a_trust_folder, address, facts, followed, signer_line

ORIGIN = "http://localhost:8123"
OLGA, SID = Passkey(), Passkey()
VIEW = View(origin=ORIGIN, prefix="/signoff", token="t")


def with_passkeys(**keys: Passkey) -> str:
    """Return `allowed_signers` with everybody's key and, behind them, these people's passkeys."""
    own = [f'{address(person)} namespaces="{NAMESPACE}" {key.line}\n' for person, key in keys.items()]
    return "".join([*(signer_line(person) for person in PEOPLE), *own])


@dataclass
class OnPaper:
    """Books in memory: a version that is made up, signed up to shadow."""

    whom: Trust = field(default_factory=lambda: a_trust(signers=with_passkeys(olga=OLGA, sid=SID, bo=Passkey())))
    what: Facts = field(default_factory=facts)
    ledger: list[Entry] = field(default_factory=lambda: a_ledger(until="shadow"))
    project: str = PROJECT

    def trust(self) -> Trust:
        return self.whom

    def facts(self, project: str, version: str, into: Path) -> Facts:
        return self.what

    def entries(self, project: str) -> Sequence[Entry]:
        return self.ledger

    def append(self, project: str, entry: Entry, look: Look) -> str:
        look(self.ledger)
        self.ledger.append(entry)
        return entry.where

    def people(self) -> dict[str, str]:
        return {address("olga"): "Olga"}

    def namespace(self) -> str:
        return NAMESPACE

    def propose(self, email: str, line: str) -> str:
        return "proposed"


@pytest.fixture
def books() -> OnPaper:
    return OnPaper()


def a_choice(**changes: Any) -> Choice:
    plain = {"project": PROJECT, "stage": "pilot", "version": "7", "signer": address("olga"), "role": "owner", "on_behalf_of": "", "decision": "approve"}
    return Choice.model_validate({**plain, "reason": "", **changes})


def an_answer(passkey: Passkey, challenge: bytes) -> Answer:
    given = passkey.get(challenge)
    sent = {name: to_base64url(getattr(given, name)) for name in ("authenticator_data", "client_data", "signature")}
    return Answer.model_validate({"name": "x", **sent})


def sign(books: Any, passkey: Passkey = OLGA, *, origin: str = ORIGIN, **changes: Any) -> dict[str, Any]:
    """Have a statement prepared, and answer it."""
    desk = SignoffDesk(books=books)
    asked = desk.prepare(a_choice(**changes), origin).kept
    return desk.sign(asked, an_answer(passkey, asked.challenge), origin)


def code_of(caught: pytest.ExceptionInfo[NotSignedOff]) -> str:
    return caught.value.code


def test_a_passkeys_yes_is_the_ledgers_next_entry_and_verifies_like_any_other(books: OnPaper) -> None:
    done = sign(books, reason="As agreed.")
    verified = vouch.verified(books.ledger, books.whom)
    said = verified.decisions[-1].decision.statement.predicate
    assert not verified.found and not verified.decisions[-1].found
    assert (said.stage, said.signer, said.role, said.assurance, said.reason) == ("pilot", address("olga"), "owner", "passkey", "As agreed.")
    assert done["words"].startswith(f"Recorded as {books.ledger[-1].where}.") and "nobody has signed as risk" in done["words"]


def test_what_is_told_is_what_is_signed(books: OnPaper) -> None:
    told = SignoffDesk(books=books).prepare(a_choice(reason="Über uns"), ORIGIN).told
    words = dict(told["words"])
    assert words["decision"] == f"I approve pilot of {PROJECT}, version 7" and words["reason"] == "Über uns" and words["money"] == "+200 EUR a month"
    assert '"reason":"\\u00dcber uns"' in told["statement"] and told["site"] == "localhost"


def test_a_no_is_recorded_and_shown_with_its_reason(books: OnPaper) -> None:
    done = sign(books, decision="reject", reason="<b>Too many alarms</b>")
    page = SignoffDesk(books=books).page(PROJECT, "7", VIEW).decode()
    assert "pilot is not passed yet" in done["words"]
    assert "said no on" in page and "&lt;b&gt;Too many alarms" in page and "<b>Too" not in page


def test_the_stage_that_was_asked_for_is_offered_first(books: OnPaper) -> None:
    chosen = [SignoffDesk(books=books, stage=stage).page(PROJECT, "7", VIEW).decode() for stage in ("", "production")]
    assert ['<option value="production" selected>' in page for page in chosen] == [False, True]


def test_a_deputy_signs_for_whom_both_charter_and_trust_files_name(books: OnPaper) -> None:
    books.ledger = a_ledger(until="pilot")
    before = SignoffDesk(books=books).page(PROJECT, "7", VIEW).decode()
    assert f'data-for="{address("sam")}"' in before
    done = sign(books, SID, stage="production", signer=address("sid"), role="sponsor", on_behalf_of=address("sam"))
    assert "Recorded" in done["words"]


@pytest.mark.parametrize(
    ("passkey", "code"),
    [
        (OLGA.but(flags=PRESENT), "presence_only"),
        (OLGA.but(origin="http://localhost:9999"), "passkey_elsewhere"),
        (OLGA.but(origin="https://evil.example"), "passkey_elsewhere"),
        (OLGA.but(is_framed=True), "passkey_elsewhere"),
        (OLGA.but(rp_id="evil.example"), "signature_invalid"),
        (SID, "key_not_trusted"),
        (Passkey(), "key_not_trusted"),
    ],
    ids=["a touch alone", "another port", "another site", "in a frame", "for another site", "somebody else's", "nobody's"],
)
def test_an_answer_that_is_not_the_persons_on_this_page_is_recorded_nowhere(books: OnPaper, passkey: Passkey, code: str) -> None:
    before = list(books.ledger)
    with pytest.raises(NotSignedOff) as caught:
        sign(books, passkey)
    assert code_of(caught) == code and books.ledger == before
    sign(books)
    assert len(books.ledger) == len(before) + 1


def test_an_answer_to_another_statement_is_recorded_nowhere(books: OnPaper) -> None:
    desk = SignoffDesk(books=books)
    yes, no = desk.prepare(a_choice(), ORIGIN).kept, desk.prepare(a_choice(decision="reject", reason="Not yet."), ORIGIN).kept
    with pytest.raises(NotSignedOff) as caught:
        desk.sign(yes, an_answer(OLGA, no.challenge), ORIGIN)
    assert code_of(caught) == "passkey_elsewhere" and len(books.ledger) == 3


def test_whoever_is_slower_is_told_and_nothing_is_overwritten(books: OnPaper) -> None:
    desk = SignoffDesk(books=books)
    asked = desk.prepare(a_choice(), ORIGIN).kept
    books.ledger = followed(books.ledger, stage="pilot", role="risk")
    with pytest.raises(NotSignedOff, match="somebody decided while this was being signed: it was to be entry 4, and 4 lie there now") as caught:
        desk.sign(asked, an_answer(OLGA, asked.challenge), ORIGIN)
    assert code_of(caught) == "ledger_forked" and len(books.ledger) == 4


def test_a_key_that_is_revoked_while_somebody_signs_signs_nothing(books: OnPaper) -> None:
    desk = SignoffDesk(books=books)
    asked = desk.prepare(a_choice(), ORIGIN).kept
    books.whom = replace(books.whom, revoked=f"{OLGA.line}\n".encode())
    with pytest.raises(NotSignedOff) as caught:
        desk.sign(asked, an_answer(OLGA, asked.challenge), ORIGIN)
    assert code_of(caught) == "key_revoked" and len(books.ledger) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signer": address("rae"), "role": "risk"}, "key_not_trusted"),
        ({"signer": address("bo")}, "role_not_held"),
        ({"role": "risk"}, "role_not_held"),
        ({"role": "king"}, "field_invalid"),
        ({"signer": address("sid"), "on_behalf_of": address("olga")}, "not_the_deputy"),
        ({"stage": "production"}, "not_signed"),
        ({"stage": "gold"}, "stage_unknown"),
        ({"reason": "\N{GRINNING FACE}" * 400}, "too_long"),
    ],
    ids=["no passkey", "a builder", "another role", "no role", "no deputy", "an earlier stage is open", "no stage", "too long"],
)
def test_nobody_is_asked_for_a_signature_that_would_be_worth_nothing(books: OnPaper, changes: dict[str, str], code: str) -> None:
    desk = SignoffDesk(books=books)
    with pytest.raises(NotSignedOff) as caught:
        desk.prepare(a_choice(**changes), ORIGIN)
    assert code_of(caught) == code
    assert desk.prepare(a_choice(), ORIGIN).told["challenge"]


@pytest.mark.parametrize(("verdict", "code"), [("NOT PROVEN", "not_proven"), ("NO-GO", "no_go")])
def test_a_verdict_that_the_stage_does_not_take_is_not_approved_and_may_be_refused(books: OnPaper, verdict: str, code: str) -> None:
    books.what = replace(books.what, verdict=verdict)  # type: ignore[arg-type]
    with pytest.raises(NotSignedOff) as caught:
        SignoffDesk(books=books).prepare(a_choice(), ORIGIN)
    assert code_of(caught) == code
    assert "Recorded" in sign(books, decision="reject", reason="Not proven enough.")["words"]


def test_on_a_site_that_the_trust_files_do_not_name_nothing_is_signed_and_the_page_says_why(books: OnPaper) -> None:
    desk, elsewhere = SignoffDesk(books=books), "https://mlflow.acme.example"
    with pytest.raises(NotSignedOff) as caught:
        desk.prepare(a_choice(), elsewhere)
    page = desk.page(PROJECT, "7", replace(VIEW, origin=elsewhere)).decode()
    assert code_of(caught) == "passkey_elsewhere" and "Nothing can be signed here:" in page and 'id="choice"' not in page


def test_trust_files_with_anything_wrong_let_nobody_sign(books: OnPaper) -> None:
    books.whom = a_trust(signers=with_passkeys(olga=OLGA) + f"* {Passkey().line}\n")
    with pytest.raises(NotSignedOff) as caught:
        SignoffDesk(books=books).prepare(a_choice(), ORIGIN)
    assert code_of(caught) == "wildcard_signer"
    assert 'id="choice"' not in SignoffDesk(books=books).page(PROJECT, "7", VIEW).decode()


def test_the_page_offers_those_who_may_sign_and_have_a_passkey_here(books: OnPaper) -> None:
    page = SignoffDesk(books=books).page(PROJECT, "7", VIEW).decode()
    offered = re.findall(r'<option value="([^"]+)" data-stage="([^"]+)"', page)
    assert (address("olga"), "pilot") in offered and {email for email, _ in offered} == {address("olga"), address("sid")}
    assert "Without a passkey for this site: " in page and '<option value="pilot" selected>' in page
    assert "DEMO" not in page and "tamper" in page.lower()


def made(passkey: Passkey, challenge: bytes) -> NewPasskey:
    said = passkey.create(challenge)
    sent = {name: to_base64url(getattr(said, name)) for name in ("authenticator_data", "client_data", "public_key")}
    return NewPasskey.model_validate({"name": "x", **sent})


@pytest.mark.parametrize(
    ("passkey", "code"),
    [
        (OLGA.but(flags=PRESENT), "presence_only"),
        (OLGA.but(origin="https://evil.example"), "passkey_elsewhere"),
        (OLGA.but(is_framed=True), "passkey_elsewhere"),
        (OLGA.but(rp_id="evil.example"), "passkey_elsewhere"),
    ],
    ids=["a touch alone", "another site", "in a frame", "for another site"],
)
def test_a_passkey_that_is_not_made_here_by_somebody_who_was_verified_is_not_proposed(books: OnPaper, passkey: Passkey, code: str) -> None:
    desk = SignoffDesk(books=books)
    new = desk.prepare_enrolment(Enrolment(email=address("olga")), ORIGIN).kept
    with pytest.raises(NotSignedOff) as caught:
        desk.enrol(new, made(passkey, new.challenge), ORIGIN)
    assert code_of(caught) == code
    proposed = desk.enrol(new, made(OLGA, new.challenge), ORIGIN)
    assert proposed["line"] == f'{address("olga")} namespaces="{NAMESPACE}" {OLGA.line}' and proposed["fingerprint"].startswith("SHA256:")


@pytest.mark.parametrize("answer", [OLGA.create(b"another request"), OLGA.get(b"challenge")], ids=["of another request", "of a signature"])
def test_what_answers_another_request_proposes_nothing(books: OnPaper, answer: Any) -> None:
    desk = SignoffDesk(books=books)
    new = replace(desk.prepare_enrolment(Enrolment(email=address("olga")), ORIGIN).kept, challenge=b"challenge")
    sent = {"authenticator_data": answer.authenticator_data, "client_data": answer.client_data, "public_key": OLGA.spki}
    with pytest.raises(NotSignedOff) as caught:
        desk.enrol(new, NewPasskey.model_validate({"name": "x", **{name: to_base64url(value) for name, value in sent.items()}}), ORIGIN)
    assert code_of(caught) == "passkey_elsewhere"


def test_who_signs_nothing_makes_no_passkey_here(books: OnPaper) -> None:
    with pytest.raises(InputRefused, match=r"mallory@example.com has no role that signs"):
        SignoffDesk(books=books).prepare_enrolment(Enrolment(email="mallory@example.com"), ORIGIN)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = a_trust_folder(tmp_path / "trust", signers=with_passkeys(olga=OLGA))
    monkeypatch.setenv("POC_TRUST", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_in_a_repository_a_decision_is_two_files_and_a_version_of_another_project_is_not_shown(repository: Path) -> None:
    from signed_versions import a_signed_version

    version = a_signed_version(repository, until="shadow")
    books = InRepository(root=repository)
    sign(books, version=version)
    assert sorted(path.name for path in (repository / "signoffs").glob("0004.*")) == ["0004.json", "0004.sig"]
    assert not vouch.verified(vouch.ledger_in(repository), books.trust()).decisions[-1].found
    assert b"Decision brief" in SignoffDesk(books=books).brief(PROJECT, version)
    with pytest.raises(InputRefused, match="not about another"):
        SignoffDesk(books=books).page("another", version, VIEW)


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_the_charter_is_signed_in_its_repository(repository: Path) -> None:
    (repository / "charter.yaml").write_bytes(CHARTER)
    books = InRepository(root=repository)
    page = SignoffDesk(books=books).page("", "", VIEW).decode()
    assert "The whole charter, in sentences" in page and "/brief" not in page
    sign(books, project="", stage="charter", version="")
    assert vouch.ledger_in(repository)[0].statement.startswith(b'{"_type"')


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_in_mlflow_a_decision_is_a_tag_that_goes_on_from_what_lies_there(repository: Path) -> None:
    from signed_versions import a_signed_version

    version = a_signed_version(repository, until="shadow")
    push(PROJECT, vouch.ledger_in(repository))
    books = InMLflow(root=repository)
    done = sign(books, version=version)
    assert [entry.number for entry in held_by_mlflow(PROJECT)] == [1, 2, 3, 4] and "poc verify --pull" in done["words"]
    with pytest.raises(InputRefused, match="many charters"):
        SignoffDesk(books=books).page("", "", VIEW)


def a_run_with_charter(content: bytes | None, *, name: str = "a run", project: str = PROJECT) -> str:
    """Log a charter as `poc run` does; without one the run has only begun."""
    run_id = tracking.open_run(project, name=name, candidate=False)
    if content is not None:
        connect().log_text(run_id, content.decode(), "evidence/charter/charter.yaml")
    return run_id


@pytest.mark.usefixtures("trusted")
def test_in_mlflow_the_charter_of_the_newest_run_is_shown_and_signed_before_there_is_any_version(repository: Path) -> None:
    for content, name in ((b"an old one", "the first run"), (CHARTER, "the second run"), (None, "a run that has only begun")):
        a_run_with_charter(content, name=name)
    desk, digest = SignoffDesk(books=InMLflow(root=repository)), hashlib.sha256(CHARTER).hexdigest()
    page = desk.page(PROJECT, "", VIEW).decode()
    assert "This is the charter of the run the second run, which began on " in page and digest in page and "The whole charter, in sentences" in page
    assert not tracking.is_registered(PROJECT)  # who only looks makes nothing

    sign(desk.books, stage="charter", version="")
    (entry,) = held_by_mlflow(PROJECT)
    said = vouch.verified([entry], desk.books.trust()).decisions[0]
    assert not said.found and said.decision.statement.digests == {"charter": digest}
    assert f"signed by {address('olga')}" in desk.page(PROJECT, "", VIEW).decode()


@pytest.mark.usefixtures("trusted")
def test_a_charter_that_is_changed_while_somebody_signs_is_not_what_they_signed(repository: Path) -> None:
    a_run_with_charter(CHARTER)
    desk = SignoffDesk(books=InMLflow(root=repository))
    asked = desk.prepare(a_choice(stage="charter", version=""), ORIGIN).kept
    a_run_with_charter(CHARTER + b"\n")
    desk.sign(asked, an_answer(OLGA, asked.challenge), ORIGIN)
    assert held_by_mlflow(PROJECT)[0].statement == asked.content and hashlib.sha256(CHARTER).hexdigest().encode() in asked.content
    assert "charter.yaml has other bytes than were signed" in desk.page(PROJECT, "", VIEW).decode()


@pytest.mark.usefixtures("trusted")
def test_what_was_signed_in_mlflow_counts_for_a_repository_with_the_same_charter_alone(repository: Path) -> None:
    a_run_with_charter(CHARTER)
    (repository / "charter.yaml").write_bytes(CHARTER)
    sign(InMLflow(root=repository), stage="charter", version="")
    pull(repository, held_by_mlflow(PROJECT))
    trust, ledger = vouch.load_trust(repository), vouch.verified(vouch.ledger_in(repository), vouch.load_trust(repository))
    same = vouch.findings("charter", vouch.charter_facts(repository), ledger, trust)
    assert [finding.what for finding in same] == ["charter: nobody has signed as sponsor"]
    (repository / "charter.yaml").write_bytes(CHARTER + b"\n")
    assert "charter_changed" in {finding.reason for finding in vouch.findings("charter", vouch.charter_facts(repository), ledger, trust)}


@pytest.mark.usefixtures("trusted")
def test_a_charter_of_another_project_is_not_shown_and_none_where_no_run_tells_one(repository: Path) -> None:
    desk = SignoffDesk(books=InMLflow(root=repository))
    with pytest.raises(InputRefused, match=f"no run of {PROJECT} that tells its charter"):
        desk.page(PROJECT, "", VIEW)
    a_run_with_charter(CHARTER)
    a_run_with_charter(CHARTER, project="another")
    assert desk.page(PROJECT, "", VIEW)
    with pytest.raises(NotSignedOff) as caught:
        desk.page("another", "", VIEW)
    assert code_of(caught) == "other_project"


@pytest.mark.usefixtures("trusted")
def test_a_charter_that_leads_elsewhere_is_not_read(repository: Path) -> None:
    a_run_with_charter(CHARTER)
    desk, path = SignoffDesk(books=InMLflow(root=repository)), next(tracking.artifact_root().rglob("charter.yaml"))
    assert desk.page(PROJECT, "", VIEW)
    path.rename(repository / "elsewhere.yaml")
    path.symlink_to(repository / "elsewhere.yaml")
    with pytest.raises(NotSignedOff) as caught:
        desk.page(PROJECT, "", VIEW)
    assert code_of(caught) == "strange_file"


@pytest.mark.slow
@pytest.mark.usefixtures("trusted")
def test_a_version_under_another_models_name_is_not_shown_as_its_charters(repository: Path) -> None:
    from signed_versions import a_registered_version

    version = a_registered_version(repository)
    at = tracking.fetch_version(PROJECT, version, repository / "fetched")
    tracking.create_version("another", at.run_id, at.source, tags={}, description="")
    desk = SignoffDesk(books=InMLflow(root=repository))
    assert desk.page(PROJECT, version, VIEW)
    with pytest.raises(NotSignedOff) as caught:
        desk.page("another", "1", VIEW)
    assert code_of(caught) == "other_project"


def test_a_proposal_lies_beside_the_ledger_and_is_no_entry_of_it(tmp_path: Path) -> None:
    books = InRepository(root=tmp_path)
    words = books.propose("a@x.example", "a@x.example key")
    assert (tmp_path / "signoffs/proposals/a@x.example.pub-line").read_text() == "a@x.example key\n" and "somebody else" in words
    assert vouch.ledger_in(tmp_path) == []
    with pytest.raises(InputRefused):
        books.propose("../a@x.example", "key")


@pytest.mark.parametrize("origin", ["http://mlflow.acme.example", "https://mlflow.acme.example/path", "https://", "localhost", "http://127.0.0.1:5000"])
def test_a_server_does_not_start_on_an_origin_where_no_passkey_works(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def mlflow(*_: Any) -> None: ...

    monkeypatch.setenv(ORIGIN_SETTING, "https://mlflow.acme.example")
    assert mounted(mlflow) is not mlflow
    monkeypatch.setenv(ORIGIN_SETTING, origin)
    with pytest.raises(EnvironmentRefused, match="is no origin that passkeys work on"):
        mounted(mlflow)
