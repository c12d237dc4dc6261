"""Climb down the ladder: make every variant that can help, and record one that cannot be made with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from poc import layout
from poc.problem.model import Smaller, families_for
from poc.rules.evidence import Graph, Graphs, Models, Number, Rung, Splits, Variant, Variants
from poc.rules.params import Params
from poc.steps.export import export_one
from poc.steps.fitting import fit
from poc.steps.inputs import charter_of, params_of, rows_of
from poc.steps.perform import Result
from poc.steps.rungs import Fitted, Judging, Make, judge_fitted, judge_rung, name_of, not_made
from poc.tools import files, quantization


def compress(*, agreement: Path, data: Path, models: Path, graphs: Path, variants: Path) -> Result:
    """Write the ladder of variants with size, parity with what each was made from, and decisions on dev."""
    charter, params = charter_of(agreement), params_of(agreement)
    splits = files.read_record(data / layout.SPLITS_JSON, Splits)
    judging = Judging.on(rows_of(data, "train", charter), rows_of(data, "dev", charter), charter=charter, splits=splits)
    makes = _makes(judging, params)
    converted = {graph.model: graph for graph in files.read_record(graphs / layout.GRAPHS_JSON, Graphs).graphs}
    ladder: list[Variant] = []
    for model in files.read_record(models / layout.MODELS_JSON, Models).models:
        family, graph = families_for(charter.problem)[model.family], converted[model.name]
        path = variants / f"{name_of(model, 'float32')}.onnx"
        path.write_bytes((graphs / graph.file).read_bytes())
        whole = judge_fitted(model, path, graph.parity, judging)
        ladder += [whole.variant, *(judge_rung(rung, makes[rung], whole, judging) for rung in family.rungs)]
        for name, smaller in family.smaller.items():
            ladder += _smaller(name, smaller, whole, judging, params, makes, variants)
    files.write_record(variants / layout.VARIANTS_JSON, Variants(variants=ladder))
    made = [variant for variant in ladder if variant.is_made]
    return Result(
        headline=f"{len(made)} variants made, {len(ladder) - len(made)} could not be; {min(made, key=lambda v: v.size_bytes or 0).name} is the smallest",
        numbers=[Number(name=f"{variant.name}_size", value=(variant.size_bytes or 0) / 1e6, unit="MB") for variant in made],
    )


def _makes(judging: Judging, params: Params) -> Mapping[Rung, Make]:
    """Say how each rung is made of a float32 graph; int8 is calibrated on train rows."""
    train = judging.train
    batches: list[dict[str, Any]] = [
        {name: values[at : at + 64] for name, values in train.tensors.items()} for at in range(0, min(params.calibration_rows, len(train.labels)), 64)
    ]
    return {
        "graph-optimised": quantization.optimise,
        "fp16": quantization.halve,
        "int8-dynamic": quantization.quantise_dynamic,
        "int8-static": lambda source, target: quantization.quantise_static(source, target, batches),
    }


def _smaller(name: str, smaller: Smaller, whole: Fitted, judging: Judging, params: Params, makes: Mapping[Rung, Make], into: Path) -> list[Variant]:
    """Fit a smaller model, with a calibration and a threshold of its own, and judge it and the rungs below it."""
    try:
        model = fit(
            name,
            whole.model.family,
            smaller.build,
            technique=smaller.technique,
            parent=whole.model.name,
            charter=judging.charter,
            params=params,
            train=judging.train,
            dev=judging.dev,
            splits=judging.splits,
            into=into,
        )
    except ValueError as error:  # what scikit-learn raises when a model cannot be fitted to these rows
        named = whole.model.model_copy(update={"name": name, "technique": smaller.technique})
        return [not_made(named, smaller.technique, whole.variant.name, f"it could not be fitted: {error}")]
    estimator = into / model.file
    graph: Graph = export_one(model, estimator, judging.charter, judging.rows, into)
    estimator.unlink()
    path = (into / graph.file).rename(into / f"{name_of(model, model.technique)}.onnx")
    fitted = judge_fitted(model, path, graph.parity, judging, smaller_than=whole)
    return [fitted.variant, *(judge_rung(rung, makes[rung], fitted, judging) for rung in smaller.rungs)]
