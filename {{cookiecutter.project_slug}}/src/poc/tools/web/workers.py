"""Worker processes: each with an application and a socket of its own, all on one port; who dies is replaced, and all are replaced by others on demand.

Every socket stays open in the parent: connections that wait in its queue outlive the worker, and go to its successor. One socket for all would leave nobody
waiting, but whoever wakes first takes every connection that has just come: of sixteen, two workers shared sixteen and none.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from uvicorn import Config, Server
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from poc.errors import EnvironmentRefused
from poc.tools.web.application import Application
from poc.tools.web.server import HUNG_SECONDS, configured

#: How long a worker may take from its start until it answers.
START_SECONDS = 120
TURN_SECONDS = 0.05
#: A worker that dies sooner than this after its start may do so again: each time in a row its successor waits twice as long, up to a limit.
SETTLED_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0
LISTEN = b"listen"


class Waiting(Server):
    """A server that has loaded before it listens, and listens only once it may."""

    is_loaded = may_listen = False

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen once that is allowed, or end where a stop comes first."""
        self.is_loaded = True
        while not self.may_listen and not self.should_exit:
            await asyncio.sleep(TURN_SECONDS)
        if not self.should_exit:
            await super().startup(sockets)


class Worker(Process):
    """A process that loads at once and answers nobody before its parent says so: no client may see a model that another worker then cannot load."""

    _server: Waiting | None = None

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; the server exists before the thread that hears the parent."""
        self._server = Waiting(self.config)
        super().target(sockets)

    def pong(self) -> None:
        """Hear the parent, and tell it when it asks: whether all has loaded or, once requests may be answered, whether they are."""
        server, heard = self._server, self.child_conn.recv()
        if server is not None and heard == LISTEN:
            server.may_listen = True
        elif server is not None:
            self.child_conn.send(server.started if server.may_listen else server.is_loaded)

    def listen(self) -> None:
        """Let it answer requests as soon as it has loaded."""
        self.parent_conn.send(LISTEN)


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
        self._began: dict[int, float] = {}
        self._early_deaths: dict[int, int] = {}
        self._starts_at: dict[int, float] = {}

    def init_processes(self) -> None:
        """Start the first workers and say so once all of them answer.

        Raises:
            EnvironmentRefused: one of them ended before.
        """
        workers = [self._started(slot, self.config) for slot in range(self.processes_num)]
        self.processes = [*workers]
        if self._all_ready(workers, are_first=True):
            self._let_listen(workers, are_first=True)
            self._on_ready(self._port)
        elif not self.should_exit.is_set():
            self._end(self.processes)
            raise EnvironmentRefused("a worker did not start", where="poc serve", fix="read what it said above")

    def replace(self, make: Callable[[], Application]) -> bool:
        """Start as many others, and let the present ones go once all others answer; False, and nothing changed, where one of them does not load."""
        settings = configured(partial(_with_parent, make), workers=self.processes_num)
        others = [self._started(slot, settings) for slot in range(self.processes_num)]
        if not self._all_ready(others):
            self._end(others)  # none of them has answered anybody
            return False
        self._let_listen(others)
        leaving, self.processes, self.config = self.processes, [*others], settings
        self._starts_at.clear()
        self._early_deaths.clear()  # of another model
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
        """Replace each worker that died or hangs: at once, or after a pause where the ones before it died early too."""
        for slot, worker in enumerate(self.processes):
            if self.should_exit.is_set() or (slot not in self._starts_at and worker.is_alive(timeout=HUNG_SECONDS)):
                continue
            if slot not in self._starts_at:
                self._end([worker])
                self._starts_at[slot] = time.monotonic() + self._pause(slot)
                self._on_death()
            if time.monotonic() >= self._starts_at[slot]:
                del self._starts_at[slot]
                self.processes[slot] = another = self._started(slot, self.config)
                another.listen()

    def _pause(self, slot: int) -> float:
        is_early = time.monotonic() - self._began[slot] < SETTLED_SECONDS
        self._early_deaths[slot] = self._early_deaths.get(slot, 0) + 1 if is_early else 0
        return pause_seconds(self._early_deaths[slot])

    def join_all(self) -> None:
        """Wait for all workers, those that were replaced too."""
        super().join_all()
        for each in self._leaving:
            each.join()

    def _started(self, slot: int, settings: Config) -> Worker:
        worker = Worker(settings, [self.sockets[slot]])
        worker.start()
        self._began[slot] = time.monotonic()
        return worker

    def _let_listen(self, workers: Sequence[Worker], *, are_first: bool = False) -> None:
        """Let all answer and wait until they do; who ends on the way is replaced as any other worker is."""
        for each in workers:
            each.listen()
        self._all_ready(workers, are_first=are_first)

    def _all_ready(self, workers: Sequence[Worker], *, are_first: bool = False) -> bool:
        """Wait until all have loaded, or answer if they may; False once one has ended, or a stop was asked for.

        Those that serve meanwhile are still replaced when they die.
        """
        patience, waiting = time.monotonic() + START_SECONDS, list(workers)
        while waiting and time.monotonic() < patience:
            is_wanted = not self._is_stopped() if are_first else self.watched()
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

    def _end(self, workers: Sequence[Process]) -> None:
        for each in workers:
            each.kill()
            each.join()


def pause_seconds(early_deaths: int) -> float:
    """Return how long the place of a worker that died stays empty: not at all after the first early death in a row, then for 1, 2, 4, ... seconds."""
    return min(LONGEST_PAUSE_SECONDS, 2.0 ** (early_deaths - 2)) if early_deaths > 1 else 0.0


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
