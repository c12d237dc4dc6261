"""The application: Open Inference Protocol v2 over HTTP, as thin ASGI."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from poc.rules.answers import output_of
from poc.rules.contract import Tensor, Terms
from poc.rules.evidence import CandidateInput, Deciding
from poc.rules.oip import DATATYPE, outputs_of
from poc.tools.web.openapi import described
from poc.tools.web.protocol import BadRequest, Reader
from poc.tools.web.replies import Writer

#: Where uvicorn says what went wrong.
LOG = logging.getLogger("uvicorn.error")
MAX_BODY_BYTES = 16 * 2**20
JSON, BINARY = b"application/json", b"application/octet-stream"
#: How many digits the length of a request's JSON may have: as many as the largest body.
DIGITS = len(str(MAX_BODY_BYTES))


class Answered(NamedTuple):
    """What a request asked and was told: columns of shape (n_rows, 1), one answer and one decision for each row."""

    columns: Mapping[str, Tensor]
    answers: NDArray[np.float32]
    decisions: NDArray[Any]


class Seen(NamedTuple):
    """What an observer is told of a request to infer; `answered` is None where it was refused."""

    status: int
    seconds: float
    answered: Answered | None


class Reply(NamedTuple):
    """What goes back; `json_bytes` says how much of the body is JSON where binary tensors follow, `allow` which methods a path takes."""

    status: int
    body: bytes
    content_type: bytes = JSON
    json_bytes: int | None = None
    allow: bytes | None = None
    answered: Answered | None = None


@dataclass(frozen=True, kw_only=True)
class Application:
    """An ASGI application around a function from columns to answers.

    `observe` is called after the reply to each request to infer is out; `pages` are further pages to GET: a content type and a body by path.
    `unstated_ages` counts the requests that did not say how old an input is whose age the charter limits; with `require_age` they are refused.
    """

    name: str
    deciding: Deciding
    inputs: Sequence[CandidateInput]
    answers: Callable[[Mapping[str, Tensor]], NDArray[np.float32]]
    model_sha256: str
    require_age: bool = False
    observe: Callable[[Seen], None] | None = None
    pages: Mapping[str, Callable[[], tuple[bytes, bytes]]] = field(default_factory=dict)
    unstated_ages: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        """Answer one connection event."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            started = time.perf_counter()
            is_asked = scope["path"] in self._infer_paths
            reply = await self._asked(scope, receive) if is_asked else self._page(scope["path"], scope["method"])
            if reply is None:
                return
            headers = [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
            if reply.json_bytes is not None:
                headers.append((b"inference-header-content-length", b"%d" % reply.json_bytes))
            if reply.allow is not None:
                headers.append((b"allow", reply.allow))
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})
            if is_asked and self.observe:
                # Not at once: uvloop writes to the socket at the end of this turn of its loop.
                asyncio.get_running_loop().call_soon(self.observe, Seen(reply.status, time.perf_counter() - started, reply.answered))

    async def _asked(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]) -> Reply | None:
        """Answer a request to infer; nothing is said to a client that went away."""
        if scope["method"] != "POST":
            return Reply(405, _error(f"{scope['path']} takes POST"), allow=b"POST")
        json_bytes = None
        for name, value in scope["headers"]:
            if name == b"inference-header-content-length":
                if not value.isdigit() or len(value) > DIGITS:
                    return Reply(400, _error("Inference-Header-Content-Length takes the number of bytes of the JSON"))
                json_bytes = int(value)
            elif name == b"content-encoding" and value.lower() != b"identity":
                return Reply(415, _error("a body is read as it is: send it without Content-Encoding"))
        try:
            body = await _body(receive)
        except ConnectionError:
            return None
        return Reply(413, _error(f"a request may have {MAX_BODY_BYTES} bytes")) if body is None else self.reply_to(body, json_bytes)

    def _page(self, path: str, method: str) -> Reply:
        page, more = self._fixed.get(path), self.pages.get(path)
        if page is None and more is None:
            return Reply(404, _error(f"there is no {path[:100]}; see /"))
        if method not in ("GET", "HEAD"):
            return Reply(405, _error(f"{path} takes GET"), allow=b"GET, HEAD")
        if page is not None:
            return Reply(200, page)
        assert more is not None
        content_type, body = more()
        return Reply(200, body, content_type)

    def infer(self, body: bytes) -> tuple[int, bytes]:
        """Answer a request to infer that is all JSON: status and body."""
        return self.reply_to(body, None)[:2]

    def reply_to(self, body: bytes, json_bytes: int | None) -> Reply:
        """Answer a request to infer; whatever is wrong with it is named in a 400."""
        try:
            asked = self._reader.read(body, json_bytes)
        except BadRequest as error:
            return Reply(400, _error(str(error)))
        try:
            answers = self.answers(asked.columns)
        except Exception:  # ONNX Runtime raises bare exceptions of many kinds; whatever it was, the next request is answered
            LOG.exception("the model failed")
            return Reply(500, _error("the model failed on this request; the server's log says why"))
        if not _is_finite(answers):  # NaN >= threshold is false: an alert would be lost without a word
            row = int(np.argmin(np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)))
            return Reply(400, _error(f"the model has no {output_of(self.deciding)} for row {row}: a number in it is too far from what it knows"))
        for name in self._limited_by_age:
            if name not in asked.ages:
                self.unstated_ages[name] += 1
        body, json_bytes, decisions = self._writer.write(asked.wanted, asked.id, answers)
        return Reply(200, body, JSON if json_bytes is None else BINARY, json_bytes, answered=Answered(asked.columns, answers, decisions))

    @property
    def version(self) -> str:
        """Name the model by the beginning of its digest."""
        return self.model_sha256[:12]

    def metadata(self) -> dict[str, Any]:
        """Describe the model as the protocol asks; what each input takes stands in `/openapi.json`."""
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": "onnxruntime_onnx",
            "inputs": [{"name": each.name, "datatype": DATATYPE[each.kind], "shape": [-1, 1]} for each in self.inputs],
            "outputs": [{"name": each.name, "datatype": each.datatype, "shape": [-1, each.width]} for each in outputs_of(self.deciding)],
            **(self._writer.parameters() if self.deciding.by_cost else {}),
        }

    @cached_property
    def _reader(self) -> Reader:
        return Reader(terms={each.name: Terms.of(each) for each in self.inputs}, outputs=outputs_of(self.deciding), require_age=self.require_age)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(model=self.name, version=self.version, deciding=self.deciding, usual=self._reader.everything[False])

    @cached_property
    def _limited_by_age(self) -> list[str]:
        return [each.name for each in self.inputs if each.max_age_seconds is not None]

    @cached_property
    def _paths(self) -> tuple[str, str]:
        """Say where the model is found: whichever version is served, and this one."""
        return f"/v2/models/{self.name}", f"/v2/models/{self.name}/versions/{self.version}"

    @cached_property
    def _infer_paths(self) -> frozenset[str]:
        return frozenset(f"{path}/infer" for path in self._paths)

    @cached_property
    def _fixed(self) -> dict[str, bytes]:
        """Write the pages that stay the same, by path."""
        model, _ = self._paths
        pages = {
            "/": {"model": model, "infer": f"{model}/infer", "ready": "/v2/health/ready", "openapi": "/openapi.json"},
            "/v2": {"name": "prod-first-poc", "version": "1", "extensions": ["binary_tensor_data"]},
            "/v2/health/live": {"live": True},
            "/v2/health/ready": {"ready": True},
            "/openapi.json": described(self.name, self.version, self.inputs, self.deciding),
            **{path: self.metadata() for path in self._paths},
            **{f"{path}/ready": {"name": self.name, "ready": True} for path in self._paths},
        }
        return {path: orjson.dumps(page) for path, page in pages.items()}


def _is_finite(answers: NDArray[np.float32]) -> bool:
    return math.isfinite(answers.item()) if answers.size == 1 else bool(np.isfinite(answers).all())


async def _live(receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes | None:
    """Collect a request's body; None when it is larger than allowed.

    Raises:
        ConnectionError: the client went away before the end of it.
    """
    parts, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
        if not event.get("more_body"):
            return b"".join(parts)


def _error(message: str) -> bytes:
    return orjson.dumps({"error": message.encode(errors="replace").decode()})
