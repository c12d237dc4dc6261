"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

A_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
as_json = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to standard output.")
