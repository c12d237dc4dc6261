"""The protocol beyond plain JSON: binary tensors, requested outputs, versions, ages, and the input contract at the door."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from bad_requests import Sent, asked, requests
from hypothesis import given, settings

from poc.rules.contract import Tensor
from poc.rules.evidence import ByCost, CandidateInput, Deciding
from poc.rules.oip import infer_request, just_arrived
from poc.tools.web import Application
from poc.tools.web.protocol import Behind

TORQUE, TYPE = "Torque [Nm]", "Type"
INPUTS = [
    CandidateInput(name=TORQUE, kind="number", minimum=0, maximum=80, may_be_missing=False, max_age_seconds=60),
    CandidateInput(name=TYPE, kind="category", one_of=["H", "L", "M"]),
]
SHA = "ab" * 32


def an_application(**changes: Any) -> Application:
    """Return one that answers a hundredth of the torque."""
    kept = {"name": "m", "deciding": Deciding(threshold=0.5), "inputs": INPUTS, "answers": lambda columns: columns[TORQUE].ravel() / np.float32(100)}
    return Application(**{**kept, "model_sha256": SHA, **changes})


APP = an_application()


def tensor(name: str, *values: Any, datatype: str | None = None, **said: Any) -> dict[str, Any]:
    data = {} if "binary_data_size" in said.get("parameters", {}) else {"data": list(values)}
    return {"name": name, "datatype": datatype or ("FP32" if name == TORQUE else "BYTES"), "shape": [len(values), 1], **data, **said}


def texts(*values: str | bytes) -> bytes:
    each = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(struct.pack("<I", len(value)) + value for value in each)


def ask(*inputs: Any, behind: bytes | None = None, app: Application = APP, **said: Any) -> tuple[int, dict[str, Any], bytes]:
    """Return status, JSON and the bytes behind it."""
    content = json.dumps({"inputs": list(inputs), **said}).encode()
    reply = app.reply_to(content + (behind or b""), None if behind is None else len(content))
    end = reply.json_bytes
    return reply.status, json.loads(reply.body[:end]), b"" if end is None else reply.body[end:]


def refused(*inputs: Any, **said: Any) -> str:
    status, reply, _ = ask(*inputs, **said)
    assert status == 400
    return str(reply["error"])


GOOD = [tensor(TORQUE, 60.0), tensor(TYPE, "L")]
SIZE_4, SIZE_5 = {"parameters": {"binary_data_size": 4}}, {"parameters": {"binary_data_size": 5}}


def test_binary_tensors_are_read_in_the_order_of_the_inputs() -> None:
    behind = texts("L", "M") + struct.pack("<2f", 60, 40)
    inputs = [tensor(TYPE, "L", "M", parameters={"binary_data_size": 10}), tensor(TORQUE, 60, 40, parameters={"binary_data_size": 8})]
    assert ask(*inputs, behind=behind) == ask(tensor(TORQUE, 60, 40), tensor(TYPE, "L", "M"))


def test_one_tensor_may_be_binary_and_another_not() -> None:
    assert ask(GOOD[0], tensor(TYPE, "L", **SIZE_5), behind=texts("L")) == ask(*GOOD)


@pytest.mark.parametrize(("datatype", "code"), [("FP16", "e"), ("FP64", "d"), ("INT8", "b"), ("INT16", "h"), ("INT64", "q"), ("UINT8", "B"), ("UINT32", "I")])
def test_numbers_of_any_datatype_are_read_in_binary(datatype: str, code: str) -> None:
    behind = struct.pack(f"<{code}", 60)
    sent = tensor(TORQUE, 60, datatype=datatype, parameters={"binary_data_size": len(behind)})
    assert ask(sent, GOOD[1], behind=behind) == ask(*GOOD)


def test_nan_in_binary_and_an_empty_text_are_missing_values() -> None:
    seen: list[dict[str, Tensor]] = []
    open_to_all = [each.model_copy(update={"may_be_missing": True}) for each in INPUTS]
    app = an_application(inputs=open_to_all, answers=lambda columns: seen.append(dict(columns)) or np.zeros(1, np.float32))
    ask(tensor(TORQUE, 0, **SIZE_4), tensor(TYPE, "", **SIZE_4), behind=struct.pack("<f", float("nan")) + texts(""), app=app)
    assert np.isnan(seen[0][TORQUE]).all() and seen[0][TYPE].tolist() == [[""]]


@pytest.mark.parametrize(
    ("inputs", "behind", "said"),
    [
        ([tensor(TORQUE, 1, **SIZE_4), GOOD[1]], b"\0\0\0", "`binary_data_size` of input 'Torque [Nm]' is 4, and 3 bytes are left behind the JSON"),
        ([tensor(TORQUE, 1, **SIZE_4), GOOD[1]], None, "is 4, and 0 bytes are left behind the JSON"),
        ([tensor(TORQUE, 1, parameters={"binary_data_size": -4}), GOOD[1]], b"\0\0\0\0", "is -4"),
        ([tensor(TORQUE, 1, parameters={"binary_data_size": True}), GOOD[1]], b"\0", "is True"),
        ([tensor(TORQUE, 1, **SIZE_4), GOOD[1]], b"\0" * 6, "behind the JSON are 2 bytes more than its inputs name"),
        (GOOD, b"\0\0", "behind the JSON are 2 bytes more than its inputs name"),
        ([tensor(TORQUE, 1, **SIZE_5), GOOD[1]], b"\0" * 5, "has 5 bytes, which hold no whole number of FP32"),
        ([tensor(TORQUE, 1, 1, **SIZE_4), GOOD[1]], b"\0" * 4, "'Torque [Nm]' has 1 values and shape [2, 1]"),
        ([{**tensor(TORQUE, 1, **SIZE_4), "data": [1]}, GOOD[1]], b"\0" * 4, "has both `data` and `binary_data_size`"),
        ([GOOD[0], tensor(TYPE, "L", **SIZE_5)], struct.pack("<I", 9) + b"L", "'Type' ends within a text"),
        ([GOOD[0], tensor(TYPE, "L", **SIZE_5)], texts("L")[:4] + b"\xff", "'Type' holds text that is not UTF-8"),
        ([GOOD[0], tensor(TYPE, "L", parameters={"binary_data_size": 7})], texts("L") + b"\0\0", "'Type' ends within a text"),
        ([tensor(TORQUE, 1, **SIZE_4), GOOD[1]], struct.pack("<f", 90), "row 0: 90 is not allowed; it takes at least 0, at most 80"),
        ([tensor(TORQUE, 1, **SIZE_4), GOOD[1]], struct.pack("<f", float("inf")), "a number too large for float32 is not allowed"),
        ([{**GOOD[0], "parameters": 7}, GOOD[1]], None, "`parameters` of input 'Torque [Nm]' takes names and values"),
    ],
)
def test_what_is_wrong_with_a_binary_tensor_is_named(inputs: list[Any], behind: bytes | None, said: str) -> None:
    assert said in refused(*inputs, behind=behind)


def test_answers_come_in_binary_where_they_are_asked_for_so() -> None:
    status, reply, behind = ask(tensor(TORQUE, 60, 40), tensor(TYPE, "L", "M"), parameters={"binary_data_output": True})
    assert (status, [each["parameters"] for each in reply["outputs"]]) == (200, [{"binary_data_size": 8}, {"binary_data_size": 2}])
    assert behind == struct.pack("<2f", 0.6, 0.4) + b"\x01\x00"


def test_classes_are_answered_in_binary_with_their_lengths() -> None:
    by_cost = Deciding(by_cost=ByCost(classes=["good", "bäd"], costs=[[0, 1], [1, 0]]))
    app = an_application(deciding=by_cost, answers=lambda _: np.array([[0.1, 0.9]], np.float32))
    _, reply, behind = ask(*GOOD, app=app, outputs=[{"name": "decision", "parameters": {"binary_data": True}}])
    assert [(each["name"], each["shape"]) for each in reply["outputs"]] == [("decision", [1, 1])]
    assert behind == texts("bäd")


def test_only_the_outputs_that_are_asked_for_come_in_their_order_each_as_asked() -> None:
    wanted = [{"name": "decision"}, {"name": "probability", "parameters": {"binary_data": True}}]
    _, reply, behind = ask(*GOOD, outputs=wanted)
    assert [(each["name"], each.get("data")) for each in reply["outputs"]] == [("decision", [True]), ("probability", None)]
    assert behind == struct.pack("<f", 0.6)
    assert [each["name"] for each in ask(*GOOD, outputs=[])[1]["outputs"]] == ["probability", "decision"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"outputs": [{"name": "shap"}]}, "there is no output 'shap'; the model answers probability, decision"),
        ({"outputs": [7]}, "there is no output None"),
        ({"outputs": 7}, "`outputs` takes a list"),
        ({"outputs": [{"name": "decision"}, {"name": "decision"}]}, "output 'decision' is asked for twice"),
        ({"outputs": [{"name": "decision", "parameters": {"classification": 1}}]}, "output 'decision' takes no `classification` here"),
        ({"outputs": [{"name": "decision", "parameters": {"binary_data": 1}}]}, "`binary_data` of output 'decision' takes true or false"),
        ({"parameters": {"binary_data_output": "yes"}}, "`binary_data_output` takes true or false"),
        ({"parameters": [1]}, "`parameters` of the request takes names and values"),
        ({"id": 7}, "`id` takes text"),
    ],
)
def test_what_is_wrong_with_what_is_asked_for_is_named(said: dict[str, Any], what: str) -> None:
    assert what in refused(*GOOD, **said)


@pytest.mark.parametrize("request_id", [None, "", 'a "7"'])
@pytest.mark.parametrize("torque", [0.0, 12.3, 49.999996, 50.0, 50.000004, 1 / 3, 80.0])
def test_one_row_is_answered_as_among_many(torque: float, request_id: str | None) -> None:
    said = {} if request_id is None else {"id": request_id}
    both = {"outputs": [{"name": "probability"}, {"name": "decision"}]}
    assert ask(tensor(TORQUE, torque), GOOD[1], **said) == ask(tensor(TORQUE, torque), GOOD[1], **said, **both)
    seen = [APP.reply_to(json.dumps({"inputs": [tensor(TORQUE, torque), GOOD[1]], **said}).encode(), None).answered for said in ({}, both)]
    assert [(each.decisions.dtype, each.decisions.tolist()) for each in seen if each] == [(np.bool_, [torque / 100 >= 0.5])] * 2


def test_an_id_comes_back_and_none_where_none_was_sent() -> None:
    assert ask(*GOOD, id='a "7"')[1]["id"] == 'a "7"'
    assert ["id" in ask(*GOOD, **said)[1] for said in ({}, {"id": None}, {"id": ""})] == [False, False, True]


def test_all_values_that_are_not_allowed_are_named_at_once() -> None:
    assert refused(tensor(TORQUE, 60, None, 90, -1), tensor(TYPE, "L", "X", None, "M")).split("; input ") == [
        "input 'Torque [Nm]', row 1: the value is missing and has to be there",
        "'Torque [Nm]', row 2: 90 is not allowed; it takes at least 0, at most 80",
        "'Torque [Nm]', row 3: -1 is not allowed; it takes at least 0, at most 80",
        "'Type', row 1: 'X' is not allowed; it takes one of 'H', 'L', 'M'",
    ]


def test_of_very_many_problems_the_first_twenty_are_named() -> None:
    said = refused(tensor(TORQUE, *[90] * 500), tensor(TYPE, *["X"] * 500))
    assert said.count("not allowed") == 20 and said.endswith("; and more")


def test_an_age_is_read_from_the_tensor_or_from_the_request() -> None:
    for inputs, said in (
        ([{**GOOD[0], "parameters": {"age_seconds": 61}}, GOOD[1]], {}),
        (GOOD, {"parameters": {"age_seconds/Torque [Nm]": 61}}),
        ([{**GOOD[0], "parameters": {"age_seconds": 61}}, GOOD[1]], {"parameters": {"age_seconds/Torque [Nm]": 1}}),
    ):
        assert refused(*inputs, **said) == "input 'Torque [Nm]' is 61 s old; it may be 60 s"
    assert ask(*GOOD, parameters={"age_seconds/Torque [Nm]": 60, "age_seconds/Type": 1e9})[0] == 200


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"age_seconds/Torque [Nm]": "old"}, "the age of input 'Torque [Nm]' takes seconds, not 'old'"),
        ({"age_seconds/Torque [Nm]": True}, "takes seconds, not True"),
        ({"age_seconds/Torque [Nm]": -1}, "is -1 s old; an age is 0 or more"),
        ({"age_seconds/Colour": 1}, "an age is stated of 'Colour', which is no input"),
    ],
)
def test_an_age_that_is_none_is_refused(parameters: dict[str, Any], said: str) -> None:
    assert said in refused(*GOOD, parameters=parameters)


def test_an_age_that_is_not_stated_is_counted_or_where_it_is_required_refused() -> None:
    app, strict = an_application(), an_application(require_age=True)
    assert [ask(*GOOD, app=app)[0], ask(*GOOD, app=app, parameters={"age_seconds/Torque [Nm]": 1})[0]] == [200, 200]
    assert app.unstated_ages == {TORQUE: 1}
    assert refused(*GOOD, app=strict) == "input 'Torque [Nm]' states no `age_seconds`; it may be 60 s old"
    assert ask(*GOOD, app=strict, parameters={"age_seconds/Torque [Nm]": 1})[0] == 200


def test_a_request_that_states_that_all_has_just_arrived_is_answered_where_ages_are_required() -> None:
    columns = {TORQUE: np.float32([[40.0]]), TYPE: np.array([["L"]], dtype=object)}
    strict = an_application(require_age=True)
    assert [strict.infer(infer_request(columns, INPUTS, ages))[0] for ages in (None, just_arrived(INPUTS))] == [400, 200]


def test_a_value_that_is_not_there_has_no_age_to_state() -> None:
    absent = [INPUTS[0].model_copy(update={"may_be_missing": True}), INPUTS[1]]
    app = an_application(inputs=absent, require_age=True, answers=lambda _: np.zeros(1, np.float32))
    assert ask(tensor(TORQUE, None), GOOD[1], app=app)[0] == 200
    assert ask(tensor(TORQUE, 60), GOOD[1], app=app)[0] == 400


def test_one_row_is_read_as_any_number_of_rows_is() -> None:
    seen = list[int]()

    @settings(max_examples=200)
    @given(requests("m", INPUTS))
    def both_agree(sent: Sent) -> None:
        try:
            tensors = list(json.loads(sent.body)["inputs"])
        except (ValueError, TypeError, KeyError):
            return
        if (quick := APP._reader.one_row(tensors)) is not None:
            full, _ = APP._reader.columns(tensors, Behind(memoryview(b"")), {})
            seen.append(1)
            assert all((quick[name].dtype, quick[name].tolist()) == (full[name].dtype, full[name].tolist()) for name in {**quick, **full})

    both_agree()
    assert len(seen) > 10


def over_http(path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, Any]:
    status, content = asked(APP, Sent(body, path, method, {name.replace("_", "-"): value for name, value in headers.items()}))
    return status, json.loads(content)


BODY = json.dumps({"inputs": GOOD}).encode()


@pytest.mark.parametrize("model", ["/v2/models/m", f"/v2/models/m/versions/{SHA[:12]}"])
def test_a_model_is_found_with_and_without_its_version(model: str) -> None:
    assert over_http(model)[1]["versions"] == [SHA[:12]]
    assert over_http(f"{model}/ready") == (200, {"name": "m", "ready": True})
    assert over_http(f"{model}/infer", "POST", BODY)[0] == 200


@pytest.mark.parametrize("path", ["/v2/models/n", "/v2/models/m/versions/1", "/v2/models/m/versions/1/infer", "/v2/models/m/infer/", "/v2/models/m/\ud800"])
def test_another_model_or_version_is_not_found(path: str) -> None:
    assert over_http(path, "POST", BODY)[0] == 404


def test_the_server_says_what_it_knows_of_the_protocol() -> None:
    assert over_http("/v2")[1]["extensions"] == ["binary_tensor_data"]
    assert [over_http(f"/v2/health/{what}") for what in ("live", "ready")] == [(200, {"live": True}), (200, {"ready": True})]


@pytest.mark.parametrize(
    ("method", "headers", "status", "said"),
    [
        ("POST", {"Content_Encoding": "gzip"}, 415, "without Content-Encoding"),
        ("POST", {"Inference_Header_Content_Length": "nine"}, 400, "takes the number of bytes of the JSON"),
        ("POST", {"Inference_Header_Content_Length": "9" * 5000}, 400, "takes the number of bytes of the JSON"),
        ("POST", {"Inference_Header_Content_Length": "999"}, 400, f"is 999, and the body has {len(BODY)} bytes"),
        ("POST", {"Inference_Header_Content_Length": "9"}, 400, "the body is not JSON"),
        ("GET", {}, 405, "takes POST"),
    ],
)
def test_what_is_wrong_around_a_request_is_named(method: str, headers: dict[str, str], status: int, said: str) -> None:
    found, reply = over_http("/v2/models/m/infer", method, BODY, **headers)
    assert found == status and said in reply["error"]


def test_the_description_holds_the_contract_and_an_example_that_is_answered() -> None:
    described = over_http("/openapi.json")[1]
    request = described["components"]["schemas"]["Request"]
    torque, kind = (each["properties"] for each in request["properties"]["inputs"]["items"]["anyOf"])
    assert torque["data"]["items"] == {"anyOf": [{"type": "number", "minimum": 0, "maximum": 80}]}
    assert kind["data"]["items"] == {"anyOf": [{"enum": ["H", "L", "M"]}, {"type": "null"}]}
    assert torque["parameters"]["properties"] == {"age_seconds": {"type": "number", "minimum": 0, "maximum": 60}}
    assert over_http("/v2/models/m/infer", "POST", json.dumps(request["example"]).encode())[0] == 200


def test_a_model_that_fails_is_said_in_json_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> np.ndarray:
        raise RuntimeError("bad alloc")

    status, reply, _ = ask(*GOOD, app=an_application(answers=fail))
    assert (status, "the model failed" in reply["error"], "bad alloc" in reply["error"]) == (500, True, False)
    assert "bad alloc" in caplog.text
