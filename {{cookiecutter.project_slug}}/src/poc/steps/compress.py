"""Make every variant that can help: graph-optimised, int8, thinned; one that cannot be made is recorded with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from poc import layout
from poc.problem.model import families_for
from poc.rules import guards
from poc.rules.answers import compare, count, count_invalid
from poc.rules.charter import Charter
from poc.rules.counts import counted_shares
from poc.rules.evidence import Counted, Deciding, Errors, FittedModel, Graphs, Models, Number, Parity, Splits, Technique, Variant, Variants
from poc.rules.thresholds import chance_of_go
from poc.steps.export import export_one
from poc.steps.fitting import fit
from poc.steps.inputs import Rows, charter_of, params_of, rows_of
from poc.steps.parity import awkward_rows, compare_alone
from poc.steps.perform import Result
from poc.tools import files, quantization
from poc.tools.onnx_runtime import Scorer

Make = Callable[[Path, Path], Any]


def compress(*, agreement: Path, data: Path, models: Path, graphs: Path, variants: Path) -> Result:
    """Write the ladder of variants with size, parity with the float32 graph, and decisions on dev."""
    charter, params = charter_of(agreement), params_of(agreement)
    splits = files.read_record(data / layout.SPLITS_JSON, Splits)
    train, dev = rows_of(data, "train", charter), rows_of(data, "dev", charter)
    ladder: list[Variant] = []
    fitted = files.read_record(models / layout.MODELS_JSON, Models).models
    parents = {graph.model: graphs / graph.file for graph in files.read_record(graphs / layout.GRAPHS_JSON, Graphs).graphs}
    for model in fitted:
        for name, build in families_for(charter.problem)[model.family].thinned.items():
            try:
                thin = fit(
                    name,
                    model.family,
                    build,
                    is_neural=model.is_neural,
                    thinned_from=model.name,
                    charter=charter,
                    params=params,
                    train=train,
                    dev=dev,
                    splits=splits,
                    into=variants,
                )
            except ValueError as error:  # what scikit-learn raises when a model cannot be fitted to these rows
                ladder.append(_not_made(_facts(model, "thinned", name), f"it could not be fitted: {error}"))
                continue
            estimator = variants / thin.file
            export_one(thin, estimator, charter, awkward_rows(train, dev), variants)
            estimator.unlink()
            parents[name] = variants / f"{name}.onnx"
            fitted = [*fitted, thin]
    calibration_rows = [
        {name: values[at : at + 64] for name, values in train.tensors.items()} for at in range(0, min(params.calibration_rows, len(train.labels)), 64)
    ]
    for model in fitted:
        for technique, make in _techniques(model, calibration_rows).items():
            ladder.append(_variant(model, technique, make, parents[model.name], train, dev, charter, splits, variants))
    files.write_record(variants / layout.VARIANTS_JSON, Variants(variants=ladder))
    made = [variant for variant in ladder if variant.is_made]
    return Result(
        headline=f"{len(made)} variants made, {len(ladder) - len(made)} could not be; {min(made, key=lambda v: v.size_bytes or 0).name} is the smallest",
        numbers=[Number(name=f"{variant.name}_size", value=(variant.size_bytes or 0) / 1e6, unit="MB") for variant in made],
    )


def _techniques(model: FittedModel, calibration_rows: list[dict[str, Any]]) -> dict[Technique, Make]:
    """List what is tried on one model's float32 graph, from the plainest on."""
    first: Technique = "thinned" if model.thinned_from else "float32"
    return {
        first: lambda source, target: target.write_bytes(source.read_bytes()),
        "graph-optimised": quantization.optimise,
        "int8-dynamic": quantization.quantise_dynamic,
        "int8-static": lambda source, target: quantization.quantise_static(source, target, calibration_rows),
    }


def _variant(
    model: FittedModel, technique: Technique, make: Make, parent: Path, train: Rows, dev: Rows, charter: Charter, splits: Splits, into: Path
) -> Variant:
    facts = _facts(model, technique, model.name)
    name = facts["name"]
    path = into / f"{name}.onnx"
    try:
        make(parent, path)
    except quantization.VariantNotMade as reason:
        path.unlink(missing_ok=True)
        return _not_made(facts, str(reason))
    rows, scorer, of_dev = awkward_rows(train, dev), Scorer(path), slice(len(train.labels), len(train.labels) + len(dev.labels))
    expected = Scorer(parent).answers(rows)
    try:
        answered = scorer.answers(rows)
    except Exception as error:  # ONNX Runtime raises bare exceptions of many kinds; it writes int8 products of a single column that it then cannot run
        if not technique.startswith("int8"):
            raise
        path.unlink()
        return _not_made(facts, f"ONNX Runtime cannot run what it quantized: {str(error).rpartition(':')[2].strip()}")
    guards.answers_are_valid(name, *count_invalid(model, answered))
    if technique.startswith("int8"):
        alone = compare_alone(scorer, rows, answered, model)
        if alone.decisions_flipped or alone.largest_difference > guards.PARITY_DIFFERENCE:
            path.unlink()
            return _not_made(facts, _depends_on_company(alone))
    on_dev, parents = (
        count(charter, model, answers[of_dev], dev.labels, groups=dev.groups, usual_amount=splits.usual_amount) for answers in (answered, expected)
    )
    return Variant(
        **facts | {"predicted_chance_of_go": _chance(model, on_dev, parents, charter, splits)},
        reason_not_made=None,
        file=path.name,
        sha256=files.sha256_of_file(path),
        size_bytes=path.stat().st_size,
        parity=compare(model, expected, answered),
        dev=on_dev,
    )


def _depends_on_company(alone: Parity) -> str:
    """Say why answers cannot be relied on: dynamic quantization scales activations by the largest value among the rows that are asked together."""
    return (
        f"a row's answer depends on the rows that are asked with it: alone, {alone.decisions_flipped} of {alone.rows} decisions flip "
        f"and answers differ by up to {alone.largest_difference:.2g}"
    )


def _chance(model: FittedModel, dev: Counted, parents: Counted, charter: Charter, splits: Splits) -> float:
    """Predict the chance of GO from the model's open rows, with as many more or fewer errors as the variant makes on dev."""
    if dev == parents:
        return model.predicted_chance_of_go
    more = {one.name: one.errors - other.errors for one, other in zip(counted_shares(charter, dev), counted_shares(charter, parents), strict=True)}
    shifted = {name: Errors(errors=int(np.clip(seen.errors + more[name], 0, seen.rows)), rows=seen.rows) for name, seen in model.limited.items()}
    return chance_of_go(charter, shifted, splits.sealed.evidence)


def _facts(model: FittedModel, technique: Technique, name: str) -> dict[str, Any]:
    return {
        "name": f"{name}.{technique}",
        "model": name,
        "family": model.family,
        "technique": technique,
        "calibration": model.calibration,
        **{name: getattr(model, name) for name in Deciding.model_fields},
        "predicted_chance_of_go": model.predicted_chance_of_go,
    }


def _not_made(facts: dict[str, Any], reason: str) -> Variant:
    return Variant(**facts, reason_not_made=reason, file=None, sha256=None, size_bytes=None, parity=None, dev=None)
