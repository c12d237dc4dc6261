"""The terminal: a live table of steps where somebody watches, plain lines where nobody does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

MARK = {"done": "ok", "refused": "refused", "failed": "failed", "decided": "decided"}


class Progress:
    """Show steps as they start and end; on a terminal as a table that is redrawn, else one line per step that ended."""

    def __init__(self, steps: Sequence[str], stream: IO[str]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._rows: dict[str, tuple[str, str, str]] = dict.fromkeys(steps, ("", "", ""))
        self._since = time.perf_counter()
        self._now = ""
        self._console = Console(file=stream, highlight=False)  # honours NO_COLOR and TERM=dumb
        can_redraw = self._console.is_terminal and not self._console.is_dumb_terminal
        self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=5, transient=False) if can_redraw else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._now = ""
        if self._live:
            self._live.stop()

    def started(self, step: str) -> None:
        """Say that a step began."""
        self._now, self._since = step, time.perf_counter()

    def ended(self, step: str, status: str, seconds: float, headline: str) -> None:
        """Say how a step ended."""
        self._rows[step] = (MARK[status], f"{seconds:.1f} s", headline)
        if not self._live:
            self._console.print(f"{step:<10} {MARK[status]:<8} {seconds:>6.1f} s  {headline}", soft_wrap=True, markup=False)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for name in ("step", "", "time", "result"):
            table.add_column(name, justify="right" if name == "time" else "left", no_wrap=name != "result")
        colours = {"ok": "green", "refused": "red", "failed": "red", "decided": "yellow"}
        for step, (mark, seconds, headline) in self._rows.items():
            if step == self._now and not mark:
                mark, seconds = "...", f"{time.perf_counter() - self._since:.0f} s"
            table.add_row(Text(step), Text(mark, style=colours.get(mark, "dim")), seconds, Text(headline))
        return table
