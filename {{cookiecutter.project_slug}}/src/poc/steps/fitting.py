"""Fit one family, calibrate it and choose its threshold: what `train` does for each family and `compress` for thinned ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from poc.problem.model import Build
from poc.rules.calibration import calibrated
from poc.rules.charter import BinaryCharter
from poc.rules.evidence import FittedModel, Splits
from poc.rules.leakage import auc
from poc.rules.params import Params
from poc.rules.thresholds import choose_threshold, confusion_at
from poc.steps.inputs import Rows
from poc.tools import estimators


def fit(
    name: str,
    family: str,
    build: Build,
    *,
    is_neural: bool,
    thinned_from: str | None,
    charter: BinaryCharter,
    params: Params,
    train: Rows,
    dev: Rows,
    splits: Splits,
    into: Path,
) -> FittedModel:
    """Fit on train; calibrate and choose the threshold on rows that the model at hand had not seen: train by folds, and dev."""
    found = estimators.cross_fit(build(charter.features, params.seed), train.frame(), train.labels, dev.frame(), folds=params.folds, seed=params.seed)
    raw, labels = np.concatenate([found.raw_train, found.raw_dev]), np.concatenate([train.labels, dev.labels])
    calibration = estimators.platt(raw, labels)
    probabilities = calibrated(raw, calibration)
    chosen = choose_threshold(probabilities, labels, charter, splits.sealed.positives, splits.sealed.rows - splits.sealed.positives)
    estimators.save(found.estimator, into / f"{name}.joblib")
    return FittedModel(
        name=name,
        family=family,
        file=f"{name}.joblib",
        thinned_from=thinned_from,
        is_neural=is_neural,
        calibration=calibration,
        threshold=chosen.threshold,
        predicted_chance_of_go=chosen.predicted_chance_of_go,
        auc=auc(probabilities, labels),
        at_half=confusion_at(probabilities, labels, 0.5),
        at_threshold=chosen.confusion,
    )
