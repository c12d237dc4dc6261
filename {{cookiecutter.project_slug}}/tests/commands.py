"""The command line as its users have it: in a process of its own, away from this shell's settings."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from poc import layout

SOURCES = Path(layout.__file__).parents[1]


def environment() -> dict[str, str]:
    """Return this process's environment without what would send a command elsewhere or slow it down."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "POC_")) and name != "PYTHONDONTWRITEBYTECODE"}
    return {**clean, "PYTHONPATH": str(SOURCES), "MLFLOW_DISABLE_TELEMETRY": "true"}


def poc(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with these variables set besides."""
    return subprocess.run([sys.executable, "-m", "poc", *arguments], cwd=folder, env=environment() | settings, capture_output=True, text=True, check=False)


def strictly(text: str) -> Any:
    """Read JSON as the standard has it, where NaN is no word."""

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON: {text}")

    return json.loads(text, parse_constant=refuse)


def rows(project: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask a project's MLflow database."""
    with sqlite3.connect(project / layout.STATE / "mlflow.db") as database:
        return database.execute(query).fetchall()


def left_of(project: Path, *, patience_s: float = 60) -> dict[int, str]:
    """Wait until no process is left that was told of the project's folder; return the command lines of those that stay, by number."""
    patience = time.monotonic() + patience_s
    while (left := processes_of(project)) and time.monotonic() < patience:
        time.sleep(0.1)
    return left


def processes_of(project: Path) -> dict[int, str]:
    """Return the command lines that name a project's folder, by the process's number."""
    return {number: command for number, command in _processes() if str(project) in command}


def _processes() -> Iterator[tuple[int, str]]:
    """List every process and its command line; where there is no /proc, as on macOS, ask `ps`."""
    if not Path("/proc/self").exists():
        listed = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
        yield from ((int(number), command) for number, _, command in (line.strip().partition(" ") for line in listed.splitlines()))
        return
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
