"""Answer every request over HTTP with the same two bytes: what a server on uvicorn costs that computes nothing, or only calls a model."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import uvicorn

from poc.steps.timing import read_rows
from poc.tools.onnx_runtime import Scorer

REPLY = b"{}"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")]}
Application = Callable[[Mapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def constant(call: Callable[[], None]) -> Application:
    """Read each request to its end, make the call, and answer."""

    async def answer(scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        while (await receive()).get("more_body"):
            pass
        call()
        await send(START)
        await send({"type": "http.response.body", "body": REPLY})

    return answer


def nothing() -> None:
    """Do nothing."""


def calling(model: Path, rows: Path) -> Callable[[], None]:
    """Return a call of the model on one row after another, as no server can know them beforehand."""
    scorer, turns = Scorer(model), cycle(read_rows(rows))

    def call() -> None:
        scorer.answers(next(turns))

    return call


if __name__ == "__main__":
    port, *model_and_rows = sys.argv[1:]
    uvicorn.run(
        constant(calling(*map(Path, model_and_rows)) if model_and_rows else nothing), port=int(port), log_level="error", access_log=False, lifespan="off"
    )  # type: ignore[arg-type]
