"""What the benchmark of orchestration takes for the same work."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from artifacts import Run, a_project, a_run

from poc import layout
from poc.rules.evidence import Variants


@pytest.fixture
def bench() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "overhead.py"))


@pytest.fixture
def run(repository: Path) -> Run:
    """Stand in a project with a run up to the gate's door."""
    return a_run(a_project(repository) / "run")


def test_two_runs_that_did_the_same_differ_in_nothing(bench: dict[str, Any], run: Run) -> None:
    steps = ("charter", "ingest", "compress", "evaluate")
    found = bench["digests"](run.report(step) for step in steps)
    assert {"data/train.parquet", "sealed_labels/labels.parquet", "variants/variants.json", "candidate/candidate.json", "candidate/model.onnx"} <= set(found)
    assert bench["differing"](found, dict(found)) == []


def test_another_file_and_a_missing_one_are_both_named(bench: dict[str, Any], run: Run) -> None:
    before = bench["digests"]([run.report("compress"), run.report("evaluate")])
    run.write("compress", {layout.VARIANTS_JSON: Variants(variants=[]).model_dump_json(indent=2).encode()})
    after = bench["digests"]([run.report("compress")])
    assert bench["differing"](before, after) == ["candidate/candidate.json", "candidate/model.onnx", "variants/variants.json"]


def test_what_holds_times_is_not_compared(bench: dict[str, Any], run: Run) -> None:
    found = bench["digests"](run.report(step) for step in ("benchmark", "evaluate", "replay"))
    assert [file for file in found if file.endswith((layout.TIMINGS_JSON, layout.EVALUATION_JSON, layout.REHEARSAL_JSON))] == []
