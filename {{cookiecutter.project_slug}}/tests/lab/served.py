"""A server with an input contract, for clients that other people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_models import INPUTS, TORQUE, TYPE, WEAR, a_candidate, start_server

from poc import layout
from poc.rules.evidence import Candidate
from poc.tools import files

NAME = "stop-bad-parts"
TERMS = {
    TORQUE: {"minimum": 0, "maximum": 120, "may_be_missing": False, "max_age_seconds": 60},
    WEAR: {"minimum": 0, "minimum_is_strict": True},
    TYPE: {"one_of": ["H", "L", "M"]},
}


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a small model; yield the port, and see that the server lived to be stopped without a word."""
    candidate = a_candidate(folder / "candidate")
    frozen = files.read_record(candidate / layout.CANDIDATE_JSON, Candidate)
    inputs = [each.model_copy(update=TERMS[each.name]) for each in INPUTS]
    files.write_record(candidate / layout.CANDIDATE_JSON, frozen.model_copy(update={"inputs": inputs}))
    process, port = start_server(candidate, folder)
    try:
        yield port
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, b"")
