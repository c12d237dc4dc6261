"""Smaller files of a real network with text and missing numbers: int8 where numbers multiply, floating point elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from builders import a_charter
from small_models import a_model, some_rows

from poc.problem.model import FAMILIES
from poc.rules.evidence import Calibration
from poc.tools import conversion, frames
from poc.tools.onnx_runtime import Scorer
from poc.tools.quantization import VariantNotMade, halve, optimise, quantise_dynamic, quantise_static

ROWS = some_rows(600, seed=2)
TENSORS = frames.columns(ROWS, a_charter().features)
BATCHES: list[dict[str, Any]] = [{name: values[at : at + 64] for name, values in TENSORS.items()} for at in range(0, 600, 64)]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained network behind an imputer, a scaler and a one-hot code, as one file."""
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    features = a_charter().features
    label = (np.nan_to_num(ROWS["Torque [Nm]"].to_numpy(), nan=40.0) > 45).astype(np.int8)
    fitted = FAMILIES["neural_network"].build(features, 7).fit(frames.model_frame(TENSORS), label)
    conversion.export(fitted, Calibration(slope=1.0, intercept=0.0), features, path)
    return path


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def as_it_runs(path: Path, tmp_path: Path) -> set[str]:
    """Name the operators that ONNX Runtime executes once it has fused what it can."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.optimized_model_filepath = 3, str(tmp_path / "as_it_runs.onnx")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return set(operators(tmp_path / "as_it_runs.onnx"))


@pytest.mark.slow
def test_static_quantization_multiplies_integers(network: Path, tmp_path: Path) -> None:
    quantise_static(network, tmp_path / "static.onnx", BATCHES)
    assert as_it_runs(tmp_path / "static.onnx", tmp_path) & {"QLinearMatMul", "MatMulIntegerToFloat", "QGemm"}
    assert not as_it_runs(tmp_path / "static.onnx", tmp_path) & {"MatMul", "Gemm", "FusedGemm"}


@pytest.mark.slow
def test_dynamic_quantization_multiplies_integers(network: Path, tmp_path: Path) -> None:
    quantise_dynamic(network, tmp_path / "dynamic.onnx")
    found = operators(tmp_path / "dynamic.onnx")
    assert found["MatMulInteger"] == operators(network)["MatMul"] > 0
    assert found["MatMul"] == 0


@pytest.mark.slow
def test_only_what_lies_between_products_is_halved(network: Path, tmp_path: Path) -> None:
    halve(network, tmp_path / "half.onnx")
    whole, half = onnx.load(network), onnx.load(tmp_path / "half.onnx")
    onnx.checker.check_model(half)
    operators = [[node.op_type for node in model.graph.node] for model in (whole, half)]
    first, last = (find(at for at, name in enumerate(operators[0]) if name == "MatMul") for find in (min, max))
    assert operators[1] == [*operators[0][:first], "Cast", *operators[0][first : last + 1], "Cast", *operators[0][last + 1 :]]
    weights = {name for node in whole.graph.node for name in node.input if node.op_type == "MatMul"}
    assert {each.data_type for each in half.graph.initializer if each.name in weights} == {onnx.TensorProto.FLOAT16}
    assert np.abs(Scorer(tmp_path / "half.onnx").answers(TENSORS) - Scorer(network).answers(TENSORS)).max() < 0.01


@pytest.mark.slow
def test_text_and_the_calibration_stay_as_they_are(network: Path, tmp_path: Path) -> None:
    quantise_static(network, tmp_path / "static.onnx", BATCHES)
    for kept in ("OneHotEncoder", "Imputer", "Scaler", "Log", "Sigmoid"):
        assert operators(tmp_path / "static.onnx")[kept] == operators(network)[kept] > 0


@pytest.mark.slow
@pytest.mark.parametrize("make", [optimise, halve, quantise_dynamic, lambda source, target: quantise_static(source, target, BATCHES)])
def test_a_variant_answers_almost_as_its_parent_and_is_made_alike_twice(network: Path, tmp_path: Path, make: Any) -> None:
    make(network, tmp_path / "one.onnx")
    make(network, tmp_path / "two.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
    difference = np.abs(Scorer(tmp_path / "one.onnx").answers(TENSORS) - Scorer(network).answers(TENSORS))
    assert np.quantile(difference, 0.9) < 0.1


@pytest.mark.slow
def test_the_tools_say_nothing_and_leave_nothing_behind(
    network: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    optimise(network, tmp_path / "graph.onnx")
    halve(network, tmp_path / "half.onnx")
    quantise_dynamic(network, tmp_path / "dynamic.onnx")
    quantise_static(network, tmp_path / "static.onnx", BATCHES)
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dynamic.onnx", "graph.onnx", "half.onnx", "static.onnx"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (halve, "nothing to convert: no MatMul or Gemm or Conv in the graph"),
        (quantise_dynamic, "nothing to quantize: no MatMul or Gemm in the graph"),
        (lambda source, target: quantise_static(source, target, BATCHES), "nothing to quantize: no MatMul or Gemm or Conv in the graph"),
    ],
)
def test_a_graph_without_products_says_so(tmp_path: Path, make: Any, reason: str) -> None:
    (tmp_path / "small.onnx").write_bytes(a_model())
    with pytest.raises(VariantNotMade, match=reason):
        make(tmp_path / "small.onnx", tmp_path / "int8.onnx")


def a_convolution() -> bytes:
    """Return relu(gemm(mean(relu(conv(image)))) + 1) as ONNX: what lies behind the last product answers, as a calibration does."""
    draw = np.random.default_rng(0)
    shapes = {"filters": (4, 1, 3, 3), "weights": (4, 2), "bias": (2,), "one": (1,)}
    constants = [onnx.numpy_helper.from_array(draw.normal(size=shape).astype(np.float32), name) for name, shape in shapes.items()]
    steps = [("Conv", ["image", "filters"]), ("Relu", ["a"]), ("GlobalAveragePool", ["b"]), ("Flatten", ["c"]), ("Gemm", ["d", "weights", "bias"])]
    steps += [("Add", ["e", "one"]), ("Relu", ["f"])]
    nodes = [onnx.helper.make_node(operator, inputs, [output], name=output) for (operator, inputs), output in zip(steps, "abcdefg", strict=True)]
    image, answer = (onnx.helper.make_tensor_value_info(*each) for each in (("image", 1, [None, 1, 8, 8]), ("g", 1, [None, 2])))
    graph = onnx.helper.make_graph(nodes, "small", [image], [answer], constants)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def test_a_convolution_multiplies_integers_and_what_answers_behind_the_last_product_stays_float(tmp_path: Path) -> None:
    (tmp_path / "image.onnx").write_bytes(a_convolution())
    images = np.random.default_rng(1).normal(size=(64, 1, 8, 8)).astype(np.float32)
    quantise_static(tmp_path / "image.onnx", tmp_path / "int8.onnx", [{"image": images}])
    graph = onnx.load(tmp_path / "int8.onnx").graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    products = [{made_by.get(name) for name in node.input[:2]} for node in graph.node if node.op_type in ("Conv", "Gemm")]
    assert products == [{"DequantizeLinear"}, {"DequantizeLinear"}]
    assert [made_by.get(node.input[0]) for node in graph.node if node.op_type == "Relu"][-1] == "Add"
    assert np.abs(Scorer(tmp_path / "int8.onnx").answers({"image": images}) - Scorer(tmp_path / "image.onnx").answers({"image": images})).max() < 0.1


def test_scaling_a_convolution_as_it_comes_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "image.onnx").write_bytes(a_convolution())
    quantise_dynamic(tmp_path / "image.onnx", tmp_path / "int8.onnx")
    assert operators(tmp_path / "int8.onnx")["Conv"] == 1 and operators(tmp_path / "int8.onnx")["MatMulInteger"] == 1


def test_what_the_optimiser_cannot_read_is_a_reason_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(VariantNotMade, match="the optimiser failed"):
        optimise(tmp_path / "broken.onnx", tmp_path / "graph.onnx")
