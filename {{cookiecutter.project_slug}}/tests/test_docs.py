"""What the documentation holds in files of its own is what the code says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from poc.cli import poc
from poc.rules.charter import charter_schema
from poc.steps import STEP

DOCS = Path(__file__).parents[1] / "docs"


def test_editors_complete_the_charter_by_the_schema_it_is_checked_with() -> None:
    assert json.loads((DOCS / "charter.schema.json").read_text()) == json.loads(json.dumps(charter_schema()))


def test_the_image_starts_what_the_command_line_starts() -> None:
    dockerfile = (Path(__file__).parents[1] / "deploy" / "Dockerfile").read_text()
    entry = next(line.removeprefix("ENTRYPOINT ") for line in dockerfile.splitlines() if line.startswith("ENTRYPOINT"))
    done = subprocess.run([sys.executable, *json.loads(entry)[1:], "no-such-command"], capture_output=True, text=True, check=False)
    assert (done.returncode, "no-such-command" in done.stderr) == (2, True)


def test_the_builders_page_names_every_command_that_is_no_step() -> None:
    page = (DOCS / "builder.md").read_text()
    assert [name for name in poc.commands if name not in STEP and f"`poc {name}" not in page] == []


def test_the_builders_page_names_what_the_steps_share() -> None:
    page, steps = (DOCS / "builder.md").read_text(), DOCS.parent / "src" / "poc" / "steps"
    assert [path.name for path in steps.glob("[a-z]*.py") if path.stem not in STEP and f"`{path.name}`" not in page] == []
