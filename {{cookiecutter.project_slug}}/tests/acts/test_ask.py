"""Asking a server for one prediction."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_models import INPUTS, a_candidate, a_model, some_rows

from poc import layout
from poc.acts.ask import ask
from poc.errors import EnvironmentRefused, Refused
from poc.steps.replay import server
from poc.tools import frames
from poc.tools.onnx_runtime import Scorer

pytestmark = [pytest.mark.server, pytest.mark.slow]


@contextmanager
def something_else(reply: bytes) -> Iterator[str]:
    """Listen as a stranger who sends `reply` to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)


def test_the_sample_row_gets_its_probability_and_decision(tmp_path: Path) -> None:
    candidate = a_candidate(tmp_path, threshold=0.25)
    with server(candidate) as (port, _):
        reply = ask(candidate, f"http://127.0.0.1:{port}/")
    expected = float(Scorer(a_model()).answers(frames.columns(some_rows(2).tail(1), INPUTS))[0])
    assert reply.probability == pytest.approx(expected, abs=1e-7)
    assert (reply.decision, reply.threshold) == (expected >= 0.25, 0.25)
    assert 0 < reply.milliseconds < 10_000


def test_nobody_listening_is_said_with_what_to_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(EnvironmentRefused, match="nobody answers") as caught:
        ask(a_candidate(tmp_path), url)
    assert caught.value.problems[0].fix == "poc serve, in another terminal"


@pytest.mark.parametrize("url", ["somewhere", "http://", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(EnvironmentRefused):
        ask(a_candidate(tmp_path), url)


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n\r\n[]", b"HTTP/1.1 200 OK\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\nhi"])
def test_a_stranger_on_the_port_is_not_mistaken_for_the_server(tmp_path: Path, reply: bytes) -> None:
    with something_else(reply) as url, pytest.raises(EnvironmentRefused):
        ask(a_candidate(tmp_path), url)


def test_what_the_server_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    candidate = a_candidate(tmp_path)
    (candidate / layout.SAMPLE_REQUEST).write_bytes(b'{"inputs": []}')
    with server(candidate) as (port, _), pytest.raises(Refused, match="missing inputs"):
        ask(candidate, f"http://127.0.0.1:{port}")
