"""Calibration: from a model's raw answer to one that holds in the long run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Calibration

#: Raw probabilities are clipped here, in numpy and in ONNX alike, before their logit is taken. float32 tells small numbers apart well, and numbers
#: near 1 badly: at 1 - 1e-6 the logit would be off by 6 %, at 1 - 1e-4 by less than a thousandth.
LOWEST = 1e-6
HIGHEST = 1.0 - 1e-4
#: The largest logarithm of one over a temperature, either way: perfect probabilities would be made ever steeper.
STEEPEST = 2.0


def calibrated(problem: str, raw: NDArray[np.floating[Any]], calibration: Calibration) -> NDArray[np.float64]:
    """Apply a calibration to raw answers, float64.

    Yes or no, shape (n_rows,): sigmoid(slope * logit(raw) + intercept), Platt scaling (J. Platt, "Probabilistic outputs for support vector machines",
    1999). Several classes, shape (n_rows, n_classes): softmax(slope * log(raw)), the slope being one over a temperature (Guo, Pleiss, Sun and
    Weinberger, "On calibration of modern neural networks", 2017). Amounts, shape (n_rows,): slope * raw + intercept, counts not below 0.
    """
    if problem == "binary":
        return 1.0 / (1.0 + np.exp(-(calibration.slope * logit(raw) + calibration.intercept)))
    if problem == "multiclass":
        powers = np.exp(calibration.slope * log_clipped(raw))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    amounts = calibration.slope * np.asarray(raw, dtype=np.float64) + calibration.intercept
    return np.maximum(amounts, 0.0) if problem == "count" else amounts


def log_clipped(raw: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return log(p) of probabilities that are no smaller than `LOWEST`, float64."""
    return np.log(np.maximum(np.asarray(raw, dtype=np.float64), LOWEST))


def temperature(raw: NDArray[np.float64], truth: NDArray[Any]) -> Calibration:
    """Fit the one temperature that makes out-of-sample probabilities of several classes likeliest."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logs, rows = log_clipped(raw), np.arange(len(raw))

    def surprise(log_slope: float) -> float:
        return -float(log_softmax(np.exp(log_slope) * logs, axis=1)[rows, np.ravel(truth)].mean())

    found = minimize_scalar(surprise, bounds=(-STEEPEST, STEEPEST), method="bounded")
    return Calibration(slope=float(np.exp(found.x)), intercept=0.0)


def unit_of(problem: str, truth: NDArray[Any]) -> Calibration:
    """Return the unit that amounts are fitted in, as what brings them back: networks and penalties learn badly from 450 +/- 17 MW.

    Counts keep their zero, because a Poisson loss knows nothing below it; classes have no unit.
    """
    if problem == "regression":
        return Calibration(slope=float(np.std(truth)) or 1.0, intercept=float(np.mean(truth)))
    return Calibration(slope=(float(np.mean(truth)) or 1.0) if problem == "count" else 1.0, intercept=0.0)


def in_unit(truth: NDArray[Any], unit: Calibration) -> NDArray[Any]:
    """Return amounts in the unit that they are fitted in; labels of classes as they are."""
    return truth if unit == Calibration(slope=1.0, intercept=0.0) else (truth - unit.intercept) / unit.slope


def logit(raw: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of clipped probabilities, float64."""
    p = np.clip(np.asarray(raw, dtype=np.float64), LOWEST, HIGHEST)
    return np.log(p) - np.log1p(-p)
