"""Whether the charter was agreed to when the run began."""

from __future__ import annotations

from typing import Literal

from poc.rules.evidence.record import Record


class Signoff(Record):
    """Who had signed the charter when the run began, and since when all of them had (UTC); or in a few words why it counts as unsigned.

    A demo's keys agree to nothing outside of it.
    """

    is_signed: bool
    is_demo: bool = False
    by: list[str] = []
    signed_at: str = ""
    why_not: str = ""

    @property
    def mark(self) -> Literal["DRAFT", "DEMO", ""]:
        """Return the word that stands over everything that rests on it; none where it was signed in earnest."""
        return "DRAFT" if not self.is_signed else "DEMO" if self.is_demo else ""

    @property
    def tag(self) -> str:
        """Return the same for the tag `poc.draft`."""
        return {"DRAFT": "true", "DEMO": "demo", "": "false"}[self.mark]


#: What is so where nothing says otherwise.
UNSIGNED = Signoff(is_signed=False)
