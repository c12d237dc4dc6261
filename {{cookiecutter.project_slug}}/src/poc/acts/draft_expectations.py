"""Draft the data contract from the source, for a person to read and commit."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.errors import InputRefused
from poc.steps.rows import source_rows
from poc.steps.target import labels_of, target_problems
from poc.tools import expectations, files, frames, strict_yaml


def draft(root: Path, *, force: bool = False) -> Path:
    """Write `expectations/suite.json` for the declared columns and the target, the target as `ingest` writes it: 0 or 1, the class's number, or the amount.

    Raises:
        InputRefused: there is a contract already, and `force` was not given; or the source lacks a declared column, or has a target or numbers that are none.
    """
    path = root / layout.SUITE
    if path.exists() and not force:
        raise InputRefused(
            "there is a data contract already", where=str(layout.SUITE), fix="change it by hand, or overwrite it: poc draft-expectations --force"
        )
    charter = strict_yaml.load_charter(root / layout.CHARTER)
    table = source_rows(charter, root).table
    target = charter.data.target
    if problems := frames.column_problems(table, [*charter.feature_names(), target], charter.data.source):
        raise InputRefused(problems)
    if problems := [*target_problems(table, charter), *frames.number_problems(table, charter.features)]:
        raise InputRefused(problems)
    kept = frames.typed(table, charter.features).assign(**{target: labels_of(table, charter)})
    files.write_atomically(path, expectations.draft(kept, "data contract", target=target).encode())
    return path
