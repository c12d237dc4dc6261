"""The real server in a process of its own: the protocol's pages, refusals, and a quiet end."""

from __future__ import annotations

import http.client
import json
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import INPUTS, a_candidate, a_model, some_rows, start_server

from poc import layout
from poc.acts.serve import serve
from poc.errors import EnvironmentRefused, Refused
from poc.rules.oip import infer_request
from poc.steps.replay import server
from poc.tools import frames
from poc.tools.onnx_runtime import Scorer
from poc.tools.web import MAX_BODY_BYTES
from poc.tools.web.connection import MAX_HEAD_BYTES

pytestmark = [pytest.mark.server, pytest.mark.slow]
MODEL = "/v2/models/stop-bad-parts"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server(a_candidate(tmp_path_factory.mktemp("candidate"))) as (bound, _):
        yield bound


def call(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/health/live", "/v2/health/ready", MODEL, f"{MODEL}/ready"])
def test_every_page_of_the_protocol_answers(port: int, path: str) -> None:
    assert call(port, "GET", path)[0] == 200


def test_the_model_describes_its_inputs_and_outputs(port: int) -> None:
    described = call(port, "GET", MODEL)[1]
    assert [(each["name"], each["datatype"], each["shape"]) for each in described["inputs"]] == [
        (each.name, "FP32" if each.kind == "number" else "BYTES", [-1, 1]) for each in INPUTS
    ]
    assert [each["name"] for each in described["outputs"]] == ["probability", "decision"]


def test_a_served_answer_is_the_scorers(port: int) -> None:
    columns = frames.columns(some_rows(), INPUTS)
    status, reply = call(port, "POST", f"{MODEL}/infer", infer_request(columns, INPUTS))
    assert status == 200
    assert np.array_equal(np.float32(reply["outputs"][0]["data"]), Scorer(a_model()).answers(columns))


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v2/models/another", 404), ("GET", "/nowhere", 404), ("GET", f"{MODEL}/infer", 405), ("POST", MODEL, 405)]
)
def test_a_wrong_address_is_told_so(port: int, method: str, path: str, status: int) -> None:
    found, reply = call(port, method, path)
    assert found == status
    assert path in reply["error"]


def test_a_bad_request_leaves_the_connection_open_for_a_good_one(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    statuses = []
    for body in (b"{", infer_request(frames.columns(some_rows(1), INPUTS), INPUTS)):
        connection.request("POST", f"{MODEL}/infer", body)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [400, 200]


def test_a_body_larger_than_the_cap_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(f"POST {MODEL}/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {2 * MAX_BODY_BYTES}\r\n\r\n".encode())
        raw.sendall(b" " * (MAX_BODY_BYTES + 1))
        assert raw.recv(64).startswith(b"HTTP/1.1 413")
    assert call(port, "GET", "/v2/health/live")[0] == 200


@pytest.mark.parametrize(
    "offer", ["Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", "UPGRADE:websocket\r\nconnection: upgrade"]
)
def test_an_offer_of_another_protocol_is_ignored(port: int, offer: str) -> None:
    body = infer_request(frames.columns(some_rows(1), INPUTS), INPUTS).decode()
    asked = f"POST {MODEL}/infer HTTP/1.1\r\nhost: x\r\n{offer}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        for _ in range(2):
            raw.sendall(asked)
            assert raw.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_head_without_end_is_refused_and_many_short_ones_on_one_connection_are_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nendless: ")
        while not select.select([raw], [], [], 0.02)[0]:  # what is sent behind the refusal would reset the connection
            raw.sendall(b"x" * 10_000)
        assert raw.recv(64).startswith(b"HTTP/1.1 431")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        for _ in range(2 * MAX_HEAD_BYTES // 10_000):
            raw.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 10_000 + b"\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_ends_quietly_with_status_0(tmp_path: Path, stop: signal.Signals) -> None:
    process, port = start_server(a_candidate(tmp_path / "candidate"), tmp_path)
    assert call(port, "GET", "/v2/health/ready")[0] == 200
    process.send_signal(stop)
    said, _ = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, b"")


def test_bytes_that_were_not_frozen_are_not_served(tmp_path: Path) -> None:
    candidate = a_candidate(tmp_path)
    (candidate / layout.CANDIDATE_MODEL).write_bytes(a_model(bias=-3.0))
    with pytest.raises(Refused) as caught:
        serve(candidate, host="127.0.0.1", port=0, on_ready=lambda port: pytest.fail("it was served"))
    assert caught.value.code == "digests_agree"


def test_a_candidate_without_a_model_is_refused(tmp_path: Path) -> None:
    (a_candidate(tmp_path) / layout.CANDIDATE_MODEL).unlink()
    with pytest.raises(Refused) as caught:
        serve(tmp_path, host="127.0.0.1", port=0, on_ready=lambda port: pytest.fail("it was served"))
    assert caught.value.code == "evidence_is_missing"


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", None), ("127.0.0.1", 70_000), ("no.such.host.invalid", 0)])
def test_an_address_that_cannot_be_had_says_what_to_do(tmp_path: Path, host: str, port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EnvironmentRefused) as caught:
        serve(a_candidate(tmp_path), host=host, port=taken.getsockname()[1] if port is None else port, on_ready=lambda port: pytest.fail("it was served"))
    assert "poc serve --port" in caught.value.problems[0].fix


def test_serving_loads_nothing_that_only_training_needs() -> None:
    heavy = "import sys, poc.acts.serve; print([name for name in ('pandas', 'sklearn', 'scipy', 'mlflow', 'kfp', 'rich') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout.strip() == "[]"
