"""Printing with a browser, and what is said where there is none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from briefs import ATTACK, TOO_MANY, a_brief, an_attack, needs_chromium

from poc.errors import EnvironmentRefused
from poc.tools import browser
from poc.tools.pages import brief_page

EVERY: list[dict[str, Any]] = [
    {},
    {"confusion": TOO_MANY},
    {"differences": ("4 cores, not 2",), "look": 2, "repeated": True},
    {"data_card": ATTACK, **an_attack()},
]


THREE_TARGETS = [
    {"name": name, "architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": 60} for name in ("edge-box", "cloud", "line-server-of-hall-3")
]


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("changes", [*EVERY, {"limits": {"hardware": THREE_TARGETS}}], ids=["GO", "NO-GO", "NOT PROVEN", "attack", "three targets"])
def test_the_brief_prints_on_one_a4_page(changes: dict[str, Any], tmp_path: Path) -> None:
    page, printed = tmp_path / "a brief.html", tmp_path / "to print" / "brief.pdf"
    page.write_bytes(brief_page(a_brief(**changes)))
    browser.print_pdf(page, printed)
    content = printed.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    width, height = (float(each) for each in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content)[0])
    assert (round(width), round(height)) == (595, 842)  # points of A4
    assert len(content) < 1_000_000


def width_needed(content: bytes, width: int, folder: Path) -> int:
    """Return how wide a page becomes in a frame of this width: it is asked by a script of the test's own, in a copy."""
    asks = b"<script>parent.postMessage(document.documentElement.scrollWidth, '*')</script></body>"
    (folder / "page.html").write_bytes(re.sub(rb"<meta http-equiv[^>]*>", b"", content).replace(b"</body>", asks))
    frame = folder / "frame.html"
    frame.write_text(
        f"<p>asked</p><script>onmessage = e => document.querySelector('p').textContent = e.data</script><iframe src=page.html width={width}></iframe>"
    )
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [
        str(browser.find()),
        *browser.SETTINGS,
        *as_root,
        f"--user-data-dir={folder}/profile",
        "--virtual-time-budget=2000",
        "--dump-dom",
        frame.as_uri(),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return int(re.findall(r"<p>(\d+)</p>", shown)[0])


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("width", [320, 360, 720])
@pytest.mark.parametrize("changes", EVERY, ids=["GO", "NO-GO", "NOT PROVEN", "attack"])
def test_nobody_has_to_scroll_sideways(changes: dict[str, Any], width: int, tmp_path: Path) -> None:
    assert width_needed(brief_page(a_brief(**changes)), width, tmp_path) <= width


def test_without_a_browser_it_says_what_to_install_or_to_do_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "NAMES", ("no-such-browser",))
    with pytest.raises(EnvironmentRefused) as caught:
        browser.print_pdf(tmp_path / "brief.html", tmp_path / "brief.pdf")
    assert "install chromium, or open" in str(caught.value) and "print it from there" in str(caught.value)


def test_a_browser_that_prints_nothing_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho cannot open display >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(EnvironmentRefused, match="did not print: cannot open display"):
        browser.print_pdf(tmp_path / "brief.html", tmp_path / "brief.pdf")
    assert not (tmp_path / "brief.pdf").exists()
