"""From a fitted scikit-learn pipeline to one ONNX file: preprocessing, model and calibration inside, whatever kind of problem it answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from poc.errors import Refused
from poc.rules.answers import OUTPUTS
from poc.rules.calibration import HIGHEST, LOWEST
from poc.rules.evidence import Calibration

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from poc.rules.charter import Feature

#: onnx 1.23 writes newer files than every ONNX Runtime in the field reads; these are read by 1.20 and later.
OPSET = {"": 21, "ai.onnx.ml": 3}
IR_VERSION = 10


def export(estimator: Pipeline, calibration: Calibration, features: Sequence[Feature], path: Path, *, problem: str = "binary") -> None:
    """Write `estimator`, calibrated, as float32 ONNX: one input tensor per feature, one output as `rules.answers.OUTPUTS` names it.

    Raises:
        Refused: skl2onnx knows no operator for a part of it.
    """
    import onnx
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
    from sklearn.base import is_classifier
    from sklearn.preprocessing import PolynomialFeatures

    kinds = {"number": FloatTensorType, "category": StringTensorType}
    types = [(feature.name, kinds[feature.kind]([None, 1])) for feature in features]
    try:
        options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
        shorter = {PolynomialFeatures: _products}
        # Without a name it would draw one, and write other bytes each time.
        model = convert_sklearn(estimator, "model", initial_types=types, options=options, target_opset=OPSET, custom_conversion_functions=shorter)
    except (MissingShapeCalculator, MissingConverter) as error:
        raise Refused(
            f"{path.stem} does not convert to ONNX: {str(error).splitlines()[0][:300]}",
            where="src/poc/problem/model.py",
            fix="use estimators that skl2onnx knows: https://onnx.ai/sklearn-onnx/supported.html",
            code="model_converts",
        ) from error
    names = [feature.name for feature in features]
    prefix = _inner_prefix(names)
    _prefix_inner(model.graph, prefix)
    _name_inputs(model.graph, names)
    if _forgets_its_exponential(estimator):
        _exponentiate(model.graph, prefix)
    _calibrate(model.graph, calibration, prefix, problem)
    _order_opsets(model)
    model.ir_version = IR_VERSION
    model.producer_version = ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _products(scope: Any, operator: Any, container: Any) -> None:
    """Multiply all pairs of columns at once: skl2onnx writes two nodes for every product, and a call takes longer to visit them than to multiply."""
    import numpy as np
    from onnx import TensorProto
    from skl2onnx.operator_converters.polynomial_features import convert_sklearn_polynomial_features

    powers = operator.raw_operator.powers_
    ones, pairs = powers[powers.sum(axis=1) == 1], powers[powers.sum(axis=1) == 2]
    columns, answer = operator.inputs[0].full_name, operator.outputs[0].full_name
    is_float = operator.inputs[0].type._get_element_onnx_type() == TensorProto.FLOAT
    if not is_float or len(ones) + len(pairs) < len(powers) or not len(pairs) or not np.array_equal(ones, np.eye(powers.shape[1])):
        convert_sklearn_polynomial_features(scope, operator, container)
        return
    sides = [scope.get_unique_variable_name(name) for name in ("left", "right")]
    for side, of_pair in zip(sides, np.array([np.repeat(np.arange(len(pair)), pair) for pair in pairs]).T, strict=True):
        container.add_initializer(f"{side}_columns", TensorProto.INT64, [len(pairs)], of_pair.tolist())
        container.add_node("Gather", [columns, f"{side}_columns"], side, axis=1, name=scope.get_unique_operator_name("Gather"))
    product = scope.get_unique_variable_name("products")
    container.add_node("Mul", sides, product, name=scope.get_unique_operator_name("Mul"))
    container.add_node("Concat", [columns, product], answer, axis=1, name=scope.get_unique_operator_name("Concat"))


def _inner_prefix(names: Sequence[str]) -> str:
    """Return how the names of tensors between inputs and answer begin: as no column's does, for a column may be called `label` or `raw`."""
    prefix = "inner/"
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _prefix_inner(graph: Any, prefix: str) -> None:
    inner = {name for node in graph.node for name in node.output} | {constant.name for constant in graph.initializer}
    for named in (*graph.initializer, *graph.output):
        named.name = prefix + named.name
    for node in graph.node:
        node.input[:] = [prefix + name if name in inner else name for name in node.input]
        node.output[:] = [prefix + name for name in node.output]


