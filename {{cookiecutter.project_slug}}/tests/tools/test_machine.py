"""The machine's fingerprint, and pinning."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from poc.tools import machine

linux = pytest.mark.skipif(platform.system() != "Linux", reason="control groups and affinity are Linux's")


def test_a_machine_is_the_same_when_asked_again() -> None:
    assert machine.fingerprint("1.32.0") == machine.fingerprint("1.32.0")


def test_another_runtime_is_another_fingerprint() -> None:
    assert machine.fingerprint("1.32.0").digest != machine.fingerprint("1.31.0").digest


def test_the_fingerprint_says_what_the_charter_asks_about() -> None:
    here = machine.fingerprint("1.32.0")
    assert here.architecture in ("x86_64", "arm64")
    assert 0 <= here.cores <= (os.cpu_count() or 0)
    assert here.memory_mb > 256
    assert here.python == platform.python_version()


@linux
def test_a_pinned_process_hands_its_cores_to_its_children() -> None:
    before = machine.available()
    try:
        pinned = machine.pin(1)
        seen = subprocess.run([sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"], capture_output=True, text=True, check=True).stdout
    finally:
        machine.unpin(before)
    assert seen.split() == [str(pinned[0])]
    assert machine.available() == before


@linux
@pytest.mark.parametrize(("quota", "cores"), [("max 100000", None), ("150000 100000", 1), ("50000 100000", 0)])
def test_a_containers_quota_counts_whole_cores(quota: str, cores: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    assert machine.fingerprint("1.32.0").cores == (len(machine.available()) if cores is None else cores)


@linux
def test_a_containers_memory_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(str(300 * 2**20))
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    assert machine.fingerprint("1.32.0").memory_mb == 300
