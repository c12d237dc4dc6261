"""Open Inference Protocol v2: a request's body, and what a model answers, each written in one place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from poc.rules.answers import output_of
from poc.rules.evidence import CandidateInput, Deciding

DATATYPE = {"number": "FP32", "category": "BYTES"}
#: Parameter of a tensor that says how old its values are; of a request it is called so with the input's name behind a slash.
AGE = "age_seconds"


class Output(NamedTuple):
    """An output tensor, shape (n_rows, width)."""

    name: str
    datatype: str
    width: int


def outputs_of(deciding: Deciding) -> list[Output]:
    """List what is answered; an amount says itself what is decided."""
    answer = Output(output_of(deciding), "FP32", len(deciding.by_cost.classes) if deciding.by_cost else 1)
    return [answer] if answer.name == "estimate" else [answer, Output("decision", "BYTES" if deciding.by_cost else "BOOL", 1)]


def just_arrived(inputs: Sequence[CandidateInput]) -> dict[str, float]:
    """State of every input whose age is limited that it is 0 seconds old."""
    return {each.name: 0.0 for each in inputs if each.max_age_seconds is not None}


def infer_request(
    columns: Mapping[str, NDArray[np.float32] | NDArray[np.object_]], inputs: Sequence[CandidateInput], ages: Mapping[str, float] | None = None
) -> bytes:
    """Write rows, given as columns of shape (n_rows, 1), as an infer request; a missing number is null, and `ages` are seconds by input."""
    stated = {"parameters": {f"{AGE}/{name}": seconds for name, seconds in ages.items()}} if ages else {}
    return json.dumps({**stated, "inputs": [_tensor(each, columns[each.name]) for each in inputs]}).encode()


def _tensor(declared: CandidateInput, values: NDArray[np.float32] | NDArray[np.object_]) -> dict[str, Any]:
    data = [None if isinstance(value, float) and math.isnan(value) else value for value in values.ravel().tolist()]
    return {"name": declared.name, "datatype": DATATYPE[declared.kind], "shape": list(values.shape), "data": data}
