"""A bounded mailbox between processes: what does not fit is lost, and whoever sends never waits (standard library only)."""

from __future__ import annotations

import errno
import pickle
import select
import socket
from typing import Any, Literal

Posted = Literal["posted", "full", "too large"]
#: What a socket is asked to hold. The kernel gives what it allows, on Linux about 200 kB: some 200 single rows, on top of what the reader has taken out.
BUFFER_BYTES = 4 * 2**20
#: Longest message that every kernel takes.
LONGEST_BYTES = 64 * 2**10


def open_mailbox() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a mailbox, to post into and to take from; any number of processes may share either."""
    into, out_of = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    into.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    out_of.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    return into, out_of


def post(into: socket.socket, message: object) -> Posted:
    """Post a message, whole or not at all, without waiting."""
    content = pickle.dumps(message, protocol=5)
    if len(content) > LONGEST_BYTES:
        return "too large"
    try:
        into.send(content, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return "full"
    except OSError as error:
        if error.errno == errno.ENOBUFS:  # what macOS says of a full one
            return "full"
        raise
    return "posted"


def take(out_of: socket.socket, *, patience_s: float) -> Any:
    """Take the next message; None where none comes in time."""
    if not is_waiting(out_of, patience_s=patience_s):
        return None
    try:
        return pickle.loads(out_of.recv(LONGEST_BYTES + 1, socket.MSG_DONTWAIT))  # from our own processes, over a socket that has no name
    except BlockingIOError:  # another reader was faster
        return None


def is_waiting(out_of: socket.socket, *, patience_s: float = 0.0) -> bool:
    """Say whether a message waits to be taken."""
    return bool(select.select([out_of], [], [], patience_s)[0])
