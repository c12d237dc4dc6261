"""Versions in a real MLflow as `register` leaves them, small and quick, and signed through where a test needs that."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from briefs import TOO_MANY, a_judged
from candidates import a_candidate
from rehearsals import a_rehearsal
from reports import write_reports

from poc import layout
from poc.rules.evidence import Candidate, Outcome, Verdict
from poc.rules.signoff import Facts, StageName
from poc.rules.write_brief import brief_of
from poc.steps import vouch
from poc.steps.judged import candidate_digest
from poc.tools import files, pages, tracking
from poc.tools.tracking.connection import connect
from signoffs import LOOKED_AT, PROJECT, a_ledger, address, agreed, lay_down, plain_agreed

#: The charter's bytes, in a repository and in the evidence alike.
CHARTER = json.dumps(plain_agreed(), indent=1).encode()
#: What makes the plain candidate's verdict each of the three.
JUDGED: Mapping[Outcome, Mapping[str, object]] = {
    "GO": {},
    "NOT PROVEN": {"differences": ("cores: 2 agreed, 4 here",)},
    "NO-GO": {"confusion": TOO_MANY},
}


def a_registered_version(repository: Path, verdict: Outcome = "GO", *, trained_by: str = "bo", more: Mapping[str, bytes] | None = None) -> str:
    """Register a version whose model can be served, and write the charter into the repository; `more` are artifacts beside it, such as `stages/pilot/a.csv`."""
    (repository / layout.CHARTER).write_bytes(CHARTER)
    run_id = tracking.open_run(PROJECT, name="a run", candidate=True)
    client = connect()
    client.set_tag(run_id, "poc.trained_by", address(trained_by))
    with tempfile.TemporaryDirectory() as folder:
        wrote = write_version(verdict, Path(folder) / "logged")
        for name, content in (more or {}).items():
            files.write_atomically(Path(folder) / "logged" / name, content)
        client.log_artifacts(run_id, f"{folder}/logged")
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    tags = {"verdict": verdict, "poc.candidate_sha256": wrote.candidate_sha256, "poc.draft": "true"}
    version = tracking.create_version(PROJECT, run_id, source, tags=tags, description="a version").version
    if verdict != "NO-GO":
        tracking.set_alias(PROJECT, "candidate", version)
    client.set_terminated(run_id, "FINISHED")
    return version


def write_version(verdict: Outcome, logged: Path) -> Verdict:
    """Write model and evidence into a folder, as they lie there when a version is fetched; return the verdict."""
    judged = a_judged(**JUDGED[verdict], stages=plain_agreed()["stages"])  # type: ignore[arg-type]
    model, frozen = logged / "model", logged / "evidence/evaluate"
    for folder in (model, frozen):
        folder.mkdir(parents=True)
    a_candidate(frozen)
    (frozen / layout.CANDIDATE_MODEL).replace(model / layout.CANDIDATE_MODEL)
    charter_json, candidate = files.canonical_json(agreed()), files.read_record(frozen / layout.CANDIDATE_JSON, Candidate)
    frozen_as = candidate.model_copy(update={"variant": judged.candidate.variant, "charter_sha256": files.sha256_of(charter_json)})
    files.write_record(frozen / layout.CANDIDATE_JSON, frozen_as)
    memory_mb = judged.timings.targets[0].timings[0].memory_mb
    found = judged.verdict.model_copy(
        update={"first_look_at": LOOKED_AT.isoformat(), "candidate_sha256": candidate_digest(frozen), "looks_allowed": agreed().timebox.looks}
    )
    assert found.overall == verdict
    brief = brief_of(replace(judged, verdict=found))
    contents = {
        f"charter/{layout.CHARTER_YAML}": CHARTER,
        f"charter/{layout.CHARTER_JSON}": charter_json,
        f"gate/{layout.VERDICT_JSON}": found.model_dump_json(indent=1).encode(),
        f"replay/{layout.REHEARSAL_JSON}": a_rehearsal(server_memory_mb=memory_mb).model_dump_json(indent=1).encode(),
        f"benchmark/{layout.TIMINGS_JSON}": judged.timings.model_dump_json(indent=1).encode(),
        f"register/{layout.BRIEF_HTML}": pages.brief_page(brief),
        f"register/{layout.MODEL_CARD}": b"# A model\n",
    }
    for name, content in contents.items():
        files.write_atomically(logged / "evidence" / name, content)
    files.write_atomically(model / "MLmodel", b"flavors: {}\n")
    write_reports(logged / "evidence")
    return found


def facts_of(version: str) -> Facts:
    """Work out what MLflow holds of a version, as every program does."""
    with tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(PROJECT, version, Path(folder))
        return vouch.facts_of(Path(folder), version=at.version, trained_by=at.trained_by)


def a_signed_version(repository: Path, *, until: StageName = "production", verdict: Outcome = "GO") -> str:
    """Register a version, and sign every stage up to one in the repository's ledger, which goes on from version to version."""
    version, before = a_registered_version(repository, verdict), vouch.ledger_in(repository)
    lay_down(a_ledger(facts_of(version), since="shadow" if before else "charter", until=until, after=before), repository)
    return version
