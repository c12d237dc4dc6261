"""Load: requests over HTTP, each when it is due, from a client that never sleeps, in a process of its own."""

from __future__ import annotations

import gc
import json
import math
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Why a request has no status of HTTP's: its connection went away, or nobody answered in time.
LOST, UNANSWERED = -1, 0
#: A server that went away is looked for again so often: found when it is back, not hammered until then.
RETRY_S = 0.01
#: How long connections may take to be there before the first request is due.
CONNECT_S = 2.0
clock = time.perf_counter


@dataclass(frozen=True, kw_only=True)
class Target:
    """Who is asked, and over how many connections: so many requests can be on their way at once."""

    host: str
    port: int
    connections: int


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What became of each request; arrays of shape (n,), in the order in which requests were due, times in seconds.

    `latency` counts from when a request was due, `service` from when it was sent; where the answer is no 200, both are infinite. `late` is what the
    client itself added: from when a request was due and a connection free until it was sent, NaN where it never was. `status` is HTTP's, `LOST` or
    `UNANSWERED`. `idle` is the share of looks at which nothing had come: a client that is never idle is slower than the server it asks.
    """

    latency: Floats
    service: Floats
    late: Floats
    status: NDArray[np.int64]
    reconnects: int
    idle: float
    seconds: float


def json_requests(bodies: Sequence[bytes], *, host: str, path: str) -> list[bytes]:
    """Write JSON bodies as whole requests, ready to be sent."""
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: "
    return [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]


def send(target: Target, requests: Sequence[bytes], due: Floats, *, patience_s: float, core: int | None = None) -> Answers:
    """Send requests in turn from a fresh process, each when it is due, in seconds from the start; `core` is the one that the process keeps to.

    Whether others have been answered does not matter: an open loop, if `due` holds arrivals. A request that is due while every connection waits for
    an answer is sent over the first that gets one, and its latency holds that wait; with all due at 0 that is the loop of clients who each ask again
    at once. The first `len(requests)` answers are not kept: they warm the server up.
    """
    with tempfile.TemporaryDirectory() as folder:
        job, found = Path(folder) / "job.npz", Path(folder) / "found.npz"
        np.savez(job, content=np.frombuffer(b"".join(requests), np.uint8), lengths=[len(each) for each in requests], due=due)
        asked = {**asdict(target), "patience_s": patience_s, "core": core, "job": str(job), "found": str(found)}
        subprocess.run([sys.executable, "-m", "poc.tools.load"], input=json.dumps(asked), text=True, check=True)
        with np.load(found) as saved:
            arrays = {name: saved[name] for name in saved.files}
    reconnects, idle, seconds = (arrays.pop(name).item() for name in ("reconnects", "idle", "seconds"))
    return Answers(reconnects=reconnects, idle=idle, seconds=seconds, **arrays)


def main() -> None:
    """Read a job from standard input and write what became of its requests to the file that it names."""
    job = json.load(sys.stdin)
    if job["core"] is not None and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # some sandboxes forbid it
            os.sched_setaffinity(0, {job["core"]})
    with np.load(job["job"]) as saved:
        content, ends, due = saved["content"].tobytes(), np.cumsum(saved["lengths"]), saved["due"]
    requests = [content[end - length : end] for end, length in zip(ends, np.diff(ends, prepend=0), strict=True)]
    target = Target(host=job["host"], port=job["port"], connections=job["connections"])
    gc.disable()  # a pause of the client would be taken for one of the server
    Client(target, requests).drive(np.zeros(len(requests)), patience_s=job["patience_s"])
    np.savez(job["found"], **vars(Client(target, requests).drive(due, patience_s=job["patience_s"])))


@dataclass(eq=False, kw_only=True)
class Connection:
    """A socket, and the request that is on its way over it."""

    socket: socket.socket
    is_open: bool = False
    watched_for: int = selectors.EVENT_WRITE
    free_since: float = 0.0
    request: int | None = None
    unsent: memoryview | bytes = b""
    received: bytes = b""


class Client:
    """One thread that looks after all its sockets again and again: one that sleeps wakes later than a fast server answers."""

    def __init__(self, target: Target, requests: Sequence[bytes]) -> None:
        self._target, self._requests = target, requests
        self._sockets = selectors.DefaultSelector()
        self._free = deque[Connection]()
        self._connect_at = deque([-math.inf] * target.connections)
        self._opened = 0

    def drive(self, due: Floats, *, patience_s: float, connect_s: float = CONNECT_S) -> Answers:
        """Connect, send every request when it is due, and look for answers until all are there or patience with the last one ends."""
        n, ahead = len(due), 0
        self._sent, self._answered, self._late = np.full(n, np.nan), np.full(n, np.inf), np.full(n, np.nan)
        self._status, self._open = np.full(n, UNANSWERED), n
        self._start = clock() + connect_s
        while (now := self._now()) < 0 and len(self._free) < self._target.connections:
            self._look(now)
        self._start = clock()
        looks = idle = 0
        while self._open and (now := self._now()) < due[-1] + patience_s:
            while self._free and ahead < n and due[ahead] <= now:
                self._send(self._free.popleft(), ahead, float(due[ahead]))
                ahead += 1
            looks, idle = looks + 1, idle + (not self._look(now))
        for key in list(self._sockets.get_map().values()):
            key.data.socket.close()
        return Answers(
            latency=self._answered - due,
            service=np.where(np.isfinite(self._answered), self._answered - self._sent, np.inf),
            late=self._late,
            status=self._status,
            reconnects=max(0, self._opened - self._target.connections),
            idle=idle / max(1, looks),
            seconds=self._now(),
        )

    def _now(self) -> float:
        return clock() - self._start

    def _look(self, now: float) -> bool:
        """Take what has come, send what has not gone, and connect where a connection is missing; say whether any socket was ready."""
        found = self._sockets.select(0)
        for key, ready in found:
            connection: Connection = key.data
            try:
                if ready & selectors.EVENT_WRITE:
                    self._write(connection)
                if ready & selectors.EVENT_READ:
                    self._read(connection)
            except OSError:
                self._lose(connection)
        while self._connect_at and self._connect_at[0] <= now:
            self._connect_at.popleft()
            self._connect()
        return bool(found)

    def _connect(self) -> None:
        connection = Connection(socket=socket.socket())
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.socket.setblocking(False)
        self._sockets.register(connection.socket, connection.watched_for, connection)
        connection.socket.connect_ex((self._target.host, self._target.port))  # whether it was accepted shows in the first write

    def _send(self, connection: Connection, request: int, due: float) -> None:
        connection.request, connection.unsent, connection.received = request, memoryview(self._requests[request % len(self._requests)]), b""
        sent = self._now()
        self._sent[request], self._late[request] = sent, sent - max(due, connection.free_since)
        try:
            self._write(connection)
        except OSError:
            self._lose(connection)

    def _write(self, connection: Connection) -> None:
        """Send as much as the system takes at once; the first time, see whether the connection came about."""
        if not connection.is_open:
            if error := connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, os.strerror(error))
            connection.is_open, self._opened = True, self._opened + 1
            self._release(connection)
            return
        with suppress(BlockingIOError):
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        self._watch(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0))

    def _watch(self, connection: Connection, events: int) -> None:
        if events != connection.watched_for:
            self._sockets.modify(connection.socket, events, connection)
            connection.watched_for = events

    def _read(self, connection: Connection) -> None:
        data = connection.socket.recv(2**18)
        if not data:
            raise ConnectionResetError
        connection.received += data
        reply = reply_of(connection.received)
        if reply is None or connection.request is None:
            return
        status, closes = reply
        if status == 200:
            self._answered[connection.request] = self._now()
        self._status[connection.request] = status
        self._open -= 1
        connection.request = None
        if closes:
            raise ConnectionResetError
        self._release(connection)

    def _release(self, connection: Connection) -> None:
        connection.free_since = self._now()
        self._free.append(connection)
        self._watch(connection, selectors.EVENT_READ)

    def _lose(self, connection: Connection) -> None:
        """Give a connection up, and the request with it that was on its way, and plan another."""
        if connection.request is not None:
            self._status[connection.request] = LOST
            self._open -= 1
        elif connection in self._free:
            self._free.remove(connection)
        self._sockets.unregister(connection.socket)
        connection.socket.close()
        self._connect_at.append(self._now() + RETRY_S)


def reply_of(received: bytes) -> tuple[int, bool] | None:
    """Return a reply's status and whether the server closes the connection after it; None while some of it is missing."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    _, has_length, rest = head.partition(b"\r\ncontent-length:")
    is_whole = len(received) >= end + 4 + int(rest.split(b"\r\n", 1)[0]) if has_length else received.endswith(b"\r\n0\r\n\r\n")
    return (int(received[9:12]), b"\r\nconnection: close" in head) if is_whole else None


if __name__ == "__main__":
    main()
