"""Time variants in a fresh process that has loaded nothing else: what `benchmark` starts, pinned to the charter's cores."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval
from poc.rules.latency import is_steady, latency_why, percentile_bounds
from poc.rules.queueing import calls_alike, highest_rate, p99_at
from poc.rules.rounds import is_enough, mean_over, paired_ratio
from poc.steps.open_loop import Asked, Known, Looked, look
from poc.steps.paired_rounds import Rounds, calls_a_round, paired_rounds, time_calls
from poc.tools import machine
from poc.tools.machine import Clocks
from poc.tools.onnx_runtime import Scorer

SEED = 0
#: So many calls hold one slow call in a hundred in 19 of 20 cases (0.99 ** 300 = 5 %); fewer predict no 99th percentile.
FEWEST_TO_PREDICT = 300
#: Warm-up goes on until windows of this many calls, or seconds, agree, and for so many windows at most.
WINDOW, WINDOW_S = 200, 0.02
MOST_WINDOWS = 15
#: How many rows a batch has, and how many batches are timed.
BATCHES = (1, 16, 256)
BATCH_CALLS = 7


def rotating(scorer: Scorer, turns: Iterator[dict[str, Any]]) -> Callable[[], None]:
    """Return a call that answers one real row after another: repeating one row flatters trees, whose branches the CPU then predicts."""

    def call() -> None:
        scorer.answers(next(turns))

    return call


def warm(call: Callable[[], None], clocks: Clocks) -> tuple[bool, float]:
    """Call until windows agree; return whether they ever did, and the median seconds of a call in the last one.

    The first calls allocate memory and pick kernels; timing them would flatter nobody.
    """
    n = int(np.clip(WINDOW_S / float(np.median(time_calls(call, 3, clocks))), 5, WINDOW))
    medians: list[float] = []
    while len(medians) < MOST_WINDOWS and not is_steady(medians):
        medians.append(float(np.median(time_calls(call, n, clocks))))
    return is_steady(medians), medians[-1]


def offline(scorer: Scorer, rows: list[dict[str, Any]], clocks: Clocks) -> dict[str, float]:
    """Return how many rows a second are answered in batches, by the size of a batch."""
    return {str(size): size / _seconds_a_batch(scorer, rows, size, clocks) for size in BATCHES}


def _seconds_a_batch(scorer: Scorer, rows: list[dict[str, Any]], size: int, clocks: Clocks) -> float:
    batch = {name: np.concatenate([rows[i % len(rows)][name] for i in range(size)]) for name in rows[0]}

    def call() -> None:
        scorer.answers(batch)

    return float(np.median(time_calls(call, BATCH_CALLS, clocks)[1:]))


def speed(models: Mapping[str, Path], rows: list[dict[str, Any]], threads: int, ratio_to: Mapping[str, str], asked: Asked, clocks: Clocks) -> dict[str, Any]:
    """Time every variant: warm, in rounds back to back, at the charter's arrivals, and in batches; with what else the machine did meanwhile."""
    before = machine.counters()
    rows = shuffled(rows)
    scorers = {name: Scorer(path, threads=threads) for name, path in models.items()}
    calls = {name: rotating(scorer, cycle(rows)) for name, scorer in scorers.items()}
    warmed = {name: warm(call, clocks) for name, call in calls.items()}
    load = {name: loading(path, threads, rows) for name, path in models.items()}
    n_calls = {name: calls_a_round(seconds, len(rows), asked.seconds) for name, (_, seconds) in warmed.items()}
    rounds = paired_rounds(load, n_calls, clocks, seed=SEED)
    known = {name: _known(rounds, name, asked) for name in calls}
    looked = look(calls, known, asked, clocks, seed=SEED)
    noise = machine.noise_between(before, machine.counters(), float(rounds.lost.max()))
    batches = {name: offline(scorer, rows, clocks) for name, scorer in scorers.items()}
    return {
        "noise": noise.model_dump(),
        "variants": {
            name: _back_to_back(rounds, name, ratio_to[name], asked)
            | _at_arrivals(looked[name], known[name], asked)
            | {"is_steady": warmed[name][0], "rows_per_s": batches[name]}
            for name in calls
        },
    }


