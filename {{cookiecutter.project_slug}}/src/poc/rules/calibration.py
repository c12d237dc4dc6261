"""Calibration: from a model's raw probability to one that holds in the long run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Calibration

#: Raw probabilities are clipped here, in numpy and in ONNX alike, before their logit is taken. float32 tells small numbers apart well, and numbers
#: near 1 badly: at 1 - 1e-6 the logit would be off by 6 %, at 1 - 1e-4 by less than a thousandth.
LOWEST = 1e-6
HIGHEST = 1.0 - 1e-4


def calibrated(raw: NDArray[np.floating], calibration: Calibration) -> NDArray[np.float64]:
    """Apply Platt scaling to raw probabilities, shape (n_rows,), float64: sigmoid(slope * logit(raw) + intercept).

    Source: J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    return 1.0 / (1.0 + np.exp(-(calibration.slope * logit(raw) + calibration.intercept)))


def logit(raw: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of clipped probabilities, float64."""
    p = np.clip(np.asarray(raw, dtype=np.float64), LOWEST, HIGHEST)
    return np.log(p) - np.log1p(-p)
