"""Skill: how much of the truth a model's answers hold, whatever is decided from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Number
from poc.rules.leakage import auc


def skill(problem: str, answers: NDArray[np.floating[Any]], truth: NDArray[Any]) -> Number:
    """Return the AUC, for several classes the mean of each against the rest; for amounts the share of the variance that is explained."""
    if problem == "binary":
        return Number(name="auc", value=auc(answers, truth), unit="AUC")
    if problem == "multiclass":
        return Number(name="auc", value=mean_auc(answers, truth), unit="AUC")
    return Number(name="r2", value=r_squared(answers, truth), unit="R2")


def mean_auc(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean AUC of each class against the rest, shape (n_rows, n_classes) against (n_rows,)."""
    return float(np.mean([auc(probabilities[:, at], np.asarray(labels) == at) for at in range(probabilities.shape[1])]))


def r_squared(estimates: NDArray[np.floating[Any]], truth: NDArray[Any]) -> float:
    """Return which share of the variance of the truth estimates explain, however they are shifted; NaN where there is none."""
    around = float(np.var(truth))
    return 1 - float(np.var(np.ravel(estimates) - truth)) / around if around else float("nan")
