"""End the run in the verdict's words and with its exit code, everything recorded before."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.errors import NotProven, PocError, Refused
from poc.rules import guards
from poc.rules.describe import in_one_line
from poc.rules.evidence import Record, Verdict, Version
from poc.rules.verdict import overall
from poc.steps.judged import check_reports
from poc.steps.perform import Result
from poc.tools import files


class Decision(Record):
    """What the run ends with."""

    verdict: str
    meaning: str
    model: str
    version: str


def decide(*, verdict: Path, version: Path, decision: Path) -> Result:
    """Write the decision and raise unless the verdict is GO, by its own limits and as it was registered."""
    check_reports({"verdict": verdict, "version": version})
    found = files.read_record(verdict / layout.VERDICT_JSON, Verdict)
    registered = files.read_record(version / layout.VERSION_JSON, Version)
    agree = overall(found.limits) == found.overall == registered.verdict
    guards.digests_agree(
        [] if agree else [f"the verdict says {found.overall}, its limits {overall(found.limits)}, the registered version {registered.verdict}"]
    )
    meaning = in_one_line(found)
    files.write_record(decision / layout.DECISION_JSON, Decision(verdict=found.overall, meaning=meaning, model=registered.model, version=registered.version))
    return Result(headline=meaning, raises=_raised(found, meaning))


def _raised(found: Verdict, meaning: str) -> PocError | None:
    if found.overall == "GO":
        return None
    if found.overall == "NOT PROVEN":
        return NotProven(
            meaning,
            where=", ".join(found.unproven),
            fix="gather the missing evidence, in shadow or on the charter's hardware; or agree, in a new version, a limit that fresh rows can show",
            code="not_proven",
        )
    broken = ", ".join(limit.name for limit in found.limits if limit.verdict == "NO-GO")
    return Refused(meaning, where=broken, fix="improve what is named and bring fresh sealed rows, or stop", code="no_go")
