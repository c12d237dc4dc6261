"""The sign-off page as the browser and the attacker meet it: asked directly, each refusal beside the request that differs in one thing and is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from briefs import ATTACK
from passkeys_made import Passkey

from poc.errors import InputRefused, NotSignedOff
from poc.rules.signoff.browsing import MOST_BODY_BYTES
from poc.rules.signoff.page import EnrolPage, Need, SignoffPage, StageOnPage
from poc.rules.signoff.signers import Signer
from poc.tools import pages
from poc.tools.passkeys import to_base64url
from poc.tools.signoff_page import Application, Link, OneTime, Prepared, View

ORIGIN = "https://mlflow.acme.example"
HOST = "mlflow.acme.example"
TOKEN = "t" * 43
CHOICE = {
    "project": "line-stop",
    "stage": "pilot",
    "version": "3",
    "signer": "a@x.example",
    "role": "owner",
    "on_behalf_of": "",
    "decision": "approve",
    "reason": "",
}
OPEN = Need(role="owner", who="Ann", state="open", words="not signed yet")
PAGE = SignoffPage(
    project="line-stop",
    version="3",
    audience="Sam",
    question="Does it stop?",
    verdict="GO",
    meaning="Every limit is shown to be kept.",
    notices=(("DEMO.", "It counts nowhere."),),
    shown=(("verdict", "GO"), ("money", "+10,000 EUR a month")),
    agreement="",
    stages=(StageOnPage(name="pilot", question="May one shift?", needs=(OPEN,), against=("nobody",)),),
    signers=(Signer(stage="pilot", role="owner", email="a@x.example", name="Ann", on_behalf_of="", keys=(b"key",)),),
    worth="Tamper-evident.",
    others=(),
    digests=(("charter", "c" * 64),),
)


@dataclass
class ADesk:
    """A desk that notes what it is given."""

    shown: SignoffPage = PAGE
    signed: list[Any] = field(default_factory=list)
    asked_for: list[tuple[str, str]] = field(default_factory=list)

    def page(self, project: str, version: str, view: View) -> bytes:
        self.asked_for.append((project, version))
        if project == "nobody":
            raise InputRefused("there is no such version", where=project, fix="look again")
        return pages.signoff_page(self.shown, prefix=view.prefix, token=view.token)

    def brief(self, project: str, version: str) -> bytes:
        return b"<script>alert(1)</script>"

    def enrol_page(self, view: View) -> bytes:
        page = EnrolPage(project="line-stop", site="localhost", notices=(), people=((ATTACK, ATTACK),))
        return pages.enrol_page(page, prefix=view.prefix, token=view.token)

    def prepare(self, choice: Any, origin: str) -> Prepared:
        return Prepared(told={"challenge": "eA"}, kept=choice)

    def sign(self, kept: Any, answer: Any, origin: str) -> dict[str, Any]:
        if answer.signature == b"wrong":
            raise NotSignedOff("the signature does not hold", where="here", fix="sign again", code="signature_invalid")
        if answer.signature == b"bug":
            raise RuntimeError("the password is hunter2")
        self.signed.append((kept, answer, origin))
        return {"words": "recorded"}

    def prepare_enrolment(self, enrolment: Any, origin: str) -> Prepared:
        return Prepared(told={}, kept=enrolment.email)

    def enrol(self, kept: Any, passkey: Any, origin: str) -> dict[str, Any]:
        return {"line": kept}


@dataclass(frozen=True)
class Got:
    """A reply as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(app: Application, method: str, path: str, headers: Mapping[str, str | None], *parts: bytes, query: str = "") -> Got:
    """Send a request into the application; a header that is None is left out."""
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts] + [{"type": "http.request", "body": b""}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items() if value is not None]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": query.encode()}
    asyncio.run(app(scope, receive, send))
    start, body = sent
    return Got(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"])


def get(app: Application, path: str, *, query: str = "", method: str = "GET", **headers: str | None) -> Got:
    """Ask for a page as a browser would."""
    return ask(app, method, path, {"Host": HOST, **_named(headers)}, query=query)


def post(app: Application, path: str, body: object = None, *, parts: tuple[bytes, ...] = (), **headers: str | None) -> Got:
    """Send what the page's script would send; what is named differs."""
    rightly = {
        "Host": HOST, "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json",
        "Cookie": f"_csrf=a b\"; __Host-poc-signoff={TOKEN}", "X-Poc-Token": TOKEN,
    }  # fmt: skip
    return ask(app, "POST", path, {**rightly, **_named(headers)}, *(parts or (json.dumps(body).encode(),)))


def _named(headers: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def an_answer(name: str, **changes: object) -> dict[str, object]:
    return {"name": name, "authenticator_data": "eA", "client_data": "eA", "signature": "eA", **changes}


@pytest.fixture
def desk() -> ADesk:
    return ADesk()


@pytest.fixture
def app(desk: ADesk) -> Application:
    return Application(desk=desk, origin=ORIGIN)


def test_what_was_prepared_is_signed_and_the_desk_gets_both(app: Application, desk: ADesk) -> None:
    prepared = post(app, "/signoff/prepare", CHOICE)
    done = post(app, "/signoff/sign", an_answer(prepared.json["name"]))
    assert (prepared.status, done.status, done.json) == (200, 200, {"words": "recorded"})
    [(kept, answer, origin)] = desk.signed
    assert kept.stage == "pilot" and answer.signature == b"x" and origin == ORIGIN


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "other_host"),
        ({"host": f"{HOST}:8080"}, 421, "other_host"),
        ({"host": None}, 421, "other_host"),
        ({"origin": "https://evil.example"}, 403, "other_origin"),
        ({"origin": "http://mlflow.acme.example"}, 403, "other_origin"),
        ({"origin": "null"}, 403, "other_origin"),
        ({"origin": None}, 403, "other_origin"),
        ({"sec_fetch_site": "same-site"}, 403, "other_origin"),
        ({"x_poc_token": "u" * 43}, 403, "not_from_this_page"),
        ({"x_poc_token": None}, 403, "not_from_this_page"),
        ({"cookie": None}, 403, "not_from_this_page"),
        ({"cookie": None, "x_poc_token": ""}, 403, "not_from_this_page"),
        ({"cookie": f"poc-signoff={TOKEN}"}, 403, "not_from_this_page"),
        ({"content_type": "text/plain"}, 415, "not_json"),
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "not_json"),
        ({"content_type": None}, 415, "not_json"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/signoff/prepare", "/signoff/sign", "/signoff/enrol/prepare", "/signoff/enrol"])
def test_what_our_page_did_not_send_is_refused_everywhere(app: Application, path: str, headers: dict[str, str | None], status: int, code: str) -> None:
    refused = post(app, path, CHOICE, **headers)
    assert (refused.status, refused.json["code"]) == (status, code)


@pytest.mark.parametrize("headers", [{}, {"sec_fetch_site": None}, {"content_type": "application/json; charset=utf-8"}, {"host": HOST.upper()}])
def test_what_our_page_sends_is_taken(app: Application, headers: dict[str, str | None]) -> None:
    assert post(app, "/signoff/prepare", CHOICE, **headers).status == 200


def test_a_page_for_another_host_is_not_shown_either(app: Application) -> None:
    assert get(app, "/signoff/line-stop/3", host="evil.example").status == 421
    assert get(app, "/signoff/line-stop/3").status == 200


def test_a_body_may_be_as_long_as_it_may_be(app: Application) -> None:
    blanks = MOST_BODY_BYTES - len(json.dumps(CHOICE))
    fits = (json.dumps(CHOICE).encode(), b" " * blanks)
    assert post(app, "/signoff/prepare", parts=fits).status == 200
    assert post(app, "/signoff/prepare", parts=(*fits, b" ")).json["code"] == "too_long"


@pytest.mark.parametrize(
    "changes", [{"decision": "maybe"}, {"version": "3/../4"}, {"version": 3}, {"waiver": "all"}, {"reason": "x" * 401}, {"stage": None}], ids=str
)
def test_a_choice_of_another_form_is_refused_in_words(app: Application, changes: dict[str, object]) -> None:
    refused = post(app, "/signoff/prepare", {**CHOICE, **changes})
    assert refused.status == 400 and next(iter(changes)) in refused.json["error"]


def test_an_answer_counts_once(app: Application, desk: ADesk) -> None:
    name = post(app, "/signoff/prepare", CHOICE).json["name"]
    assert post(app, "/signoff/sign", an_answer(name)).status == 200
    assert post(app, "/signoff/sign", an_answer(name)).json["code"] == "not_prepared"
    assert len(desk.signed) == 1


def test_an_answer_that_does_not_hold_uses_up_what_was_prepared(app: Application, desk: ADesk) -> None:
    name = post(app, "/signoff/prepare", CHOICE).json["name"]
    refused = post(app, "/signoff/sign", an_answer(name, signature=to_base64url(b"wrong")))
    assert (refused.status, refused.json) == (403, {"error": "the signature does not hold (here). sign again", "code": "signature_invalid"})
    assert post(app, "/signoff/sign", an_answer(name)).json["code"] == "not_prepared" and not desk.signed


def test_what_was_prepared_for_one_thing_answers_no_other(app: Application) -> None:
    name = post(app, "/signoff/enrol/prepare", {"email": "a@x.example"}).json["name"]
    assert post(app, "/signoff/sign", an_answer(name)).json["code"] == "not_prepared"
    assert post(app, "/signoff/enrol", {"name": name, "authenticator_data": "", "client_data": "", "public_key": ""}).json == {"line": "a@x.example"}


def test_what_waits_too_long_is_forgotten_and_so_is_the_oldest_of_too_many() -> None:
    now = 0.0
    store: OneTime[str] = OneTime(seconds=10, most=2, clock=lambda: now)
    first, second, third = store.put("1"), store.put("2"), store.put("3")
    assert (store.take(first), store.take(second)) == (None, "2")
    now = 10.0
    assert store.take(third) is None


def test_a_fault_of_ours_is_said_without_its_words(app: Application, caplog: pytest.LogCaptureFixture) -> None:
    name = post(app, "/signoff/prepare", CHOICE).json["name"]
    failed = post(app, "/signoff/sign", an_answer(name, signature=to_base64url(b"bug")))
    assert failed.status == 500 and b"hunter2" not in failed.body and "hunter2" in caplog.text


def test_a_page_loads_its_own_files_and_nothing_else(app: Application) -> None:
    shown = get(app, "/signoff/line-stop/3")
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert f"script-src {ORIGIN}/signoff/static/page.js;" in policy and f"style-src {ORIGIN}/signoff/static/page.css;" in policy
    assert shown.headers["x-frame-options"] == "DENY"
    assert b"<style" not in shown.body and b" style=" not in shown.body and shown.body.count(b"<script") == 1 and b" onclick" not in shown.body
    for name in ("page.js", "page.css"):
        assert get(app, f"/signoff/static/{name}").status == 200
    assert get(app, "/signoff/static/../desk.py").status == get(app, "/signoff/static/desk.py").status == 404


@pytest.mark.parametrize(
    "path", ["line-stop/3", "line-stop/3/brief", "charter", "line-stop/charter", "enrol", "static/page.js", "static/page.css", "nothing", "nobody/3"]
)
def test_every_reply_stays_where_it_belongs(app: Application, path: str) -> None:
    headers = get(app, f"/signoff/{path}").headers
    wanted = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin"}
    assert wanted.items() <= dict(headers).items()
    assert headers["content-security-policy"].endswith(("frame-ancestors 'none'", "frame-ancestors 'self'"))


def test_the_brief_may_do_nothing(app: Application) -> None:
    shown = get(app, "/signoff/line-stop/3/brief")
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert shown.body == b"<script>alert(1)</script>" and "set-cookie" not in shown.headers


def test_a_page_gives_its_token_to_the_page_and_to_the_browser_and_keeps_one_that_it_gave(app: Application) -> None:
    first = get(app, "/signoff/line-stop/3")
    cookie = first.headers["set-cookie"]
    token = cookie.partition("=")[2].partition(";")[0]
    assert cookie == f"__Host-poc-signoff={token}; Path=/; HttpOnly; SameSite=Strict; Secure" and len(token) == 43
    assert f'<meta name="token" content="{token}">'.encode() in first.body
    assert token in get(app, "/signoff/charter", cookie=cookie.partition(";")[0]).headers["set-cookie"]
    assert "<x>" not in get(app, "/signoff/charter", cookie="__Host-poc-signoff=<x>").body.decode()
    assert token not in get(app, "/signoff/charter").headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["/signoff", "/signoff/", "/signoff/line-stop", "/signoff/line-stop/0", "/signoff/line-stop/3/x", "/signoff/a/b/3", "/signoff/a/b/charter"]
)
def test_a_page_that_is_not_there_is_not_found(app: Application, path: str) -> None:
    assert get(app, path).status == 404


