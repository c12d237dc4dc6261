"""Compare what serving costs: the call itself, bare HTTP, `poc serve`, `mlflow models serve` and MLServer, with the same file, rows, cores and rounds."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from servers import Served, around_the_call, bare_http, mlflow, mlserver, ours
from tables import artifacts, table

from poc import layout
from poc.acts.load import raw_call_us, single_rows
from poc.errors import PocError
from poc.rules.evidence import Candidate, Version
from poc.rules.served import OK, cores_for
from poc.steps.frozen import frozen_model
from poc.steps.inputs import charter_of
from poc.tools import files, load, machine
from poc.tools.onnx_runtime import Scorer

ROOT = Path(__file__).resolve().parents[1]
RAW, BARE, FLOOR, OURS, MLFLOW = "the call itself", "bare HTTP", "bare HTTP and the call", "poc serve", "mlflow models serve"
#: One client waits for each answer; so many clients keep a server busy.
ONE, MANY = 1, 16
ROUNDS, REQUESTS_OF_ONE, REQUESTS_OF_MANY = 5, 500, 2000
PATIENCE_S = 60.0
#: From the issue that asked for serving: how many times bare HTTP one client may wait, and how many times MLflow's requests many clients are to get.
MOST_OF_BARE, LEAST_OF_MLFLOW = 1.6, 10.0
#: A client that is idle at fewer of its looks than this may be what is measured, instead of the server.
LEAST_IDLE = 0.1


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round found of one server: one client that never sleeps, one of Python's own, and many at once."""

    p50_us: float
    p99_us: float
    ordinary_p50_us: float
    per_s: float
    idle: float


def main(arguments: Sequence[str]) -> int:
    """Print the comparison for the newest run of this project, or of the one whose folder is given."""
    root = Path(arguments[0]).resolve() if arguments else ROOT
    os.chdir(root)
    found = artifacts(root, ["agreement", "data", "candidate"])
    frozen, model = frozen_model(found["candidate"])
    rows = [row for row in single_rows(found["data"], charter_of(found["agreement"])) if is_whole(row)]
    cores, client_core, _ = cores_for(machine.available(), 1)
    with ExitStack() as stack, machine.kept_to(cores):
        raw_us = raw_call_us(Scorer(model), rows)
        servers, missing = started(stack, frozen, rows, found["candidate"], root)
        rounds = measured(servers, client_core)
    print("\n".join([*lines(raw_us, rounds, cores, client_core), *missing, *promises(rounds)]))
    return 0


def is_whole(row: Mapping[str, Any]) -> bool:
    """Say whether a row lacks nothing: not every protocol has a word for a missing number."""
    return not any(values.dtype.kind == "f" and np.isnan(values).any() for values in row.values())


def started(stack: ExitStack, frozen: Candidate, rows: Sequence[Mapping[str, Any]], candidate: Path, root: Path) -> tuple[list[Served], list[str]]:
    """Start every server that is to be had, and say of the others why not."""
    folder, missing = Path(stack.enter_context(TemporaryDirectory())), list[str]()
    servers = [stack.enter_context(each) for each in (bare_http(frozen, rows), around_the_call(frozen, rows, candidate, folder), ours(frozen, rows, candidate))]
    try:
        version = files.read_record(artifacts(root, ["version"])["version"] / layout.VERSION_JSON, Version)
        servers.append(stack.enter_context(mlflow(frozen, rows, version.version)))
    except PocError as error:
        missing.append(f"mlflow models serve: left out, {error.problems[0].what}")
    python = Path(os.environ.get("POC_MLSERVER_PYTHON") or ROOT / ".venv-mlserver/bin/python")
    if python.is_file():
        servers.append(stack.enter_context(mlserver(frozen, rows, candidate, python, folder)))
    else:
        missing.append("MLServer: left out, it is not installed; make lab installs it")
    return servers, missing


def measured(servers: Sequence[Served], client_core: int | None) -> dict[str, list[Round]]:
    """Measure every server in every round, in random order, so that a disturbance hits all alike."""
    found: dict[str, list[Round]] = {server.name: [] for server in servers}
    shuffle = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for number in shuffle.permutation(len(servers)):
            found[servers[number].name].append(a_round(servers[number], client_core))
    return found


def a_round(server: Served, client_core: int | None) -> Round:
    """Let one client ask, then many at once."""
    requests = load.json_requests(server.bodies, host="127.0.0.1", path=server.path)
    alone, together = (
        load.send(load.Target(host="127.0.0.1", port=server.port, connections=clients), requests, np.zeros(n), patience_s=PATIENCE_S, core=client_core)
        for clients, n in ((ONE, REQUESTS_OF_ONE), (MANY, REQUESTS_OF_MANY))
    )
    failed = sum(int((answers.status != OK).sum()) for answers in (alone, together))
    if failed:
        raise RuntimeError(f"{server.name}: {failed} requests were not answered")
    p50, p99 = np.quantile(alone.service * 1e6, [0.5, 0.99])
    with machine.kept_to([] if client_core is None else [client_core]):
        ordinary = ordinary_client_us(server)
    return Round(p50_us=float(p50), p99_us=float(p99), ordinary_p50_us=ordinary, per_s=len(together.status) / together.seconds, idle=together.idle)