def _name_inputs(graph: Any, names: Sequence[str]) -> None:
    """Give the inputs the features' names: skl2onnx writes an underscore for every space and bracket."""
    renamed = {given.name: name for given, name in zip(graph.input, names, strict=True)}
    for given in graph.input:
        given.name = renamed[given.name]
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]


def _forgets_its_exponential(estimator: Pipeline) -> bool:
    """Say whether skl2onnx 1.20 writes the logarithm of what a model answers: it leaves out the link of boosted trees that were fitted to a log loss."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    last = estimator[-1]
    return isinstance(last, HistGradientBoostingRegressor) and last.loss in ("poisson", "gamma")


def _exponentiate(graph: Any, prefix: str) -> None:
    from onnx import helper

    graph.node.append(helper.make_node("Exp", [graph.output[0].name], [f"{prefix}exponential"], name=f"{prefix}exponential"))
    graph.output[0].name = f"{prefix}exponential"


def _calibrate(graph: Any, calibration: Calibration, prefix: str, problem: str) -> None:
    """Replace the graph's outputs by the calibrated answer, as `rules.calibration.calibrated` has it."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    apart, answer = f"{prefix}calibration/", OUTPUTS[problem]
    raw = graph.output[-1].name  # a classifier's first output is its label
    nodes = {"binary": _platt, "multiclass": _temperature, "regression": _amount, "count": _count}[problem]()
    constants = {
        "from": np.array([1], np.int64), "to": np.array([2], np.int64), "axis": np.array([1], np.int64),
        "low": np.float32(LOWEST), "high": np.float32(HIGHEST), "one": np.float32(1.0),
        "slope": np.float32(calibration.slope), "intercept": np.float32(calibration.intercept),
    }  # fmt: skip
    used = {name for _, inputs, _ in nodes for name in inputs}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), apart + name) for name, value in constants.items() if name in used)
    *inner, (last, inputs, _) = nodes
    places = {"model": raw}
    graph.node.extend(
        helper.make_node(operator, [places.get(name, apart + name) for name in names], [apart + output], name=apart + output)
        for operator, names, output in inner
    )
    graph.node.append(helper.make_node(last, [places.get(name, apart + name) for name in inputs], [answer], name=answer))
    _drop_label(graph, answer)
    columns = graph.output[-1].type.tensor_type.shape.dim[1].dim_value if problem == "multiclass" else 1
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(answer, TensorProto.FLOAT, [None, columns]))


Nodes = list[tuple[str, list[str], str]]


def _platt() -> Nodes:
    return [
        ("Slice", ["model", "from", "to", "axis"], "raw"),
        ("Clip", ["raw", "low", "high"], "clipped"),
        ("Sub", ["one", "clipped"], "complement"),
        ("Log", ["clipped"], "log_p"),
        ("Log", ["complement"], "log_q"),
        ("Sub", ["log_p", "log_q"], "logit"),
        ("Mul", ["logit", "slope"], "scaled"),
        ("Add", ["scaled", "intercept"], "shifted"),
        ("Sigmoid", ["shifted"], "answer"),
    ]


def _temperature() -> Nodes:
    return [("Max", ["model", "low"], "clipped"), ("Log", ["clipped"], "log_p"), ("Mul", ["log_p", "slope"], "scaled"), ("Softmax", ["scaled"], "answer")]


def _amount() -> Nodes:
    return [("Mul", ["model", "slope"], "scaled"), ("Add", ["scaled", "intercept"], "answer")]


def _count() -> Nodes:
    return [("Mul", ["model", "slope"], "scaled"), ("Add", ["scaled", "intercept"], "shifted"), ("Relu", ["shifted"], "answer")]


def _order_opsets(model: Any) -> None:
    """Put the operator sets in order: skl2onnx writes them as a set comes, so that every process would write other bytes for the same model."""
    from onnx import helper

    ordered = sorted((each.domain, each.version) for each in model.opset_import)
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in ordered)


def _drop_label(graph: Any, answer: str) -> None:
    """Remove the nodes that only compute the label: a decision is taken as the charter's limits and costs have it, not by the larger probability."""
    while True:
        used = {name for node in graph.node for name in node.input} | {answer}
        idle = [node for node in graph.node if not used & set(node.output)]
        if not idle:
            return
        for node in idle:
            graph.node.remove(node)
