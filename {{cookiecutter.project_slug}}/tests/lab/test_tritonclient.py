"""NVIDIA's client speaks to the server: JSON and binary, in and out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from served import NAME, served
from small_models import TORQUE, TYPE, WEAR, a_model

from poc.tools.onnx_runtime import Scorer

triton: Any = pytest.importorskip("tritonclient.http")
pytestmark = [pytest.mark.lab, pytest.mark.server, pytest.mark.slow]
COLUMNS = {
    TORQUE: np.float32([[40.5], [71.25]]),
    WEAR: np.float32([[120.0], [np.nan]]),
    TYPE: np.array([["L"], ["M"]], dtype=object),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("triton")) as port, triton.InferenceServerClient(f"127.0.0.1:{port}") as client:
        yield client


def inputs(columns: dict[str, Any], *, binary: bool) -> list[Any]:
    made = []
    for name, values in columns.items():
        each = triton.InferInput(name, list(values.shape), "BYTES" if values.dtype == object else "FP32")
        each.set_data_from_numpy(values, binary_data=binary)
        made.append(each)
    return made


def test_it_finds_the_server_and_the_model(client: Any) -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(NAME)
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    described = client.get_model_metadata(NAME)
    assert client.get_model_metadata(NAME, described["versions"][0]) == described
    assert client.is_model_ready(NAME, described["versions"][0])
    assert [each["name"] for each in described["inputs"]] == [TORQUE, WEAR, TYPE]


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
def test_answers_are_the_models_however_they_travel(client: Any, binary_in: bool, binary_out: bool) -> None:
    columns = COLUMNS if binary_in else {**COLUMNS, WEAR: np.float32([[120.0], [7.0]])}  # this client writes no null
    wanted = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("decision", "probability")]
    reply = client.infer(NAME, inputs(columns, binary=binary_in), outputs=wanted, request_id="7")
    expected = Scorer(a_model()).answers(columns)
    assert np.array_equal(reply.as_numpy("probability").ravel(), expected)
    assert reply.as_numpy("decision").ravel().tolist() == (expected >= np.float32(0.5)).tolist()
    assert reply.get_response()["id"] == "7"


def test_all_outputs_come_in_binary_where_none_is_named(client: Any) -> None:
    reply = client.infer(NAME, inputs(COLUMNS, binary=True))
    assert reply.get_output("probability")["parameters"] == {"binary_data_size": 8}
    assert reply.as_numpy("decision").shape == (2, 1)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({TORQUE: np.float32([[40], [900]])}, f"input '{TORQUE}', row 1: 900 is not allowed; it takes at least 0, at most 120"),
        ({TYPE: np.array([["X"], ["M"]], dtype=object)}, f"input '{TYPE}', row 0: 'X' is not allowed; it takes one of 'H', 'L', 'M'"),
        ({WEAR: np.float32([[0], [1]])}, f"input '{WEAR}', row 0: 0 is not allowed; it takes more than 0"),
        ({TORQUE: np.float32([[40]])}, "different numbers of rows"),
    ],
)
def test_what_is_refused_reaches_the_caller_in_our_words(client: Any, change: dict[str, Any], said: str, binary: bool) -> None:
    columns = {**COLUMNS, WEAR: np.float32([[120.0], [7.0]]), **change}
    with pytest.raises(triton.InferenceServerException) as caught:
        client.infer(NAME, inputs(columns, binary=binary))
    assert said in caught.value.message()


def test_an_age_is_stated_as_a_parameter_of_the_request(client: Any) -> None:
    assert client.infer(NAME, inputs(COLUMNS, binary=True), parameters={f"age_seconds/{TORQUE}": 12}) is not None
    with pytest.raises(triton.InferenceServerException) as caught:
        client.infer(NAME, inputs(COLUMNS, binary=True), parameters={f"age_seconds/{TORQUE}": 61})
    assert f"input '{TORQUE}' is 61 s old; it may be 60 s" in caught.value.message()


def test_a_compressed_body_is_refused_in_our_words(client: Any) -> None:
    with pytest.raises(triton.InferenceServerException) as caught:
        client.infer(NAME, inputs(COLUMNS, binary=True), request_compression_algorithm="gzip")
    assert "without Content-Encoding" in caught.value.message()
