from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from builders import a_charter

from poc.problem.model import FAMILIES, families_for
from poc.rules.answers import compare
from poc.rules.calibration import calibrated
from poc.rules.evidence import Calibration, Deciding
from poc.steps.inputs import Rows
from poc.steps.parity import Tensors, awkward_rows
from poc.tools import conversion, estimators, frames
from poc.tools.onnx_runtime import Scorer

FEATURES = a_charter().features
SCALING = Calibration(slope=1.3, intercept=-0.7)


def made_up_rows(count: int, seed: int) -> Rows:
    """Two numbers and a category, some of each missing; their products do not fit into float32, where a tree in float64 would split otherwise."""
    draw = np.random.default_rng(seed)
    torque, wear = (values.astype(np.float32) for values in (draw.normal(40, 10, count), draw.uniform(0, 240, count)))
    labels = (torque / 10 + wear / 80 + draw.normal(0, 1, count) > 6.5).astype(np.int8)
    torque[draw.random(count) < 0.05], wear[draw.random(count) < 0.05] = np.nan, np.nan
    kind = draw.choice(np.array(["L", "M", "H", ""], dtype=object), count)
    return Rows(
        tensors={name: values.reshape(-1, 1) for name, values in zip(("Torque [Nm]", "Tool wear [min]", "Type"), (torque, wear, kind), strict=True)},
        labels=labels,
    )


@pytest.fixture(scope="module", params=list(FAMILIES))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tensors, np.ndarray]:
    """A family's graph, awkward rows, and what the calibrated estimator says of them."""
    train = made_up_rows(300, 1)
    estimator = FAMILIES[request.param].build(FEATURES, 7).fit(train.frame(), train.labels)
    path = tmp_path_factory.mktemp("graphs") / f"{request.param}.onnx"
    conversion.export(estimator, SCALING, FEATURES, path)
    rows = awkward_rows(train, made_up_rows(100, 2))
    return path, rows, calibrated("binary", estimators.raw_answers(estimator, frames.model_frame(rows)), SCALING)


