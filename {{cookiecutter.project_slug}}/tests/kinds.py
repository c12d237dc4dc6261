"""A small project of each kind of problem: a table drawn at random, an agreement that is easy to keep, and what a run needs besides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from builders import a_plain_amount_charter, a_plain_multiclass_charter
from samples import ONLY_TORQUE

from poc.tools import files

TORQUE, WEAR = "Torque [Nm]", "Tool wear [min]"
WHY = "In this test the answer follows from torque and wear, with noise on it."
#: What every machine keeps, so that noise decides no verdict.
EASY: dict[str, Any] = {"latency_p99_ms": 2000, "memory_mb": 1024, "monthly_budget": 100_000}


def a_table(problem: str, rows: int = 1200) -> pd.DataFrame:
    """Draw parts: torque and wear decide, with noise; some wear is missing, as in the world."""
    draw = np.random.default_rng(17)
    torque, wear, kind = draw.normal(40, 10, rows), draw.uniform(0, 200, rows), draw.choice(["L", "M", "H"], rows)
    strain = (torque - 40) / 10 + (wear - 100) / 60 + (kind == "L") * 0.5
    targets: dict[str, Callable[[], Any]] = {
        "multiclass": lambda: np.array(["good", "rework", "scrap"], dtype=object)[np.digitize(strain + draw.normal(0, 0.2, rows), [0.8, 1.8])],
        "regression": lambda: np.round(450 + 20 * strain + draw.normal(0, 3, rows), 2),
        "count": lambda: draw.poisson(np.exp(3.5 + 0.4 * strain)),
    }
    table = pd.DataFrame({"UDI": np.arange(rows), TORQUE: torque.round(3), WEAR: wear.round(3), "Type": kind, "Target": targets[problem]()})
    table.loc[draw.choice(rows, rows // 50, replace=False), WEAR] = np.nan
    return table


def a_plain_charter_of(problem: str, **overrides: Any) -> dict[str, Any]:
    """Return a charter about that table as plain values."""
    make = a_plain_multiclass_charter if problem == "multiclass" else a_plain_amount_charter
    limits: dict[str, dict[str, Any]] = {
        "multiclass": {"missed_share": {"rework": "0.30", "scrap": "0.25"}},
        "regression": {"tolerance": 10, "beyond_tolerance_share": "0.10"},
        "count": {"tolerance": 25, "beyond_tolerance_share": "0.10"},
    }
    today = {} if problem == "multiclass" else {"mean_over": "15", "mean_under": "15"}
    plain = make(problem=problem, data={"source": "data/parts.csv"}, limits=EASY | limits[problem], baseline=today)
    plain["features"] = [{**feature, "why_it_may_decide_alone": WHY} for feature in plain["features"]]
    if problem != "multiclass":
        plain["value"]["decisions_per_period"] = {"low": 9000, "likely": 10000, "high": 11000}
    return {**plain, **overrides}


def a_project_of(problem: str, root: Path, *, rows: int = 1200, families: tuple[str, ...] = ("boosted_trees",), **overrides: Any) -> Path:
    """Write the project: table, charter, parameters, contract and data card."""
    contents = {
        "charter.yaml": json.dumps(a_plain_charter_of(problem, **overrides), indent=1),
        "params.yaml": json.dumps({"seed": 7, "families": list(families), "benchmark_seconds_per_variant": 1.5, "replay_rows": 50}),
        "expectations/suite.json": ONLY_TORQUE,
        "data/parts.csv": a_table(problem, rows).to_csv(index=False),
        "data/DATA_CARD.md": "# parts.csv\n\nDrawn at random for a test.\n",
    }
    for name, content in contents.items():
        files.write_atomically(root / name, content.encode())
    return root
