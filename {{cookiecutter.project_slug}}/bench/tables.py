"""What the benchmarks have in common: the run that they speak of, and how they print a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from poc import layout
from poc.acts.newest import newest_run
from poc.rules.evidence import Interval
from poc.steps import PRODUCER


def artifacts(root: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the folders of these artifacts, all of the newest run that made them."""
    run = newest_run(root, names)
    return {name: layout.artifact_folder(layout.artifacts_of(run), PRODUCER[name], name) for name in names}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table: the first column to the left, figures to the right."""
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in [head, *rows]
    )


def bounds(interval: Interval, form: str) -> str:
    """Write an estimate and its bounds, or that nothing is known of it."""
    if not math.isfinite(interval.middle):
        return "unknown"
    return f"{interval.middle:{form}} ({interval.low:{form}} to {interval.high:{form}})"
