"""Answer every request over HTTP with the same two bytes: what a server on uvicorn costs that computes nothing."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn

REPLY = b"{}"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")]}


async def constant(scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Read the request to its end and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send({"type": "http.response.body", "body": REPLY})


if __name__ == "__main__":
    uvicorn.run(constant, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")  # type: ignore[arg-type]
