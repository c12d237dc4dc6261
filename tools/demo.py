"""Bake the default scenario, install it, run it to a verdict, serve it, ask it one question, and say where to look."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
DEMO = TEMPLATE / "demo"
#: Only a folder with this file in it is ours to remove.
MARK = DEMO / ".made-by-make-demo"
PROJECT = DEMO / "line-stop"
POC = PROJECT / ".venv" / "bin" / "poc"
GO, NOT_PROVEN = 0, 7
MEANING = {
    GO: "GO: every limit of the charter is shown to hold, at the confidence that the charter asks for.",
    NOT_PROVEN: (
        "NOT PROVEN: the result may be good, but the evidence is too thin to show it at the confidence that the charter asks for.\n"
        "That is an answer, not a failure: the verdict names each limit that lacks evidence, and the next stage is there to gather more."
    ),
}
#: Whatever the caller's shell holds of these would change what runs, or send the demo's results to a real server.
FOREIGN = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_RUN_ID",
)
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in FOREIGN} | {"MLFLOW_DISABLE_TELEMETRY": "true"}


class DemoError(Exception):
    """Something did not go as promised; the message says what."""


@contextmanager
def phase(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a phase and keep how long it took."""
    print(f"\n== {name}", flush=True)
    start = time.monotonic()
    yield
    seconds[name] = time.monotonic() - start


def call(*command: str | Path, cwd: Path = TEMPLATE, accept: tuple[int, ...] = (0,)) -> int:
    """Run a command with its output shown; fail unless its exit status is accepted."""
    status = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, check=False).returncode
    if status not in accept:
        raise DemoError(f"{' '.join(map(str, command))} ended with {status}")
    return status


def clear() -> None:
    """Remove what an earlier demo made, and nothing else."""
    if DEMO.exists() and not MARK.exists():
        raise DemoError(f"{DEMO} was not made by the demo; move it away")
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    MARK.touch()


def bake() -> None:
    """Bake the default scenario for this machine's processors."""
    architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    answers = (f"target_architecture={architecture}", f"project_slug={PROJECT.name}")
    call(TEMPLATE / ".tools/bin/cookiecutter", TEMPLATE, "--default-config", "--no-input", "--output-dir", DEMO, *answers)


@contextmanager
def served() -> Iterator[str]:
    """Serve the candidate on a free port; give its address, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([POC, "serve", "--port", str(port)], cwd=PROJECT, env=ENVIRONMENT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(server, address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_until_ready(server: subprocess.Popen[bytes], address: str, patience_s: float = 60) -> None:
    """Wait until the server says that it can answer."""
    deadline = time.monotonic() + patience_s
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/v2/health/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoError(f"poc serve was not ready within {patience_s:.0f} s")


def tell(status: int, seconds: dict[str, float]) -> None:
    """Say what the verdict means, where to look, and what took how long."""
    print(f"\n{MEANING[status]}\n\nLook at:\n")
    where = PROJECT.relative_to(TEMPLATE)
    places = {
        f"{where}/charter.yaml": "what was agreed before anything was trained",
        f"cd {where}; .venv/bin/poc brief": "the page for the sponsor",
        f"make -C {where} ui": "runs, evidence and the registered version, in MLflow",
        f"make -C {where} serve": "the model, as the demo has just asked it",
    }
    for place, shows in places.items():
        print(f"  {place:<{max(map(len, places))}}  {shows}")
    print()
    for name, took in seconds.items():
        print(f"  {took:6.1f} s  {name}")
    print(f"  {sum(seconds.values()):6.1f} s  in all, on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


def main() -> int:
    """Run the whole story."""
    seconds: dict[str, float] = {}
    try:
        clear()
        with phase("tools: uv and cookiecutter, locked", seconds):
            call("make", "--no-print-directory", "tools", f"PYTHON={sys.executable}")
        with phase("bake the default scenario", seconds):
            bake()
        with phase("install its locked environment", seconds):
            call("make", "--no-print-directory", "setup", f"PYTHON={sys.executable}", f"UV={TEMPLATE / '.tools/bin/uv'}", cwd=PROJECT)
        with phase("poc run --candidate", seconds):
            status = call(POC, "run", "--candidate", cwd=PROJECT, accept=tuple(MEANING))
        with phase("serve it, and ask for one prediction", seconds), served() as address:
            call(POC, "ask", "--url", address, cwd=PROJECT)
    except DemoError as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    tell(status, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
