"""A frozen candidate, read once: its record, and the very bytes that the record names."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.errors import Refused
from poc.rules import guards
from poc.rules.evidence import Candidate
from poc.tools import files


def frozen_model(candidate: Path) -> tuple[Candidate, bytes]:
    """Return the record and the model's bytes; what is checked here is what the caller loads.

    Raises:
        Refused: a file is missing, or the bytes are not those that were frozen.
    """
    record = files.read_record(candidate / layout.CANDIDATE_JSON, Candidate)
    path = candidate / layout.CANDIDATE_MODEL
    if not path.is_file():
        raise Refused(f"{path.name} is missing", where=str(candidate), fix="run the step that writes it again: poc run", code="evidence_is_missing")
    content = path.read_bytes()
    guards.digests_agree([] if files.sha256_of(content) == record.model_sha256 else [f"{path} is not the model that {layout.CANDIDATE_JSON} names"])
    return record, content
