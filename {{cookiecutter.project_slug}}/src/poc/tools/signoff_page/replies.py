"""Replies: what goes back, and the headers that keep it where it belongs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from poc.errors import PocError
from poc.rules.signoff.reasons import Reason

Send: TypeAlias = Callable[[Any], Awaitable[None]]
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
STATIC = {
    name: (kind, (Path(__file__).parent / "static" / name).read_bytes())
    for name, kind in (("page.css", "text/css; charset=utf-8"), ("page.js", "text/javascript; charset=utf-8"))
}
#: Of every reply: nobody keeps it, guesses its type, is told where it was read, or opens it in a window of theirs.
ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Which status says what was wrong with a request; every other refusal is 403.
STATUSES: Mapping[str, int] = {Reason.NOT_JSON: 415, Reason.TOO_LONG: 413, Reason.OTHER_HOST: 421}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A status, a body and what it is; `headers` beside those of every reply."""

    status: int = 200
    kind: str = TEXT
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def to(self, send: Send, *, is_head: bool = False) -> None:
        """Send it."""
        headers = ALWAYS | {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Content-Type": self.kind} | dict(self.headers)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": [*raw, (b"content-length", b"%d" % len(self.body))]})
        await send({"type": "http.response.body", "body": b"" if is_head else self.body})


def page(body: bytes, origin: str, prefix: str, *, cookie: str) -> Reply:
    """Return a page that loads its own script and style by name, from here and nowhere else: on MLflow's origin lie other people's artifacts too."""
    own = f"{origin}{prefix}"
    policy = (
        f"default-src 'none'; script-src {own}/static/page.js; style-src {own}/static/page.css; connect-src {own}/; frame-src {own}/; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    allowed = "publickey-credentials-get=(self), publickey-credentials-create=(self)"
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "Permissions-Policy": allowed, "Set-Cookie": cookie}
    return Reply(kind=HTML, body=body, headers=headers)


def brief(body: bytes) -> Reply:
    """Return a brief to be shown inside of the page: it came from a run, so it may do nothing but look as it does."""
    policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    return Reply(kind=HTML, body=body, headers={"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"})


def static(name: str) -> Reply | None:
    """Return one of the page's own files."""
    found = STATIC.get(name)
    return Reply(kind=found[0], body=found[1]) if found else None


def told(value: Mapping[str, Any]) -> Reply:
    """Return what a script asked for."""
    return Reply(kind=JSON, body=json.dumps(value).encode())


def refused(error: PocError, *, as_json: bool, status: int | None = None) -> Reply:
    """Return a refusal in the words that a terminal would show."""
    status = status or STATUSES.get(error.code, 403)
    words = "\n".join(
        f"{problem.what}{f' ({problem.where})' if problem.where else ''}{f'. {problem.fix}' if problem.fix else ''}" for problem in error.problems
    )
    if as_json:
        return Reply(status=status, kind=JSON, body=json.dumps({"error": words, "code": error.code}).encode())
    return Reply(status=status, body=f"{words}\n".encode())
