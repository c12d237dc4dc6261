"""What may be used once: the link that opens the page, and each statement that was prepared for a signature."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: A person reads the statement, finds the security key, and types a PIN.
SECONDS = 600.0
#: So many may wait for an answer at a time; the oldest goes first.
MOST = 256


def new_token() -> str:
    """Make a word that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


class OneTime(Generic[T]):
    """Things that wait, under names that nobody guesses, to be taken once and soon."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._waiting: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def put(self, thing: T) -> str:
        """Keep a thing and return its name."""
        name = new_token()
        with self._lock:
            self._forget_old()
            while len(self._waiting) >= self._most:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[name] = (self._clock() + self._seconds, thing)
        return name

    def take(self, name: str) -> T | None:
        """Return a thing and forget it; None where it was taken before, waited too long, or never was."""
        with self._lock:
            self._forget_old()
            _, thing = self._waiting.pop(name, (0.0, None))
        return thing

    def _forget_old(self) -> None:
        now = self._clock()
        for name in [name for name, (until, _) in self._waiting.items() if until <= now]:
            del self._waiting[name]