def shuffled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in random order: each round then asks a fair sample of them, whatever order they were collected in."""
    return [rows[i] for i in np.random.default_rng(SEED).permutation(len(rows))]


def loading(path: Path, threads: int, rows: list[dict[str, Any]]) -> Callable[[], Callable[[], None]]:
    """Return what loads a model anew; its calls go on at the row where the last loading stopped, so that no round asks the same few again."""
    turns = cycle(rows)
    return lambda: rotating(Scorer(path, threads=threads), turns)


def _trusted(rounds: Rounds) -> NDArray[np.bool_]:
    """Return the rounds that count, or all of them where those are too few: then figures are of a busy machine, and there is no ratio."""
    return rounds.counts if is_enough(rounds.counts) else np.ones_like(rounds.counts)


def _services(rounds: Rounds, name: str) -> NDArray[np.float64]:
    """Return how long answers took in the rounds that count; where those are too few, what they computed, which a busy machine hardly changes."""
    return rounds.wall[name][rounds.counts].ravel() if is_enough(rounds.counts) else rounds.cpu[name]


def _known(rounds: Rounds, name: str, asked: Asked) -> Known:
    services = _services(rounds, name)
    own_ms = own_p99(services, asked) * 1e3 if is_enough(rounds.counts) else math.nan
    return Known(service_s=float(services.mean()), alike=calls_alike(asked.rate_per_s, services), own_p99_ms=own_ms)


def own_p99(services_s: NDArray[np.float64], asked: Asked) -> float:
    """Return the 99th percentile in seconds that answers predict; where they are too few to hold one slow call in a hundred, the least that it is."""
    if len(services_s) >= FEWEST_TO_PREDICT:
        return p99_at(asked.rate_per_s, services_s, seed=SEED)
    if asked.rate_per_s * float(services_s.min()) >= 1:
        return math.inf
    return percentile_bounds(services_s, 0.99, asked.confidence).low


def _highest_rate(rounds: Rounds, name: str, asked: Asked) -> float:
    """Return at how many arrivals a second the limit is kept; NaN where too few rounds count, or hold too few calls, to say so of one call in a hundred."""
    services = _services(rounds, name)
    is_told = is_enough(rounds.counts) and len(services) >= FEWEST_TO_PREDICT
    return highest_rate(services, asked.limit_ms / 1e3, seed=SEED) if is_told else math.nan


def _back_to_back(rounds: Rounds, name: str, other: str, asked: Asked) -> dict[str, Any]:
    trusted = _trusted(rounds)
    p50, p95, p99 = (float(value) for value in np.quantile(rounds.wall[name][trusted], [0.5, 0.95, 0.99]) * 1e6)
    return {
        "single_p50_us": p50,
        "single_p95_us": p95,
        "single_p99_us": p99,
        "cpu_us_per_call": _written(mean_over(rounds.cpu[name] * 1e6, rounds.counts, asked.confidence)),
        "ratio": _written(paired_ratio(rounds.walls(name), rounds.walls(other), rounds.counts, asked.confidence)),
        "ratio_to": other,
        "cpu_ratio": _written(paired_ratio(rounds.cpu[name], rounds.cpu[other], rounds.counts, asked.confidence)),
        "rounds_kept": int(rounds.counts.sum()),
        "rounds_dropped": int((~rounds.counts).sum()),
        "highest_rate_per_s": _highest_rate(rounds, name, asked),
    }


def _at_arrivals(looked: Looked, known: Known, asked: Asked) -> dict[str, Any]:
    calls = len(looked.latencies_ms)
    p50, p95 = (float(value) for value in np.quantile(looked.latencies_ms, [0.5, 0.95]))
    why = latency_why(
        looked.verdict,
        looked.null_p99_ms,
        known.own_p99_ms,
        asked.limit_ms,
        calls=calls,
        next_calls=looked.next_calls,
        next_seconds=looked.next_seconds,
    )
    return {
        "open_loop_rate_per_s": asked.rate_per_s,
        "open_loop_calls": calls,
        "open_loop_p50_ms": p50,
        "open_loop_p95_ms": p95,
        "open_loop_p99_ms": looked.p99_ms.middle,
        "open_loop_p99_low_ms": looked.p99_ms.low,
        "open_loop_p99_high_ms": looked.p99_ms.high,
        "latency_verdict": looked.verdict,
        "latency_why": why,
        "looks": looked.looks,
        "null_p99_ms": looked.null_p99_ms,
        "own_p99_ms": known.own_p99_ms,
    }


def _written(interval: Interval) -> dict[str, float]:
    return interval.model_dump()


def footprint(model: Path, rows: list[dict[str, Any]], threads: int, clocks: Clocks) -> dict[str, float]:
    """Load one model in this process and answer every row: load time, first call, and the memory that takes, in a process that did nothing before."""
    started = clocks.wall()
    scorer = Scorer(model, threads=threads)
    loaded = clocks.wall()
    scorer.answers(rows[0])
    first = clocks.wall()
    for row in rows:
        scorer.answers(row)
    mine = os.getpid()
    memory = {"rss_mb": machine.memory_mb(mine), "memory_mb": machine.peak_memory_mb(mine)}
    return {"load_ms": (loaded - started) * 1e3, "first_call_ms": (first - loaded) * 1e3, **memory}


def write_rows(path: Path, columns: Mapping[str, NDArray[np.float32] | NDArray[np.object_]]) -> None:
    """Save columns by their place: numpy takes a column called `file` for an argument of its own, and objects only by pickle."""
    np.savez(path, np.array(list(columns)), *(values.astype(str) if values.dtype == object else values for values in columns.values()))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read rows that `benchmark` saved, as single-row feeds."""
    with np.load(path) as saved:
        names, *values = (saved[f"arr_{i}"] for i in range(len(saved.files)))
    columns = {str(name): each.astype(object) if each.dtype.kind == "U" else each for name, each in zip(names, values, strict=True)}
    n = len(values[0])
    return [{name: np.ascontiguousarray(values[i : i + 1]) for name, values in columns.items()} for i in range(n)]


def main() -> None:
    """Read a job from standard input, write what was measured to standard output, both JSON."""
    job = json.load(sys.stdin)
    rows, threads = read_rows(Path(job["rows"])), job["threads"]
    if job["what"] == "footprint":
        found: dict[str, Any] = footprint(Path(job["model"]), rows, threads, Clocks())
    else:
        models = {name: Path(path) for name, path in job["models"].items()}
        found = speed(models, rows, threads, job["ratio_to"], Asked(**job["asked"]), Clocks())
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
