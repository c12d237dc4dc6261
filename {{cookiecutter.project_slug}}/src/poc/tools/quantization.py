"""Make a smaller or faster file of a model: ONNX Runtime's graph optimiser, half precision, and int8 quantization."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: What fewer bits are good for. Text, one-hot codes and the calibration lie before the first and behind the last of these, and stay in float32.
PRODUCTS = ("MatMul", "Gemm", "Conv")
#: Products whose inputs may be scaled anew in every call. Convolutions are not: they took up to 13 times as long as in float32.
SCALED_AS_THEY_COME = ("MatMul", "Gemm")
#: What is quantized along with the products around it, so that numbers stay integers from one to the next.
BETWEEN = ("Add", "Relu")


class VariantNotMade(Exception):
    """A variant cannot be made; the message is the reason, for the record."""


def optimise(source: Path, target: Path) -> None:
    """Write the graph as ONNX Runtime rewrites it for any machine: constants folded, nodes fused, no layout of this CPU baked in."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    with _as_not_made("the optimiser failed"):
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def halve(source: Path, target: Path) -> None:
    """Write fp16 weights from the first product to the last, float32 around them.

    ONNX Runtime's converter passes all else through fp16 too, even what is kept from it: 2,861 rpm would be 2,860 before a scaler sees them, and small
    probabilities would lose their digits before their logarithm is taken. So it is given the products alone, and the rest is put around them again.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    _refuse_without_products(source, "convert", PRODUCTS)
    model = onnx.load(source)
    before, products, after = _parted(model.graph)
    with _quietly(), _as_not_made("the conversion failed"):
        halved = OnnxModel(convert_float_to_float16(_alone(model, products, around=[*before, *after]), keep_io_types=True))
        halved.topological_sort()
    shared = {constant.name for constant in halved.model.graph.initializer}
    constants = [each for each in model.graph.initializer if each.name not in shared] + list(halved.model.graph.initializer)
    nodes = [*before, *halved.model.graph.node, *after]
    whole = onnx.helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, constants)
    onnx.save(onnx.helper.make_model(whole, opset_imports=model.opset_import, ir_version=model.ir_version), target)


def quantise_dynamic(source: Path, target: Path) -> None:
    """Write int8 weights; activations are quantized as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _refuse_without_products(source, "quantize", SCALED_AS_THEY_COME)
    kinds = list(SCALED_AS_THEY_COME)
    with _prepared(source, target) as ready, _as_not_made("dynamic quantization failed"):
        quantize_dynamic(ready, target, op_types_to_quantize=kinds, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    _refuse_without(target, "MatMulInteger")


def quantise_static(source: Path, target: Path, batches: Sequence[Mapping[str, Any]]) -> None:
    """Write int8 weights and activations (QDQ, U8S8, per channel, reduced range), calibrated by the range seen on `batches`."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

    _refuse_without_products(source, "quantize", PRODUCTS)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(batches)

        def get_next(self) -> Mapping[str, Any] | None:
            return next(self._left, None)

    with _prepared(source, target) as ready, _as_not_made("static quantization failed"):
        before, _, after = _parted(onnx.load(ready).graph)
        quantize_static(
            ready, target, Reader(), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            per_channel=True, reduce_range=True, calibrate_method=CalibrationMethod.MinMax, op_types_to_quantize=[*PRODUCTS, *BETWEEN],
            nodes_to_exclude=[node.name for node in (*before, *after) if node.op_type in BETWEEN],
        )  # fmt: skip
    _refuse_without(target, "QuantizeLinear")


@contextmanager
def _prepared(source: Path, target: Path) -> Iterator[Path]:
    """Infer shapes, as quantization wants; symbolic inference does not know the operators of trees and one-hot codes."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = target.with_suffix(".prepared.onnx")
    try:
        with _quietly():
            with _as_not_made("shape inference failed"):
                quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
                _say_that_products_are_float(ready)
            yield ready
    finally:
        ready.unlink(missing_ok=True)


def _say_that_products_are_float(path: Path) -> None:
    """Write down the type from the first product to the last.

    Behind operators that shape inference does not know it is lost, and what has no known type is left in floating point without a word:
    the weights would be int8 on disk and every product still float32.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    known = {each.name for kind in (graph.input, graph.output, graph.value_info, graph.initializer) for each in kind} | {""}
    around = [name for node in _parted(graph)[1] if node.op_type in (*PRODUCTS, *BETWEEN) for name in (*node.input, *node.output)]
    for name in dict.fromkeys(around):
        if name not in known:
            graph.value_info.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    onnx.save(model, path)


def _parted(graph: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the nodes before the first product, from there to the last, and after it; a graph's nodes stand in the order in which they can be computed."""
    nodes = list(graph.node)
    at = [place for place, node in enumerate(nodes) if node.op_type in PRODUCTS]
    return nodes[: at[0]], nodes[at[0] : at[-1] + 1], nodes[at[-1] + 1 :]


def _alone(model: Any, nodes: Sequence[Any], *, around: Sequence[Any]) -> Any:
    """Return some of a model's nodes as a model of their own; what passes in and out is float32 where nothing else is said."""
    from onnx import TensorProto, helper

    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    said = {each.name: each for each in (*graph.input, *graph.output, *graph.value_info)}
    made = dict.fromkeys(name for node in nodes for name in node.output)
    taken = dict.fromkeys(name for node in nodes for name in node.input if name not in made)
    wanted = {name for node in around for name in node.input} | {each.name for each in graph.output}
    given, passed_on = (
        [said.get(name) or helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
        for names in ([name for name in taken if name and name not in constants], [name for name in made if name in wanted])
    )
    part = helper.make_graph(nodes, "products", given, passed_on, [constants[name] for name in taken if name in constants])
    return helper.make_model(part, opset_imports=model.opset_import, ir_version=model.ir_version)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep ONNX Runtime's tools from giving advice: they log at the root, and warn of every weight that they round."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)


@contextmanager
def _as_not_made(what: str) -> Iterator[None]:
    """Turn whatever ONNX Runtime's tools raise into a reason: they raise bare exceptions of many kinds."""
    try:
        yield
    except Exception as error:
        raise VariantNotMade(f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error


def _refuse_without_products(source: Path, verb: str, products: Sequence[str]) -> None:
    if not _operators(source) & set(products):
        raise VariantNotMade(
            f"nothing to {verb}: no {' or '.join(products)} in the graph (trees compare, and a logistic regression is one operator of its own)"
        )


def _refuse_without(target: Path, operator: str) -> None:
    """Refuse a file in which nothing became an integer: it would be timed and judged under a name that it does not deserve."""
    if operator not in _operators(target):
        raise VariantNotMade(f"ONNX Runtime quantized nothing: no {operator} in the result")


def _operators(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
