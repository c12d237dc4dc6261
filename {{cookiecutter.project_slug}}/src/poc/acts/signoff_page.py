"""The sign-off page put together, for this machine alone or as a part of MLflow's server."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poc.acts.signoff_books import InMLflow, InRepository
from poc.acts.signoff_desk import SignoffDesk
from poc.errors import EnvironmentRefused, InputRefused
from poc.layout import project_root
from poc.rules.signoff import Entry
from poc.tools import web
from poc.tools.signoff_page import Application, Link

App = Callable[[Any, Any, Any], Awaitable[None]]
#: The environment variable that says where browsers find MLflow's server: passkeys are bound to it.
ORIGIN_SETTING = "POC_SIGNOFF_ORIGIN"
AN_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?|http://localhost(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A passkey that was made: its line for `allowed_signers`, its fingerprint, and what is to be done."""

    line: str
    fingerprint: str
    words: str


def sign_in_browser(root: Path, stage: str, version: str, *, port: int = 0, on_ready: Callable[[str], None]) -> Entry | None:
    """Show a local page until somebody has signed on it, and return the decision, or None where it was stopped; `on_ready` gets the link.

    For the stage `charter` there is no version.

    Raises:
        InputRefused: there is no such version.
        EnvironmentRefused: the port is taken.
    """
    books, signed = InRepository(root=root), list[Entry]()
    with tempfile.TemporaryDirectory() as folder:
        books.facts(books.project, version, Path(folder))
    start = "charter" if stage == "charter" else f"{books.project}/{version}"
    _serve(SignoffDesk(books=books, stage=stage, on_signed=signed.append), start, port=port, on_ready=on_ready, is_done=lambda: bool(signed))
    return signed[0] if signed else None


def enrol_in_browser(root: Path, email: str | None = None, *, port: int = 0, on_ready: Callable[[str], None]) -> Proposed | None:
    """Show a local page until somebody has made a passkey on it, and return the proposal, or None where it was stopped.

    Raises:
        InputRefused: nobody of this address has a role that signs.
        EnvironmentRefused: the port is taken.
    """
    books, made = InRepository(root=root), list[Proposed]()
    if email and email not in books.people():
        raise InputRefused(f"{email} signs nothing by this charter", where="charter.yaml, people and stages", fix=f"one of {', '.join(books.people())}")
    desk = SignoffDesk(books=books, chosen=email or "", on_enrolled=lambda line, name, words: made.append(Proposed(line=line, fingerprint=name, words=words)))
    _serve(desk, "enrol", port=port, on_ready=on_ready, is_done=lambda: bool(made))
    return made[0] if made else None


def mounted(app: App) -> App:
    """Put the page beside MLflow's own, below `/signoff`.

    Raises:
        EnvironmentRefused: the origin that is configured is none.
    """
    origin = os.environ.get(ORIGIN_SETTING) or None
    if origin and not AN_ORIGIN.fullmatch(origin):
        fix = "such as https://mlflow.example.com, without a path; unset it where only this machine's browsers sign"
        raise EnvironmentRefused(f"{origin!r} is no origin that passkeys work on", where=ORIGIN_SETTING, fix=fix)
    try:
        root = project_root()
    except InputRefused:  # a server of its own has no repository, only trust files
        root = Path.cwd()
    page = Application(desk=SignoffDesk(books=InMLflow(root=root)), origin=origin)

    async def either(scope: Any, receive: Any, send: Any) -> None:
        is_ours = scope["type"] == "http" and page.is_about(scope["path"])
        await (page if is_ours else app)(scope, receive, send)

    return either


def _serve(desk: SignoffDesk, start: str, *, port: int, on_ready: Callable[[str], None], is_done: Callable[[], bool]) -> None:
    (listener,) = web.listen("127.0.0.1", port)
    origin = f"http://localhost:{listener.getsockname()[1]}"
    link = Link(start)
    address = link.address(origin)

    def ready(_port: int) -> None:
        on_ready(address)

    web.serve_on(listener, Application(desk=desk, origin=origin, link=link), on_ready=ready, is_done=is_done)
