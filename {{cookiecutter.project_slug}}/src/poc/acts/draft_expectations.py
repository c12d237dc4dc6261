"""Draft the data contract from the source, for a person to read and commit."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.errors import InputRefused, Problem
from poc.problem import source
from poc.tools import expectations, files, strict_yaml


def draft(root: Path, *, force: bool = False) -> Path:
    """Write `expectations/suite.json` for the declared columns and the target, the target as the 0/1 that `ingest` makes of it.

    Raises:
        InputRefused: there is a contract already, and `force` was not given; or the source lacks a declared column.
    """
    path = root / layout.SUITE
    if path.exists() and not force:
        raise InputRefused(
            "there is a data contract already", where=str(layout.SUITE), fix="change it by hand, or overwrite it: poc draft-expectations --force"
        )
    charter = strict_yaml.load_charter(root / layout.CHARTER)
    table = source.read(charter, root)
    target = charter.data.target
    if missing := [name for name in (*charter.feature_names(), target) if name not in table.columns]:
        has = ", ".join(map(str, table.columns))
        raise InputRefused([Problem(what=f"the source has no column {name!r}", where=charter.data.source, fix=f"declare one of: {has}") for name in missing])
    kept = table[[*charter.feature_names(), target]].assign(**{target: (table[target].astype(str) == charter.data.positive).astype("int8")})
    categories = [feature.name for feature in charter.features if feature.kind == "category"]
    files.write_atomically(path, expectations.draft(kept, "data contract", target=target, categories=categories).encode())
    return path
