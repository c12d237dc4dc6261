"""What pydantic finds, in plain words and with its place: one sentence per kind of error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from poc.errors import Problem
from poc.rules.charter_fields import FORMS, Known
from poc.tools.strict_yaml.reader import Place, YamlDocument, short

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: What to do about a field that is missing because nobody measured it yet.
MEASURE_FIRST = {
    "beyond_tolerance_share": "count how many of today's estimates are off by more than limits.tolerance, and add the share",
    "decided_shares": "count, for the rows of each class, how they are decided today, and add the shares",
}


def in_words(found: ErrorDetails, kind: type[BaseModel], document: YamlDocument, name: str) -> Problem:
    """Say one of pydantic's findings as a problem that can be mended."""
    place = as_written(found["loc"], document.value)
    what, fix = _what_and_fix(found, kind, place)
    return Problem(what=what, where=where(document, name, place), fix=fix)


def as_written(place: Place, value: Any) -> Place:
    """Leave out numbers of items where the file holds no list: one machine is read as a list of one."""
    written: Place = ()
    for part in place:
        if isinstance(part, int) and not isinstance(value, list):
            continue
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
        written = (*written, part)
    return written


def _what_and_fix(found: ErrorDetails, kind: type[BaseModel], written: Place) -> tuple[str, str]:  # noqa: PLR0911, PLR0912 - a table: one sentence per kind of error
    place, given, limits = found["loc"], found["input"], found.get("ctx", {})
    field, said = _named(written), short(str(given))
    if percent := _percent_meant(given, limits):
        return f"{field} is {said}, but a share lies between 0 and 1", percent
    match found["type"]:
        case "model_type" if (section := section_at(kind, place)) and issubclass(section, Known):
            return (
                f"{field} is {said}, where a range belongs",
                f"write {field}: " + "{low: ..., likely: ..., high: ...}; what is known exactly stands there three times",
            )
        case "model_type":
            return f"{field} holds no fields", "write name: value lines; docs/charter.schema.json lists the fields"
        case "dict_type":
            return f"{field} is {said}, where an entry for each class belongs", "write class: value lines"
        case "missing":
            return f"{field} is missing", MEASURE_FIRST.get(field, f"add {field}")
        case "extra_forbidden":
            near = get_close_matches(field, fields_at(kind, place[:-1]), n=1)
            return f"there is no field {short(field)!r} here", f"did you mean {near[0]}?" if near else "take it out"
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
        case "decimal_type" | "float_type" if isinstance(given, dict | list):
            return f"{field} holds entries of its own, where one number belongs", "write digits and a point, such as 1250.50"
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


def _named(place: Place) -> str:
    """Name what stands at a place: a field by its name, an item of a list by its number."""
    if not place:
        return "the file"
    return f"entry {place[-1] + 1} of {place[-2]}" if isinstance(place[-1], int) and len(place) > 1 else str(place[-1])


def fields_at(kind: Any, place: Place) -> list[str]:
    """List the fields of the section at a place."""
    section = section_at(kind, place)
    return list(section.model_fields) if section else []


def section_at(kind: Any, place: Place) -> type[BaseModel] | None:
    """Find the section at a place, following lists, entries by name and optional sections."""
    for part in place:
        if _is_section(kind):
            kind = kind.model_fields[part].annotation if part in kind.model_fields else None
        elif get_origin(kind) in (list, dict):
            kind = get_args(kind)[-1]
        while get_origin(kind) in (Annotated, Union, UnionType):
            kind = get_args(kind)[0]
    return kind if _is_section(kind) else None


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def where(document: YamlDocument, name: str, place: Place) -> str:
    """Say where a place is: file, line, column, and the way there in dotted words."""
    dotted = ".".join(map(str, place))
    line, column = document.position(place) or (1, 1)
    return f"{name} line {line}, column {column}" + (f", {short(dotted)}" if dotted else "")


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
