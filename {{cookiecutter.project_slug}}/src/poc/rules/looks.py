"""Looks at the sealed set: each names the one before by digest, so that a removed or changed one shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Protocol

#: What the first look names as the one before.
NONE_BEFORE = "0" * 64


class LookLike(Protocol):
    """What a look records."""

    @property
    def number(self) -> int: ...
    @property
    def candidate_sha256(self) -> str: ...
    @property
    def sealed_sha256(self) -> str: ...
    @property
    def previous(self) -> str: ...
    @property
    def digest(self) -> str: ...


def digest_of_look(number: int, candidate_sha256: str, sealed_sha256: str, previous: str) -> str:
    """Digest a look's content; 64 hexadecimal characters."""
    return hashlib.sha256(json.dumps([number, candidate_sha256, sealed_sha256, previous]).encode()).hexdigest()


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
        if look.digest != digest_of_look(look.number, look.candidate_sha256, look.sealed_sha256, look.previous):
            wrong.append(f"look {expected} was changed")
        previous = look.digest
    if newest and newest not in {look.digest for look in looks[-2:]}:
        wrong.append("the newest look is missing")
    return wrong
