"""Compare runs."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.tools import strict_yaml, tracking


def compare(root: Path) -> list[tracking.RunRow]:
    """List this project's runs, the newest first."""
    return tracking.run_rows(strict_yaml.load_charter(root / layout.CHARTER).project)
