"""A real MLflow server on SQLite, for what only a server shows: gates that share no file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 90


@contextmanager
def a_tracking_server(folder: Path, empty_database: Path, *, backend: str = "") -> Iterator[str]:
    """Run a server in a folder of its own, on SQLite unless another database is named; yield its address."""
    folder.mkdir(parents=True)
    shutil.copy(empty_database, folder / "server.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", backend or f"sqlite:///{folder / 'server.db'}", "--artifacts-destination", (folder / "artifacts").as_uri(),
    ]  # fmt: skip
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with (folder / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server:
        try:
            wait_for(server, port, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a server takes connections."""
    patience = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < patience:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text(errors='replace')}")
