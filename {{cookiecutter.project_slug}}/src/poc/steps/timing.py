"""Time variants in a fresh process that has loaded nothing else: what `benchmark` starts, pinned to the charter's cores."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.latency import arrivals, calls_needed, highest_rate, is_steady, median_bounds, percentile_bounds
from poc.tools import machine
from poc.tools.onnx_runtime import Scorer

ROUNDS = 20
CALLS_PER_ROUND = 100
BATCHES = (1, 16, 256)
BATCH_CALLS = 10
WINDOW = 200
MOST_WINDOWS = 15
MOST_OVERLOAD = 3.0
#: How many calls may lie beyond the bound of a p99: with none, one pause of the machine would be the bound.
BEYOND = 2
#: The longest that the clock waits for the next arrival: nobody is in the queue meanwhile.
LONGEST_IDLE_S = 0.005
#: How long the call that does nothing is timed.
NULL_S = 0.5
clock = time.perf_counter


def rotating(scorer: Scorer, rows: list[dict[str, Any]]) -> Callable[[], None]:
    """Return a call that answers one real row after another: repeating one row flatters trees, whose branches the CPU then predicts."""
    at = 0

    def call() -> None:
        nonlocal at
        at = (at + 1) % len(rows)
        scorer.answers(rows[at])

    return call


def warm(call: Callable[[], None]) -> bool:
    """Call until windows agree. The first calls allocate memory and pick kernels; timing them would flatter nobody."""
    medians: list[float] = []
    for _ in range(MOST_WINDOWS):
        medians.append(float(np.median(time_calls(call, WINDOW))))
        if is_steady(medians):
            return True
    return False


def time_calls(call: Callable[[], None], n: int) -> NDArray[np.float64]:
    """Time calls one after another; seconds, shape (n,), float64."""
    seconds = np.empty(n)
    for i in range(n):
        started = clock()
        call()
        seconds[i] = clock() - started
    return seconds


def single_stream(calls: dict[str, Callable[[], None]], ratio_to: Mapping[str, str], confidence: float, limit_s: float) -> dict[str, dict[str, Any]]:
    """Time each variant in turn, round by round, so that a disturbance hits all alike; ratios are paired by round."""
    wall: dict[str, list[NDArray[np.float64]]] = {name: [] for name in calls}
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    shuffle = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for name in shuffle.permutation(names):
            before = time.process_time()
            wall[name].append(time_calls(calls[name], CALLS_PER_ROUND))
            cpu[name].append((time.process_time() - before) / CALLS_PER_ROUND)
    found: dict[str, dict[str, Any]] = {}
    medians = {name: np.median(wall[name], axis=1) for name in names}
    for name in names:
        p50, p95, p99 = np.quantile(np.concatenate(wall[name]), [0.5, 0.95, 0.99]) * 1e6
        other = ratio_to[name]
        found[name] = {
            "single_p50_us": p50,
            "single_p95_us": p95,
            "single_p99_us": p99,
            "cpu_us_per_call": median_bounds(np.array(cpu[name]) * 1e6, confidence).model_dump(),
            "ratio": median_bounds(medians[name] / medians[other], confidence).model_dump(),
            "ratio_to": other,
            "cpu_ratio": median_bounds(np.array(cpu[name]) / np.array(cpu[other]), confidence).model_dump(),
            "rounds_kept": ROUNDS,
            "rounds_dropped": 0,
            "highest_rate_per_s": highest_rate(np.concatenate(wall[name]), limit_s, seed=0),
        }
    return found


def offline(scorer: Scorer, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many rows a second go in batches, by their size."""
    return {str(size): _rows_per_s(scorer, rows, size) for size in BATCHES}


def _rows_per_s(scorer: Scorer, rows: list[dict[str, Any]], size: int) -> float:
    batch = {name: np.concatenate([rows[i % len(rows)][name] for i in range(size)]) for name in rows[0]}
    return size / float(np.median(time_calls(lambda: scorer.answers(batch), BATCH_CALLS)))  # type: ignore[arg-type]


def open_loop(call: Callable[[], None], rate_per_s: float, seconds: float, confidence: float, seed: int) -> dict[str, float]:
    """Answer Poisson arrivals in order, one at a time; latency counts from the intended arrival, so that waiting shows.

    It lasts so many seconds, and longer where so few calls would not bound a p99; idle time beyond `LONGEST_IDLE_S` is skipped, so that a rate
    of one a minute takes no hours. What a call costs after a long idle time is the first call's figure, not this one.

    One worker answers. Where arrivals come more than `MOST_OVERLOAD` times faster than it can answer, the rest is left out: the queue has
    grown for longer than any limit by then, and those left out would only have waited longer.
    """
    due = arrivals(rate_per_s, max(int(rate_per_s * seconds), calls_needed(0.99, confidence, beyond=BEYOND)), seed)
    latencies = np.empty(len(due))
    n = 0
    start = clock() + 0.01
    while n < len(due) and clock() - start < MOST_OVERLOAD * max(seconds, due[-1]):
        start -= max(0.0, due[n] - (clock() - start) - LONGEST_IDLE_S)
        while clock() - start < due[n]:
            pass  # a sleeping process wakes late by more than the call takes
        call()
        latencies[n] = clock() - start - due[n]
        n += 1
    latencies = latencies[:n]
    bounds = percentile_bounds(latencies, 0.99, confidence)
    p50, p95 = np.quantile(latencies, [0.5, 0.95])
    milliseconds = {
        "open_loop_p50_ms": p50,
        "open_loop_p95_ms": p95,
        "open_loop_p99_ms": bounds.middle,
        "open_loop_p99_low_ms": bounds.low,
        "open_loop_p99_high_ms": bounds.high,
    }
    return {"open_loop_rate_per_s": rate_per_s, "open_loop_calls": n, **{name: value * 1e3 for name, value in milliseconds.items()}}


def footprint(model: Path, rows: list[dict[str, Any]], threads: int) -> dict[str, float]:
    """Load one model in this process and answer every row: load time, first call, and the memory that takes, in a process that did nothing before."""
    started = clock()
    scorer = Scorer(model, threads=threads)
    loaded = clock()
    scorer.answers(rows[0])
    first = clock()
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
    rows = read_rows(Path(job["rows"]))
    if job["what"] == "footprint":
        found: Any = footprint(Path(job["model"]), rows, job["threads"])
    else:
        scorers = {name: Scorer(Path(path), threads=job["threads"]) for name, path in job["models"].items()}
        calls = {name: rotating(scorer, rows) for name, scorer in scorers.items()}
        steady = {name: warm(call) for name, call in calls.items()}
        found = single_stream(calls, job["ratio_to"], job["confidence"], job["limit_ms"] / 1e3)
        null = open_loop(lambda: None, job["rate"], NULL_S, job["confidence"], seed=0)["open_loop_p99_ms"]
        for seed, (name, call) in enumerate(calls.items()):
            found[name] |= open_loop(call, job["rate"], job["seconds"], job["confidence"], seed)
            found[name] |= {"is_steady": steady[name], "null_p99_ms": null, "looks": 1, "rows_per_s": offline(scorers[name], rows)}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
