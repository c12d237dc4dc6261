"""Fit one family, calibrate it and choose what decides: what `train` does for each family and `compress` for smaller ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from poc.problem.model import Build
from poc.rules.calibration import calibrated, in_unit, unit_of
from poc.rules.charter import Charter
from poc.rules.choosing import choose
from poc.rules.evidence import FittedAs, FittedModel, Splits
from poc.rules.params import Params
from poc.rules.skill import skill
from poc.steps.inputs import Rows
from poc.tools import estimators


def fit(
    name: str,
    family: str,
    build: Build,
    *,
    technique: FittedAs,
    parent: str | None,
    charter: Charter,
    params: Params,
    train: Rows,
    dev: Rows,
    splits: Splits,
    into: Path,
) -> FittedModel:
    """Fit on train; calibrate and choose what decides on rows that the model at hand had not seen: train by folds, and dev."""
    unit = unit_of(charter.problem, train.labels)
    unfitted, targets = build(charter.features, params.seed), in_unit(train.labels, unit)
    found = estimators.cross_fit(unfitted, train.frame(), targets, dev.frame(), folds=params.folds, seed=params.seed, groups=train.groups)
    raw, truth = np.concatenate([found.raw_train, found.raw_dev]), np.concatenate([train.labels, dev.labels])
    calibration = estimators.calibrate(charter.problem, raw, truth, unit)
    chosen = choose(charter, raw, truth, calibration, splits.sealed.evidence, usual_amount=splits.usual_amount)
    estimators.save(found.estimator, into / f"{name}.joblib")
    return FittedModel(
        name=name,
        family=family,
        file=f"{name}.joblib",
        technique=technique,
        parent=parent,
        calibration=chosen.calibration,
        **dict(chosen.deciding),
        predicted_chance_of_go=chosen.predicted_chance_of_go,
        skill=skill(charter.problem, calibrated(charter.problem, raw, chosen.calibration), truth),
        limited=chosen.limited,
    )
