"""Attacks on the sign-off page: other sites that send what only it may send, answers that were used before, and passkeys that answer something else."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from attack import Attack, Outcome
from passkeys_made import PRESENT, VERIFIED, Passkey
from server import Browser, held, sent
from worlds import GOOD, OTHER, PROJECT, World

from poc.rules.signoff import NAMESPACE, Reason, canonical, next_link
from poc.tools import ssh


def _aiming(world: World, aim: Any) -> None:
    world.aim = aim


def _opening(world: World) -> Outcome:
    """Ask for the page under a host's name."""
    return sent(world, "GET", f"/signoff/{PROJECT}/{GOOD}", headers={"Host": world.aim.replace("OURS", world.url.partition("//")[2])})[0]


def _opening_a_model(world: World) -> Outcome:
    """Ask for a version of a model whose run is this project's."""
    if world.aim != PROJECT:
        client, held = world.mlflow(), world.mlflow().get_model_version(PROJECT, GOOD)
        client.create_registered_model(world.aim)
        client.create_model_version(world.aim, held.source, held.run_id)
    return sent(world, "GET", f"/signoff/{world.aim}/{GOOD}", headers={})[0]


def _preparing(world: World) -> Outcome:
    """Choose what to decide, with headers that differ."""
    return Browser(world, {name: value.replace("OURS", world.url) for name, value in world.aim.items()}).prepare()[0]


def _with_a_body(world: World) -> Outcome:
    """Send so many blanks before what is chosen."""
    browser = Browser(world)
    choice = (
        b'{"project":"%s","stage":"production","version":"1","signer":"rae@example.com","role":"risk","on_behalf_of":"","decision":"approve","reason":""}'
        % PROJECT.encode()
    )
    return browser.post("/prepare", b" " * world.aim + choice)[0]


def _choosing(world: World) -> Outcome:
    return Browser(world).prepare(signer=world.aim)[0]


def _answering_so_often(world: World) -> Outcome:
    """Answer one statement so many times."""
    browser = Browser(world)
    _, prepared = browser.prepare()
    outcomes = [browser.answer(prepared, world.passkey) for _ in range(world.aim)]
    return outcomes[-1]


def _answering_a(world: World) -> Outcome:
    """Answer the statement that was shown, or another."""
    browser = Browser(world)
    _, prepared = browser.prepare()
    return browser.answer(prepared, world.passkey, challenge=world.aim)


def _answering_with(world: World) -> Outcome:
    """Answer with the listed passkey, or one that is changed."""
    browser = Browser(world)
    _, prepared = browser.prepare()
    return browser.answer(prepared, world.passkey.but(**world.aim))


def _answering_with_another(world: World) -> Outcome:
    """Answer with the listed passkey, or with somebody else's."""
    browser = Browser(world)
    _, prepared = browser.prepare()
    return browser.answer(prepared, world.passkey if world.aim == "listed" else Passkey(origin=world.url))


def _answering_late(world: World) -> Outcome:
    """Answer when somebody else has written something into MLflow meanwhile."""
    browser = Browser(world)
    _, prepared = browser.prepare()
    number, before = next_link(held(world))
    content = canonical(world.statement("shadow", "olga", "owner", version=OTHER, seq=number, prev=before))
    value = f"{content.decode()}\n{ssh.sign(content, key=world.key('olga'), namespace=NAMESPACE).decode()}"
    name = f"poc.ledger.{number:04d}" if world.aim == "a decision" else "note"
    world.mlflow().set_registered_model_tag(PROJECT, name, value)
    return browser.answer(prepared, world.passkey)


def _trusting_sites(world: World, homes: list[str]) -> None:
    world.change_roles(passkeys=homes)
    world.aim = "rae@example.com"


def _enrolling(world: World) -> Outcome:
    """Make a passkey that answers in some way."""
    return Browser(world).enrol(Passkey(**{"origin": world.url} | world.aim))


def _by_the_link(opens: Callable[[str, int, str], Outcome]) -> Callable[[World], Outcome]:
    """Let `poc sign --browser` print its link, and open it in some way."""

    def through(world: World) -> Outcome:
        command = [sys.executable, "-m", "poc", "sign", "charter", "--browser"]
        with world.entered(), subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as page:
            assert page.stderr
            try:
                found = next((link for line in page.stderr if (link := re.search(r"http://localhost:(\d+)(/\?token=\S+)", line))), None)
                assert found, "it printed no link"
                return opens(world.aim, int(found[1]), found[2])
            finally:
                page.terminate()
                page.stderr.close()

    return through


