"""The server: one application on uvicorn, behind a socket that is bound before anything is loaded."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable

from poc.errors import EnvironmentRefused
from poc.tools.web.application import Application


def serve(app: Application, *, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets the port once requests are accepted.

    Raises:
        EnvironmentRefused: the port is taken or not allowed.
    """
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise EnvironmentRefused(
            f"cannot listen on {host}:{port}: {error}", where=f"{host}:{port}", fix="stop what listens there, or choose another: poc serve --port 8081"
        ) from error
    bound = int(listener.getsockname()[1])

    class Server(uvicorn.Server):
        """Say ready only once signals are handled: a stop that comes between the two would be lost."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready(bound)

    server = Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="on"))
    if threading.current_thread() is threading.main_thread():
        # uvicorn shuts down and then raises the signal again; as an interrupt it ends here, and the process with status 0.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        listener.listen(2048)
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
