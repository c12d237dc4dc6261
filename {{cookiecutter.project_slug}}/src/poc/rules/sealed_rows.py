"""How many sealed rows the charter's limits need, and which claims the rows that there are cannot carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poc.rules.charter import Charter
from poc.rules.counts import LimitedShare, limited_shares
from poc.rules.verdict import sealed_rows_needed


@dataclass(frozen=True, kw_only=True)
class TooFew:
    """A limit that not even a model without an error can be shown to keep on so few rows."""

    limited: LimitedShare
    rows: int
    needed: int

    def __str__(self) -> str:
        return (
            f"{self.rows:,} sealed {self.limited.among} cannot show {self.limited.limit:.3g} {self.limited.name}: {self.needed:,} are needed, "
            f"so the verdict will be NOT PROVEN for {self.limited.name}"
        )


def rows_needed(charter: Charter, limited: LimitedShare) -> list[int]:
    """Return how many sealed rows show a limit when 0, 1, 2 or 3 of them are wrong."""
    return sealed_rows_needed(limited.limit, float(charter.limits.confidence), charter.timebox.looks)


def too_few(charter: Charter, sealed: Mapping[str, int]) -> list[TooFew]:
    """List the limits that the sealed rows cannot show; `sealed` counts them by what a limit is `among`. Where rows share groups it takes more."""
    found = []
    for limited in limited_shares(charter):
        needed, rows = rows_needed(charter, limited)[0], sealed.get(limited.among, 0)
        if rows < needed:
            found.append(TooFew(limited=limited, rows=rows, needed=needed))
    return found
