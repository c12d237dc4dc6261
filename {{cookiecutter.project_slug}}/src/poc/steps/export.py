"""Write each model as float32 ONNX with preprocessing and calibration inside, and prove that it answers the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.errors import Refused
from poc.rules import guards
from poc.rules.answers import OUTPUTS, compare
from poc.rules.calibration import calibrated
from poc.rules.charter import Charter
from poc.rules.evidence import FittedModel, Graph, Graphs, Models, Number
from poc.steps.inputs import charter_of, rows_of
from poc.steps.parity import Tensors, awkward_rows
from poc.steps.perform import Result
from poc.tools import conversion, estimators, files, frames
from poc.tools.onnx_runtime import Scorer

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

#: What the largest difference is a difference of.
WITHIN = dict.fromkeys(("probability", "probabilities"), "probabilities within {:.1g}, no decision flipped") | {
    "estimate": "amounts within {:.1g} of their spread"
}


def export(*, agreement: Path, data: Path, models: Path, graphs: Path) -> Result:
    """Write one graph per model; refuse one that answers unlike its estimator, or flips a decision."""
    charter = charter_of(agreement)
    rows = awkward_rows(rows_of(data, "train", charter), rows_of(data, "dev", charter))
    made = [export_one(model, models / model.file, charter, rows, graphs) for model in files.read_record(models / layout.MODELS_JSON, Models).models]
    files.write_record(graphs / layout.GRAPHS_JSON, Graphs(graphs=made))
    worst = max(graph.parity.largest_difference for graph in made)
    return Result(
        headline=f"{len(made)} graphs equal their estimators on {made[0].parity.rows:,} rows: {WITHIN[OUTPUTS[charter.problem]].format(worst)}",
        numbers=[
            Number(
                name=f"{graph.model}_difference",
                value=graph.parity.largest_difference,
                unit="spread" if OUTPUTS[charter.problem] == "estimate" else "probability",
            )
            for graph in made
        ]
        + [Number(name=f"{graph.model}_size", value=graph.size_bytes / 1e6, unit="MB") for graph in made],
    )


def export_one(model: FittedModel, estimator_file: Path, charter: Charter, rows: Tensors, into: Path) -> Graph:
    """Convert one fitted model and compare it with its estimator, row by row."""
    estimator, path = estimators.load(estimator_file), into / f"{model.name}.onnx"
    conversion.export(estimator, model.calibration, charter.features, path, problem=charter.problem)
    expected = calibrated(charter.problem, _answers(model, estimator, rows), model.calibration)
    parity = compare(model, expected, Scorer(path).answers(rows))
    guards.graph_equals_estimator(model.name, parity.largest_difference, parity.decisions_flipped, parity.rows)
    return Graph(model=model.name, file=path.name, sha256=files.sha256_of_file(path), size_bytes=path.stat().st_size, parity=parity)


def _answers(model: FittedModel, estimator: Pipeline, rows: Tensors) -> NDArray[np.float64]:
    try:
        return estimators.raw_answers(estimator, frames.model_frame(rows))
    except ValueError as error:  # what scikit-learn raises on a row that it does not take
        raise Refused(
            f"{model.name} cannot answer every row, of which some miss a value or hold a category never seen: {str(error).splitlines()[0]}",
            where="src/poc/problem/model.py",
            fix="impute what can be missing and ignore unknown categories: production will send both",
            code="every_row_is_answered",
        ) from error
