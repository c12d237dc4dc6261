"""Servers to compare, each started as its own documentation says, with the same ONNX file, on one core."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from poc import layout
from poc.acts.loaded_server import poc_serve
from poc.errors import EnvironmentRefused
from poc.rules.evidence import Candidate
from poc.rules.oip import infer_request
from poc.rules.served import OK
from poc.steps.timing import write_rows
from poc.tools import tracking

BENCH = Path(__file__).resolve().parent
START_S, STOP_S = 120.0, 10.0
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server that answers: its name, where, and the bodies to send it."""

    name: str
    port: int
    path: str
    bodies: list[bytes]


@contextmanager
def bare_http(frozen: Candidate, rows: Sequence[Row]) -> Iterator[Served]:
    """Serve a constant."""
    served = Served(name="bare HTTP", port=a_free_port(), path="/", bodies=[infer_request(row, frozen.inputs) for row in rows])
    with running([sys.executable, str(BENCH / "bare_http.py"), str(served.port)], served):
        yield served


@contextmanager
def around_the_call(frozen: Candidate, rows: Sequence[Row], candidate: Path, folder: Path) -> Iterator[Served]:
    """Serve a constant after a call of the model on a row that lies ready: what no server around this model can do without."""
    served = Served(name="bare HTTP and the call", port=a_free_port(), path="/", bodies=[infer_request(row, frozen.inputs) for row in rows])
    ready = folder / "rows.npz"
    write_rows(ready, {name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
    with running([sys.executable, str(BENCH / "bare_http.py"), str(served.port), str(candidate / layout.CANDIDATE_MODEL), str(ready)], served):
        yield served


@contextmanager
def ours(frozen: Candidate, rows: Sequence[Row], candidate: Path) -> Iterator[Served]:
    """Serve with `poc serve`, one worker."""
    with poc_serve(candidate) as port:
        yield Served(name="poc serve", port=port, path=infer_path(frozen), bodies=[infer_request(row, frozen.inputs) for row in rows])


@contextmanager
def mlflow(frozen: Candidate, rows: Sequence[Row], version: str) -> Iterator[Served]:
    """Serve the registered version with `mlflow models serve`, one worker."""
    bodies = [json.dumps({"inputs": {name: values.tolist() for name, values in row.items()}}).encode() for row in rows]
    served = Served(name="mlflow models serve", port=a_free_port(), path="/invocations", bodies=bodies)
    # It looks for uvicorn on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    tracked = {"MLFLOW_TRACKING_URI": tracking.tracking_uri(), "PATH": path}
    model = ["--model-uri", f"models:/{frozen.project}/{version}", "--env-manager", "local", "--workers", "1"]
    with running([sys.executable, "-m", "mlflow", "models", "serve", *model, "--port", str(served.port)], served, tracked):
        yield served


@contextmanager
def mlserver(frozen: Candidate, rows: Sequence[Row], candidate: Path, python: Path, folder: Path) -> Iterator[Served]:
    """Serve with MLServer by a runtime of our own, in its process rather than in a worker's behind it, which is quicker."""
    served = Served(name="MLServer", port=a_free_port(), path=infer_path(frozen), bodies=[infer_request(row, frozen.inputs) for row in rows])
    ports = {"http_port": served.port, "grpc_port": a_free_port(), "metrics_port": a_free_port()}
    settings = {**ports, "parallel_workers": 0, "debug": False, "use_structured_logging": False}
    model = {"name": frozen.project, "implementation": "mlserver_onnx.OnnxModel", "parameters": {"uri": str(candidate / layout.CANDIDATE_MODEL)}}
    for name, content in {"settings": settings, "model-settings": model}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    with running([str(python.with_name("mlserver")), "start", str(folder)], served, {"PYTHONPATH": str(BENCH)}):
        yield served


def infer_path(frozen: Candidate) -> str:
    """Say where the Open Inference Protocol answers for a model."""
    return f"/v2/models/{frozen.project}/infer"


def a_free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], served: Served, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server, from its first answer until the block ends, and with it whatever it has started.

    Raises:
        EnvironmentRefused: it does not answer; its last words are in the message.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(settings or {})}
    with TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True) as process:
        try:
            if complaint := wait_for(process, served):
                log.seek(0)
                said = complaint + log.read()[-1000:].decode(errors="replace")
                raise EnvironmentRefused(f"{served.name} does not answer: {said}", where=" ".join(command), fix="start it by hand")
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(process: subprocess.Popen[bytes], served: Served) -> str:
    """Ask until an answer comes; return nothing, or what came instead when the process or patience ended."""
    status, said, patience = 0, b"", time.monotonic() + START_S
    while status != OK:
        if process.poll() is not None or time.monotonic() > patience:
            return f"status {status}, {said[-500:].decode(errors='replace')}; "
        time.sleep(0.2)
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        try:
            connection.request("POST", served.path, served.bodies[0], {"content-type": "application/json"})
            reply = connection.getresponse()
            status, said = reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
    return ""