def _get(port: int, path: str, cookie: str = "") -> tuple[Outcome, str]:
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    connection.request("GET", path, headers={"Host": f"localhost:{port}"} | ({"Cookie": cookie} if cookie else {}))
    reply = connection.getresponse()
    words = reply.read().decode()
    reasons = () if reply.status < http.client.BAD_REQUEST else tuple(re.findall(r"\[([a-z_]+)\]", words))
    return Outcome(reasons=reasons, words=words), str(reply.getheader("Set-Cookie")).partition(";")[0]


def _so_often(times: Any, port: int, path: str) -> Outcome:
    return [_get(port, path)[0] for _ in range(times)][-1]


def _with_its_cookie(has_cookie: Any, port: int, path: str) -> Outcome:
    _, cookie = _get(port, path)
    return _get(port, "/signoff/charter", cookie if has_cookie else "")[0]


RIGHT: Mapping[str, str] = {}

ATTACKS = (
    Attack(name="page: another host's name pointed at it", lay=_aiming, control="OURS", attack="evil.example",
           through=_opening, reason=Reason.OTHER_HOST, guard="host_is_ours", begins="served"),
    Attack(name="page: this project's run shown under another model's name", lay=_aiming, control=PROJECT, attack="stop-bad-paint",
           through=_opening_a_model, reason=Reason.OTHER_PROJECT, guard="model_is_the_charters", begins="served"),
    Attack(name="page: foreign origin", lay=_aiming, control={"Origin": "OURS"}, attack={"Origin": "https://evil.example"},
           through=_preparing, reason=Reason.OTHER_ORIGIN, guard="origin_is_ours", begins="served"),
    Attack(name="page: CSRF, without the page's token", lay=_aiming, control=RIGHT, attack={"X-Poc-Token": "t" * 43},
           through=_preparing, reason=Reason.NOT_FROM_THIS_PAGE, guard="tokens_agree", begins="served"),
    Attack(name="page: CSRF, as a form sends it", lay=_aiming, control={"Content-Type": "application/json"}, attack={"Content-Type": "text/plain"},
           through=_preparing, reason=Reason.NOT_JSON, guard="body_is_json", begins="served"),
    Attack(name="page: a body that fills the memory", lay=_aiming, control=10, attack=20_000,
           through=_with_a_body, reason=Reason.TOO_LONG, guard="body_is_small", begins="served"),
    Attack(name="page: decide as somebody without a passkey", lay=_aiming, control="rae@example.com", attack="uma@example.com",
           through=_choosing, reason=Reason.KEY_NOT_TRUSTED, guard="person_has_a_passkey", begins="served"),
    Attack(name="page: prepared statement twice", lay=_aiming, control=1, attack=2,
           through=_answering_so_often, reason=Reason.NOT_PREPARED, guard="is_still_prepared", begins="served"),
    Attack(name="page: a passkey's answer to another statement", lay=_aiming, control=b"", attack=b"another",
           through=_answering_a, reason=Reason.PASSKEY_ELSEWHERE, guard="answers_the_statement", begins="served"),
    Attack(name="page: presence-only passkey", lay=_aiming, control={"flags": PRESENT | VERIFIED}, attack={"flags": PRESENT},
           through=_answering_with, reason=Reason.PRESENCE_ONLY, guard="person_was_verified", begins="served"),
    Attack(name="page: somebody else's passkey", lay=_aiming, control="listed", attack="unlisted",
           through=_answering_with_another, reason=Reason.KEY_NOT_TRUSTED, guard="key_is_known", begins="served"),
    Attack(name="page: a decision in between", lay=_aiming, control="a note", attack="a decision",
           through=_answering_late, reason=Reason.LEDGER_FORKED, guard="nobody_decided_meanwhile", begins="served"),
    Attack(name="page: a site that the trust files do not name", lay=_trusting_sites, attack=["mlflow.example.com"], control=["localhost"],
           through=_choosing, reason=Reason.PASSKEY_ELSEWHERE, guard="passkeys_work_here", begins="served"),
    Attack(name="page: a passkey made on another site", lay=_aiming, control={"rp_id": "localhost"}, attack={"rp_id": "evil.example"},
           through=_enrolling, reason=Reason.PASSKEY_ELSEWHERE, guard="passkey_is_new_here", begins="served"),
    Attack(name="page: presence-only passkey enrolled", lay=_aiming, control={"flags": PRESENT | VERIFIED}, attack={"flags": PRESENT},
           through=_enrolling, reason=Reason.PRESENCE_ONLY, guard="passkey_asks_who", begins="served"),
    Attack(name="page: token twice", lay=_aiming, control=1, attack=2,
           through=_by_the_link(_so_often), reason=Reason.LINK_USED, guard="link_is_new"),
    Attack(name="page: a browser that did not come by the link", lay=_aiming, control=True, attack=False,
           through=_by_the_link(_with_its_cookie), reason=Reason.LINK_USED, guard="browser_has_the_link"),
)  # fmt: skip
