"""The scorer: inputs as the model declares them, one probability per row, and a silent terminal."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from small_models import TORQUE, TYPE, WEAR, a_model

from poc.tools.onnx_runtime import Scorer


def columns(torque: float, wear: float, kind: str) -> dict[str, np.ndarray]:
    return {TORQUE: np.float32([[torque]]), WEAR: np.float32([[wear]]), TYPE: np.array([[kind]], dtype=object)}


def test_inputs_keep_their_names_and_kinds() -> None:
    assert Scorer(a_model()).inputs == [(TORQUE, "number"), (WEAR, "number"), (TYPE, "category")]


@pytest.mark.parametrize(("kind", "logit"), [("L", 2.0), ("never seen before", 1.0)])
def test_a_probability_is_what_the_graph_says(kind: str, logit: float) -> None:
    assert Scorer(a_model()).answers(columns(40.0, 100.0, kind)) == pytest.approx([1 / (1 + math.exp(-logit))], abs=1e-6)


def test_a_missing_number_reaches_the_graph_as_nan() -> None:
    assert Scorer(a_model()).answers(columns(math.nan, 0.0, "M")) == pytest.approx([1 / (1 + math.exp(4))], abs=1e-6)


def test_one_probability_comes_per_row() -> None:
    rows = {name: np.repeat(values, 5, axis=0) for name, values in columns(40.0, 100.0, "L").items()}
    answered = Scorer(a_model()).answers(rows)
    assert (answered.shape, answered.dtype) == ((5,), np.float32)


def test_a_file_and_its_bytes_answer_alike(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(a_model())
    row = columns(41.0, 3.0, "L")
    assert Scorer(tmp_path / "model.onnx").answers(row) == Scorer(a_model()).answers(row)


def test_warnings_of_the_runtime_do_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    model = onnx.load_from_string(a_model())
    model.graph.initializer.append(numpy_helper.from_array(np.float32([1.0]), "nobody_uses_this"))  # ONNX Runtime warns when it drops it
    onnxruntime.set_default_logger_severity(2)  # as in a fresh process
    Scorer(model.SerializeToString()).answers(columns(40.0, 100.0, "L"))
    assert capfd.readouterr() == ("", "")
