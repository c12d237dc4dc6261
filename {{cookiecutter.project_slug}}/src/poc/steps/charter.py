"""Load the charter, check it against itself, and write down exactly what this run is judged by."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.errors import InputRefused
from poc.rules.evidence import Number
from poc.steps.perform import Result
from poc.tools import files, strict_yaml


def charter(*, agreement: Path) -> Result:
    """Write the charter, the parameters and the data contract as this run sees them."""
    agreed = strict_yaml.load_charter(layout.CHARTER)
    params = strict_yaml.load_params(layout.PARAMS)
    if layout.SCENARIOS.exists():
        raise InputRefused("the template's hooks were skipped: scenarios/ is still here", where=str(layout.SCENARIOS), fix="bake again with --accept-hooks yes")
    if not layout.SUITE.is_file():
        raise InputRefused("there is no data contract", where=str(layout.SUITE), fix="poc draft-expectations, then read it and commit it")
    files.write_atomically(agreement / layout.CHARTER_JSON, files.canonical_json(agreed))
    files.write_atomically(agreement / layout.PARAMS_JSON, files.canonical_json(params))
    files.write_atomically(agreement / layout.SUITE_JSON, layout.SUITE.read_bytes())
    digest = files.sha256_of_file(agreement / layout.CHARTER_JSON)
    return Result(
        headline=f"charter version {agreed.version}, {digest[:12]}, unsigned: everything is a DRAFT",
        numbers=[Number(name="features", value=len(agreed.features), unit="columns"), Number(name="looks_allowed", value=agreed.timebox.looks, unit="looks")],
    )
