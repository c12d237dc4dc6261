"""A table to validate, its contract, and the step performed on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from builders import a_charter

from poc import layout
from poc.rules.charter import Charter
from poc.steps.perform import Result
from poc.steps.validate import validate
from poc.tools import expectations, files

CHARTER = a_charter()
TORQUE, WEAR = "Torque [Nm]", "Tool wear [min]"


def a_sample(rows: int = 900) -> pd.DataFrame:
    """Rows without drift and without a leak; torque has mean 40 and standard deviation 10."""
    draw = np.random.default_rng(11)
    torque = draw.normal(40, 10, rows)
    return pd.DataFrame(
        {
            TORQUE: torque,
            WEAR: draw.uniform(0, 240, rows),
            "Type": draw.choice(["L", "M", "H"], rows, p=[0.6, 0.3, 0.1]),
            "Target": (torque + draw.normal(0, 10, rows) > 55).astype("int8"),
        }
    )


def drafted(table: pd.DataFrame) -> str:
    """Draft a contract from a table."""
    return expectations.draft(table, "data contract", target="Target")


EMPTY = '{"name": "data contract", "expectations": []}'
ONLY_TORQUE = '{"name": "data contract", "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "Torque [Nm]"}, "severity": "critical"}]}'


def validated(folder: Path, table: pd.DataFrame, *, suite: str | bytes | None = None, charter: Charter = CHARTER) -> Result:
    """Validate a table whose thirds are train, dev and the sealed rows."""
    for name in ("agreement", "data", "validation"):
        (folder / name).mkdir(parents=True)
    files.write_atomically(folder / "agreement" / layout.CHARTER_JSON, files.canonical_json(charter))
    contract = drafted(a_sample()) if suite is None else suite
    (folder / "agreement" / layout.SUITE_JSON).write_bytes(contract if isinstance(contract, bytes) else contract.encode())
    third = len(table) // 3
    for number, name in enumerate(layout.SPLIT_FILES.values()):
        part = table.iloc[number * third : (number + 1) * third]
        (part.drop(columns="Target") if name == layout.SPLIT_FILES["sealed"] else part).to_parquet(folder / "data" / name, index=False)
    return validate(agreement=folder / "agreement", data=folder / "data", validation=folder / "validation")
