"""The model card: what whoever has to run, check or replace the model asks of it, after M. Mitchell et al., "Model Cards for Model Reporting" (2019)."""

from __future__ import annotations

from poc.rules import words
from poc.rules.brief import Brief, Judged
from poc.rules.charter import BinaryCharter, Feature
from poc.rules.counts import ALL_ROWS
from poc.rules.evidence import Calibration, Split
from poc.rules.markdown import GAP, page, table, text
from poc.rules.people import errors_counted
from poc.rules.silence import without_late_features
from poc.rules.words import bounded, sentence
from poc.rules.write_brief import decides


def model_card(judged: Judged, brief: Brief) -> str:
    """Write the card in Markdown, from the records that the brief is written from."""
    charter = judged.charter
    return page(
        [
            f"# Model card: {text(charter.project)}",
            f"{brief.verdict}. {text(brief.meaning)} **{brief.agreed}:** {text(brief.drafts)}",
            "## Details",
            table(("what", "this model"), _details(judged)),
            GAP,
            "## Intended use",
            f"**Decision:** {text(charter.decision.question)}",
            f"**Who decides:** {text(charter.decision.decider)}",
            f"**{'On an alert' if isinstance(charter, BinaryCharter) else 'What follows'}:** {text(charter.decision.on_alert)}",
            f"**Without an answer:** {text(charter.decision.fallback)}",
            "**Out of scope:** any other decision, decider or kind of row than these; rows in which a feature arrives later than declared below; "
            "acting without the person who decides. Nothing here was measured on any of it.",
            "## Features",
            table(("feature", "kind", "source", "arrives", "owner"), [_feature(each) for each in charter.features]),
            GAP,
            "Columns that are not listed were not used: " + (text(", ".join(judged.splits.ignored_columns)) or "there are none") + ".",
            "## Data",
            text(brief.data),
            table(("rows", "in all", *_sorts(judged), "SHA-256"), _splits(judged)),
            GAP,
            f"Split: {text(judged.splits.how)}. Near-duplicates across splits: {text(_near_duplicates(judged))}.",
            "## Evaluation",
            table(("rows", "errors", "counted", "share", "could be"), _errors(judged)),
            GAP,
            text(brief.limits_caption) + ":",
            table(
                ("limit", "verdict", "measured", "could be", "agreed"),
                [(each.name, each.verdict, each.measured, each.bounds or "exact", each.allowed) for each in brief.limits],
            ),
            GAP,
            text(brief.thresholds_said),
            text(f"{brief.money.figure} {brief.money.unit} against today's process. {brief.money.bounds}. {brief.money.said}"),
            text(_replayed(judged)),
            "## Variants",
            table(("variant", "against it", f"a million calls, {charter.value.currency}", f"money on dev, {judged.unit}"), _variants(judged)),
            GAP,
            text(f"{brief.variant_said} {brief.speed_said}"),
            "## Caveats",
            "\n".join(f"- {text(each)}" for each in brief.not_proven),
            "- Errors were counted over all rows together: nothing here says how they are spread over groups of people or things."
            if not charter.data.group
            else f"- Rows that share {text(charter.data.group)} count together in the bounds.",
            "## Digests",
            table(("of", "SHA-256"), brief.digests),
        ]
    )


def _details(judged: Judged) -> list[tuple[str, str]]:
    candidate = judged.candidate
    return [
        ("project, charter version", f"{candidate.project}, {judged.charter.version}"),
        ("judged on", judged.judged_on),
        ("family", candidate.family),
        ("variant", f"{candidate.variant} ({candidate.technique}), one ONNX file"),
        (
            "answers with",
            f"{_calibrated(judged.charter.problem, candidate.calibration)}, inside the file",
        ),
        ("raises an alert", f"from probability {candidate.threshold:.6g} on") if candidate.threshold is not None else ("decides", decides(candidate)),
        ("why this variant", judged.evaluation.why),
        ("timed on", judged.timed_on),
    ]


def _calibrated(problem: str, calibration: Calibration) -> str:
    """Say what is done to a raw answer."""
    slope, intercept = f"{calibration.slope:.4g}", f"{calibration.intercept:.4g}"
    said = {
        "binary": f"a calibrated probability: sigmoid({slope} * logit(raw) + {intercept})",
        "multiclass": f"calibrated probabilities, one for each class: softmax({slope} * log(raw))",
    }
    return said.get(problem) or f"an amount: {slope} * raw + {intercept}" + (", not below 0" if problem == "count" else "")


def _feature(feature: Feature) -> tuple[str, ...]:
    late = f", {feature.delay_seconds:,} s later" if feature.delay_seconds else ""
    return feature.name, feature.kind, feature.source, words.in_words(feature.available) + late, feature.owner


def _splits(judged: Judged) -> list[tuple[str, ...]]:
    splits: dict[str, Split] = {"train": judged.splits.train, "dev": judged.splits.dev, "sealed": judged.splits.sealed}
    return [(name, f"{split.rows:,}", *(f"{split.counts[sort]:,}" for sort in _sorts(judged).values()), split.sha256) for name, split in splits.items()]


def _sorts(judged: Judged) -> dict[str, str]:
    """Return the sorts of rows that the card counts in each split, by what people call them."""
    if isinstance(judged.charter, BinaryCharter):
        return {judged.positives: "positives"}
    return {sort: sort for sort in judged.splits.sealed.counts if sort != ALL_ROWS}


def _near_duplicates(judged: Judged) -> str:
    found = [f"{name} {seen.found:,} of {seen.rows:,}, {seen.by_chance:,} by chance alone" for name, seen in judged.splits.near_duplicates.items()]
    return "; ".join(found) or "not looked for"


def _errors(judged: Judged) -> list[tuple[str, ...]]:
    evaluation = judged.evaluation
    dev = next(each for each in evaluation.assessments if each.variant == evaluation.frozen)
    return [*errors_counted(judged, "dev", dev.counted, dev.limits), *errors_counted(judged, "sealed", judged.verdict.counted, judged.verdict.limits)]


def _variants(judged: Judged) -> list[tuple[str, ...]]:
    """List every variant with what speaks against it, what its calls cost and what it is worth, both with their bounds."""
    return [(each.variant, each.why_not, bounded(each.cost_per_million), bounded(each.money.per_period, signed=True)) for each in judged.evaluation.assessments]


def _replayed(judged: Judged) -> str:
    seen = judged.rehearsal
    late = without_late_features(seen, judged.unit)
    return (
        f"Through the real server, one by one, {seen.rows:,} dev rows got the answers of the batch path, {seen.decisions_differing} decisions differing; "
        f"half of the requests took at most {seen.request_p50_ms:.3g} ms, 99 of 100 at most {seen.request_p99_ms:.3g} ms."
        + (f" {sentence(late)}" if late else "")
    )
