"""What commands print in the same way."""

from __future__ import annotations

import json
import math
import sys
from typing import Any


def print_json(value: Any) -> None:
    """Print a result as JSON that any program reads."""
    print(json.dumps(_finite(value), indent=1, default=str, allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for, NaN and the infinities, by null."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(row: Any) -> dict[str, Any]:
    """Return a dataclass's fields by name."""
    from dataclasses import asdict

    return asdict(row)


def note_another_charter() -> None:
    """Say that a run began under another charter than there is now."""
    print("note: charter.yaml has changed since this run began; `poc charter` begins a new one", file=sys.stderr)
