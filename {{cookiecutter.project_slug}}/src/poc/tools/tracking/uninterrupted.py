"""Ctrl-C waits until what is being written to MLflow is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block, or the function that is decorated with it, has ended; a second one comes at once.

    Whoever is cut off in the middle of a transaction keeps the database locked for as long as the exception is on its way, and cannot even write that the
    run has ended.
    """
    if threading.current_thread() is not threading.main_thread():  # no other is interrupted
        yield
        return
    came: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        if came and callable(before):
            before(number, frame)
        came.append(number)

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
