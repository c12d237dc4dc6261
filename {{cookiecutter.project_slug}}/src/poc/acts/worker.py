"""What one worker process serves, and what it tells of each request once its reply is out."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from poc import layout
from poc.acts import serve
from poc.rules.answers import in_words
from poc.rules.evidence import Candidate
from poc.rules.observed import Observation, output_columns, tally, ways_to_decide
from poc.steps.frozen import frozen_model
from poc.tools import files, mailbox, metrics, web

#: Files in the folder that the processes of a server share: why a worker did not start, and what is served.
REASON = "reason"
HEALTH = "health.json"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a worker is told when it starts; `into` is the mailbox of whoever logs requests and scores the shadow."""

    folder: Path
    shared: Path
    buckets_s: Sequence[float]
    require_age: bool = False
    into: socket.socket | None = None
    log_share: float = 0.0
    is_shadowed: bool = False


def application(work: Work) -> web.Application:
    """Load the candidate, whose bytes are checked once more, and build what answers for it.

    Where that fails the process ends and leaves the reason in a file: all that its parent sees of it is a number.
    """
    unstated: Counter[str] = Counter()
    try:
        frozen, content = frozen_model(work.folder)
        app = serve.application(
            frozen,
            content,
            require_age=work.require_age,
            unstated_ages=unstated,
            observe=Telling(work, frozen, unstated),
            pages={"/metrics": lambda: (metrics.CONTENT_TYPE, metrics.exposition()), "/v2/health": lambda: (b"application/json", _health(work.shared))},
        )
    except Exception as error:  # whatever it is that ONNX Runtime does not like about a file
        files.write_atomically(work.shared / REASON, f"{type(error).__name__}: {error}".encode())
        sys.exit(1)
    _warm_up(app, work.folder / layout.SAMPLE_REQUEST)
    unstated.clear()
    return app


def _warm_up(app: web.Application, sample: Path) -> None:
    """Answer the sample that was frozen with the candidate: the first call takes ten times as long as those after it, and nobody shall wait for it."""
    if sample.is_file():
        with contextlib.suppress(Exception):  # it only warms: what cannot be answered will be told to whoever asks it
            app.infer(sample.read_bytes())


class Telling:
    """Count each request, and post what was asked and told to whoever logs and scores the shadow: all of it for a shadow, else a share."""

    def __init__(self, work: Work, frozen: Candidate, unstated: Counter[str]) -> None:
        self._work, self._frozen, self._unstated = work, frozen, unstated
        self._outputs, self._ways = output_columns(frozen), ways_to_decide(frozen)
        self._draw = random.Random()  # seeded by the system: workers must not draw alike
        self._requests = metrics.Requests(buckets_s=work.buckets_s, features=[each.name for each in frozen.inputs], decisions=self._ways)

    def __call__(self, seen: web.Seen) -> None:
        """Take note of a request."""
        if seen.answered is None:
            self._requests.refused(seen.status, seen.seconds)
            return
        columns, answers, decisions = seen.answered
        self._requests.answered(seen.seconds, len(answers), columns, tally(self._ways, decisions))
        if self._unstated:
            for feature, requests in self._unstated.items():
                self._requests.unstated(feature, requests)
            self._unstated.clear()
        is_logged = self._draw.random() < self._work.log_share
        if self._work.into is not None and (is_logged or self._work.is_shadowed):
            self._post(self._work.into, seen.answered, is_logged=is_logged)

    def _post(self, into: socket.socket, answered: web.Answered, *, is_logged: bool) -> None:
        observed = Observation(
            at=time.time(),
            model_sha256=self._frozen.model_sha256,
            is_logged=is_logged,
            columns={name: values.ravel().tolist() for name, values in answered.columns.items()},
            outputs=self._outputs,
            answers=answered.answers.tolist(),
            decisions=in_words(self._frozen, answered.decisions),
        )
        waiting = deque(observed.pieces())
        while waiting:
            piece = waiting.popleft()
            outcome = mailbox.post(into, piece)
            if outcome == "too large" and len(piece.answers) > 1:
                waiting.extendleft(reversed(piece.halves()))
            elif outcome != "posted":
                self._requests.dropped(outcome)


def _health(shared: Path) -> bytes:
    """Say what the parent wrote down, and who says it."""
    return orjson.dumps({**orjson.loads((shared / HEALTH).read_bytes()), "answered_by": os.getpid()})
