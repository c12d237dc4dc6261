"""MLServer's codecs write a request that the server answers, and its types read the reply; MLServer has an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from served import NAME, served
from small_models import TORQUE, TYPE, WEAR, a_model

from poc.tools.onnx_runtime import Scorer

PYTHON = os.environ.get("POC_MLSERVER_PYTHON")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="POC_MLSERVER_PYTHON names no interpreter that has MLServer: make lab"),
]
#: Reads columns from its input and asks; prints what the types of MLServer made of the reply.
CLIENT = """
import json, sys, urllib.error, urllib.request
import numpy as np
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceErrorResponse, InferenceRequest, InferenceResponse, MetadataModelResponse, MetadataServerResponse, RequestOutput

base, model, columns = sys.argv[1], sys.argv[2], json.load(sys.stdin)
numbers = {name: values for name, values in columns.items() if not isinstance(values[0], str)}
inputs = [NumpyCodec.encode_input(name, np.array(values, np.float32).reshape(-1, 1)) for name, values in numbers.items()]
inputs += [StringCodec.encode_input(name, values) for name, values in columns.items() if name not in numbers]
request = InferenceRequest(id="7", inputs=inputs, outputs=[RequestOutput(name="decision"), RequestOutput(name="probability")])
described = MetadataModelResponse.model_validate_json(urllib.request.urlopen(f"{base}/v2/models/{model}").read())
MetadataServerResponse.model_validate_json(urllib.request.urlopen(f"{base}/v2").read())
try:
    sent = urllib.request.Request(f"{base}/v2/models/{model}/infer", request.model_dump_json().encode(), {"content-type": "application/json"})
    said = InferenceResponse.model_validate_json(urllib.request.urlopen(sent).read())
    outputs = {output.name: NumpyCodec.decode_output(output).ravel().tolist() for output in said.outputs}
    print(json.dumps({"id": said.id, "model": said.model_name, "version": said.model_version, "versions": described.versions, **outputs}))
except urllib.error.HTTPError as error:
    print(json.dumps({"error": InferenceErrorResponse.model_validate_json(error.read()).error}))
"""
COLUMNS: dict[str, list[Any]] = {TORQUE: [40.5, 71.25], WEAR: [120.0, 7.0], TYPE: ["L", "M"]}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(tmp_path_factory.mktemp("mlserver")) as bound:
        yield bound


def asked(port: int, columns: dict[str, list[Any]]) -> dict[str, Any]:
    done = subprocess.run([str(PYTHON), "-c", CLIENT, f"http://127.0.0.1:{port}", NAME], input=json.dumps(columns), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_request_of_its_codecs_is_answered_and_its_types_read_the_reply(port: int) -> None:
    said = asked(port, COLUMNS)
    tensors = {name: np.array(values, object if name == TYPE else np.float32).reshape(-1, 1) for name, values in COLUMNS.items()}
    expected = Scorer(a_model()).answers(tensors)
    assert (said["id"], said["model"], [said["version"]]) == ("7", NAME, said["versions"])
    assert np.array_equal(np.float32(said["probability"]), expected)
    assert said["decision"] == (expected >= np.float32(0.5)).tolist()


def test_what_is_refused_reaches_the_caller_in_our_words(port: int) -> None:
    assert asked(port, {**COLUMNS, TORQUE: [40.5, 900]})["error"] == f"input '{TORQUE}', row 1: 900 is not allowed; it takes at least 0, at most 120"
