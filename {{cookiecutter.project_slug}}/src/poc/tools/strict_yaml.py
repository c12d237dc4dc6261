"""YAML without surprises: what could be read in two ways is refused, and every problem has a line and a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from poc.errors import InputRefused, Problem
from poc.rules.charter import CHARTERS, BinaryShaped, Charter
from poc.rules.charter_fields import FORMS
from poc.rules.cross_checks import check_charter
from poc.rules.params import Params

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from yaml.events import Event, ScalarEvent

B = TypeVar("B", bound=BaseModel)
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
        raise InputRefused(f"this is not YAML: {_short(str(error).splitlines()[0])}", where=where, fix="save it as plain UTF-8 text") from error
    if reader.problems:
        raise InputRefused(reader.problems)
    return YamlDocument(value=value, positions=reader.positions)


def load_charter(path: Path) -> Charter:
    """Read and cross-check the charter.

    Raises:
        InputRefused: with every problem found, each with line and column.
    """
    document, problems = _read(path), list[Problem]()
    kind = _kind_of(document)
    try:
        charter = _validated(kind, document, path.name)
    except InputRefused as error:
        problems += error.problems
        charter = _valid_sections(kind, document)
    problems += [Problem(what=found.what, where=_where(document, path.name, _place(found.where)), fix=found.fix) for found in check_charter(charter)]
    if problems:
        raise InputRefused(problems)
    return charter


def load_params(path: Path) -> Params:
    """Read the parameters.

    Raises:
        InputRefused: with every problem found, each with line and column.
    """
    return _validated(Params, _read(path), path.name)


def _read(path: Path) -> YamlDocument:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"{path.name} cannot be read: {error.strerror}", where=str(path), fix="put the file there") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path.name} is not UTF-8 text: byte {error.start + 1}", where=str(path), fix="save it as UTF-8") from error
    return load_yaml(text, where=path.name)


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
            self._refuse(event, f"{sign}{_short(event.anchor)}: anchors and aliases are not read", "write the value out")
        if isinstance(event, AliasEvent):
            return None
        if event.tag is not None:
            self._refuse(event, f"{_short(event.tag)}: tags are not read", "write the value without a tag")
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
                self._refuse(event, f"{_short(name)!r} stands here a second time", "keep one of the two")
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
                event, f"{_short(text)} can be read in two ways: as text, or as a truth value or number", f'put it in quotes if text is meant: "{_short(text)}"'
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


def _validated(kind: type[B], document: YamlDocument, name: str) -> B:
    try:
        return kind.model_validate(document.value)
    except ValidationError as error:
        raise InputRefused([_in_words(found, kind, document, name) for found in error.errors(include_url=False)]) from error


def _kind_of(document: YamlDocument) -> type[Charter]:
    """Find the kind of charter that a document says it is; one that does not say is read as binary."""
    problem = document.value.get("problem") if isinstance(document.value, dict) else None
    return CHARTERS.get(problem, BinaryShaped) if isinstance(problem, str) else BinaryShaped


def _valid_sections(kind: type[Charter], document: YamlDocument) -> Charter:
    """Build a charter of those sections alone that are valid by themselves, so that a typo in one does not hide what is wrong with another."""
    valid: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        with suppress(ValidationError, KeyError, TypeError):
            valid[name] = TypeAdapter[Any](field.rebuild_annotation()).validate_python(document.value[name])
    return kind.model_construct(**valid)


def _in_words(found: ErrorDetails, kind: type[BaseModel], document: YamlDocument, name: str) -> Problem:
    what, fix = _what_and_fix(found, kind)
    return Problem(what=what, where=_where(document, name, found["loc"]), fix=fix)


def _what_and_fix(found: ErrorDetails, kind: type[BaseModel]) -> tuple[str, str]:  # noqa: PLR0911, PLR0912 - a table: one sentence per kind of error
    """Say pydantic's finding in plain words."""
    place, given, limits = found["loc"], found["input"], found.get("ctx", {})
    field, said = str(place[-1]) if place else "the file", _short(str(given))
    if percent := _percent_meant(given, limits):
        return f"{field} is {said}, but a share lies between 0 and 1", percent
    match found["type"]:
        case "model_type":
            return f"{field} holds no fields", "write name: value lines; docs/charter.schema.json lists the fields"
        case "missing":
            return f"{field} is missing", f"add {field}"
        case "extra_forbidden":
            near = get_close_matches(field, _fields_at(kind, place[:-1]), n=1)
            return f"there is no field {_short(field)!r} here", f"did you mean {near[0]}?" if near else "take it out"
        case "literal_error":
            near = get_close_matches(said, re.findall(r"'([^']*)'", str(limits.get("expected"))), n=1)
            return f"{field} is {said!r}; it must be {limits.get('expected')}", f"did you mean {near[0]}?" if near else "choose one of these"
        case "string_too_short" if limits["min_length"] == 1:
            return f"{field} is empty", f"fill in {field}"
        case "string_too_short":
            return f"{field} says too little: at least {limits['min_length']} characters", "write a full sentence"
        case "string_type" if isinstance(given, bool):
            return f"{field} is the truth value {said.lower()}, where text belongs", f'put it in quotes, as the file spells it: "{said.lower()}"'
        case "string_type" if isinstance(given, int | Decimal):
            return f"{field} is the number {said}, where text belongs", f'put it in quotes: "{said}"'
        case "int_type":
            return f"{field} is {said}, not a whole number", "write digits only, without quotes"
        case "decimal_type" | "decimal_parsing" | "float_type" | "float_parsing":
            return f"{field} is {said!r}, not a number", "write digits and a point, such as 1250.50"
        case "date_type" | "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return f"{field} is {said!r}, not a date", "write YYYY-MM-DD"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"{field} is {said}: {_lower_first(found['msg'])}", "correct it"
        case "string_pattern_mismatch" if limits["pattern"] in FORMS:
            form, example = FORMS[limits["pattern"]]
            return f"{field} is {said!r}, not {form}", f"write it like {example}"
        case "string_pattern_mismatch":
            return f"{field} is {said!r}, which does not have the form {limits['pattern']}", "correct it"
        case "unprintable":
            return f"{field} {found['msg']}", "write it in one plain line"
        case "wordless":
            return f"{field} {found['msg']}: {said!r}", "write it in words"
        case "value_error":
            return f"{field}: {limits['error']}", "correct it"
        case _:
            return f"{field}: {_lower_first(found['msg'])}", "correct it"


