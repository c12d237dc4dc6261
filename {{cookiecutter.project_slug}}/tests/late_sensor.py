"""A line whose temperature decides how parts turn out, and is uploaded 45 minutes after it was measured; and ways to be careless with it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from artifacts import Run
from builders import a_plain_charter

from poc.acts.draft_expectations import draft
from poc.tools import files, machine

ROWS, LINES, DAYS = 9000, 20, 30
START = pd.Timestamp("2026-01-01")
DELAY_SECONDS = 2700
#: An eighth of the parts fails, today most of them unseen; to take one out for nothing is not cheap, so that it pays to know which.
WORTH: dict[str, dict[str, Any]] = {
    "baseline": {"missed_share": "0.80", "false_alarm_share": "0.10"},
    "limits": {"missed_share": "0.45", "false_alarm_share": "0.20"},
    "value": {
        "positive_share": {"low": "0.11", "likely": "0.12", "high": "0.13"},
        "cost_missed": {"low": 180, "likely": 200, "high": 220},
        "cost_false_alarm": {"low": 50, "likely": 60, "high": 70},
    },
}
#: The readings hold two moments of arrival: at the gateway, which uploads them later, and in the store that a model's caller asks.
SENSORS = {"source": "data/sensors.parquet", "by": ["line"], "event_time": "measured_at", "arrived_time": "stored_at"}
AT_THE_GATEWAY = SENSORS | {"arrived_time": "received_at"}


def readings() -> pd.DataFrame:
    """Draw each line's temperature every 5 minutes as a slow random walk around 0 with a spread of 1."""
    draw, measured = np.random.default_rng(0), START + pd.to_timedelta(np.arange(0, 60 * 24 * DAYS, 5), "min")
    walks = pd.DataFrame(draw.normal(0, 5, (len(measured), LINES))).ewm(alpha=0.08).mean()
    table = pd.DataFrame(
        {"line": np.repeat(np.arange(LINES), len(measured)), "measured_at": np.tile(measured, LINES), "temperature": walks.to_numpy().T.ravel()}
    )
    return table.assign(received_at=table["measured_at"] + pd.Timedelta("2s"), stored_at=table["measured_at"] + pd.Timedelta(DELAY_SECONDS, "s"))


def parts(sensors: pd.DataFrame) -> pd.DataFrame:
    """Draw parts whose odds to fail follow the temperature at their very moment, and the load; they lie in the file as chance has it."""
    draw = np.random.default_rng(1)
    finished = START + pd.to_timedelta(np.sort(draw.integers(60, 60 * 24 * DAYS, ROWS)), "min")
    table = pd.DataFrame({"part": np.arange(ROWS), "finished_at": finished, "line": draw.integers(0, LINES, ROWS), "load": draw.normal(size=ROWS).round(6)})
    odds = 1.5 * joined_on_event_time(table, sensors)["temperature"] + 0.6 * table["load"] - 3
    return table.assign(failed=(draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(int)).sample(frac=1, random_state=2)


def joined_on_event_time(table: pd.DataFrame, sensors: pd.DataFrame) -> pd.DataFrame:
    """Join as a warehouse does: what was true at each part's moment, whether it had arrived or not."""
    return pd.merge_asof(
        table.sort_values("finished_at"),
        sensors[["line", "measured_at", "temperature"]].sort_values("measured_at"),
        left_on="finished_at",
        right_on="measured_at",
        by="line",
    ).drop(columns="measured_at")


def a_line(root: Path, *, is_joined_already: bool = False, temperature: dict[str, Any] | None = None, **data: Any) -> Path:
    """Write the project: parts, readings, charter, parameters and a drafted contract; with `is_joined_already` the parts hold the temperature."""
    sensors = readings()
    table = parts(sensors)
    (root / "data").mkdir(parents=True)
    sensors.to_parquet(root / "data/sensors.parquet", index=False)
    (joined_on_event_time(table, sensors) if is_joined_already else table).to_parquet(root / "data/parts.parquet", index=False)
    files.write_atomically(root / "charter.yaml", json.dumps(_charter(temperature or {}, data), indent=1).encode())
    params = {"seed": 7, "families": ["logistic"], "benchmark_seconds_per_variant": 0.3, "replay_rows": 300}
    files.write_atomically(root / "params.yaml", json.dumps(params).encode())
    draft(root, force=True)
    return root


def _charter(temperature: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    owned = {"kind": "number", "owner": "bo@example.com"}
    features = [
        {"name": "temperature", "source": "Sensor of the line.", "available": "streamed", "delay_seconds": DELAY_SECONDS, **owned, **temperature},
        {"name": "load", "source": "Drive, read with the request.", "available": "at_request", **owned},
    ]
    source = {"source": "data/parts.parquet", "target": "failed", "key": "part", "time": "finished_at", "dev_share": "0.4"}
    charter = a_plain_charter(data=source | data, features=features, **WORTH)
    charter["limits"]["hardware"] |= {"architecture": machine.ARCHITECTURES.get(os.uname().machine, "x86_64"), "cores": 1, "memory_mb": 1024}
    return charter


def up_to(project: Path, last: str) -> Run:
    """Perform every step up to one for real."""
    run = Run(root=project / "run")
    steps = ("charter", "ingest", "validate", "train", "export", "compress", "benchmark", "evaluate", "replay")
    for step in steps[: steps.index(last) + 1]:
        run.perform(step)
    return run