@pytest.mark.parametrize(("path", "asked_for"), [("line-stop/3", ("line-stop", "3")), ("line-stop/charter", ("line-stop", "")), ("charter", ("", ""))])
def test_the_address_says_of_which_project_a_version_or_the_charter_is_shown(desk: ADesk, app: Application, path: str, asked_for: tuple[str, str]) -> None:
    assert get(app, f"/signoff/{path}").status == 200
    assert desk.asked_for == [asked_for]


def test_what_is_not_there_is_said_in_words_and_a_method_that_is_not_taken_too(app: Application) -> None:
    assert get(app, "/signoff/nobody/3").body == b"there is no such version (nobody). look again\n"
    assert get(app, "/signoff/line-stop/3", method="DELETE").headers["allow"] == "GET, HEAD"
    assert get(app, "/signoff/line-stop/3", method="HEAD").body == b""
    assert post(app, "/signoff/nowhere", {}).status == 400


def test_names_reasons_and_figures_are_text(desk: ADesk, app: Application) -> None:
    need = Need(role=ATTACK, who=ATTACK, state="refused", words=ATTACK)
    signer = Signer(stage="pilot", role="owner", email=f'"{ATTACK}', name=ATTACK, on_behalf_of=ATTACK, keys=())
    pairs = ((ATTACK, ATTACK),)
    stage = StageOnPage(name="pilot", question=ATTACK, needs=(need,), against=(ATTACK,))
    words = dict.fromkeys(("project", "audience", "worth", "question", "meaning", "agreement"), ATTACK)
    desk.shown = replace(PAGE, **words, notices=pairs, shown=pairs, stages=(stage,), signers=(signer,), others=(ATTACK,), digests=pairs)  # type: ignore[arg-type]
    shown = get(app, "/signoff/line-stop/3").body + get(app, "/signoff/enrol").body
    assert b"<script>alert" not in shown and shown.count(b"&lt;script&gt;alert(1)") >= 18
    assert b'value="&#34;&lt;script' in shown


