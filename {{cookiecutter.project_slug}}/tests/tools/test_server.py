"""Sockets that share a port among a server's workers, and with nobody else."""

from __future__ import annotations

import pytest

from poc.errors import EnvironmentRefused
from poc.tools.web import listen


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
