"""A frozen candidate for tests that serve one: its probability is the sigmoid of one number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, save

from poc import layout
from poc.rules.evidence import Calibration, Candidate, CandidateInput
from poc.rules.oip import infer_request
from poc.tools import files


def a_candidate(folder: Path) -> Path:
    """Write the record, the model and a sample request of the row 2.0; return the folder."""
    given, answer = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("Torque [Nm]", "probability"))
    graph = helper.make_graph([helper.make_node("Sigmoid", ["Torque [Nm]"], ["probability"])], "sigmoid", [given], [answer])
    model = folder / layout.CANDIDATE_MODEL
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), str(model))
    inputs = [CandidateInput(name="Torque [Nm]", kind="number")]
    frozen = Candidate(
        project="stop-bad-parts", charter_sha256="0" * 64, variant="sigmoid.float32", family="sigmoid", technique="float32",
        model_sha256=files.sha256_of_file(model), threshold=0.5, calibration=Calibration(slope=1, intercept=0), inputs=inputs,
    )  # fmt: skip
    files.write_record(folder / layout.CANDIDATE_JSON, frozen)
    files.write_atomically(folder / layout.SAMPLE_REQUEST, infer_request({"Torque [Nm]": np.array([[2.0]], np.float32)}, inputs))
    return folder
