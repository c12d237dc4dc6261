"""Send dev rows one at a time, in order of arrival, through the real server, and compare with the batch path."""

from __future__ import annotations

import http.client
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from poc import layout
from poc.errors import EnvironmentRefused
from poc.rules import guards
from poc.rules.answers import compare, decide, in_words, output_of
from poc.rules.arrival import late_features, order_of_arrival
from poc.rules.evidence import Candidate, Number, Rehearsal
from poc.rules.oip import infer_request
from poc.steps.frozen import frozen_model
from poc.steps.inputs import charter_of, params_of
from poc.steps.perform import Result
from poc.tools import files, frames, machine
from poc.tools.onnx_runtime import Scorer

START_SECONDS = 30.0


def replay(*, agreement: Path, data: Path, candidate: Path, rehearsal: Path) -> Result:
    """Write how the served answers compare; refuse any that differ, and features used before they arrive."""
    charter, params = charter_of(agreement), params_of(agreement)
    frozen, model = frozen_model(candidate)
    late = late_features(charter)
    guards.features_arrive_in_time(late)
    table = frames.read_table(data / layout.SPLIT_FILES["dev"])
    if order := order_of_arrival(charter):
        table = table.iloc[np.argsort(frames.order_of(table, order) if order == charter.data.time else table[order].to_numpy(), kind="stable")]
    columns = frames.columns(table.head(params.replay_rows), frozen.inputs)
    batch = Scorer(model).answers(columns)
    bodies = [infer_request({name: values[i : i + 1] for name, values in columns.items()}, frozen.inputs) for i in range(len(batch))]
    with server(candidate) as (port, pid):
        served, decisions, milliseconds = _ask_each(port, frozen, bodies)
        memory_mb = machine.peak_memory_mb(pid)
    largest = compare(frozen, batch, served).largest_difference
    expected = in_words(frozen, decide(frozen, batch)) or [None] * len(batch)
    differing = sum(one != other for one, other in zip(decisions, expected, strict=True))
    guards.served_equals_batch(len(batch), largest, differing)
    p50, p99 = (float(value) for value in np.quantile(milliseconds, [0.5, 0.99]))
    files.write_record(
        rehearsal / layout.REHEARSAL_JSON,
        Rehearsal(
            rows=len(batch),
            largest_difference=largest,
            decisions_differing=differing,
            late_features=late,
            request_p50_ms=p50,
            request_p99_ms=p99,
            server_memory_mb=memory_mb,
        ),
    )
    return Result(
        headline=f"{len(batch):,} dev rows one by one: served answers equal the batch path (largest difference {largest:.1g}); p50 {p50:.2f} ms there and back",
        numbers=[
            Number(name="rows", value=len(batch), unit="rows"),
            Number(name="request_p50", value=p50, unit="ms"),
            Number(name="request_p99", value=p99, unit="ms"),
            *([Number(name="server_memory", value=memory_mb, unit="MB")] if math.isfinite(memory_mb) else []),
        ],
    )


@contextmanager
def server(candidate: Path) -> Iterator[tuple[int, int]]:
    """Start the real server in a process of its own on a free port; yield the port and the process's number, and stop it whatever happens.

    Raises:
        EnvironmentRefused: it ended, or did not answer in time; its last lines are in the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        port_file, log = Path(folder) / "port", Path(folder) / "log"
        command = [sys.executable, "-m", "poc.acts.serve", "--candidate", str(candidate), "--port-file", str(port_file)]
        with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:
            try:
                yield _port(process, port_file, log), process.pid
            finally:
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    patience = time.monotonic() + START_SECONDS
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > patience:
            raise EnvironmentRefused(
                f"the server did not start: {log.read_text(errors='replace').strip()[-500:] or 'no message'}",
                where="poc serve",
                fix="start it by hand and read what it says: poc serve",
            )
        time.sleep(0.01)
    return int(port_file.read_text())


def _ask_each(port: int, frozen: Candidate, bodies: list[bytes]) -> tuple[Any, list[Any], Any]:
    """Send each body over one connection; return answers as the batch path has them, decisions as they were said, and milliseconds."""
    import json

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    served, decisions, milliseconds = list[Any](), list[Any](), np.empty(len(bodies))
    try:
        for i, body in enumerate(bodies):
            started = time.perf_counter()
            connection.request("POST", f"/v2/models/{frozen.project}/infer", body, {"content-type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            milliseconds[i] = (time.perf_counter() - started) * 1e3
            guards.every_row_is_served(i, response.status, content[:200].decode(errors="replace"))
            outputs = {output["name"]: output["data"] for output in json.loads(content)["outputs"]}
            served.append(outputs[output_of(frozen)])
            decisions.append(outputs.get("decision", [None])[0])
    except (OSError, http.client.HTTPException) as error:
        raise EnvironmentRefused(f"the server went away: {error}", where="replay", fix="start it by hand and read what it says: poc serve") from error
    finally:
        connection.close()
    answers = np.array(served, dtype=np.float32)
    return answers if frozen.by_cost else answers.reshape(-1), decisions, milliseconds
