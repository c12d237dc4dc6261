"""This project as MLflow finds it once it is installed: by the entry points that stand in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from poc import layout

SOURCES = Path(layout.__file__).parents[1]


def installed_in(folder: Path) -> str:
    """Write what an installation would write beside the package into a folder, and return the path on which Python finds both."""
    stated = tomllib.loads((SOURCES.parent / "pyproject.toml").read_text())["project"]["entry-points"]
    info = folder / "poc_as_it_lies-0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: poc-as-it-lies\nVersion: 0\n")
    groups = [f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in points.items()) for group, points in stated.items()]
    (info / "entry_points.txt").write_text("\n".join(groups))
    return f"{SOURCES}:{folder}"
