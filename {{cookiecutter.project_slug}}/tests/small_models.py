"""Small real models and the folders around them: ONNX files written by hand, so that a test knows every answer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pandas as pd
from builders import a_charter
from onnx import TensorProto, helper, numpy_helper

from poc import layout
from poc.rules.charter import Charter
from poc.rules.evidence import Calibration, Candidate, CandidateInput, Confusion, Split, Splits, Technique, Variant, Variants
from poc.rules.oip import infer_request
from poc.rules.params import Params
from poc.tools import files, frames

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

TORQUE, WEAR, TYPE = "Torque [Nm]", "Tool wear [min]", "Type"
START_SECONDS = 60
INPUTS = [CandidateInput(name=TORQUE, kind="number"), CandidateInput(name=WEAR, kind="number"), CandidateInput(name=TYPE, kind="category")]


def a_model(*, bias: float = -4.0, looks_at_its_neighbours: bool = False, breaks_on_wear_from: int | None = None, detours: int = 0) -> bytes:
    """Return sigmoid(0.1 * torque + 0.01 * wear + (1 if type is "L") + bias) as ONNX; a missing number counts as 0.

    Each detour is a matrix multiplication that takes its time and changes no answer.
    """
    nodes, constants = [], {"zero": 0.0, "torque_weight": 0.1, "wear_weight": 0.01, "bias": bias}

    def add(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))

    for column, name in ((TORQUE, "torque"), (WEAR, "wear")):
        add("IsNaN", [column], f"{name}_missing")
        add("Where", [f"{name}_missing", "zero", column], f"{name}_there")
        add("Mul", [f"{name}_there", f"{name}_weight"], f"{name}_part")
    add("LabelEncoder", [TYPE], "type_part", domain="ai.onnx.ml", keys_strings=["L"], values_floats=[1.0], default_float=0.0)
    add("Sum", ["torque_part", "wear_part", "type_part", "bias"], "alone")
    arrays = [numpy_helper.from_array(np.float32([[value]]), name) for name, value in constants.items()]
    last = "alone"
    if looks_at_its_neighbours:
        add("ReduceMean", ["alone"], "mean", keepdims=1)
        add("Sub", ["alone", "mean"], "centred")
        last = "centred"
    if breaks_on_wear_from is not None:
        arrays.append(numpy_helper.from_array(np.zeros(breaks_on_wear_from, np.float32), "table"))
        add("Cast", ["wear_there"], "place", to=TensorProto.INT64)
        add("Gather", ["table", "place"], "looked_up")
        add("Add", [last, "looked_up"], "shifted")
        last = "shifted"
    if detours:
        draw = np.random.default_rng(0)
        arrays += [numpy_helper.from_array(draw.normal(0, 0.1, (height, 128)).astype(np.float32), name) for name, height in (("widen", 1), ("square", 128))]
        add("MatMul", [last, "widen"], "way 0")
        for i in range(detours):
            add("MatMul", [f"way {i}", "square"], f"product {i}")
            add("Tanh", [f"product {i}"], f"way {i + 1}")
        add("ReduceMean", [f"way {detours}"], "way's mean", keepdims=1)
        add("Mul", ["way's mean", "zero"], "nothing")
        add("Add", [last, "nothing"], "after detours")
        last = "after detours"
    add("Sigmoid", [last], "probability")
    kinds = {"number": TensorProto.FLOAT, "category": TensorProto.STRING}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(each.name, kinds[each.kind], [None, 1]) for each in INPUTS],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
        arrays,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def a_tree_that_converts_wrongly(features: object = None, seed: int = 7) -> Pipeline:
    """Build a tree that meets missing numbers unimputed: scikit-learn sends them one way and ONNX the other."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.tree import DecisionTreeClassifier

    encoder = make_column_transformer((OneHotEncoder(sparse_output=False, handle_unknown="ignore"), [TYPE]), remainder="passthrough")
    return make_pipeline(encoder, DecisionTreeClassifier(max_depth=4, random_state=seed))


