"""Requests to infer that went wrong in one, two or three places, and what may be answered to them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from poc.rules.evidence import CandidateInput
from poc.rules.oip import DATATYPE
from poc.tools.web import Application

STATUSES = {200, 400, 404, 405, 413, 415}
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)
)
ODD: list[Any] = [
    None, True, 0, -1, 2**31, 2**64, -(2**63), 1e39, -1e308, 5e-324, float("nan"), float("inf"),
    "", "7", "\0", "\ud800", "a" * 5000, "FP32", "INT64", "BYTES", "BOOL", "FP8",
    [], {}, [[]], [[1.0]], [[[1.0]]], [1.0, 2.0], [1, 1], [1, 2], [0, 1], [-1, 1], [1] * 9, [True, 1], ["L"], [None],
    {"binary_data": 1}, {"binary_data": True}, {"binary_data_size": -1}, {"binary_data_size": 3}, {"binary_data_size": 2**70},
    {"age_seconds": "old"}, {"age_seconds": -1}, {"classification": 3}, [{"name": "nothing"}],
    [{"name": "probability"}, {"name": "probability"}], [{"name": "decision", "parameters": {"binary_data": True}}],
]  # fmt: skip
#: What JSON may hold and `json` would not write: numbers no float holds, half a pair of surrogates, nesting that no recursion follows, a key twice, no UTF-8.
RAW = [
    b"1e400",
    b"-" + b"9" * 500,
    b"0x10",
    b"NaN",
    b"Infinity",
    b'"\\ud800"',
    b"[" * 900 + b"]" * 900,
    b"[" * 5000,
    b'{"a":' * 800 + b"1" + b"}" * 800,
    b'"\xff"',
    b"\xef\xbb\xbf",
    b"\0",
]
LENGTHS = ["-1", "0", "1", "7.5", "1e2", "+3", "0x10", "", "nine", "9" * 30, "16777217"]


@dataclass
class Sent:
    """A request as it is sent."""

    body: bytes
    path: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """List where everything in a request stands: a container and a key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from nodes(value[key])


@st.composite
def requests(draw: st.DrawFn, model: str, inputs: Sequence[CandidateInput]) -> Sent:
    """Draw a request for one to three rows, in JSON or with binary tensors, then up to three mistakes in it, and some around it."""
    rows, is_binary = draw(st.integers(1, 3)), draw(st.booleans())
    tensors, behind = [], b""
    for each in inputs:
        values: list[Any] = [40.0] * rows if each.kind == "number" else ["L"] * rows
        content = b"".join(struct.pack("<f", value) if each.kind == "number" else struct.pack("<I", 1) + value.encode() for value in values)
        said: dict[str, Any] = {"parameters": {"binary_data_size": len(content)}} if is_binary else {"data": values}
        tensors.append({"name": each.name, "datatype": DATATYPE[each.kind], "shape": [rows, 1], **said})
        behind += content if is_binary else b""
    request: Any = {"id": "7", "inputs": tensors, "outputs": [{"name": "probability"}], "parameters": {"binary_data_output": is_binary}}
    for _ in range(draw(st.integers(0, 3))):
        _mistake(draw, request)
    body = json.dumps(request).encode()
    sent = Sent(body, f"/v2/models/{model}/infer", headers={"Inference-Header-Content-Length": str(len(body))} if is_binary else {})
    if draw(st.integers(0, 2)) == 0:
        sent.body = _spoiled(draw, body)
    if draw(st.integers(0, 5)) == 0:
        behind = draw(st.binary(max_size=40)) if draw(st.booleans()) else behind[: draw(st.integers(0, len(behind)))]
    sent.body += behind
    if draw(st.integers(0, 9)) == 0:
        sent.headers["Inference-Header-Content-Length"] = draw(st.sampled_from(LENGTHS) | st.integers(0, 2 * len(body)).map(str))
    if draw(st.integers(0, 19)) == 0:
        sent.headers["Content-Encoding"] = draw(st.sampled_from(["gzip", "deflate", "br", "identity"]))
    if draw(st.integers(0, 19)) == 0:
        sent.method = draw(st.sampled_from(["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]))
    if draw(st.integers(0, 19)) == 0:
        sent.path = draw(
            st.sampled_from([sent.path + "/", sent.path.replace("/v2/", "/v1/"), f"/v2/models/{model}/versions/0/infer", "//", "/v2/models//infer"])
            | st.text().map("/".__add__)
        )
    return sent


def _mistake(draw: st.DrawFn, request: Any) -> None:
    """Replace, take away or repeat something, wherever it stands."""
    places = list(nodes(request))
    if not places:
        return
    where, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["odd", "any", "gone", "twice", "renamed"])):
        case "odd":
            where[key] = deepcopy(draw(st.sampled_from(ODD)))  # the next mistake may be made in it
        case "any":
            where[key] = draw(ANYTHING)
        case "gone":
            del where[key]
        case "twice" if isinstance(where, list):
            where.insert(key, where[key])
        case _ if isinstance(where, dict):
            where[draw(st.text(max_size=5))] = where.pop(key)


def _spoiled(draw: st.DrawFn, body: bytes) -> bytes:
    """Cut, overwrite or fill in bytes of what was JSON."""
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 12)))
    return body[:start] + draw(st.just(b"") | st.sampled_from(RAW) | st.binary(max_size=6)) + body[end:]


def asked(app: Application, sent: Sent) -> tuple[int, bytes]:
    """Ask an application without a server: status and body, as a client gets them. It waits for nothing, so it needs no event loop."""
    answering = _asked(app, sent)
    try:
        answering.send(None)
    except StopIteration as done:
        status, body = done.value
        return status, body
    raise AssertionError("it waits for something")


async def _asked(app: Application, sent: Sent) -> tuple[int, bytes]:
    events = iter([{"type": "http.request", "body": sent.body[:100], "more_body": True}, {"type": "http.request", "body": sent.body[100:]}])
    said: list[Any] = []

    async def receive() -> Any:
        return next(events)

    async def send(event: Any) -> None:
        said.append(event)

    headers = [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()]
    await app({"type": "http", "method": sent.method, "path": sent.path, "headers": headers}, receive, send)
    return said[0]["status"], said[1]["body"]


def is_well_answered(status: int, body: bytes) -> bool:
    """Say whether it is a status that may be, and a refusal a sentence that one reads."""
    if status == 200 or status not in STATUSES:
        return status == 200
    said = json.loads(body)["error"]
    return isinstance(said, str) and " " in said and len(said) < 5000
