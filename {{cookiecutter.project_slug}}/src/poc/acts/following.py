"""Follow what is to be served: ask a source now and then, or when told to, and bring what is new."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from poc.acts.admit import Admitted, Source, admit
from poc.errors import NotSignedOff, PocError, Refused

Role = Literal["holder", "shadow"]
Outcome = Literal["refused", "failed"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a source had: a candidate to serve, or why there is none, for good (`refused`) or for now (`failed`)."""

    role: Role
    admitted: Admitted | None = None
    outcome: Outcome | None = None
    why: str = ""


class Follower(threading.Thread):
    """Ask each source every few seconds, in a thread of its own: MLflow may be slow, or away."""

    def __init__(self, sources: Mapping[Role, Source], folder: Path, *, every_s: float | None) -> None:
        super().__init__(daemon=True)
        self.found: queue.SimpleQueue[Found] = queue.SimpleQueue()
        self._sources, self._folder, self._every_s = sources, folder, every_s
        self._numbers = count(1)
        self._known: dict[Role, str] = {}
        self._said: dict[Role, str] = {}
        self._asked = threading.Event()

    def first(self, role: Role) -> Admitted:
        """Bring what there is to begin with.

        Raises:
            PocError: there is none, or it may not be served.
        """
        name = self._sources[role].now()
        admitted = self._bring(role, name)
        self._known[role] = name
        return admitted

    def look_now(self) -> None:
        """Bring what there is, whether it is new or not."""
        self._asked.set()

    def run(self) -> None:
        """Look whenever it is time, or asked for."""
        while True:
            is_asked = self._asked.wait(self._every_s)
            self._asked.clear()
            for role, source in self._sources.items():
                if is_asked or source.is_followed:
                    self.look(role, is_asked=is_asked)

    def look(self, role: Role, *, is_asked: bool) -> None:
        """Look once; what was refused is not tried again before it changes, what failed is, and is told of once."""
        try:
            name = self._sources[role].now()
        except Exception as error:  # MLflow away, or nobody holds the alias: nothing of it ends the server, or serves the same anew
            self._failed(role, error, is_asked=is_asked)
            return
        if name == self._known.get(role) and not is_asked:
            self._said.pop(role, None)
            return
        self._known[role] = name
        try:
            self.found.put(Found(role=role, admitted=self._bring(role, name)))
        except (Refused, NotSignedOff) as error:
            self.found.put(Found(role=role, outcome="refused", why=str(error)))
        except Exception as error:
            del self._known[role]
            self._failed(role, error, is_asked=is_asked)

    def _failed(self, role: Role, error: Exception, *, is_asked: bool) -> None:
        why = str(error) if isinstance(error, PocError) else f"{type(error).__name__}: {error}"
        if is_asked or self._said.get(role) != why:
            self._said[role] = why
            self.found.put(Found(role=role, outcome="failed", why=why))

    def _bring(self, role: Role, name: str) -> Admitted:
        into = self._folder / f"{role}-{next(self._numbers)}"
        try:
            return admit(self._sources[role], name, into)
        except BaseException:
            shutil.rmtree(into, ignore_errors=True)
            raise
