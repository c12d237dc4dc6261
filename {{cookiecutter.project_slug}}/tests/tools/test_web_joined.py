"""What is held back is sent: with the next write, at the end of the turn, or before the connection closes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from poc.tools.web.joined import Joined


def received(use: Callable[[Joined], object], *, is_gone: bool = False) -> list[bytes]:
    """Use a connection in one turn of an event loop; return what the other end has at once, and what it gets afterwards."""

    errors: list[object] = []

    async def both_ends() -> list[bytes]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, raised: errors.append(raised))
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        joined = Joined(transport, loop)
        if is_gone:
            transport.abort()
            await asyncio.sleep(0.01)
        use(joined)
        at_once = theirs.recv(99) if _is_readable(theirs) else b""
        for _ in range(3):
            await asyncio.sleep(0)
        later = theirs.recv(99) if _is_readable(theirs) else b""
        transport.close()
        theirs.close()
        return [at_once, later]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(both_ends())
    assert errors == []
    return seen


def _is_readable(end: socket.socket) -> bool:
    try:
        return end.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False


def test_a_second_write_takes_the_first_along() -> None:
    assert received(lambda joined: (joined.write(b"head "), joined.write(b"body"))) == [b"head body", b""]


def test_a_write_without_a_second_leaves_with_the_turn() -> None:
    assert received(lambda joined: joined.write(b"100 Continue")) == [b"", b"100 Continue"]
    assert received(lambda joined: [joined.write(each) for each in (b"head ", b"one ", b"two")]) == [b"head one ", b"two"]


def test_an_empty_body_sends_the_head() -> None:
    assert received(lambda joined: (joined.write(b"head"), joined.write(b""))) == [b"head", b""]


@pytest.mark.parametrize("leave", [Joined.close, lambda joined: joined.set_protocol(asyncio.Protocol())])
def test_what_is_held_is_sent_before_the_connection_goes(leave: Callable[[Joined], None]) -> None:
    assert received(lambda joined: (joined.write(b"head"), leave(joined)))[0] == b"head"


def test_nothing_is_sent_on_a_connection_that_is_gone() -> None:
    assert received(lambda joined: joined.write(b"too late"), is_gone=True) == [b"", b""]
