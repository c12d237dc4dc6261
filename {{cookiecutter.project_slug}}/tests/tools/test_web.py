from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, save

import poc
from poc import layout
from poc.acts.ask import ask
from poc.errors import EnvironmentRefused, Refused
from poc.rules.evidence import Calibration, Candidate, CandidateInput
from poc.rules.oip import infer_request
from poc.steps.replay import server
from poc.tools import files
from poc.tools.onnx_runtime import Scorer
from poc.tools.web import MAX_ROWS, Application, Tensor

APP = Application(
    name="stop-bad-parts",
    threshold=0.5,
    inputs=[("Torque [Nm]", "number"), ("Type", "category")],
    probabilities=lambda columns: np.nan_to_num(columns["Torque [Nm]"].ravel(), nan=0.25),
    model_sha256="ab" * 32,
)


def tensor(name: str, datatype: str, *values: Any, **changes: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(values), 1], "data": list(values)} | changes


TORQUE, TYPE = tensor("Torque [Nm]", "FP32", 0.75), tensor("Type", "BYTES", "L")


def answer(*inputs: Any) -> tuple[int, dict[str, Any]]:
    status, body = APP.infer(json.dumps({"inputs": list(inputs)}).encode())
    return status, json.loads(body)


def test_a_row_is_answered_with_its_probability_and_the_decision_at_the_threshold() -> None:
    status, reply = answer(tensor("Torque [Nm]", "FP32", 0.75, 0.5, 0.25), tensor("Type", "BYTES", "L", "M", "H"))
    assert status == 200
    assert [output["data"] for output in reply["outputs"]] == [[0.75, 0.5, 0.25], [True, True, False]]
    assert reply["parameters"] == {"threshold": 0.5}


def test_a_reply_has_the_form_of_the_protocol() -> None:
    status, body = APP.infer(json.dumps({"id": "7", "inputs": [TORQUE, TYPE]}).encode())
    reply = json.loads(body)
    assert (status, reply["id"], reply["model_name"], reply["model_version"]) == (200, "7", "stop-bad-parts", "ab" * 6)
    assert [(each["name"], each["datatype"], each["shape"]) for each in reply["outputs"]] == [("probability", "FP32", [1, 1]), ("decision", "BOOL", [1, 1])]


def test_data_may_be_nested_as_its_shape() -> None:
    assert answer(tensor("Torque [Nm]", "FP32", [0.75]), tensor("Type", "BYTES", ["L"])) == answer(TORQUE, TYPE)


def test_numbers_of_other_datatypes_are_numbers() -> None:
    assert answer(tensor("Torque [Nm]", "INT64", 1), TYPE) == answer(tensor("Torque [Nm]", "FP64", 1.0), TYPE)


def test_the_order_of_inputs_does_not_matter() -> None:
    assert answer(TYPE, TORQUE) == answer(TORQUE, TYPE)


def test_null_is_a_missing_value() -> None:
    seen: list[dict[str, Tensor]] = []

    def remember(columns: Any) -> Any:
        seen.append(columns)
        return np.zeros(1, np.float32)

    app = Application(name="a", threshold=0.5, inputs=APP.inputs, probabilities=remember, model_sha256="")
    status, _ = app.infer(json.dumps({"inputs": [tensor("Torque [Nm]", "FP32", None), tensor("Type", "BYTES", None)]}).encode())
    assert status == 200
    assert np.isnan(seen[0]["Torque [Nm]"]).all() and seen[0]["Type"].tolist() == [[""]]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([TORQUE], "missing inputs: Type"),
        ([TORQUE, TYPE, tensor("Colour", "BYTES", "red")], "unknown inputs: Colour"),
        ([TORQUE, TORQUE, TYPE], "'Torque [Nm]' is given twice"),
        ([tensor("Torque [Nm]", "BYTES", "7"), TYPE], "'Torque [Nm]' takes FP32, not 'BYTES'"),
        ([TORQUE, tensor("Type", "FP32", 1)], "'Type' takes BYTES, not 'FP32'"),
        ([tensor("Torque [Nm]", "FP32", 1.0, shape=[2, 1]), TYPE], "'Torque [Nm]' has 1 values and shape [2, 1]"),
        ([tensor("Torque [Nm]", "FP32", 1.0, shape=[1, 2]), TYPE], "'Torque [Nm]' has 1 values and shape [1, 2]"),
        ([tensor("Torque [Nm]", "FP32", True), TYPE], "'Torque [Nm]' holds something that is no number"),
        ([tensor("Torque [Nm]", "FP32", "7"), TYPE], "'Torque [Nm]' holds something that is no number"),
        ([TORQUE, tensor("Type", "BYTES", 7)], "'Type' holds something that is no text"),
        ([tensor("Torque [Nm]", "FP32", 1e39), TYPE], "'Torque [Nm]' holds a number too large for float32"),
        ([tensor("Torque [Nm]", "FP32", *[1.0] * (MAX_ROWS + 1)), TYPE], f"'Torque [Nm]' has {MAX_ROWS + 1} rows"),
        ([tensor("Torque [Nm]", "FP32"), tensor("Type", "BYTES")], "'Torque [Nm]' has 0 rows"),
        ([tensor("Torque [Nm]", "FP32", 1.0, 2.0), TYPE], "different numbers of rows: Torque [Nm] 2, Type 1"),
        ([tensor("Torque [Nm]", "FP32", data=7), TYPE], "'Torque [Nm]' needs a list `data`"),
        ([7], "every input needs a `name`"),
        ([{**TORQUE, "datatype": ["FP32"]}, TYPE], "'Torque [Nm]' takes FP32, not ['FP32']"),
        ([{**TORQUE, "datatype": None}, TYPE], "'Torque [Nm]' takes FP32, not None"),
    ],
)
def test_what_is_wrong_with_an_input_is_named(inputs: list[Any], said: str) -> None:
    status, reply = answer(*inputs)
    assert status == 400 and said in reply["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"inputs": NaN}'])
def test_a_body_that_is_not_json_is_named(body: bytes) -> None:
    status, reply = APP.infer(body)
    assert status == 400 and b"the body is not JSON" in reply


def test_an_answer_that_is_no_number_is_refused_not_taken_as_no_alert() -> None:
    app = Application(name="a", threshold=0.5, inputs=[], probabilities=lambda _: np.array([0.1, math.nan], np.float32), model_sha256="")
    status, reply = app.infer(b'{"inputs": []}')
    assert status == 400 and b"no probability for row 1" in reply


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)
)
NEARLY = st.fixed_dictionaries(
    {"name": st.sampled_from(["Torque [Nm]", "Type"]) | ANYTHING},
    optional={"datatype": st.sampled_from(["FP32", "INT64", "BYTES"]) | ANYTHING, "shape": st.just([1, 1]) | ANYTHING, "data": st.lists(ANYTHING, max_size=2)},
)
BODIES = ANYTHING | st.fixed_dictionaries({"inputs": st.lists(NEARLY, max_size=3) | ANYTHING}, optional={"id": ANYTHING})


