"""The link in a terminal that opens a local page once, in one browser."""

from __future__ import annotations

import threading

from poc.rules.signoff.browsing import browser_has_the_link, link_is_new
from poc.rules.signoff.reasons import Finding
from poc.tools.signoff_page.onetime import new_token


class Link:
    """A page on this machine is open to every user and every other page here; this keeps it to the browser that was given the link."""

    def __init__(self, start: str) -> None:
        self.start = start  # where the link leads
        self.token: str | None = new_token()
        self._sessions: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def address(self, origin: str) -> str:
        """Return what to open; nothing secret is left in it once it was opened."""
        return f"{origin}/?token={self.token}"

    def exchange(self, given: str) -> tuple[str, list[Finding]]:
        """Return a session for the link's token, or why there is none; the second who comes gets nothing."""
        with self._lock:
            if found := link_is_new(given, self.token):
                return "", found
            session, self.token = new_token(), None
            self._sessions |= {session}
            return session, []

    def lets_in(self, session: str) -> list[Finding]:
        """List what speaks against a browser."""
        return browser_has_the_link(session, self._sessions)