@pytest.fixture
def local(desk: ADesk) -> Application:
    return Application(desk=desk, origin="http://localhost:8123", link=Link("line-stop/3"))


def opened(local: Application, token: str | None) -> Got:
    return get(local, "/", host="localhost:8123", query=f"token={token}")


def test_the_link_opens_the_local_page_once(local: Application) -> None:
    assert local.link
    token = local.link.token
    first = opened(local, token)
    assert (first.status, first.headers["location"]) == (303, "http://localhost:8123/signoff/line-stop/3")
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert get(local, "/signoff/line-stop/3", host="localhost:8123", cookie=cookie).status == 200
    again = opened(local, token)
    assert again.status == 403 and b"opened before" in again.body and "set-cookie" not in again.headers


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_a_link_that_the_terminal_did_not_show_opens_nothing_and_spoils_nothing(local: Application, token: str | None) -> None:
    assert opened(local, token).status == 403 and local.link
    assert opened(local, local.link.token).status == 303


def test_without_the_link_the_local_page_shows_and_takes_nothing(local: Application) -> None:
    assert local.link
    here = {"host": "localhost:8123", "origin": "http://localhost:8123"}
    stranger = f"poc-signoff-8123={TOKEN}"
    assert get(local, "/signoff/line-stop/3", host="localhost:8123", cookie=stranger).status == 403
    assert post(local, "/signoff/prepare", CHOICE, cookie=stranger, **here).json["code"] == "link_used"
    session = opened(local, local.link.token).headers["set-cookie"].partition(";")[0]
    assert post(local, "/signoff/prepare", CHOICE, cookie=session, x_poc_token=session.partition("=")[2], **here).status == 200


@pytest.mark.parametrize(("host", "status"), [("localhost:5000", 200), ("localhost", 200), ("127.0.0.1:5000", 421), ("evil.example:5000", 421)])
def test_a_page_that_was_told_no_origin_is_there_for_this_machine_only(desk: ADesk, host: str, status: int) -> None:
    assert get(Application(desk=desk, origin=None), "/signoff/line-stop/3", host=host).status == status


def test_a_passkeys_own_words_arrive_as_it_said_them(app: Application, desk: ADesk) -> None:
    given = Passkey().get(b"challenge")
    name = post(app, "/signoff/prepare", CHOICE).json["name"]
    sent = {field: to_base64url(getattr(given, field)) for field in ("authenticator_data", "client_data", "signature")}
    assert post(app, "/signoff/sign", {"name": name, **sent}).status == 200
    [(_, answer, _)] = desk.signed
    assert (answer.authenticator_data, answer.client_data, answer.signature) == (given.authenticator_data, given.client_data, given.signature)
    assert post(app, "/signoff/sign", an_answer("x", signature="!!")).status == 400
