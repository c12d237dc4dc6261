"""Judge every variant on dev in money and limits, and freeze the cheapest that is expected to meet them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.rules.assessing import assess
from poc.rules.charter import BinaryCharter, Charter
from poc.rules.contract import agreed_inputs
from poc.rules.counts import counted_shares
from poc.rules.curve import value_curve
from poc.rules.evidence import AtHalf, Candidate, Confusion, Evaluation, Number, Timings, Variant, Variants
from poc.rules.oip import infer_request, just_arrived
from poc.rules.pareto import full_picture
from poc.rules.selection import choose
from poc.rules.thresholds import confusion_at
from poc.rules.trade_off import cost_against_worth, latency_against_worth
from poc.rules.value import threshold_by_costs, worth
from poc.rules.verdict import judge_money, judge_shares, overall
from poc.steps.inputs import Rows, charter_of, rows_of
from poc.steps.perform import Result
from poc.tools import expectations, files, pages
from poc.tools.onnx_runtime import Scorer


def evaluate(*, agreement: Path, data: Path, variants: Path, timings: Path, candidate: Path) -> Result:
    """Write each variant's assessment and freeze one: bytes, calibration and what decides, by digest."""
    charter = charter_of(agreement)
    seed = charter.data.split_seed  # agreed with the sponsor, so that no builder can draw again
    made = {variant.name: variant for variant in files.read_record(variants / layout.VARIANTS_JSON, Variants).variants if variant.is_made}
    measured = files.read_record(timings / layout.TIMINGS_JSON, Timings)
    assessed = [assess(variant, measured.speeds(name), charter, seed) for name, variant in made.items() if variant.dev]
    chosen, why = choose(assessed)
    variant = made[chosen.variant]
    dev = rows_of(data, "dev", charter)
    thresholds = _other_thresholds(variant, Scorer(variants / str(variant.file)).answers(dev.tensors), dev, charter, seed)
    evaluation = Evaluation(assessments=assessed, frozen=variant.name, why=why, **thresholds)
    files.write_record(candidate / layout.EVALUATION_JSON, evaluation)
    files.write_atomically(candidate / layout.COST_SVG, pages.picture_file(full_picture(cost_against_worth(charter, evaluation))))
    files.write_atomically(candidate / layout.LATENCY_SVG, pages.picture_file(full_picture(latency_against_worth(charter, evaluation, measured))))
    _freeze(variant, charter, agreement, variants, dev, candidate)
    return Result(
        headline=why,
        numbers=[
            *(Number(name=f"dev_{share.name}", value=share.errors / share.rows, unit="share") for share in counted_shares(charter, chosen.counted)),
            Number(name="dev_money", value=chosen.money.per_period.middle, unit=f"{chosen.money.currency} per {chosen.money.period}"),
            Number(name="chance_of_go", value=chosen.chance_of_go, unit="share"),
        ],
    )


def _other_thresholds(variant: Variant, answers: NDArray[np.float32], dev: Rows, charter: Charter, seed: int) -> dict[str, Any]:
    """Say what other thresholds than the chosen one would be worth; nothing where no threshold decides."""
    if not isinstance(charter, BinaryCharter) or variant.threshold is None:
        return {"at_half": None, "curve": [], "threshold_by_costs": None}
    return {
        "at_half": _at_half(confusion_at(answers, dev.labels, 0.5, dev.groups), charter, seed),
        "curve": value_curve(answers, dev.labels, charter, groups=dev.groups, chosen=variant.threshold, seed=seed),
        "threshold_by_costs": threshold_by_costs(charter, float(np.mean(dev.labels))),
    }


def _at_half(seen: Confusion, charter: BinaryCharter, seed: int) -> AtHalf:
    """Judge what the usual metric at the usual threshold would have hidden."""
    rows, money = seen.positives + seen.negatives, worth(charter, seen, seed=seed)
    limits = [*judge_shares(charter, seen, charter.timebox.looks), *judge_money(money)]
    accuracy = 1 - (seen.missed + seen.false_alarms) / rows if rows else float("nan")
    return AtHalf(accuracy=accuracy, confusion=seen, limits=limits, money=money.per_period, overall=overall(limits))


def _freeze(variant: Variant, charter: Charter, agreement: Path, variants: Path, dev: Rows, candidate: Path) -> None:
    bytes_ = (variants / str(variant.file)).read_bytes()
    files.write_atomically(candidate / layout.CANDIDATE_MODEL, bytes_)
    inputs = agreed_inputs(charter.features, expectations.of_suite((agreement / layout.SUITE_JSON).read_bytes()), passed=[dev.tensors])
    frozen = Candidate(
        project=charter.project,
        charter_sha256=files.sha256_of_file(agreement / layout.CHARTER_JSON),
        variant=variant.name,
        family=variant.family,
        technique=variant.technique,
        model_sha256=files.sha256_of(bytes_),
        threshold=variant.threshold,
        by_cost=variant.by_cost,
        calibration=variant.calibration,
        inputs=inputs,
    )
    files.write_record(candidate / layout.CANDIDATE_JSON, frozen)
    sample = {name: values[:1] for name, values in dev.tensors.items()}
    files.write_atomically(candidate / layout.SAMPLE_REQUEST, infer_request(sample, inputs, just_arrived(inputs)))
