"""The evidence that a verdict and a version rest on: all there, and unchanged since it was written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, PocError
from poc.rules import guards
from poc.rules.charter import Charter
from poc.rules.evidence import Candidate, Rehearsal, Report, Speed, Timings
from poc.steps import PRODUCER, STEP
from poc.steps.inputs import charter_of
from poc.tools import files, strict_yaml


def check_evidence(folders: Mapping[str, Path]) -> None:
    """Check every artifact against its report, and the candidate against its bytes and its charter.

    Raises:
        Refused: a report is missing or not of a finished step, a digest differs, or a figure is not finite.
    """
    check_reports(folders)
    guards.digests_agree(_wrong_candidate(folders))


def check_reports(folders: Mapping[str, Path]) -> None:
    """Check every artifact against the report that its step left.

    Raises:
        Refused: a report is missing or not of a finished step, a digest differs, or a figure is not finite.
    """
    reports = {PRODUCER[artifact]: _report(folder) for artifact, folder in folders.items() if artifact == STEP[PRODUCER[artifact]].outputs[0]}
    guards.evidence_is_whole([f"the report of {step}" for step, report in reports.items() if report is None or report.status != "done"])
    found = {step: report for step, report in reports.items() if report is not None}
    guards.digests_agree(_changed(folders, found))
    guards.numbers_are_finite(
        {f"{step}: {number.name}": number.value for step, report in found.items() for number in report.numbers if not math.isfinite(number.value)}
    )


def _report(folder: Path) -> Report | None:
    try:
        return files.read_record(folder / layout.REPORT, Report)
    except PocError:
        return None


def _changed(folders: Mapping[str, Path], reports: Mapping[str, Report]) -> list[str]:
    """List files that are not as their step wrote them, are gone, or came later; and steps that read something else than lies here."""
    changed = []
    for artifact, folder in folders.items():
        prefix = f"{artifact}/"
        written = {name.removeprefix(prefix): digest for name, digest in reports[PRODUCER[artifact]].outputs.items() if name.startswith(prefix)}
        there = files.sha256_of_files(folder, without=frozenset({layout.REPORT}))
        changed += [f"{artifact}/{name}" for name in sorted(written.keys() | there.keys()) if written.get(name) != there.get(name)]
    for step, report in reports.items():
        for artifact, digest in report.inputs.items():
            report_file = folders[artifact] / layout.REPORT if artifact in folders else None
            if report_file is not None and report_file.is_file() and files.sha256_of_file(report_file) != digest:
                changed.append(f"{step} was made from another {artifact}")
    return changed


def _wrong_candidate(folders: Mapping[str, Path]) -> list[str]:
    candidate = files.read_record(folders["candidate"] / layout.CANDIDATE_JSON, Candidate)
    wrong = []
    if files.sha256_of_file(folders["candidate"] / layout.CANDIDATE_MODEL) != candidate.model_sha256:
        wrong.append("candidate/model.onnx is not the model that candidate.json names")
    if files.sha256_of_file(folders["agreement"] / layout.CHARTER_JSON) != candidate.charter_sha256:
        wrong.append("the candidate was frozen under another charter")
    if not _is_read_from(folders["agreement"]):
        wrong.append("agreement/charter.json is not what agreement/charter.yaml says")
    return wrong


def _is_read_from(agreement: Path) -> bool:
    """Say whether the charter that judges is the one that people sign."""
    try:
        return strict_yaml.load_charter(agreement / layout.CHARTER_YAML) == charter_of(agreement)
    except InputRefused:
        return False


def candidate_digest(folder: Path) -> str:
    """Digest a frozen candidate: everything that decides what it answers."""
    return files.sha256_of(files.canonical_json(files.read_record(folder / layout.CANDIDATE_JSON, Candidate)))


def speeds_of(charter: Charter, frozen: Candidate, timings: Path, rehearsal: Path) -> list[Speed]:
    """Return the candidate's speed on each target as the benchmark timed it, with the memory of the server that answered in replay."""
    measured = files.read_record(timings / layout.TIMINGS_JSON, Timings).speeds(frozen.variant)
    replayed = files.read_record(rehearsal / layout.REHEARSAL_JSON, Rehearsal)
    architectures = {hardware.name or "": hardware.architecture for hardware in charter.limits.hardware}
    return [_with_memory(speed, replayed, architectures.get(speed.target, "")) for speed in measured]


def _with_memory(speed: Speed, replayed: Rehearsal, architecture: str) -> Speed:
    """Take the memory that the server took in replay, unless that ran on another architecture: steps may run on machines of their own."""
    if speed.timing is None:
        return speed
    ran_on = replayed.machine.architecture
    memory_mb, why_not = (replayed.server_memory_mb, "") if ran_on == architecture else (math.nan, f"replay ran on {ran_on}, the charter says {architecture}")
    return speed.model_copy(update={"timing": speed.timing.model_copy(update={"memory_mb": memory_mb}), "not_timed": why_not})
