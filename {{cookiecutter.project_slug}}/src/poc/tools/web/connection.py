"""A connection: HTTP/1.1 whatever a client offers besides, with a bound on a request's head, that lets its clients go without losing a request."""

from __future__ import annotations

import asyncio
import re

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from poc.tools.web.joined import Joined

#: How long a server that stops goes on answering connections that may be about to ask; a client that pauses for longer finds its connection closed.
DRAIN_SECONDS = 1.0
#: What a request may have before its body, give or take what one read brings; a larger head is refused before it is whole.
MAX_HEAD_BYTES = 64 * 2**10
HEAD_ENDS = b"\r\n\r\n"
UPGRADE = re.compile(rb"(?i)(?<=\r\n)upgrade(?=[ \t]*:)")
CLOSE = (b"connection", b"close")


class Connection(HttpToolsProtocol):
    """What uvicorn has, but that its own closes an idle connection just as a request arrives, takes any head, and parses no body behind an offer to upgrade."""

    _is_in_head, _head_bytes = True, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; replies leave in one piece."""
        super().connection_made(transport)
        self.transport = Joined(transport, self.loop)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        if self._is_in_head:
            self._head_bytes += len(data)
            data = ignoring_upgrades(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect another request."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """Say with the next reply that it was the last; close once nothing has come for a while."""
        if CLOSE not in self.server_state.default_headers:
            self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        if self._is_idle():
            self.loop.call_later(DRAIN_SECONDS, self._close_idle)
        else:
            self.cycle.keep_alive = False

    def _refuse_head(self) -> None:
        body = orjson.dumps({"error": f"the head of a request may have {MAX_HEAD_BYTES} bytes"})
        head = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)
        self.transport.close()

    def _close_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


def ignoring_upgrades(data: bytes) -> bytes:
    """Rename the header by which a client offers another protocol, as Java's does by default: the parser would take what follows it for that protocol.

    A server may ignore such an offer (RFC 9110, 7.8).
    """
    end = data.find(HEAD_ENDS)
    head = data if end < 0 else data[:end]
    return UPGRADE.sub(b"ignored", head) + data[len(head) :] if b"\nupgrade" in head.lower() else data
