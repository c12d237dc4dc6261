"""Chromium, where there is one: it prints a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from poc.errors import EnvironmentRefused

#: The first that is found prints.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
#: Nothing but the page: no network service of its own, no first-run dialogue, no GPU, no shared memory that a container may lack.
SETTINGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--no-pdf-header-footer",
)  # fmt: skip
PATIENCE_S = 60.0


def find() -> str | None:
    """Return the program that can print, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def print_pdf(page: Path, target: Path) -> None:
    """Print an HTML file.

    Raises:
        EnvironmentRefused: there is no Chromium on this machine, or it did not print.
    """
    program = find()
    if program is None:
        raise EnvironmentRefused(
            "there is no Chromium or Chrome on this machine to print with",
            where="PATH",
            fix=f"install chromium, or open {page} in any browser and print it from there: it is made for one A4 page",
        )
    # Chromium's sandbox does not work for root, as which containers run.
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        printed = Path(profile) / "page.pdf"
        command = [program, *SETTINGS, *as_root, f"--user-data-dir={profile}/profile", f"--print-to-pdf={printed}", page.resolve().as_uri()]
        said = _run(command)
        content = printed.read_bytes() if printed.is_file() else b""
    if not content.startswith(b"%PDF"):
        raise EnvironmentRefused(f"{Path(program).name} did not print: {said}", where=program, fix=f"open {page} in any browser and print it from there")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _run(command: list[str]) -> str:
    """Run the browser and return the last that it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"it took longer than {PATIENCE_S:.0f} s"
    except OSError as error:
        return str(error)
    return (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