def some_rows(n: int = 40, seed: int = 0) -> pd.DataFrame:
    """Return rows with missing numbers and missing categories among them, and a 0/1 target; `UDI` counts down."""
    draw = np.random.default_rng(seed)
    torque, wear = draw.normal(40, 10, n).astype(np.float32), draw.integers(0, 200, n).astype(np.float32)
    torque[::7] = np.nan
    kinds = np.array(["L", "M", "H", None], dtype=object)[draw.integers(0, 4, n)]
    return pd.DataFrame({"UDI": np.arange(n, 0, -1), TORQUE: torque, WEAR: wear, TYPE: kinds, "Target": (np.arange(n) % 4 == 0).astype(np.int8)})


def an_agreement(folder: Path, charter: Charter | None = None, **params: Any) -> Path:
    """Write an agreement: a charter and parameters, small where time matters."""
    chosen = {"seed": 7, "families": ["logistic"], "benchmark_seconds_per_variant": 0.3, "replay_rows": 40, **params}
    files.write_record(folder / layout.CHARTER_JSON, charter or a_charter())
    files.write_record(folder / layout.PARAMS_JSON, Params(**chosen))
    files.write_atomically(folder / layout.SUITE_JSON, b'{"name": "data contract", "expectations": []}')
    return folder


def dev_data(folder: Path, rows: pd.DataFrame | None = None) -> Path:
    """Write a data artifact that holds dev rows only."""
    folder.mkdir(parents=True, exist_ok=True)
    frames.write_table(some_rows() if rows is None else rows, folder / layout.SPLIT_FILES["dev"])
    nothing = Split(rows=0, counts={}, sha256="0" * 64)
    splits = Splits(
        train=nothing, dev=nothing, sealed=nothing, sealed_labels_sha256="0" * 64, sealed_rows_sha256="0" * 64, sealed_sketch=[], source_sketch=[],
        ignored_columns=[], how="by hand", near_duplicates={},
    )  # fmt: skip
    files.write_record(folder / layout.SPLITS_JSON, splits)
    return folder


def a_candidate(folder: Path, model: bytes | None = None, *, threshold: float = 0.5) -> Path:
    """Write a frozen candidate with its sample request."""
    content = a_model() if model is None else model
    files.write_atomically(folder / layout.CANDIDATE_MODEL, content)
    frozen = Candidate(
        project="stop-bad-parts",
        charter_sha256="0" * 64,
        variant="small.float32",
        family="logistic",
        technique="float32",
        model_sha256=files.sha256_of(content),
        threshold=float(np.float32(threshold)),
        calibration=Calibration(slope=1.0, intercept=0.0),
        inputs=INPUTS,
    )
    files.write_record(folder / layout.CANDIDATE_JSON, frozen)
    files.write_atomically(folder / layout.SAMPLE_REQUEST, infer_request(frames.columns(some_rows(2).tail(1), INPUTS), INPUTS))
    return folder


def start_server(candidate: Path, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the real server; return its process, which the test must end, and its port."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "poc.acts.serve", "--candidate", str(candidate), "--port-file", str(port_file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    patience = time.monotonic() + START_SECONDS
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > patience:
            process.kill()
            raise AssertionError(f"the server did not start: {process.communicate()[0].decode(errors='replace')}")
        time.sleep(0.02)
    return process, int(port_file.read_text())


def some_variants(folder: Path, models: dict[str, bytes], *, missed: int = 0) -> Path:
    """Write a ladder of variants, each with the same counts on dev: `missed` of 100 positives."""
    ladder = [_variant(folder, name, model, missed) for name, model in models.items()]
    files.write_record(folder / layout.VARIANTS_JSON, Variants(variants=ladder))
    return folder


def _variant(folder: Path, name: str, model: bytes, missed: int) -> Variant:
    technique: Technique = "float32"
    files.write_atomically(folder / f"{name}.onnx", model)
    counts = Confusion(positives=100, missed=missed, negatives=1000, false_alarms=10)
    return Variant(
        name=name,
        model=name,
        family="logistic",
        technique=technique,
        reason_not_made=None,
        file=f"{name}.onnx",
        sha256=files.sha256_of(model),
        size_bytes=len(model),
        calibration=Calibration(slope=1.0, intercept=0.0),
        threshold=0.5,
        predicted_chance_of_go=0.9,
        parity=None,
        dev=counts,
    )
