from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from bad_requests import ANYTHING, RAW, Sent, asked, is_well_answered, requests
from hypothesis import given, settings
from hypothesis import strategies as st

from poc.rules.contract import Tensor
from poc.rules.evidence import ByCost, CandidateInput, Deciding
from poc.tools.web import MAX_ROWS, Application

APP = Application(
    name="stop-bad-parts",
    deciding=Deciding(threshold=0.5),
    inputs=[CandidateInput(name="Torque [Nm]", kind="number"), CandidateInput(name="Type", kind="category")],
    answers=lambda columns: np.nan_to_num(columns["Torque [Nm]"].ravel(), nan=0.25),
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

    app = Application(name="a", deciding=Deciding(threshold=0.5), inputs=APP.inputs, answers=remember, model_sha256="")
    status, _ = app.infer(json.dumps({"inputs": [tensor("Torque [Nm]", "FP32", None), tensor("Type", "BYTES", None)]}).encode())
    assert status == 200
    assert np.isnan(seen[0]["Torque [Nm]"]).all() and seen[0]["Type"].tolist() == [[""]]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([TORQUE], "missing inputs: Type"),
        ([TORQUE, TYPE, tensor("Colour", "BYTES", "red")], "unknown inputs: 'Colour'"),
        ([TORQUE, TORQUE, TYPE], "'Torque [Nm]' is given twice"),
        ([tensor("Torque [Nm]", "BYTES", "7"), TYPE], "'Torque [Nm]' takes FP32, not 'BYTES'"),
        ([TORQUE, tensor("Type", "FP32", 1)], "'Type' takes BYTES, not 'FP32'"),
        ([tensor("Torque [Nm]", "FP32", 1.0, shape=[2, 1]), TYPE], "'Torque [Nm]' has 1 values and shape [2, 1]"),
        ([tensor("Torque [Nm]", "FP32", 1.0, shape=[1, 2]), TYPE], "'Torque [Nm]' has 1 values and shape [1, 2]"),
        ([tensor("Torque [Nm]", "FP32", True), TYPE], "'Torque [Nm]', row 0: True is no number"),
        ([tensor("Torque [Nm]", "FP32", "7"), TYPE], "'Torque [Nm]', row 0: '7' is no number"),
        ([TORQUE, tensor("Type", "BYTES", 7)], "'Type', row 0: 7 is no text"),
        ([tensor("Torque [Nm]", "FP32", 1e39), TYPE], "'Torque [Nm]', row 0: a number too large for float32 is not allowed"),
        ([tensor("Torque [Nm]", "FP32", *[1.0] * (MAX_ROWS + 1)), TYPE], f"'Torque [Nm]' has {MAX_ROWS + 1} rows"),
        ([tensor("Torque [Nm]", "FP32"), tensor("Type", "BYTES")], "'Torque [Nm]' has 0 rows"),
        ([tensor("Torque [Nm]", "FP32", 1.0, 2.0), TYPE], "different numbers of rows: Torque [Nm] 2, Type 1"),
        ([tensor("Torque [Nm]", "FP32", data=7), TYPE], "'Torque [Nm]' needs a list `data`"),
        ([TORQUE, tensor("Type", "BYTES", "L", data="L")], "'Type' needs a list `data`"),
        ([7], "every input needs a `name`"),
        ([{**TORQUE, "datatype": ["FP32"]}, TYPE], "'Torque [Nm]' takes FP32, not a list"),
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
    app = Application(name="a", deciding=Deciding(threshold=0.5), inputs=[], answers=lambda _: np.array([0.1, math.nan], np.float32), model_sha256="")
    status, reply = app.infer(b'{"inputs": []}')
    assert status == 400 and b"no probability for row 1" in reply


@settings(max_examples=200)
@given(requests(APP.name, APP.inputs))
def test_a_request_that_went_wrong_anywhere_is_answered_in_a_sentence(sent: Sent) -> None:
    assert is_well_answered(*asked(APP, sent))


@pytest.mark.parametrize("raw", RAW)
def test_what_json_may_not_hold_is_answered_in_a_sentence_wherever_it_stands(raw: bytes) -> None:
    body = json.dumps({"id": "7", "inputs": [TORQUE, TYPE]}).encode()
    for place in (b'"7"', b"0.75", b'"FP32"', b"[1, 1]", b'"L"', b'"Type"'):
        status, reply = APP.infer(body.replace(place, raw))
        assert status == 400 and is_well_answered(status, reply)


@settings(max_examples=100)
@given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_whatever_make_it_fail(body: bytes) -> None:
    status, reply = APP.infer(body)
    assert status == 400 and is_well_answered(status, reply)


CLASSES = Deciding(by_cost=ByCost(classes=["good", "scrap", "re, work"], costs=[[0, 1, 1], [9, 0, 9], [1, 1, 0]]))


def test_several_classes_are_answered_with_all_probabilities_and_the_name_of_the_one_decided() -> None:
    probabilities = np.array([[0.9, 0.05, 0.05], [0.8, 0.2, 0.0]], np.float32)
    app = Application(name="a", deciding=CLASSES, inputs=[], answers=lambda _: probabilities, model_sha256="")
    status, body = app.infer(b'{"inputs": []}')
    answer, decision = json.loads(body)["outputs"]
    assert (status, answer["name"], answer["shape"]) == (200, "probabilities", [2, 3])
    assert answer["data"] == pytest.approx([0.9, 0.05, 0.05, 0.8, 0.2, 0.0])
    # the second is scrap with 0.2: as good that costs 1.8, as scrap 0.8
    assert (decision["datatype"], decision["shape"], decision["data"]) == ("BYTES", [2, 1], ["good", "scrap"])
    assert json.loads(json.loads(body)["parameters"]["classes"]) == ["good", "scrap", "re, work"]


def test_an_amount_is_answered_alone() -> None:
    app = Application(name="a", deciding=Deciding(), inputs=[], answers=lambda _: np.array([7.5], np.float32), model_sha256="")
    reply = json.loads(app.infer(b'{"inputs": []}')[1])
    assert (reply["outputs"], "parameters" in reply) == ([{"name": "estimate", "datatype": "FP32", "shape": [1, 1], "data": [7.5]}], False)


@pytest.mark.parametrize(("deciding", "outputs"), [(CLASSES, [("probabilities", [-1, 3]), ("decision", [-1, 1])]), (Deciding(), [("estimate", [-1, 1])])])
def test_what_is_answered_is_described(deciding: Deciding, outputs: list[Any]) -> None:
    app = Application(name="a", deciding=deciding, inputs=[], answers=lambda _: np.zeros(0, np.float32), model_sha256="")
    assert [(each["name"], each["shape"]) for each in app.metadata()["outputs"]] == outputs


@pytest.mark.parametrize(("deciding", "silent"), [(CLASSES, [[0.5, math.nan, 0.5]]), (Deciding(), [math.inf])])
def test_an_answer_that_is_not_finite_is_refused_whatever_is_asked(deciding: Deciding, silent: Any) -> None:
    app = Application(name="a", deciding=deciding, inputs=[], answers=lambda _: np.array(silent, np.float32), model_sha256="")
    assert app.infer(b'{"inputs": []}')[0] == 400
