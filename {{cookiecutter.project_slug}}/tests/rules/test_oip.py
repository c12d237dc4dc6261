"""The body of an infer request."""

from __future__ import annotations

import json

import numpy as np

from poc.rules.evidence import CandidateInput
from poc.rules.oip import infer_request, just_arrived

NUMBER, TEXT = CandidateInput(name="Torque [Nm]", kind="number"), CandidateInput(name="Type", kind="category")


def test_each_input_is_a_tensor_with_its_shape_and_datatype() -> None:
    columns = {"Type": np.array([["L"], ["M"]], dtype=object), "Torque [Nm]": np.float32([[1.5], [2.0]])}
    assert json.loads(infer_request(columns, [NUMBER, TEXT])) == {
        "inputs": [
            {"name": "Torque [Nm]", "datatype": "FP32", "shape": [2, 1], "data": [1.5, 2.0]},
            {"name": "Type", "datatype": "BYTES", "shape": [2, 1], "data": ["L", "M"]},
        ]
    }


def test_a_missing_number_is_null() -> None:
    assert json.loads(infer_request({"Torque [Nm]": np.float32([[np.nan]])}, [NUMBER]))["inputs"][0]["data"] == [None]


def test_ages_are_stated_of_the_inputs_whose_age_is_limited() -> None:
    limited = TEXT.model_copy(update={"max_age_seconds": 60.0})
    columns = {"Type": np.array([["L"]], dtype=object), "Torque [Nm]": np.float32([[1.5]])}
    assert json.loads(infer_request(columns, [NUMBER, limited], just_arrived([NUMBER, limited])))["parameters"] == {"age_seconds/Type": 0.0}
    assert just_arrived([NUMBER, TEXT]) == {}


def test_a_number_comes_back_as_the_same_float32() -> None:
    values = np.random.default_rng(0).normal(0, 1e3, (500, 1)).astype(np.float32)
    sent = json.loads(infer_request({"Torque [Nm]": values}, [NUMBER]))["inputs"][0]["data"]
    assert np.array_equal(np.float32(sent), values.ravel())
