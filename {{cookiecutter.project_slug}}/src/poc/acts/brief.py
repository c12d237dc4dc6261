"""Find the brief of a run, open it, print it."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from poc import layout
from poc.acts.newest import lacking
from poc.errors import InputRefused
from poc.steps import PRODUCER
from poc.tools import browser


def brief_of(root: Path, run: Path | None = None) -> tuple[Path, Path]:
    """Return a run's folder and its brief; without a run, of the newest that came to a verdict.

    Raises:
        InputRefused: there is none.
    """
    for each in [run] if run else layout.runs(root):
        if page := _page(each):
            return each, page
    raise InputRefused(
        "this run has no brief: it came to no verdict" if run else "there is no brief yet: no run has come to a verdict",
        where=str(run or root / layout.RUNS),
        fix="poc run --candidate",
    )


def _page(run: Path) -> Path | None:
    if lacking(run, ["version"]):
        return None
    page = layout.artifact_folder(layout.artifacts_of(run), PRODUCER["version"], "version") / layout.BRIEF_HTML
    return page if page.is_file() else None


def open_page(page: Path) -> bool:
    """Open a file in the browser of whoever sits at this machine; False where nobody can see it."""
    return open_address(page.resolve().as_uri())


def open_address(address: str) -> bool:
    """Open an address in the browser of whoever sits at this machine; False where nobody can see it."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return has_screen and webbrowser.open(address)


def print_brief(run: Path, page: Path, target: Path | None = None) -> Path:
    """Print a brief on its one A4 page, beside the run's artifacts or into a file of one's choice, and return that file.

    Not among them: an artifact that came to hold one more file would not be what its step wrote.

    Raises:
        EnvironmentRefused: no browser here can print.
    """
    target = target or run / layout.BRIEF_PDF
    browser.print_pdf(page, target)
    return target
