"""YAML without surprises: what could be read in two ways is refused, and every problem has a line and a column."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from poc.errors import InputRefused, Problem
from poc.rules.charter import CHARTERS, Charter
from poc.rules.cross_checks import check_charter
from poc.rules.params import Params
from poc.rules.signoff.trust import Roles
from poc.tools.strict_yaml.kinds import of_another_kind, of_other_kinds, problem_of
from poc.tools.strict_yaml.reader import Place, YamlDocument, load_yaml
from poc.tools.strict_yaml.words import in_words, where

__all__ = ["YamlDocument", "load_charter", "load_params", "load_roles", "load_yaml"]


def load_charter(path: Path) -> Charter:
    """Read and cross-check the charter.

    Raises:
        InputRefused: with every problem found, each with line and column.
    """
    document = _read(path)
    problem, unsaid = problem_of(document, path.name)
    kind, problems = CHARTERS[problem], [unsaid] if unsaid else []
    said = {**document.value, "problem": problem} if isinstance(document.value, dict) else document.value
    try:
        charter = kind.model_validate(said)
    except ValidationError as error:
        mixed, others = of_other_kinds(error.errors(include_url=False), problem)
        problems += [in_words(found, kind, document, path.name) for found in others] + [of_another_kind(each, document, path.name) for each in mixed]
        charter = _valid_sections(kind, said)
    problems += [Problem(what=found.what, where=where(document, path.name, _place(found.where, said)), fix=found.fix) for found in check_charter(charter)]
    if problems:
        raise InputRefused(problems)
    return charter


def load_params(path: Path) -> Params:
    """Read the parameters.

    Raises:
        InputRefused: with every problem found, each with line and column.
    """
    document = _read(path)
    try:
        return Params.model_validate(document.value)
    except ValidationError as error:
        raise InputRefused([in_words(found, Params, document, path.name) for found in error.errors(include_url=False)]) from error


def load_roles(content: bytes, *, where: str) -> Roles:
    """Read who may sign in which role, from the bytes of `roles.yaml`.

    Raises:
        InputRefused: with every problem found, each with line and column.
    """
    document = _document(content, name=where, where=where)
    try:
        return Roles.model_validate(document.value)
    except ValidationError as error:
        raise InputRefused([in_words(found, Roles, document, where) for found in error.errors(include_url=False)]) from error


def _read(path: Path) -> YamlDocument:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputRefused(f"{path.name} cannot be read: {error.strerror}", where=str(path), fix="put the file there") from error
    return _document(content, name=path.name, where=str(path))


def _document(content: bytes, *, name: str, where: str) -> YamlDocument:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(f"{name} is not UTF-8 text: byte {error.start + 1}", where=where, fix="save it as UTF-8") from error
    return load_yaml(text, where=name)


def _valid_sections(kind: type[Charter], said: Any) -> Charter:
    """Build a charter of those sections alone that are valid by themselves, so that a typo in one does not hide what is wrong with another."""
    valid: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        with suppress(ValidationError, KeyError, TypeError):
            valid[name] = TypeAdapter[Any](field.rebuild_annotation()).validate_python(said[name])
    return kind.model_construct(**valid)


def _place(dotted: str, value: Any) -> Place:
    """Find the place that dotted words name in a value; names of classes may hold points and digits themselves."""
    if not dotted:
        return ()
    part, _, rest = dotted.partition(".")
    if isinstance(value, dict):
        part = max((name for name in value if dotted == name or dotted.startswith(f"{name}.")), key=len, default=part)
        return part, *_place(dotted[len(part) + 1 :], value.get(part))
    at = int(part) if part.isdecimal() else part
    return at, *_place(rest, value[at] if isinstance(value, list) and isinstance(at, int) and at < len(value) else None)
