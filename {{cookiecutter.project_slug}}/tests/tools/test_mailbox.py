"""The mailbox between processes: in order, whole, and never waited for."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from poc.tools.mailbox import LONGEST_BYTES, is_waiting, open_mailbox, post, take


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    into, out_of = open_mailbox()
    yield into, out_of
    into.close()
    out_of.close()


def test_messages_arrive_whole_and_in_order(ends: tuple[socket.socket, socket.socket]) -> None:
    into, out_of = ends
    assert [post(into, {"n": n}) for n in range(3)] == ["posted"] * 3
    assert [take(out_of, patience_s=1) for _ in range(3)] == [{"n": n} for n in range(3)]


def test_nothing_is_taken_where_nothing_was_posted(ends: tuple[socket.socket, socket.socket]) -> None:
    assert not is_waiting(ends[1])
    assert take(ends[1], patience_s=0) is None


def test_a_full_mailbox_refuses_and_takes_again_once_there_is_room(ends: tuple[socket.socket, socket.socket]) -> None:
    into, out_of = ends
    posted = 0
    while post(into, b"x" * 40_000) == "posted":
        posted += 1
    assert 0 < posted < 1000
    assert all(take(out_of, patience_s=1) is not None for _ in range(posted))
    assert post(into, b"x" * 40_000) == "posted"


def test_a_message_that_is_too_long_is_refused_whole(ends: tuple[socket.socket, socket.socket]) -> None:
    assert post(ends[0], b"x" * LONGEST_BYTES) == "too large"
    assert take(ends[1], patience_s=0) is None
