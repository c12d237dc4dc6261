"""The machine's fingerprint, and pinning."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
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
def test_a_process_that_keeps_to_a_core_gets_its_others_back_whatever_happens() -> None:
    before = machine.available()
    with pytest.raises(KeyError), machine.kept_to([min(before)]):
        assert machine.available() == {min(before)}
        raise KeyError
    with machine.kept_to([]):
        assert machine.available() == before
    assert machine.available() == before


@linux
@pytest.mark.parametrize(("quota", "cores", "at_once"), [("max 100000", None, None), ("150000 100000", 1, 1.5), ("50000 100000", 0, 0.5)])
def test_a_containers_quota_counts_whole_cores(quota: str, cores: int | None, at_once: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    found = machine.fingerprint("1.32.0")
    assert found.cores == (len(machine.available()) if cores is None else cores)
    assert found.quota_cores == at_once


@linux
@pytest.mark.parametrize(
    ("switches", "smt", "turbo"),
    [
        ({}, None, None),
        ({"smt/active": "1", "intel_pstate/no_turbo": "0"}, True, True),
        ({"smt/active": "0", "intel_pstate/no_turbo": "1"}, False, False),
        ({"cpufreq/boost": "1"}, None, True),
    ],
)
def test_what_makes_a_core_faster_at_times_is_on_record(
    switches: dict[str, str], smt: bool | None, turbo: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in switches.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(value)
    monkeypatch.setattr(machine, "CPUS", str(tmp_path))
    found = machine.fingerprint("1.32.0")
    assert (found.smt, found.turbo) == (smt, turbo)


def test_time_that_passes_between_two_looks_at_the_clock_was_somebody_elses() -> None:
    ticks = iter(np.cumsum([0.0] + ([1e-5] * 49 + [5e-4]) * 20))  # 10 us a look, and every fiftieth look half a millisecond
    assert machine.time_lost(0.005, machine.Clocks(wall=lambda: float(next(ticks)))) == pytest.approx(0.5, abs=0.02)


def test_a_machine_loses_some_share_of_its_time_and_not_more_than_all() -> None:
    assert 0.0 <= machine.time_lost(0.002, machine.Clocks()) <= 1.0


def test_what_else_the_machine_did_is_the_difference_of_two_readings() -> None:
    before = machine.Counters(ticks=1000.0, stolen=10.0, waited_s=5.0, at=100.0)
    after = machine.Counters(ticks=1200.0, stolen=30.0, waited_s=6.0, at=104.0)
    found = machine.noise_between(before, after, 0.03)
    assert (found.lost, found.stolen, found.waiting) == (0.03, 0.1, 0.25)


@linux
def test_the_counters_of_this_machine_go_forward() -> None:
    before = machine.counters()
    after = machine.counters()
    assert before.ticks > 0
    assert after.ticks >= before.ticks and after.stolen >= before.stolen and after.at >= before.at


@linux
def test_a_containers_memory_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(str(300 * 2**20))
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    assert machine.fingerprint("1.32.0").memory_mb == 300
