"""The machine: what it is, read from the system's own files, what a process takes of it, and pinning one to some of its cores."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from poc.rules.evidence import Machine, Noise
from poc.rules.hardware import INSTRUCTION_SETS

#: Interrupts take less than this, and a look at the clock a thousandth of it; another process that gets the core keeps it for longer.
LONGEST_LOOK_S = 50e-6
CGROUPS = Path("/sys/fs/cgroup")
CPUS = "/sys/devices/system/cpu"
#: macOS names what the processor can do in its own words.
SYSCTL = {
    "avx2": "hw.optional.avx2_0", "avx512f": "hw.optional.avx512f", "fma": "hw.optional.fma", "asimddp": "hw.optional.arm.FEAT_DotProd",
    "i8mm": "hw.optional.arm.FEAT_I8MM", "bf16": "hw.optional.arm.FEAT_BF16", "sme": "hw.optional.arm.FEAT_SME",
}  # fmt: skip
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def fingerprint(onnxruntime_version: str) -> Machine:
    """Say what this machine is; on a system that hides a fact, the fact is unknown or zero, never guessed."""
    flags = set((_cpuinfo("flags") or _cpuinfo("Features")).split()) | {name for name, key in SYSCTL.items() if _sysctl(key) == "1"}
    facts = {
        "architecture": ARCHITECTURES.get(platform.machine().lower(), platform.machine()),
        "cpu": _cpuinfo("model name") or _sysctl("machdep.cpu.brand_string") or platform.processor() or "unknown",
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
        "cores": _cores(),
        "quota_cores": min(_quotas(), default=None),
        "memory_mb": _memory_mb(),
        "governor": _read(f"{CPUS}/cpu0/cpufreq/scaling_governor") or None,
        "smt": _switch(f"{CPUS}/smt/active"),
        "turbo": _turbo(),
        "hypervisor": "hypervisor" in flags or _sysctl("kern.hv_vmm_present") == "1",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "onnxruntime": onnxruntime_version,
    }
    return Machine(**facts, digest=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest())  # type: ignore[arg-type]


def pin(cores: int) -> list[int]:
    """Keep this process, and those it starts, to so many of its cores, the last ones; return them, or nothing where pinning is not possible."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    chosen = sorted(os.sched_getaffinity(0))[-cores:]
    try:
        os.sched_setaffinity(0, chosen)
    except OSError:  # some sandboxes forbid it
        return []
    return chosen


def unpin(cores: set[int]) -> None:
    """Give the process the cores it had."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@contextmanager
def kept_to(cores: Collection[int]) -> Iterator[None]:
    """Keep this process, and those it starts meanwhile, to these cores, where that is possible and any are named."""
    before = available()
    try:
        if before and cores:
            with suppress(OSError):  # some sandboxes forbid it
                os.sched_setaffinity(0, cores)
        yield
    finally:
        unpin(before)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The clock on the wall, and how long this process has computed; seconds from some start."""

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time


def time_lost(seconds: float, clocks: Clocks) -> float:
    """Look at the clock without a pause and return the share of the time in which somebody else had the core: a look takes no longer than `LONGEST_LOOK_S`."""
    begun = last = clocks.wall()
    lost = 0.0
    while last < begun + seconds:
        now = clocks.wall()
        lost += now - last if now - last > LONGEST_LOOK_S else 0.0
        last = now
    return lost / (last - begun)


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What Linux has counted since the machine started: CPU time in ticks, all of it and what the hypervisor took, and seconds in which somebody waited."""

    ticks: float
    stolen: float
    waited_s: float
    at: float


def counters() -> Counters:
    """Read what the system counts; NaN where it does not."""
    cpu = [int(ticks) for ticks in _read("/proc/stat").partition("\n")[0].split()[1:9]]  # user to steal; guests are counted in user
    waited = next((line.rpartition("total=")[2] for line in _read("/proc/pressure/cpu").splitlines() if line.startswith("some")), "nan")
    return Counters(ticks=sum(cpu) or math.nan, stolen=cpu[7] if len(cpu) == 8 else math.nan, waited_s=float(waited) / 1e6, at=time.monotonic())


def noise_between(before: Counters, after: Counters, lost: float) -> Noise:
    """Say what else the machine did between two readings, with the share of time that probes found lost."""
    ticks = after.ticks - before.ticks
    return Noise(
        lost=lost,
        stolen=(after.stolen - before.stolen) / ticks if ticks else math.nan,
        waiting=(after.waited_s - before.waited_s) / (after.at - before.at) if after.at > before.at else math.nan,
    )


def available() -> set[int]:
    """Return the cores this process may use; empty where the system does not say."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process that runs, in MiB; NaN where the system does not say."""
    if platform.system() == "Darwin":
        held = subprocess.run(["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
        return int(held) / 1024 if held.isdigit() else math.nan
    return _status_mb(pid, "VmRSS")


def peak_memory_mb(pid: int) -> float:
    """Return the peak resident memory of a process that runs, in MiB; NaN where the system does not say.

    On Linux not `ru_maxrss`, which a child inherits from its parent. On macOS, where nothing else tells of another process, what it holds now.
    """
    return memory_mb(pid) if platform.system() == "Darwin" else _status_mb(pid, "VmHWM")


def _status_mb(pid: int, key: str) -> float:
    found = (line.split()[1] for line in _read(f"/proc/{pid}/status").splitlines() if line.startswith(key))
    return int(next(found, "0")) / 1024 or math.nan


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _switch(path: str) -> bool | None:
    """Read a switch of the kernel's; None where there is none."""
    return {"0": False, "1": True}.get(_read(path))


def _turbo() -> bool | None:
    """Say whether a core may run faster than its nominal clock: Intel's driver counts the other way round."""
    is_off = _switch(f"{CPUS}/intel_pstate/no_turbo")
    return _switch(f"{CPUS}/cpufreq/boost") if is_off is None else not is_off


def _cpuinfo(key: str) -> str:
    return next((line.split(":", 1)[1].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith(key)), "")


def _sysctl(key: str) -> str:
    """Ask macOS; elsewhere, and for a key that it does not know, the answer is empty."""
    if platform.system() != "Darwin":
        return ""
    return subprocess.run(["/usr/sbin/sysctl", "-n", key], capture_output=True, text=True, check=False).stdout.strip()


def _cores() -> int:
    """Count the whole cores that may be used: affinity, and a container's quota; 0 for less than one."""
    usable = len(available()) or os.cpu_count() or 0
    return min([usable, *(int(quota) for quota in _quotas())])


def _quotas() -> Iterator[float]:
    """Yield how many cores each control group around this process may use at once, version 2 and version 1."""
    for group in _groups(""):
        quota = _read(str(group / "cpu.max")).split()
        if len(quota) == 2 and quota[0] != "max":
            yield int(quota[0]) / int(quota[1])
    for group in _groups("cpu"):
        quota = [_read(str(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period")]
        if all(each.isdigit() for each in quota):  # -1 is no limit
            yield int(quota[0]) / int(quota[1])


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups around this process, innermost first; version 2 has no controller name."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            mine = CGROUPS / controllers / path.lstrip("/")
            yield from (folder for folder in (mine, *mine.parents) if folder.is_relative_to(CGROUPS))


def _memory_mb() -> int:
    total = next((int(line.split()[1]) // 1024 for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), 0)
    if not total and "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    limits = [_read(str(group / "memory.max")) for group in _groups("")] + [_read(str(group / "memory.limit_in_bytes")) for group in _groups("memory")]
    return min([total, *(int(limit) // 2**20 for limit in limits if limit.isdigit())])