@settings(max_examples=300, deadline=None)
@given(BODIES)
@example({"inputs": [{**TORQUE, "data": [10**400]}, TYPE]})
@example({"inputs": [{**TORQUE, "data": [[[1.0]]]}, TYPE]})
@example({"inputs": [TORQUE, {**TYPE, "data": ["\ud800"]}]})
@example({"inputs": [{**TORQUE, "name": "\ud800"}, TYPE]})
def test_no_json_whatever_makes_it_fail(body: Any) -> None:
    status, reply = APP.infer(json.dumps(body).encode())
    assert status in (200, 400) and isinstance(json.loads(reply), dict)


@settings(max_examples=300, deadline=None)
@given(st.binary())
def test_no_bytes_whatever_make_it_fail(body: bytes) -> None:
    assert APP.infer(body)[0] == 400


@pytest.fixture
def candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A frozen candidate whose probability is the sigmoid of its one input."""
    monkeypatch.setenv("PYTHONPATH", str(Path(poc.__file__).parents[1]))
    one = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("Torque [Nm]", "probability")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["Torque [Nm]"], ["probability"])], "sigmoid", one[:1], one[1:])
    model = tmp_path / layout.CANDIDATE_MODEL
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), str(model))
    inputs = [CandidateInput(name="Torque [Nm]", kind="number")]
    frozen = Candidate(
        project="stop-bad-parts", charter_sha256="0" * 64, variant="sigmoid.float32", family="sigmoid", technique="float32",
        model_sha256=files.sha256_of_file(model), threshold=0.5, calibration=Calibration(slope=1, intercept=0), inputs=inputs,
    )  # fmt: skip
    files.write_record(tmp_path / layout.CANDIDATE_JSON, frozen)
    files.write_atomically(tmp_path / layout.SAMPLE_REQUEST, infer_request({"Torque [Nm]": np.array([[2.0]], np.float32)}, inputs))
    return tmp_path


@pytest.fixture
def url(candidate: Path) -> Iterator[str]:
    with server(candidate) as (port, _):
        yield f"http://127.0.0.1:{port}"


def fetch(url: str, body: bytes | None = None) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.server
def test_the_real_server_answers_health_metadata_and_rows_and_refuses_the_rest(url: str, candidate: Path) -> None:
    model = f"{url}/v2/models/stop-bad-parts"
    body = (candidate / layout.SAMPLE_REQUEST).read_bytes()
    assert fetch(f"{url}/v2/health/ready") == (200, {"ready": True})
    assert fetch(model)[1]["inputs"] == [{"name": "Torque [Nm]", "datatype": "FP32", "shape": [-1, 1]}]
    status, reply = fetch(f"{model}/infer", body)
    assert status == 200 and reply["outputs"][0]["data"] == pytest.approx([1 / (1 + math.exp(-2))])
    assert fetch(f"{url}/nothing/here")[0] == 404
    assert fetch(f"{model}/infer")[0] == fetch(model, body)[0] == 405
    assert fetch(f"{model}/infer", b"{")[0] == 400


@pytest.mark.server
def test_asking_the_real_server_gives_the_batch_answer(url: str, candidate: Path) -> None:
    reply = ask(candidate, url)
    batch = Scorer(candidate / layout.CANDIDATE_MODEL).probabilities({"Torque [Nm]": np.array([[2.0]], np.float32)})
    assert reply.probability == pytest.approx(float(batch[0]), abs=1e-7)
    assert reply.decision is True and reply.threshold == 0.5


@pytest.mark.server
def test_a_server_that_refuses_the_row_is_heard(url: str, candidate: Path) -> None:
    (candidate / layout.SAMPLE_REQUEST).write_bytes(b'{"inputs": []}')
    with pytest.raises(Refused, match=r"missing inputs: Torque \[Nm\]"):
        ask(candidate, url)


@pytest.mark.server
def test_a_model_edited_after_it_was_frozen_is_not_served(candidate: Path) -> None:
    model = candidate / layout.CANDIDATE_MODEL
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(EnvironmentRefused, match=r"bytes are not those that were frozen|digest differs"), server(candidate):
        pass


@pytest.mark.server
def test_asking_where_nobody_listens_says_so(candidate: Path) -> None:
    with server(candidate) as (port, _):
        pass
    with pytest.raises(EnvironmentRefused, match="nobody answers"):
        ask(candidate, f"http://127.0.0.1:{port}")
