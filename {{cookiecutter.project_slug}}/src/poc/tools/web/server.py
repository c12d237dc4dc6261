"""The server: how an application listens, alone in this process."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn import Config, Server

from poc.errors import EnvironmentRefused
from poc.tools.web.application import Application
from poc.tools.web.connection import Connection

#: Any application: what it is called with is ASGI's to say.
Asgi = Callable[[Any, Any, Any], Awaitable[None]]
BACKLOG = 2048
#: How long an idle connection stays open. Longer than the 60 s after which proxies let theirs go: whoever closes first must not be the one that is asked next.
KEEP_ALIVE_SECONDS = 75
#: How long it waits for replies that are under way.
IN_FLIGHT_SECONDS = 30
#: When a worker that says nothing counts as hung: one that loads a large model may keep silent for a while.
HUNG_SECONDS = 10


def configured(app: Application | Callable[[], Asgi], *, workers: int = 1) -> Config:
    """Return uvicorn's settings for an application, or for a function that makes one in each worker."""
    return Config(
        app,
        factory=not isinstance(app, Application),
        workers=workers,
        http=Connection,
        ws="none",
        log_level="error",
        access_log=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=IN_FLIGHT_SECONDS,
        timeout_worker_healthcheck=HUNG_SECONDS,
    )


def listen(host: str, port: int, *, count: int = 1) -> list[socket.socket]:
    """Return sockets that listen on one port, between which the system parts connections; port 0 takes a free one.

    Raises:
        EnvironmentRefused: the port is taken or not allowed.
    """
    listeners: list[socket.socket] = []
    try:
        probe = _bound(host, port, is_shared=False)  # whoever shares a port also gets one that another server of the same user shares
        if count == 1:
            listeners = [probe]
        else:
            port = int(probe.getsockname()[1])
            probe.close()
            for _ in range(count):
                listeners.append(_bound(host, port, is_shared=True))
        for each in listeners:
            each.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        for each in listeners:
            each.close()
        raise EnvironmentRefused(
            f"cannot listen on {host}:{port}: {error}", where=f"{host}:{port}", fix="stop what listens there, or choose another: poc serve --port 8081"
        ) from error
    return listeners


def _bound(host: str, port: int, *, is_shared: bool) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def serve(app: Application, *, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM, in this process; `on_ready` gets the port once requests are accepted.

    Raises:
        EnvironmentRefused: the port is taken or not allowed.
    """
    (listener,) = listen(host, port)
    serve_on(listener, app, on_ready=on_ready)


def serve_on(listener: socket.socket, app: Asgi, *, on_ready: Callable[[int], None], is_done: Callable[[], bool] = lambda: False) -> None:
    """Serve any application on a socket that listens, until SIGINT or SIGTERM or until it is done, in this process; the socket is closed."""
    bound = int(listener.getsockname()[1])

    class Announcing(Server):
        """Say ready only once signals are handled: a stop that comes between the two would be lost."""

        async def startup(self, sockets: list[Any] | None = None) -> None:
            await super().startup(sockets)
            on_ready(bound)

        async def on_tick(self, counter: int) -> bool:
            return await super().on_tick(counter) or is_done()

    if threading.current_thread() is threading.main_thread():
        # uvicorn shuts down and then raises the signal again; as an interrupt it ends here, and the process with status 0.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        Announcing(configured(lambda: app)).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
