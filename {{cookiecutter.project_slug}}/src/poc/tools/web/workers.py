"""Worker processes: each with an application and a socket of its own, all on one port; who dies is replaced, and all are replaced by others on demand.

Every socket stays open in the parent: connections that wait in its queue outlive the worker, and go to its successor. One socket for all would leave nobody
waiting, but whoever wakes first takes every connection that has just come: of sixteen, two workers shared sixteen and none.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from uvicorn import Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from poc.errors import EnvironmentRefused
from poc.tools.web.application import Application
from poc.tools.web.server import HUNG_SECONDS, configured

#: How long a worker may take from its start until it answers.
START_SECONDS = 120
TURN_SECONDS = 0.05


class Workers(Multiprocess):
    """uvicorn's supervisor, which replaces workers that die or no longer answer, with another set of workers on demand.

    `each_turn` is called twice a second, `on_death` for each worker that had to be replaced, and `on_hangup` on SIGHUP.
    """

    def __init__(
        self,
        make: Callable[[], Application],
        listeners: Sequence[socket.socket],
        *,
        on_ready: Callable[[int], None],
        each_turn: Callable[[Workers], None] = lambda _: None,
        on_death: Callable[[], None] = lambda: None,
        on_hangup: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(configured(partial(_with_parent, make), workers=len(listeners)), list(listeners))
        self._port = int(listeners[0].getsockname()[1])
        self._on_ready, self._each_turn, self._on_death, self._on_hangup = on_ready, each_turn, on_death, on_hangup
        self._leaving: list[Process] = []

    def init_processes(self) -> None:
        """Start the first workers and say so once all of them answer.

        Raises:
            EnvironmentRefused: one of them ended before.
        """
        self.processes = [self._started(slot, self.config) for slot in range(self.processes_num)]
        if self._all_ready(self.processes):
            self._on_ready(self._port)
        elif not self.should_exit.is_set():
            self._end(self.processes)
            raise EnvironmentRefused("a worker did not start", where="poc serve", fix="read what it said above")

    def replace(self, make: Callable[[], Application]) -> bool:
        """Start as many others, and let the present ones go once all others answer; False, and nothing changed, where one of them does not."""
        settings = configured(partial(_with_parent, make), workers=self.processes_num)
        others = [self._started(slot, settings) for slot in range(self.processes_num)]
        if not self._all_ready(others):
            self._end(others)
            return False
        leaving, self.processes, self.config = self.processes, others, settings
        for each in leaving:
            each.terminate()
        self._leaving += leaving
        return True

    def handle_signals(self) -> None:
        """Take a turn: signals, what the owner has to do, and who has left."""
        super().handle_signals()
        if not self.should_exit.is_set():
            self._each_turn(self)
        self._leaving = [each for each in self._leaving if each.process.is_alive()]

    def handle_hup(self) -> None:
        """Leave a reload to the owner."""
        self._on_hangup()

    def handle_ttin(self) -> None:
        """Leave the number of workers as it is: each has a socket."""

    def handle_ttou(self) -> None:
        """Leave the number of workers as it is: a socket without a worker would keep connections waiting."""

    def keep_subprocess_alive(self) -> None:
        """Replace each worker that died or hangs."""
        for slot, worker in enumerate(self.processes):
            if not self.should_exit.is_set() and not worker.is_alive(timeout=HUNG_SECONDS):
                self._end([worker])
                self._on_death()
                self.processes[slot] = self._started(slot, self.config)

    def join_all(self) -> None:
        """Wait for all workers, those that were replaced too."""
        super().join_all()
        for each in self._leaving:
            each.join()

    def _started(self, slot: int, settings: Config) -> Process:
        worker = Process(settings, [self.sockets[slot]])
        worker.start()
        return worker

    def _all_ready(self, workers: list[Process]) -> bool:
        """Wait until all answer; False once one has ended, or a stop was asked for. Those that serve meanwhile are still replaced when they die."""
        patience, waiting = time.monotonic() + START_SECONDS, list(workers)
        while waiting and time.monotonic() < patience:
            is_wanted = self.watched() if workers is not self.processes else not self._is_stopped()
            if not is_wanted or not all(each.process.is_alive() for each in waiting):
                return False
            waiting = [each for each in waiting if not each.is_ready(timeout=1)]
            time.sleep(TURN_SECONDS)
        return not waiting

    def watched(self) -> bool:
        """Replace who died, for an owner that is busy with something else for a while; False once a stop was asked for."""
        if self._is_stopped():
            return False
        self.keep_subprocess_alive()
        return True

    def _is_stopped(self) -> bool:
        if {signal.SIGINT, signal.SIGTERM} & set(self.signal_queue):
            self.should_exit.set()
        return self.should_exit.is_set()

    def _end(self, workers: list[Process]) -> None:
        for each in workers:
            each.kill()
            each.join()


def _with_parent(make: Callable[[], Application]) -> Application:
    """Make an application in a worker that ends with its parent, as an orphan would keep the port, and leaves SIGHUP to it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
    return make()
