"""The application: Open Inference Protocol v2 over HTTP and JSON, as thin ASGI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from poc.rules.answers import decide, in_words, output_of
from poc.rules.evidence import CandidateInput, Deciding
from poc.rules.oip import DATATYPE

Kind = Literal["number", "category"]
Tensor = NDArray[np.float32] | NDArray[np.object_]
MAX_BODY_BYTES = 16 * 2**20
MAX_ROWS = 10_000
NUMBERS = {"FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32"}
JSON_HEADERS = [(b"content-type", b"application/json")]


class BadRequest(Exception):
    """A request that cannot be answered; the message says why."""


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


@dataclass(frozen=True, kw_only=True)
class Application:
    """An ASGI application around a function from columns to answers.

    `observe` is called after the reply to each request to infer is out; `pages` are further pages to GET: a content type and a body by path.
    """

    name: str
    deciding: Deciding
    inputs: Sequence[CandidateInput]
    answers: Callable[[Mapping[str, Tensor]], NDArray[np.float32]]
    model_sha256: str
    require_age: bool = False
    observe: Callable[[Seen], None] | None = None
    pages: Mapping[str, Callable[[], tuple[bytes, bytes]]] = field(default_factory=dict)

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        """Answer one connection event."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            started = time.perf_counter()
            status, body, answered = await self._answer(scope, receive)
            content_type = JSON_HEADERS
            if status == 200 and scope["path"] in self.pages:
                kind, body = self.pages[scope["path"]]()
                content_type = [(b"content-type", kind)]
            headers = [*content_type, (b"content-length", str(len(body)).encode())]
            if status == 405:
                headers.append((b"allow", b"POST" if scope["path"].endswith("/infer") else b"GET, HEAD"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            if self.observe and scope["path"] == f"/v2/models/{self.name}/infer":
                # Not at once: uvloop writes to the socket at the end of this turn of its loop.
                asyncio.get_running_loop().call_soon(self.observe, Seen(status, time.perf_counter() - started, answered))

    async def _answer(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]) -> tuple[int, bytes, Answered | None]:
        path, method = scope["path"], scope["method"]
        model = f"/v2/models/{self.name}"
        if path == f"{model}/infer":
            if method != "POST":
                return 405, _error(f"{path} takes POST"), None
            body = await _body(receive)
            return (413, _error(f"a request may have {MAX_BODY_BYTES} bytes"), None) if body is None else self._infer(body)
        pages = {
            "/": {"model": f"{model}", "infer": f"{model}/infer", "ready": "/v2/health/ready"},
            "/v2": {"name": "prod-first-poc", "version": "1", "extensions": []},
            "/v2/health/live": {"live": True},
            "/v2/health/ready": {"ready": True},
            f"{model}/ready": {"name": self.name, "ready": True},
            model: self.metadata(),
        }
        if path not in pages and path not in self.pages:
            return 404, _error(f"there is no {path}; see /"), None
        if method not in ("GET", "HEAD"):
            return 405, _error(f"{path} takes GET"), None
        return 200, orjson.dumps(pages.get(path)), None

    def metadata(self) -> dict[str, Any]:
        """Describe the model as the protocol asks."""
        return {
            "name": self.name,
            "versions": [self.model_sha256[:12]],
            "platform": "onnxruntime_onnx",
            "inputs": [{"name": each.name, "datatype": DATATYPE[each.kind], "shape": [-1, 1]} for each in self.inputs],
            "outputs": self._outputs(),
            **(self._parameters() if self.deciding.by_cost else {}),
        }

    def _outputs(self) -> list[dict[str, Any]]:
        """Describe what is answered; an amount says itself what is decided."""
        classes = self.deciding.by_cost.classes if self.deciding.by_cost else [""]
        answer = {"name": output_of(self.deciding), "datatype": "FP32", "shape": [-1, len(classes)]}
        if answer["name"] == "estimate":
            return [answer]
        return [answer, {"name": "decision", "datatype": "BYTES" if self.deciding.by_cost else "BOOL", "shape": [-1, 1]}]

    def _parameters(self) -> dict[str, Any]:
        """Name the threshold, or the classes in the order of their probabilities; a parameter of the protocol is text, a number or a truth."""
        if self.deciding.threshold is not None:
            return {"parameters": {"threshold": self.deciding.threshold}}
        return {"parameters": {"classes": orjson.dumps(self.deciding.by_cost.classes).decode()}} if self.deciding.by_cost else {}

    def infer(self, body: bytes) -> tuple[int, bytes]:
        """Answer an infer request: status and JSON; whatever is wrong with the request is named in a 400."""
        return self._infer(body)[:2]

    def _infer(self, body: bytes) -> tuple[int, bytes, Answered | None]:
        try:
            request = orjson.loads(body)
            columns = self._columns(request)
        except orjson.JSONDecodeError as error:
            return 400, _error(f"the body is not JSON: {error}"), None
        except BadRequest as error:
            return 400, _error(str(error)), None
        answer = self.answers(columns)
        there = np.isfinite(answer.reshape(len(answer), -1)).all(axis=1)
        if not there.all():  # NaN >= threshold is false: an alert would be lost without a word
            return (
                400,
                _error(f"the model has no {output_of(self.deciding)} for row {int(np.argmin(there))}: a number in it is too far from what it knows"),
                None,
            )
        decisions = decide(self.deciding, answer)
        data = [answer.ravel(), in_words(self.deciding, decisions)]
        reply = {
            "model_name": self.name,
            "model_version": self.model_sha256[:12],
            **self._parameters(),
            "outputs": [{**output, "shape": [len(answer), output["shape"][1]], "data": values} for output, values in zip(self._outputs(), data, strict=False)],
        }
        if isinstance(request.get("id"), str):
            reply["id"] = request["id"]
        return 200, orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY), Answered(columns, answer, decisions)

    def _columns(self, request: Any) -> dict[str, Tensor]:
        if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
            raise BadRequest("the body needs a list `inputs`")
        given: dict[str, Any] = {}
        for tensor in request["inputs"]:
            name = tensor.get("name") if isinstance(tensor, dict) else None
            if not isinstance(name, str):
                raise BadRequest("every input needs a `name`")
            if name in given:
                raise BadRequest(f"input {name!r} is given twice")
            given[name] = tensor
        known = {each.name for each in self.inputs}
        if unknown := sorted(set(given) - known):
            raise BadRequest(f"unknown inputs: {', '.join(unknown)}; the model takes {', '.join(sorted(known))}")
        if missing := sorted(known - set(given)):
            raise BadRequest(f"missing inputs: {', '.join(missing)}; send null where a value is not there")
        columns = {each.name: _column(given[each.name], each.name, each.kind) for each in self.inputs}
        if len({len(values) for values in columns.values()}) > 1:
            raise BadRequest("the inputs have different numbers of rows: " + ", ".join(f"{name} {len(values)}" for name, values in columns.items()))
        return columns


