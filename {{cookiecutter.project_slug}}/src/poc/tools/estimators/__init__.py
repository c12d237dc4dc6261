"""Fitting: the scikit-learn calls that do not depend on the problem."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc.rules.calibration import logit, temperature
from poc.rules.evidence import Calibration

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.model_selection import BaseCrossValidator
    from sklearn.pipeline import Pipeline


#: Below this many rows a second thread brings nothing: `train` on 4,500 rows took as long with two on two idle cores, and 1.5 times as long where
#: another process kept one of them busy, because threads that wait for each other spin.
WORTH_A_SECOND_THREAD = 100_000


@dataclass(frozen=True, kw_only=True)
class CrossFit:
    """A model fitted on train, and raw answers for every open row from a model that had not seen it.

    `raw_train` comes from folds, `raw_dev` from the fitted model itself; both float64, shape (n_rows,) or (n_rows, n_classes).
    """

    estimator: Pipeline
    raw_train: NDArray[np.float64]
    raw_dev: NDArray[np.float64]


def cross_fit(
    unfitted: Pipeline,
    train: pd.DataFrame,
    labels: NDArray[Any],
    dev: pd.DataFrame,
    *,
    folds: int,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> CrossFit:
    """Fit on train; predict train by folds and dev by the fitted model, so that no row is judged by a model that saw it, or a row of its group.

    Raises:
        ValueError: train has too few rows, or groups, to be cut into folds.
    """
    import warnings

    from sklearn.base import clone, is_classifier
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import cross_val_predict

    from poc.tools.estimators.pruning import plain

    cut, method = _folds(folds, seed, labels if is_classifier(unfitted) else None, groups), "predict_proba" if is_classifier(unfitted) else "predict"
    with _threads_for(train), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a network is stopped early on purpose: its length is a choice, made by cross-fitting
        by_folds = cross_val_predict(clone(unfitted), train, labels, cv=cut, groups=groups, method=method)
        fitted = plain(clone(unfitted).fit(train, labels))
    return CrossFit(estimator=fitted, raw_train=_of_interest(by_folds), raw_dev=raw_answers(fitted, dev))


def _folds(folds: int, seed: int, classes: NDArray[Any] | None, groups: NDArray[Any] | None) -> BaseCrossValidator:
    """Return how rows are cut: each class spread evenly, whole groups together, in fewer folds where groups do not suffice."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    if groups is None:
        return (KFold if classes is None else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    rows_of_each = [np.ones(len(groups), dtype=np.bool_)] if classes is None else [classes == name for name in np.unique(classes)]
    fewest = min(len(np.unique(groups[rows])) for rows in rows_of_each)
    if fewest < 2:
        raise ValueError("the train rows, or those of one class, all lie in one group: no fold can be held out without them; bring more groups")
    return (GroupKFold if classes is None else StratifiedGroupKFold)(min(folds, fewest), shuffle=True, random_state=seed)


def raw_answers(estimator: Pipeline, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return what a model says before calibration, float64.

    The probability of the positive class or the amount, shape (n_rows,); the probabilities of several classes, shape (n_rows, n_classes).
    """
    from sklearn.base import is_classifier

    with _threads_for(rows):
        return _of_interest(estimator.predict_proba(rows) if is_classifier(estimator) else estimator.predict(rows))


def _of_interest(answers: NDArray[Any]) -> NDArray[np.float64]:
    """Return the second of two probabilities, which add up to 1; anything else as it is."""
    of_two = answers.ndim == 2 and answers.shape[1] == 2
    return np.asarray(answers[:, 1] if of_two else answers, dtype=np.float64)


def calibrate(problem: str, raw: NDArray[np.float64], truth: NDArray[Any], unit: Calibration) -> Calibration:
    """Fit a calibration on out-of-sample answers; amounts get their unit back and nothing else, until what decides is chosen."""
    if problem == "binary":
        return platt(raw, truth)
    return temperature(raw, truth) if problem == "multiclass" else unit


def _threads_for(rows: pd.DataFrame) -> AbstractContextManager[object]:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1) if len(rows) < WORTH_A_SECOND_THREAD else nullcontext()


def platt(raw: NDArray[np.float64], labels: NDArray[Any]) -> Calibration:
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
