"""MLflow's server with the guard in it, as `poc mlflow` starts it, found by MLflow as if this project were installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installed import installed_in
from tracking_server import wait_for


@contextmanager
def a_guarded_server(folder: Path, empty_database: Path, trust: Path | None, *, database: str = "") -> Iterator[str]:
    """Run a server in a folder of its own that believes these trust files; yield its address."""
    state = folder / ".poc"
    state.mkdir(parents=True)
    (folder / "charter.yaml").touch()
    shutil.copy(empty_database, state / "mlflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"POC_TRUST": str(trust) if trust else "", "POC_MLFLOW_DATABASE": database, "PYTHONPATH": installed_in(folder / "installed")}
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "POC_"))}, **settings}
    command = [sys.executable, "-m", "poc", "mlflow", "--port", str(port)]
    with (folder / "server.log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment) as server:
        try:
            wait_for(server, port, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
