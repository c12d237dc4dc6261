"""The parent's side of the observer: start it, see that it lives, exchange it for one with another shadow, and end it last."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from poc.acts.observer import Watch, observe
from poc.errors import EnvironmentRefused
from poc.tools import mailbox
from poc.tools.request_log import Bounds

#: How long the observer may take to load the shadow, and to write what it still holds.
OBSERVER_SECONDS = 60.0
#: How long one that died is left alone: one that dies at once would else be started twice a second.
RESTART_SECONDS = 5.0
TURN_SECONDS = 0.2


class Observing:
    """A mailbox, and whoever takes from it."""

    def __init__(self, log: Path | None, bounds: Bounds | None) -> None:
        self.into, self._out_of = mailbox.open_mailbox()
        self._log, self._bounds = log, bounds
        self._shadow: Path | None = None
        self._process: SpawnProcess | None = None
        self._hears: Connection | None = None  # kept open, unread or not: who cannot say that it is ready, dies of it
        self._leaving: list[SpawnProcess] = []
        self._began = 0.0

    @property
    def pid(self) -> int | None:
        """Say which process observes."""
        return self._process.pid if self._process else None

    def start(self, shadow: Path | None, *, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Start an observer, and once it has loaded its shadow let the present one go; ask `goes_on` meanwhile, and give up where it says no.

        Raises:
            EnvironmentRefused: it could not load; the present one goes on.
        """
        process, hears = self._started(shadow)
        try:
            problem = hears.recv() if _waited_for(hears, goes_on) else "it was not ready in time"
        except EOFError:
            problem = "it ended without a word"
        if problem:
            process.kill()
            process.join()
            raise EnvironmentRefused(f"the observer did not start: {problem}", where="poc serve", fix="serve without --shadow, or name another one")
        if self._process:
            self._process.terminate()
            self._leaving.append(self._process)
        self._shadow, self._process, self._hears = shadow, process, hears

    def replaced(self) -> bool:
        """Start another observer where the present one is dead, without waiting for it; say whether that was so."""
        self._leaving = [each for each in self._leaving if each.is_alive()]
        if self._process is None or self._process.is_alive() or time.monotonic() - self._began < RESTART_SECONDS:
            return False
        self._process, self._hears = self._started(self._shadow)
        return True

    def end(self) -> None:
        """Let the observer take what is still in the mailbox, and end it."""
        patience = time.monotonic() + OBSERVER_SECONDS
        while self._process and self._process.is_alive() and mailbox.is_waiting(self._out_of) and time.monotonic() < patience:
            time.sleep(TURN_SECONDS)
        every = [*self._leaving, *([self._process] if self._process else [])]
        for each in every:
            each.terminate()
        for each in every:
            each.join(OBSERVER_SECONDS)
            each.kill()
        self.into.close()
        self._out_of.close()

    def _started(self, shadow: Path | None) -> tuple[SpawnProcess, Connection]:
        spawn = multiprocessing.get_context("spawn")
        hears, says = spawn.Pipe(duplex=False)
        watch = Watch(out_of=self._out_of, log=self._log, bounds=self._bounds, shadow=shadow)
        process = spawn.Process(target=observe, args=(watch, says), daemon=True)
        process.start()
        says.close()
        self._began = time.monotonic()
        return process, hears


def _waited_for(hears: Connection, goes_on: Callable[[], bool]) -> bool:
    patience = time.monotonic() + OBSERVER_SECONDS
    while not hears.poll(TURN_SECONDS):
        if not goes_on() or time.monotonic() > patience:
            return False
    return True
