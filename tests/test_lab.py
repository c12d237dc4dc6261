"""A baked project held against other people's clients, converters and servers, in the environments that its own Makefile makes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from baking import TEMPLATE, bake
from test_generated import call

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_a_project_agrees_with_other_people_s_software(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "two words")
    printed = call(project, "make", "lab", f"PYTHON={sys.executable}", f"UV={TEMPLATE / '.tools/bin/uv'}", "TESTS=--durations 10")
    with capsys.disabled():
        sys.stdout.write(printed[printed.find("slowest") - 8 :] if "slowest" in printed else printed)
    passed = re.search(r"(\d+) passed", printed)
    assert passed and int(passed[1]) >= len(list((project / "tests/lab").glob("test_*.py"))) > 0
    # Where no CPU build of torch is to be had, what needs one says so; nothing else is left out.
    assert [line for line in printed.splitlines() if line.startswith("SKIPPED") and "torch" not in line] == []
