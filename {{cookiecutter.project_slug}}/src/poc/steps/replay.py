"""Send dev rows one at a time, in order of arrival, through the real server, and compare with the batch path."""

from __future__ import annotations

import http.client
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from poc import layout
from poc.errors import EnvironmentRefused
from poc.rules import guards
from poc.rules.answers import compare, decide, in_words, output_of
from poc.rules.arrival import late_features, never_in_time, order_of_arrival
from poc.rules.charter import Charter
from poc.rules.evidence import Candidate, LiveFeature, Number, Rehearsal, Splits
from poc.rules.live_features import Compared, compared, is_missing
from poc.rules.oip import infer_request
from poc.rules.silence import without_late_features
from poc.steps.dev_worth import DevWorth, Tensors
from poc.steps.frozen import frozen_model
from poc.steps.inputs import charter_of, groups_of, params_of
from poc.steps.live import Known, live_features
from poc.steps.perform import Result
from poc.steps.target import written_labels
from poc.tools import files, frames, machine, onnx_runtime
from poc.tools.onnx_runtime import Scorer

if TYPE_CHECKING:
    import pandas as pd

START_SECONDS = 30.0


def replay(*, agreement: Path, data: Path, candidate: Path, rehearsal: Path) -> Result:
    """Write how features as they were known, and served answers, compare with the batch path; refuse any that differ, and features used before they arrive."""
    charter, params = charter_of(agreement), params_of(agreement)
    frozen, model = frozen_model(candidate)
    guards.features_arrive_in_time(never_in_time(charter))
    table, keys = _in_order_of_arrival(data, charter)
    live = live_features(table, keys, charter, Path.cwd())
    trained, known = (frames.columns(rows, frozen.inputs) for rows in (table, table.assign(**{name: each.values for name, each in live.items()})))
    dev = DevWorth(
        charter=charter,
        frozen=frozen,
        scorer=Scorer(model),
        labels=written_labels(table, charter),
        groups=groups_of(table, charter),
        usual_amount=files.read_record(data / layout.SPLITS_JSON, Splits).usual_amount,
    )
    guards.live_features_equal_batch(_compared(_names(table, charter), trained, known, live, dev))
    batch = dev.scorer.answers({name: values[: params.replay_rows] for name, values in trained.items()})
    bodies = [infer_request({name: values[i : i + 1] for name, values in known.items()}, frozen.inputs, _ages(live, i)) for i in range(len(batch))]
    with server(candidate) as (port, pid):
        served, decisions, milliseconds = _ask_each(port, frozen, bodies)
        memory_mb = machine.peak_memory_mb(pid)
    largest = compare(frozen, batch, served).largest_difference
    expected = in_words(frozen, decide(frozen, batch)) or [None] * len(batch)
    differing = sum(one != other for one, other in zip(decisions, expected, strict=True))
    guards.served_equals_batch(len(batch), largest, differing)
    p50, p99 = (float(value) for value in np.quantile(milliseconds, [0.5, 0.99]))
    found = Rehearsal(
        rows=len(batch),
        largest_difference=largest,
        decisions_differing=differing,
        live=[LiveFeature(name=name, known=each.way, missing=int(is_missing(known[name]).sum())) for name, each in live.items()],
        late_features=late_features(charter),
        money=dev.silence(known, []).money,
        silences=dev.silences(known, late_features(charter)),
        request_p50_ms=p50,
        request_p99_ms=p99,
        server_memory_mb=memory_mb,
        machine=machine.fingerprint(onnx_runtime.version()),
    )
    files.write_record(rehearsal / layout.REHEARSAL_JSON, found)
    return Result(headline=_headline(found, charter), numbers=list(_numbers(found, charter)))


def _in_order_of_arrival(data: Path, charter: Charter) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read dev rows, and what they share with readings where any are joined."""
    table = frames.read_table(data / layout.SPLIT_FILES["dev"])
    keys = frames.read_table(data / layout.DEV_KEYS) if charter.data.joins else None
    if not (order := order_of_arrival(charter)):
        return table, keys
    moments = frames.order_of(table, order) if order == charter.data.time else table[order].to_numpy()
    arriving = np.argsort(moments, kind="stable")
    return table.iloc[arriving], None if keys is None else keys.iloc[arriving]


def _names(table: pd.DataFrame, charter: Charter) -> list[str]:
    """Name each row by its key, or by its place in the file."""
    key = charter.data.key
    return [f"{key} {value}" for value in frames.categories_of(table, key)] if key else [f"row {number}" for number in table.index]


def _compared(names: list[str], trained: Tensors, known: Tensors, live: Mapping[str, Known], dev: DevWorth) -> list[Compared]:
    """Compare each feature; where one differs, say what that alone comes to."""
    found = [compared(name, trained[name], known[name], names, why=each.why, where=each.where, fix=each.fix) for name, each in live.items()]
    return [replace(each, cost=dev.instead_of({**trained, each.feature: known[each.feature]}, trained)) if each.differing else each for each in found]


def _ages(live: Mapping[str, Known], row: int) -> dict[str, float]:
    """Say of a row how old what is known of it is, wherever that is known."""
    ages = {name: float(each.age_seconds[row]) for name, each in live.items() if each.age_seconds is not None}
    return {name: seconds for name, seconds in ages.items() if math.isfinite(seconds)}


def _headline(found: Rehearsal, charter: Charter) -> str:
    without = without_late_features(found, _unit(charter))
    return (
        f"{found.rows:,} dev rows one by one: served answers equal the batch path (largest difference {found.largest_difference:.1g}); "
        f"p50 {found.request_p50_ms:.2f} ms there and back" + (f"; {without}" if without else "")
    )


def _numbers(found: Rehearsal, charter: Charter) -> Iterator[Number]:
    yield Number(name="rows", value=found.rows, unit="rows")
    yield Number(name="request_p50", value=found.request_p50_ms, unit="ms")
    yield Number(name="request_p99", value=found.request_p99_ms, unit="ms")
    if math.isfinite(found.server_memory_mb):
        yield Number(name="server_memory", value=found.server_memory_mb, unit="MB")
    if found.silences and (left := found.silences[-1].money):
        yield Number(name="money_without_late_features", value=left.middle, unit=_unit(charter))


def _unit(charter: Charter) -> str:
    return f"{charter.value.currency} a {charter.value.period}"


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
