"""Sockets that share a port among a server's workers, and with nobody else."""

from __future__ import annotations

import threading
import urllib.request
from typing import Any

import pytest

from poc.errors import EnvironmentRefused
from poc.tools.web import listen, serve_on
from poc.tools.web.connection import ignoring_upgrades
from poc.tools.web.workers import pause_seconds


def test_workers_listen_on_one_port() -> None:
    listeners = listen("127.0.0.1", 0, count=3)
    assert len({each.getsockname() for each in listeners}) == 1 and len({each.fileno() for each in listeners}) == 3
    for each in listeners:
        each.close()


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_port_is_shared_with_no_other_server(first: int, second: int) -> None:
    listeners = listen("127.0.0.1", 0, count=first)
    with pytest.raises(EnvironmentRefused, match="cannot listen"):
        listen("127.0.0.1", listeners[0].getsockname()[1], count=second)
    for each in listeners:
        each.close()


def test_workers_that_keep_dying_are_started_ever_more_seldom() -> None:
    assert [pause_seconds(deaths) for deaths in (0, 1, 2, 3, 4, 60)] == [0, 0, 1, 2, 4, 30]


@pytest.mark.parametrize(
    ("arrived", "read"),
    [
        (b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", b"GET / HTTP/1.1\r\nignored: h2c\r\n\r\n"),
        (b"GET / HTTP/1.1\r\nx: 1\r\nUPGRADE : h2c", b"GET / HTTP/1.1\r\nx: 1\r\nignored : h2c"),
        (b"GET / HTTP/1.1\r\nx: upgrade\r\nupgrade-insecure-requests: 1\r\n\r\n", None),
        (b"POST / HTTP/1.1\r\n\r\nin a body\r\nupgrade: h2c", None),
    ],
)
def test_only_a_header_by_which_another_protocol_is_offered_is_renamed(arrived: bytes, read: bytes | None) -> None:
    assert ignoring_upgrades(arrived) == (read or arrived)


def test_any_application_is_served_until_it_says_that_it_is_done() -> None:
    (listener,) = listen("127.0.0.1", 0)
    asked, answers = list[str](), list[bytes]()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    ready = threading.Event()
    serving = threading.Thread(target=serve_on, args=(listener, page), kwargs={"on_ready": lambda _: ready.set(), "is_done": lambda: bool(answers)})
    port = listener.getsockname()[1]
    serving.start()
    assert ready.wait(60)
    answers.append(urllib.request.urlopen(f"http://127.0.0.1:{port}/once").read())
    serving.join(60)
    assert (asked, answers, serving.is_alive()) == (["/once"], [b"ok"], False)
