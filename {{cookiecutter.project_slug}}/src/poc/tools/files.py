"""Files: atomic writes, digests, and records as JSON (standard library and pydantic only)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from poc.errors import Refused

R = TypeVar("R", bound=BaseModel)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record as JSON, keys in the order of its class."""
    write_atomically(path, (record.model_dump_json(indent=1) + "\n").encode())


def read_record(path: Path, kind: type[R], *, parse: Callable[[bytes], R] | None = None) -> R:
    """Read a record; `parse` where it takes more than the kind's own validation.

    Raises:
        Refused: the file is missing, or is not such a record.
    """
    if not path.is_file():
        raise Refused(f"{path.name} is missing", where=str(path.parent), fix="run the step that writes it again: poc run", code="evidence_is_missing")
    try:
        return (parse or kind.model_validate_json)(path.read_bytes())
    except ValidationError as error:
        raise Refused(
            f"{path.name} is not a {kind.__name__}: {error.errors()[0]['msg']}",
            where=str(path),
            fix="run the step that writes it again: poc run",
            code="evidence_is_malformed",
        ) from error


def canonical_json(record: BaseModel) -> bytes:
    """Write a record so that equal records have equal bytes: sorted keys, compact, ASCII."""
    return json.dumps(record.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


def sha256_of(content: bytes) -> str:
    """Digest bytes; 64 hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Digest a file without reading it whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_files(folder: Path, *, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Digest every file below a folder, by its path relative to it."""
    return {str(path.relative_to(folder)): sha256_of_file(path) for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in without}


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What lies below a folder: the sha256 of each plain file by its POSIX path relative to it, and what is none, such as a link."""

    files: dict[str, str]
    strange: list[str]


def tree_of(folder: Path) -> Tree:
    """Digest every plain file below a folder, hidden ones too, and name all else but folders; nothing is followed."""
    tree = Tree(files={}, strange=[str(folder.name)] if folder.is_symlink() else [])
    for path in sorted(folder.rglob("*")) if not tree.strange else ():
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            tree.strange.append(name)
        elif path.is_file():
            tree.files[name] = sha256_of_file(path)
    return tree
