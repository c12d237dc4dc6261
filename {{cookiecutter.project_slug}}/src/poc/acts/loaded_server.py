"""The server that a load is put on: one that is started for it, or one that runs already; and the cores that it and the client have."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from poc.errors import EnvironmentRefused, InputRefused
from poc.rules.charter import Hardware
from poc.rules.evidence import Candidate, Machine
from poc.rules.hardware import differences
from poc.rules.served import OK, cores_for, most_like
from poc.tools import machine, onnx_runtime

PATIENCE_S = 5.0
#: How long a server may take to stop: it answers what is under way first.
STOP_S = 30.0


@dataclass(frozen=True, kw_only=True)
class LoadedServer:
    """Where it answers, which cores it and the client keep to (none where nobody chose), and what sets its machine apart from the charter's.

    `shares_cores` says that the client takes a core which the charter gives the server: then the server is slower than it would be.
    """

    host: str
    port: int
    machine: Machine
    cores: list[int]
    client_core: int | None
    shares_cores: bool
    differences: list[str]


@contextmanager
def started(candidate: Path, targets: Sequence[Hardware]) -> Iterator[LoadedServer]:
    """Start `poc serve` for a candidate, with one worker, kept to the charter's cores, and stop it afterwards.

    Raises:
        EnvironmentRefused: it did not start.
    """
    here = machine.fingerprint(onnx_runtime.version())
    hardware = most_like(here, targets)
    cores, client_core, shares_cores = cores_for(machine.available(), hardware.cores)
    taken = {*cores, client_core} if shares_cores and client_core is not None else {*cores}
    with ExitStack() as serving:
        with machine.kept_to(cores):
            port = serving.enter_context(poc_serve(candidate))
        yield LoadedServer(
            host="127.0.0.1",
            port=port,
            machine=here,
            cores=cores,
            client_core=client_core,
            shares_cores=shares_cores,
            differences=differences(here, hardware, sorted(taken)),
        )


@contextmanager
def poc_serve(candidate: Path) -> Iterator[int]:
    """Run `poc serve` as anybody would, on a free port, and yield the port.

    Raises:
        EnvironmentRefused: it ended before it was ready; its last words are in the message.
    """
    command = [sys.executable, "-m", "poc", "serve", "--candidate", str(candidate), "--port", "0", "--json"]
    with TemporaryFile("w+") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            yield _said_port(process, log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _said_port(process: subprocess.Popen[str], log: IO[str]) -> int:
    """Read what it prints until that is the whole of its JSON."""
    said = ""
    for line in process.stdout or ():
        said += line
        with suppress(ValueError):
            return int(json.loads(said)["port"])
    log.seek(0)
    raise EnvironmentRefused(f"the server did not start: {log.read().strip()[-500:] or 'no message'}", where="poc serve", fix="start it by hand: poc serve")


@contextmanager
def found_at(url: str, frozen: Candidate, targets: Sequence[Hardware]) -> Iterator[LoadedServer]:
    """Find the server at an address, which may be any that speaks the Open Inference Protocol, and leave it running.

    Raises:
        InputRefused: this is no address of HTTP.
        EnvironmentRefused: nobody answers there, or not for this model.
    """
    host, port = _address(url)
    _check_ready(host, port, url, frozen.project)
    here = machine.fingerprint(onnx_runtime.version())
    hardware = most_like(here, targets)
    address = socket.gethostbyname(host)
    if ip_address(address).is_loopback:
        # Nobody chose its cores: it may have all of the machine's, and the client is among them.
        found, shares_cores = differences(here, hardware, range(here.cores)), here.cores <= hardware.cores
    else:
        found, shares_cores = [f"machine: {host} is another one than this, and what it is cannot be seen from here"], False
    found += _another_model(host, port, frozen)
    yield LoadedServer(host=address, port=port, machine=here, cores=[], client_core=None, shares_cores=shares_cores, differences=found)


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname:
            return parts.hostname, parts.port or 80
    except ValueError:
        pass
    raise InputRefused(f"{url} is no address to put a load on", where="--url", fix="http://HOST:PORT; this client speaks no TLS: address the server itself")


def _another_model(host: str, port: int, frozen: Candidate) -> list[str]:
    """Say if the server does not say that it serves this very model."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", f"/v2/models/{frozen.project}")
        said = json.loads(connection.getresponse().read())
        versions = [str(version) for version in said.get("versions", [])]
    except (OSError, http.client.HTTPException, ValueError, AttributeError, TypeError):
        versions = []
    finally:
        connection.close()
    own = frozen.model_sha256[:12]
    return [] if own in versions else [f"model: the newest candidate is {own}, the server serves {', '.join(versions) or 'one that it does not name'}"]


def _check_ready(host: str, port: int, url: str, model: str) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", f"/v2/models/{model}/ready")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise EnvironmentRefused(f"nobody answers at {url}", where="--url", fix="poc serve, in another terminal; or leave --url out") from error
    finally:
        connection.close()
    if status != OK:
        raise EnvironmentRefused(f"what answers at {url} does not serve {model}: status {status}", where="--url", fix="poc serve, on a port of its own")