def test_inputs_keep_their_names_with_spaces_and_brackets(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    assert Scorer(exported[0]).inputs == [("Torque [Nm]", "number"), ("Tool wear [min]", "number"), ("Type", "category")]


def test_the_graph_answers_awkward_rows_as_the_calibrated_estimator_does(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    path, rows, expected = exported
    assert len(expected) == 400 + 64 * (4 + 4 + 2)
    assert np.abs(Scorer(path).answers(rows) - expected).max() <= 1e-4


def test_products_of_columns_take_three_nodes_however_many_they_are(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    operators = [node.op_type for node in onnx.load(exported[0]).graph.node]
    assert "ReduceProd" not in operators and operators.count("Gather") >= 2


@pytest.mark.parametrize("polynomial", [{"include_bias": True}, {"degree": 3, "include_bias": False}, {"degree": 1, "include_bias": False}])
def test_other_polynomials_are_answered_as_their_estimator_says(polynomial: dict[str, int], tmp_path: Path) -> None:
    train = made_up_rows(300, 1)
    estimator = FAMILIES["logistic"].build(FEATURES, 7)
    estimator.set_params(**{f"columntransformer__numbers__polynomialfeatures__{name}": value for name, value in polynomial.items()})
    estimator.fit(train.frame(), train.labels)
    conversion.export(estimator, SCALING, FEATURES, tmp_path / "a.onnx")
    expected = calibrated("binary", estimators.raw_answers(estimator, train.frame()), SCALING)
    assert np.abs(Scorer(tmp_path / "a.onnx").answers(train.tensors) - expected).max() <= 1e-4


def test_the_only_output_is_a_column_of_probabilities(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    graph = onnx.load(exported[0]).graph
    assert [output.name for output in graph.output] == ["probability"]
    assert not any(node.op_type in ("ArrayFeatureExtractor", "ZipMap") for node in graph.node if "label" in "".join(node.output))


def test_the_file_is_old_enough_for_the_runtimes_in_the_field(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    model = onnx.load(exported[0])
    assert model.ir_version <= 10
    assert {each.domain: each.version for each in model.opset_import}[""] <= 21


def test_one_row_is_answered_as_among_many(exported: tuple[Path, Tensors, np.ndarray]) -> None:
    path, rows, _ = exported
    scorer = Scorer(path)
    alone = scorer.answers({name: values[5:6] for name, values in rows.items()})
    assert alone[0] == pytest.approx(scorer.answers(rows)[5], abs=1e-6)


@pytest.mark.parametrize("name", ["label", "probabilities", "raw", "variable", "inner/raw", "merged_columns"])
def test_a_column_may_be_called_as_a_tensor_inside_the_graph_is(name: str, tmp_path: Path) -> None:
    features, train = [feature.model_copy(update={"name": name} if feature.name == "Type" else {}) for feature in FEATURES], made_up_rows(100, 3)
    rows = Rows(tensors={name if key == "Type" else key: values for key, values in train.tensors.items()}, labels=train.labels)
    for family in ("logistic", "boosted_trees"):
        estimator = FAMILIES[family].build(features, 7).fit(rows.frame(), rows.labels)
        conversion.export(estimator, SCALING, features, tmp_path / f"{family}.onnx")
        expected = calibrated("binary", estimators.raw_answers(estimator, rows.frame()), SCALING)
        assert np.abs(Scorer(tmp_path / f"{family}.onnx").answers(rows.tensors) - expected).max() <= 1e-4


#: Exports every family on rows of its own, in a process of its own.
EXPORT_ALL = """
import sys
from pathlib import Path
from test_conversion import FAMILIES, FEATURES, SCALING, made_up_rows
from poc.tools import conversion
train = made_up_rows(300, 1)
for name, family in FAMILIES.items():
    conversion.export(family.build(FEATURES, 7).fit(train.frame(), train.labels), SCALING, FEATURES, Path(sys.argv[1], f"{name}.onnx"))
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Else the same candidate put forward again would count as another one, and take a look: skl2onnx writes some things in the order of a set."""
    written: list[dict[str, bytes]] = []
    for seed in "01":  # without the order, these two give other bytes
        (tmp_path / seed).mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
        subprocess.run([sys.executable, "-c", EXPORT_ALL, str(tmp_path / seed)], env=environment, check=True, timeout=240)
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / seed).iterdir())})
    assert set(written[0]) == {f"{name}.onnx" for name in FAMILIES}
    assert all(each == written[0] for each in written)


@pytest.mark.parametrize(("problem", "family"), [(problem, family) for problem in ("regression", "count") for family in families_for(problem)])
def test_an_amount_is_answered_as_its_estimator_says_and_a_count_never_below_nothing(problem: str, family: str, tmp_path: Path) -> None:
    train = made_up_rows(300, 1)
    amounts = np.random.default_rng(4).poisson(np.exp(np.nan_to_num(train.tensors["Torque [Nm]"].ravel(), nan=40.0) / 40))
    estimator = families_for(problem)[family].build(FEATURES, 7).fit(train.frame(), amounts)
    halfway_below = Calibration(slope=2.0, intercept=-2.0 * float(np.median(amounts)))
    conversion.export(estimator, halfway_below, FEATURES, tmp_path / "graph.onnx", problem=problem)
    rows = awkward_rows(train, made_up_rows(100, 2))
    expected = calibrated(problem, estimators.raw_answers(estimator, frames.model_frame(rows)), halfway_below)
    parity = compare(Deciding(), expected, Scorer(tmp_path / "graph.onnx").answers(rows))
    assert (parity.largest_difference <= 1e-4, parity.decisions_flipped) == (True, 0)
    assert (expected.min() < 0) == (problem == "regression")
