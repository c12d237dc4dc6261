"""How many sealed rows the charter's limits need, and which claims the rows that there are cannot carry."""

from __future__ import annotations

from dataclasses import dataclass

from poc.rules.charter import Charter
from poc.rules.counts import LimitedShare, limited_shares
from poc.rules.evidence import InGroups, Split
from poc.rules.verdict import sealed_rows_needed


@dataclass(frozen=True, kw_only=True)
class TooFew:
    """A limit that not even a model without an error can be shown to keep on so few rows, or in so few groups."""

    limited: LimitedShare
    rows: int
    needed: int
    shared: InGroups | None = None

    @property
    def lacking(self) -> int:
        """How many rows are wanting, or groups, where rows share them."""
        return self.needed - (self.shared.count_as if self.shared else self.rows)

    @property
    def unit(self) -> str:
        """What is wanting."""
        return f"groups of sealed {self.limited.among}" if self.shared else f"sealed {self.limited.among}"

    def __str__(self) -> str:
        claim, rows = f"{self.limited.limit:.3g} {self.limited.name}", f"{self.rows:,} sealed {self.limited.among}"
        few = f"{rows} cannot show {claim}: {self.needed:,} are needed"
        if self.shared:
            few = f"{rows} in {self.shared.groups:,} groups count as {self.shared.count_as:,}; {self.needed:,} are needed to show {claim}"
        return f"{few}, so {self.limited.name} cannot be GO"


def rows_needed(charter: Charter, limited: LimitedShare) -> list[int]:
    """Return how many sealed rows show a limit when 0, 1, 2 or 3 of them are wrong."""
    return sealed_rows_needed(limited.limit, float(charter.limits.confidence), charter.timebox.looks)


def too_few(charter: Charter, sealed: Split) -> list[TooFew]:
    """List the limits that the sealed rows cannot show; where rows share groups it takes as many groups as else rows."""
    found = []
    for limited in limited_shares(charter):
        needed, sort = rows_needed(charter, limited)[0], limited.among
        if sealed.evidence.get(sort, 0) < needed:
            found.append(TooFew(limited=limited, rows=sealed.counts.get(sort, 0), needed=needed, shared=sealed.in_groups.get(sort)))
    return found
