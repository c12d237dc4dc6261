"""Write an MLflow version with all evidence: the bytes that were judged, the verdict, the brief and the model card."""

from __future__ import annotations

import os
from pathlib import Path

from poc import layout
from poc.errors import EnvironmentRefused, PocError
from poc.rules import guards
from poc.rules.answers import output_of
from poc.rules.brief import Judged
from poc.rules.describe import description, in_one_line
from poc.rules.evidence import Candidate, Evaluation, Rehearsal, Report, Signoff, Splits, Timings, Verdict, Version
from poc.rules.markdown import GAP
from poc.rules.model_card import model_card
from poc.rules.words import listed
from poc.rules.write_brief import brief_of
from poc.steps import PRODUCER
from poc.steps.inputs import charter_of, signoff_of
from poc.steps.judged import candidate_digest, check_evidence
from poc.steps.perform import Result
from poc.tools import files, pages, tracking

ALIAS = "candidate"


def register(
    *,
    agreement: Path,
    data: Path,
    validation: Path,
    models: Path,
    graphs: Path,
    variants: Path,
    timings: Path,
    candidate: Path,
    rehearsal: Path,
    verdict: Path,
    version: Path,
) -> Result:
    """Register the candidate; the alias `candidate` unless the verdict is NO-GO."""
    evidence = {
        "agreement": agreement,
        "data": data,
        "validation": validation,
        "models": models,
        "graphs": graphs,
        "variants": variants,
        "timings": timings,
        "candidate": candidate,
        "rehearsal": rehearsal,
        "verdict": verdict,
    }
    check_evidence(evidence)
    charter, frozen = charter_of(agreement), files.read_record(candidate / layout.CANDIDATE_JSON, Candidate)
    found = files.read_record(verdict / layout.VERDICT_JSON, Verdict)
    guards.digests_agree([] if found.candidate_sha256 == candidate_digest(candidate) else ["the verdict speaks of another candidate"])
    run_id = os.environ.get("MLFLOW_RUN_ID", "")
    if not run_id:
        raise EnvironmentRefused("there is no MLflow run to register from", where="MLFLOW_RUN_ID", fix="poc run --candidate, which opens one")
    judged = Judged(
        charter=charter,
        candidate=frozen,
        verdict=found,
        evaluation=files.read_record(candidate / layout.EVALUATION_JSON, Evaluation),
        timings=files.read_record(timings / layout.TIMINGS_JSON, Timings),
        splits=files.read_record(data / layout.SPLITS_JSON, Splits),
        rehearsal=files.read_record(rehearsal / layout.REHEARSAL_JSON, Rehearsal),
        data_card=_data_card(agreement),
        signoff=signoff_of(agreement),
        judged_on=files.read_record(verdict / layout.REPORT, Report).started_at.partition("T")[0],
    )
    page = _write_pages(judged, version)
    tracking.log_evidence(run_id, "register", version)  # before a version points at it
    tracking.complete_evidence(run_id, {PRODUCER[artifact]: {artifact: folder} for artifact, folder in evidence.items()})
    alias = None if found.overall == "NO-GO" else ALIAS
    known = tracking.find_version(charter.project, run_id, found.candidate_sha256, found.overall)
    model, features = candidate / layout.CANDIDATE_MODEL, [(each.name, each.kind) for each in frozen.inputs]
    output = (output_of(frozen), len(frozen.by_cost.classes) if frozen.by_cost else 1)
    source = known.source if known else tracking.log_model(run_id, model, features=features, output=output)
    held = files.sha256_of(tracking.model_bytes(source))
    guards.digests_agree([] if held == frozen.model_sha256 else ["the model that MLflow holds is not the one that was judged"])
    registered = known or tracking.create_version(
        charter.project, run_id, source, tags=_tags(frozen, found, judged.signoff), description=f"{page}\n{GAP}\n\n{_link(run_id)}\n"
    )
    if alias:
        tracking.set_alias(charter.project, alias, registered.version)
    else:
        tracking.withdraw_alias(charter.project, ALIAS, found.candidate_sha256)
    tracking.set_verdict(run_id, found.overall, note=f"{in_one_line(found)} [Version {registered.version}]({registered.version_url})")
    told = _tell_what_is_signed(charter.project)
    files.write_record(
        version / layout.VERSION_JSON,
        Version(
            model=charter.project,
            version=registered.version,
            run_id=run_id,
            verdict=found.overall,
            alias=alias,
            model_sha256=frozen.model_sha256,
            run_url=tracking.run_url(run_id),
            version_url=registered.version_url,
        ),
    )
    return Result(headline=f"{charter.project} version {registered.version}, verdict {found.overall}, " + (f"alias {alias}" if alias else "no alias") + told)


def _tell_what_is_signed(project: str) -> str:
    """Bring to MLflow's copy of the ledger what was signed here, such as the charter, so that its page knows; what stands in the way costs no version."""
    if not any(layout.SIGNOFFS.glob("*.json")):
        return ""
    from poc.steps.copies import tell_mlflow  # what verifies is not loaded where nothing is signed

    try:
        told = tell_mlflow(Path.cwd(), project)
    except PocError as error:
        return f"; MLflow does not know yet what is signed: {error.problems[0].what} (by hand: poc verify --push)"
    return f"; MLflow knows now of {listed([entry.where for entry in told])}" if told else ""


def _write_pages(judged: Judged, version: Path) -> str:
    """Write the brief in both forms and the model card; return the brief's Markdown."""
    brief = brief_of(judged)
    page = description(brief)
    written = {layout.BRIEF_HTML: pages.brief_page(brief), layout.BRIEF_MD: page.encode(), layout.MODEL_CARD: model_card(judged, brief).encode()}
    for name, content in written.items():
        files.write_atomically(version / name, content)
    return page


def _link(run_id: str) -> str:
    return f"[The same as one page, to mail and to print]({tracking.evidence_url(run_id, 'register', layout.BRIEF_HTML)})."


def _data_card(agreement: Path) -> str | None:
    card = agreement / layout.DATA_CARD_MD
    return card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None  # by now a look is spent: a stray byte must not cost the version


def _tags(frozen: Candidate, found: Verdict, signoff: Signoff) -> dict[str, str]:
    return {
        "verdict": found.overall,
        "poc.charter_sha256": frozen.charter_sha256,
        "poc.candidate_sha256": found.candidate_sha256,
        "poc.model_sha256": frozen.model_sha256,
        "poc.sealed_sha256": found.sealed_sha256,
        **({"poc.threshold": repr(frozen.threshold)} if frozen.threshold is not None else {}),
        "poc.variant": frozen.variant,
        "poc.draft": signoff.tag,
    }
