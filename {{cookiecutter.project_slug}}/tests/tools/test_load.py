"""The client that puts a load on servers: what it sends, what it counts, and whose waiting is whose."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from poc.tools.load import LOST, UNANSWERED, Answers, Client, Target, json_requests, reply_of, send

pytestmark = pytest.mark.server
OK, ERROR = (b"HTTP/1.1 %d\r\nContent-Length: 2\r\n\r\n{}" % status for status in (200, 500))
LAST = b"HTTP/1.1 200\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BODIES = [b"first", b"second", b"third"]
Reply = Callable[[int], bytes | None]


@contextmanager
def a_server(reply: Reply) -> Iterator[tuple[Target, list[bytes]]]:
    """Listen; `reply` says what the n-th request gets, None for a connection that ends without a word. Yield also the bodies, as they come."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                length = 0
                while line.strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = stream.readline()
                seen.append(stream.read(length))
                answer = reply(len(seen) - 1)
                if answer:
                    connection.sendall(answer)
                if answer is None or answer is LAST:
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield Target(host="127.0.0.1", port=listener.getsockname()[1], connections=1), seen
        listener.shutdown(socket.SHUT_RDWR)


def drive(target: Target, due: list[float], *, bodies: list[bytes] = BODIES, patience_s: float = 10.0) -> Answers:
    """Send from this process."""
    return Client(target, json_requests(bodies, host="here", path="/infer")).drive(np.array(due), patience_s=patience_s)


def test_bodies_take_turns() -> None:
    with a_server(lambda _: OK) as (target, seen):
        found = drive(target, [0.0] * 5)
    assert seen == [b"first", b"second", b"third", b"first", b"second"]
    assert (found.status.tolist(), np.isfinite(found.latency).all()) == ([200] * 5, True)


def test_who_waits_behind_a_slow_answer_is_seen_to_wait() -> None:
    def slowly(_: int) -> bytes:
        time.sleep(0.02)
        return OK

    with a_server(slowly) as (target, _):
        found = drive(target, [0.0, 0.0, 0.0])
    waited = found.latency - found.service
    assert waited[2] >= 0.04 and found.late[2] < waited[2] / 2  # for two others' answers, not for the client


def test_a_client_that_waits_for_the_server_is_idle() -> None:
    def slowly(_: int) -> bytes:
        time.sleep(0.02)
        return OK

    with a_server(slowly) as (target, _):
        assert drive(target, [0.0] * 3).idle > 0.5


def test_a_request_is_not_sent_before_it_is_due() -> None:
    with a_server(lambda _: OK) as (target, _):
        assert drive(target, [0.0, 0.05]).seconds >= 0.05


def test_an_answer_that_is_an_error_counts_as_none() -> None:
    with a_server(lambda number: ERROR if number == 1 else OK) as (target, _):
        found = drive(target, [0.0] * 3)
    assert (found.status.tolist(), np.isfinite(found.latency).tolist()) == ([200, 500, 200], [True, False, True])


def test_a_request_is_lost_with_its_connection_and_the_next_gets_another() -> None:
    with a_server(lambda number: None if number == 1 else OK) as (target, _):
        found = drive(target, [0.0] * 3)
    assert (found.status.tolist(), found.reconnects) == ([200, LOST, 200], 1)


def test_a_server_that_closes_after_its_reply_loses_nothing() -> None:
    with a_server(lambda _: LAST) as (target, _):
        found = drive(target, [0.0] * 3)
    assert (found.status.tolist(), found.reconnects) == ([200] * 3, 2)


def test_patience_ends() -> None:
    with a_server(lambda _: b"") as (target, _):
        found = drive(target, [0.0], patience_s=0.1)
    assert (found.status.tolist(), np.isinf(found.latency[0])) == ([UNANSWERED], True)


def test_where_nobody_listens_nothing_is_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = Client(Target(host="127.0.0.1", port=port, connections=2), json_requests(BODIES, host="here", path="/"))
    found = client.drive(np.zeros(2), patience_s=0.05, connect_s=0.05)
    assert (found.status.tolist(), found.reconnects) == ([UNANSWERED] * 2, 0)


def test_a_body_that_the_system_does_not_take_at_once_arrives_whole() -> None:
    large = bytes(16 * 2**20)
    with a_server(lambda _: OK) as (target, seen):
        drive(target, [0.0], bodies=[large])
    assert seen == [large]


def test_in_a_process_of_its_own_the_first_round_warms_the_server_up() -> None:
    with a_server(lambda _: OK) as (target, seen):
        found = send(target, json_requests(BODIES, host="here", path="/infer"), np.zeros(4), patience_s=10.0)
    assert (found.status.tolist(), len(seen)) == ([200] * 4, len(BODIES) + 4)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", None),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}", (404, False)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (200, False)),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", (200, True)),
    ],
)
def test_a_reply_is_read_once_it_is_whole(received: bytes, expected: tuple[int, bool] | None) -> None:
    assert reply_of(received) == expected
