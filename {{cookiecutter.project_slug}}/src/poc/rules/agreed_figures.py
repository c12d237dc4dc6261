"""Figures as they were agreed: in plain words, and no digit lost."""

from __future__ import annotations

from decimal import Decimal

from poc.rules.charter_fields import Known

DURATIONS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def plain(number: Decimal | int) -> str:
    """Write a number as it was agreed: no digit lost, thousands apart, no zeros that say nothing."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: int) -> str:
    """Say seconds in the largest unit that leaves no remainder."""
    size, unit = next(((size, unit) for size, unit in DURATIONS if seconds and seconds % size == 0), (1, "second"))
    return several(seconds // size, unit)


def range_of(known: Known, base: int = 1) -> str:
    """Say between what and what something lies; `base` turns a share into how many of so many."""
    low, likely, high = (plain(end * base) for end in ends(known))
    return low if low == high else f"{low} to {high} (most likely {likely})"


def ends(known: Known) -> tuple[Decimal, Decimal, Decimal]:
    """Return the three figures of a range."""
    return known.low, known.likely, known.high


def of(share: Decimal, what: str) -> str:
    """Begin a sentence about a share: how many of a thousand."""
    base = base_for(share)
    return f"Of {base:,} {what} {plain(share * base)}"


def at_most(share: Decimal, what: str) -> str:
    """Begin a sentence about the largest share that is allowed."""
    base = base_for(share)
    return f"At most {plain(share * base)} of {base:,} {what}"


def base_for(*shares: Decimal) -> int:
    """Return of how many one speaks, so that shares become whole numbers of them: a thousand, or more."""
    return next((base for base in (10**3, 10**4, 10**5, 10**6) if all(share * base == int(share * base) for share in shares)), 10**6)


def percent(share: Decimal) -> str:
    """Say a share in per cent."""
    return f"{plain(share * 100)} %"


def several(number: int, what: str) -> str:
    """Count something."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def times(number: int) -> str:
    """Say how often."""
    return "once" if number == 1 else f"{number} times"
