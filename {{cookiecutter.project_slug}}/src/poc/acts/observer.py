"""The process beside the workers that logs requests and scores the shadow: whatever goes wrong or takes long here costs no reply."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import socket
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.observed import Observation, Shadowed, difference
from poc.steps.frozen import frozen_model
from poc.tools import mailbox, metrics
from poc.tools.onnx_runtime import Scorer
from poc.tools.request_log import Bounds, RequestLog

#: Observations that wait here; beyond them the mailbox fills up, and then workers give up what they would have posted.
WAITING = 1000
POLL_SECONDS = 0.2
#: Workers go first where the processor is short.
NICENESS = 10


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What an observer is told when it starts: where observations arrive, where to log them, and the folder of the shadow's candidate."""

    out_of: socket.socket
    log: Path | None = None
    bounds: Bounds | None = None
    shadow: Path | None = None


def observe(watch: Watch, said: Connection) -> None:
    """Log and score until told to stop by SIGTERM, or left alone; first say that all is loaded, by an empty text, or why not."""
    leaving = threading.Event()
    for each in (signal.SIGINT, signal.SIGHUP):  # they reach every process of a terminal; this one has to outlive the workers
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: leaving.set())
    os.nice(NICENESS)
    try:
        shadow = Shadow(watch.shadow) if watch.shadow else None
    except Exception as error:  # whatever it is that ONNX Runtime does not like about a file
        said.send(f"{type(error).__name__}: {error}")
        return
    kept = metrics.Kept(shadow.candidate.model_sha256 if shadow else "")
    log = RequestLog(folder=watch.log, bounds=watch.bounds or Bounds()) if watch.log else None
    said.send("")
    arrived: queue.Queue[Observation] = queue.Queue(WAITING)
    taking = threading.Thread(target=_take_all, args=(watch.out_of, arrived, leaving), daemon=True)
    taking.start()
    while taking.is_alive() or not arrived.empty():
        try:
            observed = arrived.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if _is_orphaned():
                leaving.set()
        else:
            beside = _beside(shadow, observed, kept) if shadow else None
            if log and observed.is_logged:
                kept.logged.inc(len(observed.answers))
                kept.lost.inc(log.take(observed, beside))
        if log:
            kept.lost.inc(log.write_what_waited())
    if log:
        kept.lost.inc(log.write_what_waited(everything=True))


class Shadow:
    """A candidate that is asked what the holder was asked, and never answers anybody."""

    def __init__(self, folder: Path) -> None:
        self.candidate, content = frozen_model(folder)
        self._scorer = Scorer(content)

    def answers(self, observed: Observation) -> NDArray[np.float32]:
        """Answer the rows of an observation."""
        columns: dict[str, Any] = {
            each.name: np.array(observed.columns[each.name], dtype=np.float32 if each.kind == "number" else object).reshape(-1, 1)
            for each in self.candidate.inputs
        }
        return self._scorer.answers(columns)


def _beside(shadow: Shadow, observed: Observation, kept: metrics.Kept) -> Shadowed | None:
    """Ask the shadow, and count how it differs; None where it fails, which is its own affair."""
    try:
        answers = shadow.answers(observed)
        found, decisions = difference(observed, shadow.candidate, answers)
    except Exception:
        kept.failed()
        return None
    kept.differed(rows=found.rows, decisions=found.decisions, largest=found.largest)
    return Shadowed(shadow.candidate.model_sha256, answers.tolist(), decisions)


def _take_all(out_of: socket.socket, arrived: queue.Queue[Observation], leaving: threading.Event) -> None:
    """Take observations out of the mailbox as long as there is room for them; what comes after a stop is left to a successor."""
    while not leaving.is_set():
        observed = mailbox.take(out_of, patience_s=POLL_SECONDS)
        if observed is not None:
            arrived.put(observed)


def _is_orphaned() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()