def ordinary_client_us(server: Served) -> float:
    """Return the median time that a call takes with `http.client` of Python, as many programs make it: the client's own work is most of it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    microseconds = np.empty(REQUESTS_OF_ONE)
    for i in range(REQUESTS_OF_ONE):
        begun = time.perf_counter()
        connection.request("POST", server.path, server.bodies[i % len(server.bodies)], {"content-type": "application/json"})
        connection.getresponse().read()
        microseconds[i] = (time.perf_counter() - begun) * 1e6
    connection.close()
    return float(np.median(microseconds))


def lines(raw_us: NDArray[np.float64], rounds: Mapping[str, Sequence[Round]], cores: Sequence[int], client_core: int | None) -> Iterator[str]:
    """Write the table: medians over rounds, ratios taken within each round."""
    yield (
        f"serving one row: {ROUNDS} rounds in random order, each with {REQUESTS_OF_ONE:,} requests of one client and {REQUESTS_OF_MANY:,} of {MANY}; "
        f"servers on core {', '.join(map(str, cores)) or '?'}, the client on core {client_core}, medians (least to most of the rounds)"
    )
    head = ("", "p50 us", "p99 us", "times bare HTTP", "http.client us", "times bare HTTP", f"requests/s at {MANY}", "times MLflow's", "client idle")
    p50, p99 = np.quantile(raw_us, [0.5, 0.99])
    yield table(head, [[RAW, f"{p50:,.0f}", f"{p99:,.0f}", *[""] * 6], *(row(name, rounds) for name in rounds)])
    busy = [name for name, each in rounds.items() if np.median([one.idle for one in each]) < LEAST_IDLE]
    if busy:
        yield f"the client was hardly idle: it may be what was measured at {MANY} clients, not {', '.join(busy)}"


def row(name: str, rounds: Mapping[str, Sequence[Round]]) -> list[str]:
    """Write one server's figures."""
    p50, p99, ordinary, per_s, idle = (
        float(np.median([getattr(one, figure) for one in rounds[name]])) for figure in ("p50_us", "p99_us", "ordinary_p50_us", "per_s", "idle")
    )
    of_bare, of_bare_ordinary = (said(ratio(rounds, name, BARE, figure)) for figure in ("p50_us", "ordinary_p50_us"))
    of_mlflow = said(ratio(rounds, name, MLFLOW, "per_s"))
    return [name, f"{p50:,.0f}", f"{p99:,.0f}", of_bare, f"{ordinary:,.0f}", of_bare_ordinary, f"{per_s:,.0f}", of_mlflow, f"{idle:.0%}"]


def ratio(rounds: Mapping[str, Sequence[Round]], name: str, to: str, figure: str) -> NDArray[np.float64] | None:
    """Return a figure over that of another server, round by round; None where either was not measured."""
    if name not in rounds or to not in rounds:
        return None
    return np.array([getattr(one, figure) / getattr(other, figure) for one, other in zip(rounds[name], rounds[to], strict=True)])


def said(ratios: NDArray[np.float64] | None) -> str:
    """Write ratios as their median, least and most."""
    return "-" if ratios is None else f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def promises(rounds: Mapping[str, Sequence[Round]]) -> Iterator[str]:
    """Say of each promise whether it was held here."""
    of = ((BARE, "p50_us"), (BARE, "ordinary_p50_us"), (FLOOR, "p50_us"), (MLFLOW, "per_s"))
    alone, ordinary, least, many = (ratio(rounds, OURS, to, figure) for to, figure in of)
    yield (
        f"promised: one client waits at most {MOST_OF_BARE} times as long as for bare HTTP; {held(alone, lambda found: found <= MOST_OF_BARE)}, {said(alone)}; "
        f"with Python's http.client {held(ordinary, lambda found: found <= MOST_OF_BARE)}, {said(ordinary)}; "
        f"{said(least)} times bare HTTP around this model's call, which no server can do without"
    )
    yield (
        f"promised: {MANY} clients get at least {LEAST_OF_MLFLOW:g} times the requests/s of {MLFLOW}; "
        f"{held(many, lambda found: found >= LEAST_OF_MLFLOW)}, {said(many)}"
    )


def held(ratios: NDArray[np.float64] | None, is_held: Callable[[float], bool]) -> str:
    """Say whether the median keeps a promise."""
    return "not measured" if ratios is None else "yes" if is_held(float(np.median(ratios))) else "no"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
