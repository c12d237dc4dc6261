"""Where the rows come from: replace the body when your source is a database or a stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from poc.rules.charter import Charter, Join
from poc.tools.frames import read_table

if TYPE_CHECKING:
    import pandas as pd


def read(charter: Charter, root: Path) -> pd.DataFrame:
    """Read every row of the source, one per decision; columns that the charter does not declare are dropped later."""
    return read_table(root / charter.data.source)


def read_readings(join: Join, root: Path) -> pd.DataFrame:
    """Read every reading of a joined source, one per row, with the moments of its event and of its arrival."""
    return read_table(root / join.source, where="charter.yaml, data.joins")
