"""Put a load on a server, as users would, and hold the served p99 against the charter."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.acts.by_hand import charter_of
from poc.acts.loaded_server import LoadedServer, found_at, started
from poc.acts.newest import newest_run
from poc.errors import ExitCode, InputRefused, Problem
from poc.rules.charter import Charter
from poc.rules.evidence import Candidate, Load, Number
from poc.rules.latency import arrivals, calls_needed
from poc.rules.latency_picture import latency_picture
from poc.rules.oip import infer_request, just_arrived
from poc.rules.queueing import calls_alike
from poc.rules.served import conclusion, failures, in_words, is_queue_endless, overhead_us, p99_of, served_verdict, undisturbed
from poc.steps import PRODUCER
from poc.steps.frozen import frozen_model
from poc.steps.inputs import rows_of
from poc.tools import files, load, machine, pages, tracking
from poc.tools.onnx_runtime import Scorer

Floats = NDArray[np.float64]
#: How many real rows take turns: repeating one flatters trees, whose branches the CPU then predicts.
ROWS = 512
#: How many requests are to lie beyond the bound of the p99: with none, one pause of the machine would be the bound.
BEYOND = 2
#: How long a load lasts that nobody gave a length: until there are enough requests, within these bounds.
SHORTEST_S, LONGEST_S = 10.0, 60.0
#: More requests fill memory and show nothing new.
MOST_REQUESTS = 5_000_000
PATIENCE_S = 5.0
RAW_ROUNDS = 5
#: What may be asked at most: an hour shows what a day would, and a process may open about a thousand files.
LONGEST_ASKED_S, MOST_CONNECTIONS = 3600, 900


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A load: so many arrivals a second, for so long, over so many connections; None leaves it to the charter, and to what its p99 needs."""

    rate_per_s: float | None = None
    seconds: float | None = None
    connections: int = 16

    def problems(self) -> list[Problem]:
        """List everything about it that cannot be done."""
        found = [
            Problem(what=f"{option} {value:g} is no load", where=option, fix="a number above 0")
            for option, value in {"--rate": self.rate_per_s, "--seconds": self.seconds, "--clients": self.connections}.items()
            if value is not None and not 0 < value < math.inf
        ]
        found += [
            Problem(what=f"{option} {value:g} is more than a load takes here", where=option, fix=f"at most {most:,}")
            for option, value, most in (("--seconds", self.seconds or 0, LONGEST_ASKED_S), ("--clients", self.connections, MOST_CONNECTIONS))
            if most < value < math.inf
        ]
        if not found and (self.rate_per_s or 0) * (self.seconds or SHORTEST_S) > MOST_REQUESTS:
            found.append(Problem(what=f"these are more than {MOST_REQUESTS:,} requests", where="--rate, --seconds", fix="a shorter load shows the same"))
        return found


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load showed, the same in words, the folder that holds numbers and picture, and whether MLflow holds them too."""

    load: Load
    words: list[str]
    folder: Path
    is_in_mlflow: bool

    @property
    def exit_code(self) -> ExitCode:
        """Say by an exit status what is proven: the limit kept, the limit broken, or neither."""
        proven = {"PASS": ExitCode.GO, "FAIL": ExitCode.REFUSED}
        return ExitCode.NOT_PROVEN if self.load.differences else proven.get(self.load.verdict, ExitCode.NOT_PROVEN)


def put_load(root: Path, asked: Asked, *, url: str | None = None, folder: Path | None = None) -> Loaded:
    """Put a load on the server at `url`, or on one that is started for it, with real dev rows of the newest run, and write what it showed.

    Raises:
        InputRefused: what is asked is no load, or no run froze a candidate yet.
        EnvironmentRefused: nobody at `url` answers for this model.
    """
    if problems := asked.problems():
        raise InputRefused(problems)
    run = newest_run(root, ["agreement", "data", "candidate"])
    artifacts, charter = layout.artifacts_of(run), charter_of(run)
    data, candidate = (layout.artifact_folder(artifacts, PRODUCER[name], name) for name in ("data", "candidate"))
    frozen, model = frozen_model(candidate)
    rows = single_rows(data, charter)
    with found_at(url, frozen, charter.limits.hardware) if url else started(candidate, charter.limits.hardware) as server:
        due = _due(asked, charter)
        answers = _send(server, asked, frozen, rows, due)
    with machine.kept_to(server.cores):
        raw_us = raw_call_us(Scorer(model), rows)
    alone = undisturbed(due, answers.latency, answers.service)
    alike = calls_alike(_rate(asked, charter), alone)
    found = _load(answers, alone, alike, raw_us, server, asked, charter)
    folder = folder or layout.artifact_folder(artifacts, layout.LOAD, layout.LOAD)
    words = [*in_words(found), conclusion(found, _enough(charter) * alike)]
    _write(found, answers.latency * 1e3, folder)
    return Loaded(load=found, words=words, folder=folder, is_in_mlflow=_log(run, found, folder))


def single_rows(data: Path, charter: Charter) -> list[dict[str, Any]]:
    """Return the first dev rows, each as columns of shape (1, 1)."""
    columns = {name: values[:ROWS] for name, values in rows_of(data, "dev", charter).tensors.items()}
    n = len(next(iter(columns.values())))
    return [{name: np.ascontiguousarray(values[i : i + 1]) for name, values in columns.items()} for i in range(n)]


def raw_call_us(scorer: Scorer, rows: Sequence[dict[str, Any]]) -> Floats:
    """Time each row as a call in this process, the median over rounds; shape (n_rows,). The first round warms up and does not count."""
    microseconds = np.empty((RAW_ROUNDS + 1, len(rows)))
    for round_, i in np.ndindex(microseconds.shape):
        begun = time.perf_counter()
        scorer.answers(rows[i])
        microseconds[round_, i] = (time.perf_counter() - begun) * 1e6
    found: Floats = np.median(microseconds[1:], axis=0)
    return found


def _enough(charter: Charter) -> int:
    return calls_needed(0.99, float(charter.limits.confidence), beyond=BEYOND)


def _rate(asked: Asked, charter: Charter) -> float:
    return asked.rate_per_s or float(charter.limits.arrivals_per_second)


def _due(asked: Asked, charter: Charter) -> Floats:
    """Draw when each request is due, in seconds from the start."""
    rate = _rate(asked, charter)
    seconds = asked.seconds or min(LONGEST_S, max(SHORTEST_S, _enough(charter) / rate))
    return arrivals(rate, max(1, round(rate * seconds)), charter.data.split_seed)


def _send(server: LoadedServer, asked: Asked, frozen: Candidate, rows: Sequence[dict[str, Any]], due: Floats) -> load.Answers:
    bodies = [infer_request(row, frozen.inputs, just_arrived(frozen.inputs)) for row in rows]
    target = load.Target(host=server.host, port=server.port, connections=asked.connections)
    requests = load.json_requests(bodies, host=server.host, path=f"/v2/models/{frozen.project}/infer")
    return load.send(target, requests, due, patience_s=PATIENCE_S, core=server.client_core)


def _load(answers: load.Answers, alone: Floats, alike: float, raw_us: Floats, server: LoadedServer, asked: Asked, charter: Charter) -> Load:
    confidence, limit_ms = float(charter.limits.confidence), float(charter.limits.latency_p99_ms)
    latency_ms, late_ms = answers.latency * 1e3, answers.late[np.isfinite(answers.late)] * 1e3
    p99_ms = p99_of(latency_ms, confidence, alike=alike)
    is_endless = is_queue_endless(latency_ms, alone, limit_ms, confidence)
    late_p99_ms = float(np.quantile(late_ms, 0.99)) if len(late_ms) else math.nan
    p50_ms, p95_ms, slowest_ms = (float(value) for value in np.quantile(latency_ms, [0.5, 0.95, 1.0], method="inverted_cdf"))
    return Load(
        url=f"http://{server.host}:{server.port}",
        rate_per_s=_rate(asked, charter),
        connections=asked.connections,
        requests=len(latency_ms),
        seconds=answers.seconds,
        failed=failures(answers.status),
        reconnects=answers.reconnects,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        slowest_ms=slowest_ms,
        late_p99_ms=late_p99_ms,
        limit_ms=limit_ms,
        confidence=confidence,
        verdict=served_verdict(p99_ms, limit_ms, late_p99_ms, shares_cores=server.shares_cores, is_endless=is_endless),
        raw_us=float(np.median(raw_us)),
        overhead_us=overhead_us(answers.service * 1e6, raw_us, confidence),
        machine=server.machine,
        server_cores=server.cores,
        client_core=server.client_core,
        differences=server.differences,
    )


def _write(found: Load, latencies_ms: Floats, folder: Path) -> None:
    title = f"Served at {found.rate_per_s:g} requests a second: {found.verdict}"
    picture = latency_picture(latencies_ms, found.p99_ms, found.limit_ms, title=title)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_atomically(folder / layout.LOAD_SVG, pages.picture_file(picture))
    files.write_record(folder / layout.LOAD_JSON, found)


def _log(run: Path, found: Load, folder: Path) -> bool:
    """Log beside the run, where its MLflow run is still to be had."""
    noted = run / layout.MLFLOW_RUN
    numbers = {"p50": found.p50_ms, "p99": found.p99_ms.middle, "p99_high": found.p99_ms.high, "overhead": found.overhead_us.middle / 1e3}
    shown = [Number(name=f"{name}_ms", value=value, unit="ms") for name, value in numbers.items()]
    return noted.is_file() and tracking.log_afterwards(noted.read_text().strip(), layout.LOAD, shown, folder)
