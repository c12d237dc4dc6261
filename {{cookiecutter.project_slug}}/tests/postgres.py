"""A real PostgreSQL of a test's own, where the machine has one: in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def _program(name: str) -> str:
    """Find one of PostgreSQL's programs; distributions leave the server's off the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else "")
    return found or pytest.skip(f"there is no {name} on this machine: install PostgreSQL's server to run this")


def _unprivileged() -> dict[str, Any]:
    """Say as whom to run it: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    known = {each.pw_name for each in pwd.getpwall()}
    person = pwd.getpwnam("postgres" if "postgres" in known else "nobody")
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


@contextmanager
def a_postgres() -> Iterator[str]:
    """Start a server with an empty database; yield its address for MLflow."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    person = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="poc-postgres-") as name, socket.socket() as free:
        folder = Path(name)
        if person:
            os.chown(folder, person["user"], person["group"])
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def call(*command: str) -> None:
            done = subprocess.run(command, cwd=folder, stdin=-3, stdout=-1, stderr=subprocess.STDOUT, text=True, check=False, **person)
            assert done.returncode == 0, done.stdout

        data = str(folder / "data")
        call(initdb, "-D", data, "-U", "poc", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
        call(pg_ctl, "-D", data, "-l", str(folder / "log"), "-o", settings, "-w", "start")
        try:
            yield f"postgresql://poc@127.0.0.1:{port}/postgres"
        finally:
            call(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
