"""The evidence of a version as MLflow holds it, held against itself: reports against files, and the verdict against the figures it was reached by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from poc import layout
from poc.errors import PocError
from poc.rules.charter import Charter
from poc.rules.evidence import Candidate, LimitVerdict, Report, Verdict
from poc.rules.signoff.consistent import (
    candidate_was_frozen_under,
    candidate_was_judged,
    files_are_as_reported,
    limits_follow_from_figures,
    looks_are_agreed,
    model_is_the_candidate,
)
from poc.rules.signoff.reasons import Finding
from poc.rules.verdict import judge
from poc.steps import PRODUCER, STEP
from poc.steps.judged import candidate_digest, speeds_of
from poc.tools import files

#: The steps that a version rests on, in their order.
RESTS_ON = tuple(dict.fromkeys(PRODUCER[artifact] for artifact in STEP["register"].inputs))


def contradictions(model: Path, evidence: Path, charter: Charter, verdict: Verdict) -> Iterator[Finding]:
    """List where a version's model and evidence do not belong together; what the rows were is not to be seen from here.

    Raises:
        PocError: there is no candidate, or it cannot be read.
    """
    frozen = evidence / "evaluate"
    candidate = files.read_record(frozen / layout.CANDIDATE_JSON, Candidate)
    yield from model_is_the_candidate(_digest(model / layout.CANDIDATE_MODEL), candidate)
    yield from candidate_was_judged(candidate_digest(frozen), verdict)
    yield from candidate_was_frozen_under(_digest(evidence / "charter" / layout.CHARTER_JSON), candidate)
    yield from files_are_as_reported(list(_differences(evidence)))
    yield from limits_follow_from_figures(verdict.limits, _judged_again(evidence, charter, candidate, verdict))
    yield from looks_are_agreed(charter, verdict)


def _judged_again(evidence: Path, charter: Charter, candidate: Candidate, verdict: Verdict) -> Sequence[LimitVerdict]:
    """Judge every limit from what was counted, drawn and timed; nothing where that cannot be judged at all."""
    try:
        return judge(charter, verdict.counted, verdict.money, speeds_of(charter, candidate, evidence / "benchmark", evidence / "replay"))
    except (PocError, ArithmeticError, LookupError, TypeError, ValueError):
        return ()


def _differences(evidence: Path) -> Iterator[str]:
    """List reports that are missing, files that are not as their step wrote them, are gone or came later, and steps that were made from something else."""
    for step in RESTS_ON:
        try:
            report = files.read_record(evidence / step / layout.REPORT, Report)
        except PocError:
            yield f"that of {step} is missing"
            continue
        if (report.step, report.status) != (step, "done"):
            yield f"that of {step} is of {report.step}, {report.status}"
        written, there = _logged(report), files.sha256_of_files(evidence / step)
        there.pop(layout.REPORT)
        yield from (f"{step}/{name}" for name in sorted(written.keys() | there.keys()) if written.get(name) != there.get(name))
        for artifact, digest in report.inputs.items():
            producer = PRODUCER.get(artifact, "")
            if not producer or (STEP[producer].outputs[0] == artifact and _digest(evidence / producer / layout.REPORT) != digest):
                yield f"{step} was made from another {artifact}"


def _logged(report: Report) -> dict[str, str]:
    """Return what a step wrote as far as MLflow gets it: the files of its artifacts' own folders that people can read, sealed labels never."""
    paths = {PurePosixPath(name): digest for name, digest in report.outputs.items()}
    return {path.name: digest for path, digest in paths.items() if len(path.parts) == 2 and path.parts[0] != "sealed_labels" and path.suffix in layout.SHOWN}


def _digest(path: Path) -> str:
    return files.sha256_of_file(path) if path.is_file() else ""
