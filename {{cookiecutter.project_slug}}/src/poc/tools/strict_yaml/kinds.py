"""Which kind of problem a charter is about, and what to say where its words do not fit that kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from poc.errors import Problem
from poc.rules.charter import CHARTERS
from poc.tools.strict_yaml.reader import YamlDocument, short
from poc.tools.strict_yaml.words import fields_at, where

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def problem_of(document: YamlDocument, name: str) -> tuple[str, Problem | None]:
    """Find the kind of problem that a charter is about; where it does not say, the one whose fields it has the most of, and what to write."""
    said = document.value.get("problem") if isinstance(document.value, dict) else None
    if not isinstance(document.value, dict) or (isinstance(said, str) and said in CHARTERS):
        return str(said or next(iter(CHARTERS))), None
    fitting = max(CHARTERS, key=lambda problem: sum(_has(document.value, *field) for field in _own_fields(problem)))
    near = get_close_matches(said, CHARTERS, n=1, cutoff=0.5) if isinstance(said, str) else []
    words = [*CHARTERS]
    known = f"{', '.join(words[:-1])} or {words[-1]}"
    if "problem" not in document.value:
        what, fix = (
            f"problem is missing: the charter is about one of {known}",
            f"add problem: {fitting}, whose fields it has" if _any_kind(document.value) else "add problem",
        )
    else:
        what, fix = f"problem is {short(str(said))!r}; it must be {known}", f"did you mean {near[0]}?" if near else "choose one of these"
    return near[0] if near else fitting, Problem(what=what, where=where(document, name, ("problem",)), fix=fix)


def _own_fields(problem: str) -> set[tuple[str, str]]:
    """List the fields, each with its section, that a kind of charter has and not every kind."""
    return {field for field in _fields(problem) if not all(field in _fields(other) for other in CHARTERS)}


def _fields(problem: str) -> set[tuple[str, str]]:
    return {(section, field) for section in ("baseline", "value", "limits", "data") for field in fields_at(CHARTERS[problem], (section,))}


def _has(value: Any, section: str, field: str) -> bool:
    return isinstance(value.get(section), dict) and field in value[section]


def _any_kind(value: Any) -> bool:
    return any(_has(value, *field) for problem in CHARTERS for field in _own_fields(problem))


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A section that holds fields of other kinds of problem: which, whose, and which of its own kind's it lacks."""

    section: str
    kind: str
    foreign: list[str]
    others: list[str]
    lacking: list[str]


def of_other_kinds(found: Sequence[ErrorDetails], problem: str) -> tuple[list[Mixed], list[ErrorDetails]]:
    """Take together, section by section, what one wrong word at `problem` brings about: fields of another kind, and none of its own."""
    mixed, left = list[Mixed](), list(found)
    for section in ("baseline", "value", "limits", "data"):
        own = [each for each in left if len(each["loc"]) == 2 and each["loc"][0] == section]
        foreign = {str(each["loc"][1]): each for each in own if each["type"] == "extra_forbidden" and _owners(section, each["loc"][1])}
        if not foreign:
            continue
        lacking = {str(each["loc"][1]): each for each in own if each["type"] == "missing" and (section, each["loc"][1]) in _own_fields(problem)}
        others = [other for other in CHARTERS if all(other in _owners(section, field) for field in foreign)]
        mixed.append(Mixed(section=section, kind=problem, foreign=[*foreign], others=others, lacking=[*lacking]))
        left = [each for each in left if each not in [*foreign.values(), *lacking.values()]]
    return mixed, left


def _owners(section: str, field: str | int) -> list[str]:
    return [problem for problem in CHARTERS if (section, field) in _fields(problem)]


def of_another_kind(mixed: Mixed, document: YamlDocument, name: str) -> Problem:
    """Say whose fields these are, and what to write instead."""
    fields = ", ".join(mixed.foreign)
    whose = f"a {' or '.join(mixed.others)} problem" if mixed.others else "other kinds of problem"
    what = f"{fields} in {mixed.section} {'belong' if len(mixed.foreign) > 1 else 'belongs'} to {whose}, and this one is {mixed.kind}"
    instead = f"write {', '.join(mixed.lacking)} instead" if mixed.lacking else f"take {'them' if len(mixed.foreign) > 1 else 'it'} out"
    return Problem(
        what=what,
        where=where(document, name, (mixed.section, mixed.foreign[0])),
        fix=instead + (f", or say problem: {mixed.others[0]}" if mixed.others else ""),
    )
