"""JSON that has one form only, and digests of whole folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from poc.rules.signoff.reasons import Finding, Reason, check


def canonical(value: Any) -> bytes:
    """Write JSON in its one form: sorted keys, compact, ASCII, no floats and no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def sha256_of(content: bytes) -> str:
    """Digest bytes; 64 hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def tree_digest(files: Mapping[str, str]) -> str:
    """Digest a folder, given the sha256 of each file by its path relative to it, in POSIX form: what is added, removed, renamed or changed shows."""
    return sha256_of(canonical(sorted([path, digest] for path, digest in files.items())))


class _Refused(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@check
def is_canonical(content: bytes, where: str) -> list[Finding]:
    """Refuse what is no JSON object, has a key twice, holds a float, or is written in another form than its one."""
    try:
        value = json.loads(content, object_pairs_hook=_once_each, parse_float=_no_float, parse_constant=_no_float)
        again = canonical(value)
    except _Refused as refused:
        return [Finding(reason=refused.finding.reason, what=refused.finding.what, where=where)]
    except (ValueError, RecursionError) as error:
        return [Finding(reason=Reason.NOT_JSON, what=f"this is no JSON: {str(error)[:80] or 'empty'}", where=where)]
    if not isinstance(value, dict):
        return [Finding(reason=Reason.NOT_JSON, what="this is no JSON object", where=where)]
    if again != content:
        return [Finding(reason=Reason.NOT_CANONICAL, what="written again, it has other bytes: keys out of order, blanks, or letters beyond ASCII", where=where)]
    return []


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _Refused(Finding(reason=Reason.DUPLICATE_KEY, what=f"{twice[0]!r} stands there twice"))
    return dict(pairs)


def _no_float(text: str) -> Any:
    raise _Refused(Finding(reason=Reason.NUMBER_FORM, what=f"{text[:20]} is a number that can be written in several ways; figures are text"))
