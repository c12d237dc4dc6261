"""MLflow's pages on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from poc.acts import ui
from poc.errors import EnvironmentRefused


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(port: int, *, is_up: bool, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while answers(port) is not is_up and time.monotonic() < end:
        time.sleep(0.2)
    return answers(port) is is_up


def wait_for(path: Path, *, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return path.exists()


def test_a_taken_port_is_refused_with_another_to_try(repository: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentRefused, match=f"port {port} is taken"):
            ui.serve_ui(repository, port=port, on_ready=lambda: pytest.fail("it was served"))


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_ui_leaves_no_server_on_its_port(repository: Path, stop: signal.Signals) -> None:
    port = a_free_port()
    code = f"from pathlib import Path; from poc.acts.ui import serve_ui; serve_ui(Path.cwd(), port={port}, on_ready=lambda: Path('ready').touch())"
    environment = {**os.environ, "PYTHONPATH": str(Path(ui.__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", code], cwd=repository, env=environment) as served:
        try:
            assert wait_until(port, is_up=True)
            assert wait_for(repository / "ready")
        finally:
            served.send_signal(stop)
        assert served.wait(timeout=30) == 0
    assert wait_until(port, is_up=False, seconds=10)
