"""YAML's events become plain values, each with its line and column; what could be read in two ways is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from poc.errors import InputRefused, Problem

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

Place = tuple[str | int, ...]

#: Deeper nesting than any agreement needs; it also keeps hostile text from exhausting the stack.
DEEPEST = 20
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_DECIMAL = re.compile(r"[-+]?([0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30}|[0-9]{1,30})([eE][-+]?[0-9]{1,2})?")
#: Plain words and figures that YAML 1.1 and 1.2 read differently: booleans, base 60, octal, hexadecimal, grouped digits, infinities.
_READ_IN_TWO_WAYS = re.compile(
    r"(?i:y|yes|n|no|on|off|true|false|null|[-+]?\.inf|\.nan)|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?|[-+]?0[0-9_]+|[-+]?0[xob][0-9a-fA-F_]+|[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"
)
_PLAIN_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, kw_only=True)
class YamlDocument:
    """What a YAML text says, and where it says it; lines and columns count from 1."""

    value: Any
    positions: Mapping[Place, tuple[int, int]]

    def position(self, path: Place) -> tuple[int, int] | None:
        """Return line and column of an entry's name or a list's item; of the nearest part above where the entry is missing."""
        return next((self.positions[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.positions), None)


def load_yaml(text: str, *, where: str) -> YamlDocument:
    """Read one YAML document: text, whole numbers, Decimals, true, false, null, lists and mappings with text as names.

    Raises:
        InputRefused: it is not YAML, holds several documents, anchors, tags or repeated names, or something can be read in two ways.
    """
    import yaml

    try:
        reader = _Reader(yaml.parse(text, Loader=yaml.SafeLoader), where)
        value = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where} line {mark.line + 1}, column {mark.column + 1}" if mark else where
        raise InputRefused(f"this is not YAML: {error.problem or error.context}", where=place, fix="check quotes, colons and indentation") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML lets ValueError escape on \UFFFFFFFF and on huge version numbers
        raise InputRefused(f"this is not YAML: {short(str(error).splitlines()[0])}", where=where, fix="save it as plain UTF-8 text") from error
    if reader.problems:
        raise InputRefused(reader.problems)
    return YamlDocument(value=value, positions=reader.positions)


class _Reader:
    """Builds values from YAML's events, noting where each stands and everything that is wrong."""

    def __init__(self, events: Iterator[Event], where: str) -> None:
        self.events, self.where = events, where
        self.positions: dict[Place, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        from yaml.events import DocumentStartEvent, StreamEndEvent

        next(self.events)
        event = next(self.events)
        if isinstance(event, StreamEndEvent):
            return None
        value = self._value(next(self.events), ())
        next(self.events)
        if isinstance(event := next(self.events), DocumentStartEvent):
            self._refuse(event, "a second document starts here", "keep one document per file")
        return value

    def _value(self, event: Any, place: Place) -> Any:
        from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

        self.positions.setdefault(place, _mark(event))
        if event.anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            self._refuse(event, f"{sign}{short(event.anchor)}: anchors and aliases are not read", "write the value out")
        if isinstance(event, AliasEvent):
            return None
        if event.tag is not None:
            self._refuse(event, f"{short(event.tag)}: tags are not read", "write the value without a tag")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if len(place) >= DEEPEST:
            where = f"{self.where} line {_mark(event)[0]}"
            raise InputRefused(f"this is nested deeper than {DEEPEST} levels", where=where, fix="take out brackets or indentation")
        return self._mapping(place) if isinstance(event, MappingStartEvent) else self._list(place)

    def _mapping(self, place: Place) -> dict[str, Any]:
        from yaml.events import MappingEndEvent, ScalarEvent

        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            name = self._value(event, (*place, f"name {len(found)}"))
            self.positions.pop((*place, f"name {len(found)}"), None)
            if isinstance(event, ScalarEvent) and not isinstance(name, str):
                name = str(event.value)
            elif not isinstance(name, str):
                self._refuse(event, "a name must be text", "write name: value")
                name = ""
            if name in found:
                self._refuse(event, f"{short(name)!r} stands here a second time", "keep one of the two")
            self.positions.setdefault((*place, name), _mark(event))
            found[name] = self._value(next(self.events), (*place, name))
        return found

    def _list(self, place: Place) -> list[Any]:
        from yaml.events import SequenceEndEvent

        found: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self._value(event, (*place, len(found))))
        return found

    def _scalar(self, event: ScalarEvent) -> str | int | Decimal | bool | None:
        try:  # JSON inside YAML writes one character beyond the basic plane as two escapes: join them
            text = event.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(event, "half a character (a lone surrogate)", "write the character itself")
            return ""
        if event.style:
            return text
        if text in _PLAIN_WORDS:
            return _PLAIN_WORDS[text]
        if _READ_IN_TWO_WAYS.fullmatch(text):
            self._refuse(
                event, f"{short(text)} can be read in two ways: as text, or as a truth value or number", f'put it in quotes if text is meant: "{short(text)}"'
            )
            return text
        if _WHOLE.fullmatch(text):
            return int(text)
        return Decimal(text) if _DECIMAL.fullmatch(text) else text

    def _refuse(self, event: Any, what: str, fix: str) -> None:
        line, column = _mark(event)
        self.problems.append(Problem(what=what, where=f"{self.where} line {line}, column {column}", fix=fix))


def _mark(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def short(text: str) -> str:
    """Cut what somebody wrote to what fits into a sentence."""
    return text if len(text) <= 60 else f"{text[:57]}..."
