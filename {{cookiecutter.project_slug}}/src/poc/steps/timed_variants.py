"""Start the processes that time variants, each fresh and pinned as its parent is, and gather what they say."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poc.rules.charter import Hardware, Limits
from poc.rules.evidence import Interval, Noise, Timing, Variant
from poc.rules.verdict import cost_per_million

#: One thread per session: a call this small is over before a second thread has woken.
THREADS = 1
#: How long a process may take to load a model, answer the rows and warm up; a model that takes longer is not one to serve.
PATIENCE_S = 60.0
#: How many times as long as it was given a timing process may take, beyond loading, before it is given up: on a busy machine everything takes longer.
MOST_DELAY = 10.0
NOTHING_NOTICED = Noise(lost=math.nan, stolen=math.nan, waiting=math.nan)


@dataclass(frozen=True, kw_only=True)
class TimedVariant:
    """What was measured of one variant, by the names of `Timing`; what a call costs depends on whose machine it is."""

    measured: dict[str, Any]

    def priced(self, hardware: Hardware) -> Timing:
        """Return the timing, at the price of a machine."""
        return Timing(**self.measured, cost_per_million=cost_per_million(Interval(**self.measured["cpu_us_per_call"]), hardware))


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What was measured of variants, what else the machine did meanwhile, and why of some nothing was."""

    variants: list[TimedVariant]
    noise: Noise
    not_timed: dict[str, str]


def time_variants(chosen: Sequence[Variant], folder: Path, rows: Path, limits: Limits, seconds: float) -> Timed:
    """Load each variant in a process of its own for what starting takes, then time those that could be loaded together in another one."""
    paths = {variant.name: folder / str(variant.file) for variant in chosen}
    shared, not_timed = {"rows": str(rows), "threads": THREADS}, {}
    footprints: dict[str, Any] = {}
    for name, path in paths.items():
        try:
            footprints[name] = answer_to({**shared, "what": "footprint", "model": str(path)}, patience_s=PATIENCE_S)
        except ChildDied as error:
            not_timed[name] = str(error)
    models = {name: str(paths[name]) for name in footprints}
    if not models:
        return Timed(variants=[], noise=NOTHING_NOTICED, not_timed=not_timed)
    job = {"models": models, "ratio_to": _compared_with([variant for variant in chosen if variant.name in models]), "asked": _asked(limits, seconds)}
    try:
        found = answer_to({**shared, "what": "speed", **job}, patience_s=len(models) * (PATIENCE_S + MOST_DELAY * seconds))
    except ChildDied as error:
        return Timed(variants=[], noise=NOTHING_NOTICED, not_timed=not_timed | dict.fromkeys(models, str(error)))
    sizes = {name: paths[name].stat().st_size / 1e6 for name in models}
    measured = [{"variant": name, "size_mb": sizes[name], **footprints[name], **found["variants"][name]} for name in models]
    return Timed(variants=[TimedVariant(measured=each) for each in measured], noise=Noise(**found["noise"]), not_timed=not_timed)


def _asked(limits: Limits, seconds: float) -> dict[str, float]:
    return {
        "limit_ms": float(limits.latency_p99_ms),
        "rate_per_s": float(limits.arrivals_per_second),
        "confidence": float(limits.confidence),
        "seconds": seconds,
    }


def _compared_with(chosen: Sequence[Variant]) -> dict[str, str]:
    """Say with which variant each is compared: the float32 one of its family, or the first of it that was timed."""
    first: dict[str, str] = {}
    for variant in sorted(chosen, key=lambda each: each.technique != "float32"):
        first.setdefault(variant.family, variant.name)
    return {variant.name: first[variant.family] for variant in chosen}


class ChildDied(Exception):
    """The timing process gave no result; the message is the reason, for the record."""


def answer_to(job: dict[str, Any], *, patience_s: float) -> Any:
    """Run a job in a fresh process, which inherits the pinning."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "poc.steps.timing"]
    try:
        done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, env=environment, check=False, timeout=patience_s)
    except subprocess.TimeoutExpired as error:
        raise ChildDied(f"the timing process was still busy after {patience_s:.0f} s") from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ChildDied(f"the timing process ended with {done.returncode}: {last[0]}")
    return json.loads(done.stdout)
