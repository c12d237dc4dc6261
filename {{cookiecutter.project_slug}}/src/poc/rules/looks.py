"""Looks at the sealed set: each names the one before by digest, so that a removed or changed one shows; and which of them count against a set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Protocol

from poc.rules.sketches import seen_share, that_count

#: What the first look names as the one before.
NONE_BEFORE = "0" * 64


class LookLike(Protocol):
    """What a look records; `sketch` is of all rows that its run had, sealed or open."""

    @property
    def number(self) -> int: ...
    @property
    def candidate_sha256(self) -> str: ...
    @property
    def sealed_sha256(self) -> str: ...
    @property
    def previous(self) -> str: ...
    @property
    def sketch(self) -> Sequence[str]: ...
    @property
    def digest(self) -> str: ...


def digest_of_look(number: int, candidate_sha256: str, sealed_sha256: str, previous: str, sketch: Sequence[str] = ()) -> str:
    """Digest a look's content; 64 hexadecimal characters. Looks of the first version have no sketch of the rows."""
    content = [number, candidate_sha256, sealed_sha256, previous, *([list(sketch)] if sketch else [])]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def is_as_written(look: LookLike) -> bool:
    """Whether a look's content is what its digest speaks of."""
    return look.digest == digest_of_look(look.number, look.candidate_sha256, look.sealed_sha256, look.previous, look.sketch)


def breaks_in(looks: Sequence[LookLike], newest: str = "") -> list[str]:
    """List what is wrong with a chain of looks ordered by number; `newest` is the digest that was noted beside the chain, empty for none.

    A chain may be one look longer than the note: a crash can come between the two.
    """
    wrong: list[str] = []
    previous = NONE_BEFORE
    for expected, look in enumerate(looks, start=1):
        if look.number != expected:
            return [*wrong, f"look {expected} is missing"]
        if look.previous != previous:
            wrong.append(f"look {expected} does not follow the look before it")
        if not is_as_written(look):
            wrong.append(f"look {expected} was changed")
        previous = look.digest
    if newest and newest not in {look.digest for look in looks[-2:]}:
        wrong.append("the newest look is missing")
    return wrong


def shares_seen(looks: Sequence[LookLike], sealed_sha256: str, sealed_sketch: Sequence[str]) -> list[tuple[int, float]]:
    """Return which looks count against a sealed set, by their place in the list, and the share of its rows that the run of each had.

    Sealed or open: a row that was open to an earlier run is not one that nobody had seen. A look at the very set had all of it; so had one that is
    not as it was written, because nobody can tell what it had. A look without a sketch is known by its digest alone.
    """
    shares = [1.0 if look.sealed_sha256 == sealed_sha256 or not is_as_written(look) else seen_share(sealed_sketch, look.sketch) for look in looks]
    return [(place, shares[place]) for place in that_count(shares)]
