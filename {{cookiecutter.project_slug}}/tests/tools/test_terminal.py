"""What somebody at a terminal sees of a run, and what a log keeps of it: a real terminal, and a real pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from poc import layout

SHOW = """
import sys, time
from poc.tools.terminal import Progress
with Progress(["ingest", "train", "gate"], sys.stderr) as progress:
    progress.started("ingest")
    progress.ended("ingest", "done", 1.25, "6,000 rows [sealed: 4,000]")
    progress.started("train")
    time.sleep(0.5)
    progress.ended("train", "refused", 12.5, "nothing can be fitted")
"""
PLAIN = [
    "ingest     ok          1.2 s  6,000 rows [sealed: 4,000]",
    "train      refused    12.5 s  nothing can be fitted",
]
ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[\d;]*\b(3[0-7]|9[0-7])m")


def environment(**more: str) -> dict[str, str]:
    """Describe a plain terminal, whatever this test was started from."""
    foreign = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CI")
    clean = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**clean, "TERM": "xterm-256color", "PYTHONPATH": str(Path(layout.__file__).parents[1]), **more}


def on_a_terminal(**more: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", SHOW], stderr=theirs, env=environment(**more)) as shown:
        os.close(theirs)
        seen = b""
        while piece := read(ours):
            seen += piece
    os.close(ours)
    assert shown.returncode == 0
    return seen.decode()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that nobody writes any more
        return b""


def test_on_a_terminal_a_table_is_drawn_anew_as_steps_end() -> None:
    seen = on_a_terminal()
    assert f"{ESCAPE}[?25l" in seen and seen.count("ingest") > 1, "the cursor is hidden while the table is redrawn"
    assert f"{ESCAPE}[?25h" in seen, "and comes back"
    last = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", seen).replace("\r", "").split("step")[-1].splitlines()
    assert [line.split() for line in last if line.strip()] == [
        ["time", "result"],
        ["ingest", "ok", "1.2", "s", "6,000", "rows", "[sealed:", "4,000]"],
        ["train", "refused", "12.5", "s", "nothing", "can", "be", "fitted"],
        ["gate"],
    ]


def test_a_step_that_goes_on_shows_its_seconds() -> None:
    assert re.search(r"train.*\.\.\..*0 s", on_a_terminal())


@pytest.mark.parametrize(("settings", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_left_out_where_nobody_wants_it(settings: dict[str, str], is_coloured: bool) -> None:
    assert bool(COLOUR.search(on_a_terminal(**settings))) is is_coloured


def test_a_terminal_that_cannot_redraw_gets_a_plain_line_for_each_step() -> None:
    assert on_a_terminal(TERM="dumb").splitlines() == PLAIN


def test_on_a_pipe_each_step_is_one_plain_line() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines() == PLAIN
