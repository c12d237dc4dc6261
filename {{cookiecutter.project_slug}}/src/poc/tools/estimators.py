"""Fitting: the scikit-learn calls that do not depend on the problem."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc.rules.calibration import logit
from poc.rules.evidence import Calibration

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline


#: Below this many rows a second thread brings nothing: `train` on 4,500 rows took as long with two on two idle cores, and 1.5 times as long where
#: another process kept one of them busy, because threads that wait for each other spin.
WORTH_A_SECOND_THREAD = 100_000


@dataclass(frozen=True, kw_only=True)
class CrossFit:
    """A model fitted on train, and raw probabilities for every open row from a model that had not seen it.

    `raw_train` (n_train,) comes from folds, `raw_dev` (n_dev,) from the fitted model itself; both float64.
    """

    estimator: Pipeline
    raw_train: NDArray[np.float64]
    raw_dev: NDArray[np.float64]


def cross_fit(unfitted: Pipeline, train: pd.DataFrame, labels: NDArray[np.int8], dev: pd.DataFrame, *, folds: int, seed: int) -> CrossFit:
    """Fit on train; predict train by folds and dev by the fitted model, so that no row is judged by a model that saw it."""
    import warnings

    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    with _threads_for(train), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a network is stopped early on purpose: its length is a choice, made by cross-fitting
        by_folds = cross_val_predict(clone(unfitted), train, labels, cv=StratifiedKFold(folds, shuffle=True, random_state=seed), method="predict_proba")[:, 1]
        fitted = clone(unfitted).fit(train, labels)
    return CrossFit(estimator=fitted, raw_train=by_folds, raw_dev=raw_probabilities(fitted, dev))


def raw_probabilities(estimator: Pipeline, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the uncalibrated probability of the positive class, shape (n_rows,), float64."""
    with _threads_for(rows):
        return np.asarray(estimator.predict_proba(rows)[:, 1], dtype=np.float64)


def _threads_for(rows: pd.DataFrame) -> AbstractContextManager[object]:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1) if len(rows) < WORTH_A_SECOND_THREAD else nullcontext()


def platt(raw: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    """Fit Platt scaling on out-of-sample probabilities, without a penalty to speak of."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(logit(raw).reshape(-1, 1), labels)
    return Calibration(slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]))


def save(estimator: Pipeline, path: Path) -> None:
    """Keep a fitted estimator for the steps that follow."""
    import joblib

    joblib.dump(estimator, path, compress=3)


def load(path: Path) -> Pipeline:
    """Read an estimator that `save` wrote in this run."""
    import joblib

    return joblib.load(path)
