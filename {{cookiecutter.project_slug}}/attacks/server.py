"""The guarded MLflow server as a real process, and the ways to it: its client, REST, what its pages send, and the sign-off page."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from attack import Outcome, Program
from installed import installed_in
from passkeys_made import Passkey
from tracking_server import wait_for
from worlds import FOREIGN, GOOD, PROJECT, World

from poc import layout
from poc.rules.signoff import NAMESPACE, Entry, entry_of_tag
from poc.rules.signoff.browsing import from_base64url
from poc.tools.passkeys import to_base64url

_REASON = re.compile(r"\[([a-z_]+)\]")
#: How to send back what was answered, again for every attack.
Sent = Callable[[World, Any], Outcome]


@contextmanager
def running(world: World) -> Iterator[World]:
    """Run the server on a world, whose trust files list a passkey of one signer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world.url, world.passkey = f"http://localhost:{port}", Passkey(origin=f"http://localhost:{port}")
    signers = world.trust / layout.ALLOWED_SIGNERS
    signers.write_text(f'{signers.read_text(encoding="utf-8")}rae@example.com namespaces="{NAMESPACE}" {world.passkey.line}\n', encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    settings = {"POC_TRUST": str(world.trust), "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": installed_in(world.folder / "installed")}
    command = [sys.executable, "-m", "poc", "mlflow", "--port", str(port)]
    log = world.folder / "server.log"
    with log.open("wb") as said, subprocess.Popen(command, cwd=world.root, stdout=said, stderr=said, env=clean | settings) as server:
        try:
            wait_for(server, port, log)
            yield world
        finally:
            server.terminate()
            server.wait(60)


def by_client(act: Callable[[Any, World, Any], Any]) -> Program:
    """Do something with MLflow's own client."""

    def through(world: World) -> Outcome:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        with world.entered():
            try:
                act(MlflowClient(world.url, world.url), world, world.aim)
            except MlflowException as error:
                return Outcome(reasons=tuple(_REASON.findall(error.message)) or (error.error_code,), words=error.message)
        return Outcome(reasons=())

    return through


def by_request(ask: Callable[[World, Any], tuple[str, str, Any]], *, as_page: bool = False) -> Program:
    """Send a request: its method, path and body; as MLflow's pages send it, or as a script does."""

    def through(world: World) -> Outcome:
        headers = {"Origin": world.url, "Sec-Fetch-Site": "same-origin"} if as_page else {}
        return sent(world, *ask(world, world.aim), headers=headers)[0]

    return through


def sent(world: World, method: str, path: str, body: Any = None, *, headers: Mapping[str, str]) -> tuple[Outcome, http.client.HTTPResponse, bytes]:
    """Send a request with its path exactly as it stands here, and read why it was refused."""
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc, timeout=120)
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    connection.request(method, path, content, {"Content-Type": "application/json", **headers})
    reply = connection.getresponse()
    said = reply.read()
    words = said.decode(errors="replace")
    reasons = () if reply.status < http.client.BAD_REQUEST else tuple(_REASON.findall(words)) or (f"status {reply.status}",)
    return Outcome(reasons=reasons, words=words), reply, said


def held(world: World) -> list[Entry]:
    """Read the ledger as the server holds it."""
    tags = world.mlflow().get_registered_model(PROJECT).tags
    return sorted((entry for name, value in tags.items() if (entry := entry_of_tag(name, value))), key=lambda entry: entry.number)


class Browser:
    """A browser that has the sign-off page open, and sends what its script would send, but for what is changed."""

    def __init__(self, world: World, changes: Mapping[str, str] | None = None) -> None:
        self.world, self.changes = world, dict(changes or {})
        _, reply, page = sent(world, "GET", f"/signoff/{PROJECT}/{GOOD}", headers={})
        assert reply.status == http.client.OK, page
        self.cookie = str(reply.getheader("Set-Cookie")).partition(";")[0]

    def post(self, path: str, body: Any) -> tuple[Outcome, dict[str, Any]]:
        """Send a body."""
        headers = {
            "Origin": self.world.url, "Sec-Fetch-Site": "same-origin", "Cookie": self.cookie, "X-Poc-Token": self.cookie.partition("=")[2],
        }  # fmt: skip
        outcome, _, said = sent(self.world, "POST", f"/signoff{path}", body, headers=headers | self.changes)
        answer: dict[str, Any] = {} if outcome.reasons else json.loads(said)
        return outcome, answer

    def prepare(self, **choice: str) -> tuple[Outcome, dict[str, Any]]:
        """Choose what to decide."""
        plain = {
            "project": PROJECT, "stage": "production", "version": GOOD, "signer": "rae@example.com", "role": "risk", "on_behalf_of": "",
            "decision": "approve", "reason": "",
        }  # fmt: skip
        return self.post("/prepare", plain | choice)

    def answer(self, prepared: Mapping[str, Any], passkey: Passkey, *, challenge: bytes = b"") -> Outcome:
        """Let a passkey answer what was prepared."""
        given = passkey.get(challenge or from_base64url(prepared["challenge"]))
        parts = {"authenticator_data": given.authenticator_data, "client_data": given.client_data, "signature": given.signature}
        return self.post("/sign", {"name": prepared["name"], **{name: to_base64url(part) for name, part in parts.items()}})[0]

    def enrol(self, passkey: Passkey) -> Outcome:
        """Make a passkey."""
        outcome, prepared = self.post("/enrol/prepare", {"email": "rae@example.com"})
        if outcome.reasons:
            return outcome
        made = passkey.create(from_base64url(prepared["challenge"]))
        parts = {"authenticator_data": made.authenticator_data, "client_data": made.client_data, "public_key": made.public_key}
        return self.post("/enrol", {"name": prepared["name"], **{name: to_base64url(part) for name, part in parts.items()}})[0]
