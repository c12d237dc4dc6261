"""Rows on which graphs are compared: every open row, and the awkward ones that conversions get wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from poc.rules.answers import compare
from poc.rules.evidence import Deciding, Parity
from poc.steps.inputs import Rows
from poc.tools.onnx_runtime import Scorer

Tensors = dict[str, NDArray[np.float32] | NDArray[np.object_]]
#: How many real rows are made awkward in each way.
AWKWARD = 64
#: How many rows, evenly from all, are asked again one at a time.
ALONE = 400


def awkward_rows(train: Rows, dev: Rows) -> Tensors:
    """Return all open rows, then copies with each number missing, whole, extreme, and each category missing or unknown."""
    stacked = {name: np.concatenate([train.tensors[name], dev.tensors[name]]) for name in train.tensors}
    head = {name: values[:AWKWARD] for name, values in stacked.items()}
    parts = [stacked]
    for name, values in head.items():
        if values.dtype == np.float32:
            number = stacked[name]
            whole = np.round(values).astype(np.float32)
            low, high = np.full_like(values, np.nanmin(number)), np.full_like(values, np.nanmax(number))
            changes = [np.full_like(values, np.nan), whole, low, high]
        else:
            changes = [np.full_like(values, ""), np.full_like(values, "never seen before")]
        parts += [{**head, name: change} for change in changes]
    return {name: np.concatenate([part[name] for part in parts]) for name in stacked}


def compare_alone(scorer: Scorer, rows: Tensors, answered: NDArray[np.float32], deciding: Deciding) -> Parity:
    """Compare what a model answers to many rows at once with what it answers to some of them one at a time, as a server is asked."""
    chosen = np.linspace(0, len(answered) - 1, min(ALONE, len(answered))).astype(int)
    alone = np.concatenate([scorer.answers({name: values[i : i + 1] for name, values in rows.items()}) for i in chosen])
    return compare(deciding, answered[chosen], alone)
