"""Show runs and versions in MLflow's own pages, on this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from poc import layout
from poc.errors import EnvironmentRefused
from poc.tools import tracking


def serve_ui(root: Path, *, port: int, on_ready: Callable[[], None]) -> None:
    """Run MLflow's server until it is stopped, with Ctrl-C or SIGTERM; `on_ready` is called once it listens.

    Raises:
        EnvironmentRefused: the port is taken, or the server ended by itself.
    """
    refuse_taken("127.0.0.1", port, fix=f"export {tracking.UI_PORT_SETTING}={port + 1}, which also moves the links; then poc ui")
    tracking.prepare_database()
    options = ["--backend-store-uri", tracking.tracking_uri(), "--artifacts-destination", tracking.artifact_root().as_uri()]
    log = root / layout.STATE / "ui.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        run_server("127.0.0.1", port, options, {}, sink, root=root, on_ready=on_ready, log=str(log))


def run_server(
    host: str, port: int, options: Sequence[str], settings: Mapping[str, str], sink: IO[Any], *, root: Path, on_ready: Callable[[], None], log: str
) -> None:
    """Run MLflow's server in the repository with what it writes going to `sink`, until it is stopped.

    Raises:
        EnvironmentRefused: it ended by itself.
    """
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1", *options]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **settings}
    environment.pop("MLFLOW_TRACKING_URI", None)  # the server is told where its records are; a client inside it must not look elsewhere
    with subprocess.Popen(command, cwd=root, stdout=sink, stderr=sink, env=environment) as server:
        stopped = _stop_on_signals(server)
        if _listens(server, host, port):
            on_ready()
        if server.wait() != 0 and not stopped:
            raise EnvironmentRefused("MLflow's server ended by itself", where=log, fix="read the log's last lines; poc doctor")


def refuse_taken(host: str, port: int, *, fix: str) -> None:
    """Refuse a port that another program has, before half a minute is spent.

    Raises:
        EnvironmentRefused: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise EnvironmentRefused(f"port {port} is taken", where=f"{host}:{port}", fix=fix) from error


def _stop_on_signals(server: subprocess.Popen[bytes]) -> list[int]:
    """Pass a stop on, so that no server stays behind on the port; return the list of stops, empty while there was none."""
    stops: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stops.append(number)
        server.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stops


def _listens(server: subprocess.Popen[bytes], host: str, port: int) -> bool:
    """Wait until the server takes connections; False when it ended before."""
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1" if host == "0.0.0.0" else host, port)) == 0:
                return True
        time.sleep(0.1)
    return False