def _column(tensor: Mapping[str, Any], name: str, kind: Kind) -> Tensor:
    """Read one tensor as shape (n_rows, 1); null is a missing value."""
    datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
    if not isinstance(datatype, str) or datatype not in (NUMBERS if kind == "number" else {"BYTES"}):
        raise BadRequest(f"input {name!r} takes {'FP32' if kind == 'number' else 'BYTES'}, not {datatype!r}")
    if not isinstance(data, list):
        raise BadRequest(f"input {name!r} needs a list `data`")
    flat = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in data]
    rows = len(flat)
    if shape not in ([rows, 1], [rows]):
        raise BadRequest(f"input {name!r} has {rows} values and shape {shape!r}; it takes [{rows}, 1]")
    if not 0 < rows <= MAX_ROWS:
        raise BadRequest(f"input {name!r} has {rows} rows; a request may have 1 to {MAX_ROWS}")
    if kind == "category":
        if not all(value is None or isinstance(value, str) for value in flat):
            raise BadRequest(f"input {name!r} holds something that is no text")
        text: NDArray[np.object_] = np.array([value or "" for value in flat], dtype=object)
        return text.reshape(-1, 1)
    if not all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in flat):
        raise BadRequest(f"input {name!r} holds something that is no number")
    with np.errstate(over="ignore"):
        numbers: NDArray[np.float32] = np.array([np.nan if value is None else float(value) for value in flat], dtype=np.float64).astype(np.float32)
    if np.isinf(numbers).any():
        raise BadRequest(f"input {name!r} holds a number too large for float32")
    return numbers.reshape(-1, 1)


async def _live(receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes | None:
    """Collect a request's body; None when it is larger than allowed."""
    parts, size = [], 0
    while True:
        event = await receive()
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
        if not event.get("more_body"):
            return b"".join(parts)


def _error(message: str) -> bytes:
    return orjson.dumps({"error": message})
