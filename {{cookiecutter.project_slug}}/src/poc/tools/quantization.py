"""Make a smaller or faster file of a model: ONNX Runtime's graph optimiser and its int8 quantization."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: What int8 arithmetic is good for; strings, one-hot codes and the calibration at the end stay in floating point.
QUANTISED = ["MatMul", "Gemm"]


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


def quantise_dynamic(source: Path, target: Path) -> None:
    """Write int8 weights; activations are quantized as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _refuse_without_products(source)
    with _prepared(source, target) as ready, _as_not_made("dynamic quantization failed"):
        quantize_dynamic(ready, target, op_types_to_quantize=QUANTISED, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    _refuse_without(target, "MatMulInteger")


def quantise_static(source: Path, target: Path, batches: Sequence[Mapping[str, Any]]) -> None:
    """Write int8 weights and activations (QDQ, U8S8, per channel, reduced range), calibrated by the range seen on `batches`."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

    _refuse_without_products(source)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(batches)

        def get_next(self) -> Mapping[str, Any] | None:
            return next(self._left, None)

    with _prepared(source, target) as ready, _as_not_made("static quantization failed"):
        quantize_static(
            ready, target, Reader(), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            per_channel=True, reduce_range=True, calibrate_method=CalibrationMethod.MinMax, op_types_to_quantize=QUANTISED,
        )  # fmt: skip
    _refuse_without(target, "QuantizeLinear")


@contextmanager
def _prepared(source: Path, target: Path) -> Iterator[Path]:
    """Infer shapes, as quantization wants; symbolic inference does not know the operators of trees and one-hot codes."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = target.with_suffix(".prepared.onnx")
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with _as_not_made("shape inference failed"):
            quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
            _say_that_products_are_float(ready)
        yield ready
    finally:
        root.setLevel(level)
        ready.unlink(missing_ok=True)


def _say_that_products_are_float(path: Path) -> None:
    """Write down the type around every matrix product.

    Behind operators that shape inference does not know it is lost, and what has no known type is left in floating point without a word:
    the weights would be int8 on disk and every product still float32.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    known = {each.name for kind in (graph.input, graph.output, graph.value_info, graph.initializer) for each in kind} | {""}
    around = [name for node in graph.node if node.op_type in QUANTISED for name in (*node.input, *node.output)]
    for name in dict.fromkeys(around):
        if name not in known:
            graph.value_info.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    onnx.save(model, path)


@contextmanager
def _as_not_made(what: str) -> Iterator[None]:
    """Turn whatever ONNX Runtime's tools raise into a reason: they raise bare exceptions of many kinds."""
    try:
        yield
    except Exception as error:
        raise VariantNotMade(f"{what}: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error


def _refuse_without_products(source: Path) -> None:
    if not _operators(source) & set(QUANTISED):
        raise VariantNotMade("nothing to quantize: no MatMul or Gemm in the graph (trees compare, and a logistic regression is one operator of its own)")


def _refuse_without(target: Path, operator: str) -> None:
    """Refuse a file in which nothing became an integer: it would be timed and judged under a name that it does not deserve."""
    if operator not in _operators(target):
        raise VariantNotMade(f"ONNX Runtime quantized nothing: no {operator} in the result")


def _operators(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