def _percent_meant(given: object, limits: Mapping[str, Any]) -> str:
    """Return the advice for 45, 45 % or 45.0 where 0.45 belongs, else nothing."""
    text = str(given).strip()
    highest = limits.get("le", limits.get("lt"))
    if not text.endswith("%") and (highest is None or not 0 < highest <= 1):
        return ""
    try:
        percent = Decimal(text.removesuffix("%").strip()[:30])
    except InvalidOperation:
        return ""
    if not (percent.is_finite() and Decimal("0.001") <= percent <= 100) or (percent <= 1 and not text.endswith("%")):
        return ""
    return f"write {float(percent) / 100:.6g} for {float(percent):.6g} %"


def _fields_at(kind: Any, place: Place) -> list[str]:
    """List the fields of the section at a place, following lists and optional sections."""
    for part in place:
        kind = kind.model_fields[part].annotation if isinstance(part, str) and _is_section(kind) and part in kind.model_fields else kind
        while get_origin(kind) in (list, Union, UnionType):
            kind = next((one for one in get_args(kind) if _is_section(one)), None)
    return list(kind.model_fields) if _is_section(kind) else []


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _where(document: YamlDocument, name: str, place: Place) -> str:
    dotted = ".".join(map(str, place))
    line, column = document.position(place) or (1, 1)
    return f"{name} line {line}, column {column}" + (f", {_short(dotted)}" if dotted else "")


def _place(dotted: str) -> Place:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
