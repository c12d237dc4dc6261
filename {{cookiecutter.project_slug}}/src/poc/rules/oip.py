"""Open Inference Protocol v2: a request's body, written in one place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import CandidateInput

DATATYPE = {"number": "FP32", "category": "BYTES"}


def infer_request(columns: Mapping[str, NDArray[np.float32] | NDArray[np.object_]], inputs: Sequence[CandidateInput]) -> bytes:
    """Write rows, given as columns of shape (n_rows, 1), as an infer request; a missing number is null."""
    return json.dumps({"inputs": [_tensor(each, columns[each.name]) for each in inputs]}).encode()


def _tensor(declared: CandidateInput, values: NDArray[np.float32] | NDArray[np.object_]) -> dict[str, Any]:
    data = [None if isinstance(value, float) and math.isnan(value) else value for value in values.ravel().tolist()]
    return {"name": declared.name, "datatype": DATATYPE[declared.kind], "shape": list(values.shape), "data": data}
