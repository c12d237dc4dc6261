"""`poc serve` as an operator runs it, and clients that ask it without pause and keep count."""

from __future__ import annotations

import http.client
import json
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import environment

MODEL = "/v2/models/stop-bad-parts"
PATIENCE_S = 60


def labelled(name: str, **labels: str) -> str:
    """Name a sample with its labels, as Prometheus writes it."""
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in sorted(labels.items())) + "}"


@dataclass
class Service:
    """A server that runs: its process, its port, and the file that it says things to."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a page over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def infer(self, body: bytes) -> tuple[int, bytes]:
        """Ask once over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", f"{MODEL}/infer", body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        """Return what the page on health says."""
        found: dict[str, Any] = json.loads(self.get("/v2/health")[1])
        return found

    def metrics(self) -> dict[str, float]:
        """Return every sample by its name and labels."""
        lines = self.get("/metrics")[1].decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}

    def of_shadow(self, name: str) -> float:
        """Return what was counted of the shadow that is asked now."""
        return self.metrics().get(labelled(f"poc_shadow_{name}", sha256=self.health()["shadow"]["sha256"]), 0.0)

    def said(self) -> str:
        """Return what it wrote to standard error so far."""
        return self.log.read_text()

    def reload(self) -> None:
        """Ask it to take up what there is now."""
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def a_service(folder: Path, *arguments: str, cwd: Path | None = None, **settings: str) -> Iterator[Service]:
    """Run `poc serve` on a free port until the block ends, with these variables set besides."""
    folder.mkdir(exist_ok=True)
    log = folder / "service.log"
    command = [sys.executable, "-m", "poc", "serve", "--port", "0", "--json", *arguments]
    with log.open("wb") as sink, subprocess.Popen(command, cwd=cwd or folder, env=environment() | settings, stdout=subprocess.PIPE, stderr=sink) as process:
        assert process.stdout is not None
        said = line = b""
        while line != b"}\n":
            line = process.stdout.readline()
            said += line
            assert line, "it ended"
        announced = json.loads(said)
        assert "url" in announced, f"it refused: {announced}"
        try:
            yield Service(process, announced["port"], log)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


class Client(threading.Thread):
    """Asks the same again and again over one connection, and opens another where it finds that one closed, as any pool of connections does."""

    def __init__(self, port: int, body: bytes) -> None:
        super().__init__(daemon=True)
        self.port, self.body, self.is_over = port, body, threading.Event()
        self.answered: list[tuple[int, bytes]] = []
        self.lost: list[str] = []

    def run(self) -> None:
        """Ask until told that it is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        while not self.is_over.is_set():
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                connection.close()  # nothing was asked, so what can be read is the end
            try:
                connection.request("POST", f"{MODEL}/infer", self.body)
                response = connection.getresponse()
                self.answered.append((response.status, response.read()))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            time.sleep(0.001)
        connection.close()


@contextmanager
def clients(service: Service, body: bytes, count: int = 4) -> Iterator[list[Client]]:
    """Let several clients ask while the block runs; wait until each has been answered once before and after it."""
    asking = [Client(service.port, body) for _ in range(count)]
    for each in asking:
        each.start()
    wait_until(lambda: all(each.answered for each in asking))
    yield asking
    before = [len(each.answered) for each in asking]
    wait_until(lambda: all(len(each.answered) > n for each, n in zip(asking, before, strict=True)))
    for each in asking:
        each.is_over.set()
    for each in asking:
        each.join(PATIENCE_S)


def wait_until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until something is so; fail where it never is."""
    patience = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < patience, "it never came to that"
        time.sleep(0.02)
