"""The application: who may ask what, and in which form; the answers come from the desk."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError

from poc.errors import InputRefused, PocError
from poc.rules.signoff.browsing import (
    Request,
    body_is_json,
    body_is_small,
    host_is_ours,
    is_still_prepared,
    origin_is_ours,
    tokens_agree,
)
from poc.rules.signoff.reasons import stop_at
from poc.tools.signoff_page import replies
from poc.tools.signoff_page.desk import Answer, Choice, Desk, Enrolment, NewPasskey, Prepared, View
from poc.tools.signoff_page.link import Link
from poc.tools.signoff_page.onetime import OneTime, new_token
from poc.tools.signoff_page.replies import Reply, Send

LOG = logging.getLogger("poc.signoff")
Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
M = TypeVar("M", bound=BaseModel)
A_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
A_VERSION = re.compile(r"/([^/]+)/([1-9][0-9]{0,9})(/brief)?")
A_CHARTER = re.compile(r"(?:/([^/]+))?/charter")
LOCALHOST = re.compile(r"localhost(:[0-9]{1,5})?")


@dataclass(kw_only=True)
class Application:
    """The page below `prefix`; `origin` is where browsers find it, as in https://mlflow.example.com, and None stands for this machine, on whatever port.

    With a `link`, only the browser that opened it is let in; without one, the page is for everybody who can reach it: it is the passkey that decides who signs.
    """

    desk: Desk
    origin: str | None
    prefix: str = "/signoff"
    link: Link | None = None
    _statements: OneTime[Any] = field(default_factory=OneTime)
    _enrolments: OneTime[Any] = field(default_factory=OneTime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            reply = await self._safely(scope, receive)
            if reply:
                await reply.to(send, is_head=scope["method"] == "HEAD")

    def is_about(self, path: str) -> bool:
        """Say whether a path is one of the page's."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    async def _safely(self, scope: Scope, receive: Receive) -> Reply | None:
        is_post = scope["method"] == "POST"
        try:
            return await self._posted(scope, receive) if is_post else await self._asked(scope)
        except InputRefused as error:
            return replies.refused(error, as_json=is_post, status=400 if is_post else 404)
        except PocError as error:
            return replies.refused(error, as_json=is_post)
        except ConnectionError:  # the client went away
            return None
        except Exception:
            LOG.exception("the sign-off page failed on %s", scope["path"])
            return replies.refused(PocError("something went wrong here; the server's log says what"), as_json=is_post, status=500)

    async def _asked(self, scope: Scope) -> Reply:
        if scope["method"] not in ("GET", "HEAD"):
            return Reply(status=405, body=b"this page takes GET\n", headers={"Allow": "GET, HEAD"})
        request, origin = self._request(scope)
        path = scope["path"]
        if self.link and path == "/":
            return self._opened(self.link, scope, origin)
        if own := replies.static(path.removeprefix(f"{self.prefix}/static/")):
            return own
        if self.link:
            stop_at(self.link.lets_in(request.cookie_token))
        token = request.cookie_token if A_TOKEN.fullmatch(request.cookie_token) else new_token()
        view = View(origin=origin, prefix=self.prefix, token=token)
        rest = path.removeprefix(self.prefix)
        version = A_VERSION.fullmatch(rest)
        if version and version[3]:
            return replies.brief(await asyncio.to_thread(self.desk.brief, version[1], version[2]))
        if version:
            content = await asyncio.to_thread(self.desk.page, version[1], version[2], view)
        elif charter := A_CHARTER.fullmatch(rest):
            content = await asyncio.to_thread(self.desk.page, charter[1] or "", "", view)
        elif rest == "/enrol":
            content = await asyncio.to_thread(self.desk.enrol_page, view)
        else:
            raise InputRefused(
                "there is no such page", where=path[:100], fix=f"{self.prefix}/MODEL/VERSION shows a version, {self.prefix}/MODEL/charter a charter"
            )
        return replies.page(content, origin, self.prefix, cookie=_cookie(origin, token))

    def _opened(self, link: Link, scope: Scope, origin: str) -> Reply:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        session, found = link.exchange(given)
        stop_at(found)
        return Reply(status=303, headers={"Location": f"{origin}{self.prefix}/{link.start}", "Set-Cookie": _cookie(origin, session)})

    async def _posted(self, scope: Scope, receive: Receive) -> Reply:
        request, origin = self._request(scope)
        stop_at([*origin_is_ours(request, origin), *tokens_agree(request), *body_is_json(request)])
        if self.link:
            stop_at(self.link.lets_in(request.cookie_token))
        body = await _body(receive)
        match scope["path"].removeprefix(self.prefix):
            case "/prepare":
                return self._wait(self._statements, await asyncio.to_thread(self.desk.prepare, _read(body, Choice), origin))
            case "/sign":
                answer = _read(body, Answer)
                return replies.told(await asyncio.to_thread(self.desk.sign, _taken(self._statements, answer.name), answer, origin))
            case "/enrol/prepare":
                return self._wait(self._enrolments, await asyncio.to_thread(self.desk.prepare_enrolment, _read(body, Enrolment), origin))
            case "/enrol":
                made = _read(body, NewPasskey)
                return replies.told(await asyncio.to_thread(self.desk.enrol, _taken(self._enrolments, made.name), made, origin))
        raise InputRefused("nothing is sent there", where=scope["path"][:100])

    def _wait(self, store: OneTime[Any], prepared: Prepared) -> Reply:
        return replies.told({**prepared.told, "name": store.put(prepared.kept)})

    def _request(self, scope: Scope) -> tuple[Request, str]:
        """Read the headers of a request for this host, and its origin."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        origin = self.origin or (f"http://{host}" if LOCALHOST.fullmatch(host) else "http://localhost")
        request = Request(
            host=host,
            origin=headers.get("origin", ""),
            fetch_site=headers.get("sec-fetch-site", ""),
            content_type=headers.get("content-type", ""),
            cookie_token=_cookie_of(headers.get("cookie", ""), origin),
            header_token=headers.get("x-poc-token", ""),
        )
        stop_at(host_is_ours(request, origin))
        return request, origin


def _taken(store: OneTime[Any], name: str) -> Any:
    kept = store.take(name)
    stop_at(is_still_prepared(kept))
    return kept


def _read(body: bytes, kind: type[M]) -> M:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InputRefused(f"{'.'.join(map(str, first['loc'])) or 'the body'}: {first['msg']}", where="the request") from error


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        part: bytes = event.get("body", b"")
        body += part
        stop_at(body_is_small(len(body)))
        if not event.get("more_body"):
            return body


def _cookie_name(origin: str) -> str:
    """Name the cookie so that no other host can set it, or, on this machine, no page on another port by accident: ports share their cookies."""
    return "__Host-poc-signoff" if origin.startswith("https://") else f"poc-signoff-{origin.rpartition(':')[2].strip('/')}"


def _cookie(origin: str, token: str) -> str:
    secure = "; Secure" if origin.startswith("https://") else ""
    return f"{_cookie_name(origin)}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _cookie_of(header: str, origin: str) -> str:
    """Read our cookie; one of another application's that is odd must not hide it."""
    pairs = (each.strip().partition("=") for each in header.split(";"))
    return next((value for name, _, value in pairs if name == _cookie_name(origin)), "")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
