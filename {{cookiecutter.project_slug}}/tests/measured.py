"""Small models through the real benchmark: a charter for the machine that a test runs on, a measurement, and others that keep it busy."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders import a_charter
from small_models import an_agreement, dev_data, some_variants

from poc import layout
from poc.rules.charter import Charter
from poc.rules.evidence import TargetReport, Timings
from poc.steps.benchmark import benchmark
from poc.tools import files, machine

HERE = machine.fingerprint("0").architecture
TRIES = 3


def a_charter_for_here(**limits: Any) -> Charter:
    hardware = {"architecture": HERE, "cores": 1, "memory_mb": 64, "monthly_cost": 120}
    return a_charter(limits={"hardware": hardware, **limits})


def measure(
    folder: Path, models: dict[str, bytes], *, charter: Charter | None = None, missed: int = 0, data: Path | None = None, seconds: float = 0.5
) -> TargetReport:
    """Perform the benchmark in an empty folder and return its report on the charter's one machine."""
    [report] = measure_all(folder, models, charter=charter, missed=missed, data=data, seconds=seconds)
    return report


def measure_all(
    folder: Path, models: dict[str, bytes], *, charter: Charter | None = None, missed: int = 0, data: Path | None = None, seconds: float = 0.5
) -> list[TargetReport]:
    """Perform the benchmark in an empty folder and return its reports on the charter's machines."""
    agreement = an_agreement(folder / "agreement", charter or a_charter_for_here(arrivals_per_second=2000), benchmark_seconds_per_variant=seconds)
    variants = some_variants(folder / "variants", models, missed=missed)
    timings = folder / "timings"
    timings.mkdir()
    benchmark(agreement=agreement, data=data or dev_data(folder / "data"), variants=variants, timings=timings)
    assert [path.name for path in timings.iterdir()] == [layout.TIMINGS_JSON]
    return files.read_record(timings / layout.TIMINGS_JSON, Timings).targets


def measure_until(told: Callable[[TargetReport], bool], folder: Path, models: dict[str, bytes], **options: Any) -> TargetReport:
    """Measure again until the report tells, a few times: other tests run beside this one. Return the last report, which may not tell."""
    for i in range(TRIES):
        report = measure(folder / str(i), models, **options)
        if told(report):
            break
    return report


@contextmanager
def hogs(n: int = 2) -> Iterator[None]:
    """Let so many other processes compute all the time on the core to which the benchmark pins itself."""
    core = max(os.sched_getaffinity(0)) if platform.system() == "Linux" else 0
    burning = f"import os\nif hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, [{core}])\nprint(flush=True)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", burning], stdout=subprocess.PIPE) for _ in range(n)]
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        yield
    finally:
        for other in others:
            other.kill()
            other.communicate()
