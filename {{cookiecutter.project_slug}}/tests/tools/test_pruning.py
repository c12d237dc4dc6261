"""Pruning networks: which units go, that it happens in each fold, and that what is left converts as any network does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import a_charter
from conversions import DEV, ROWS, TRAIN
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from poc.problem.model import families_for
from poc.rules.answers import compare
from poc.rules.calibration import calibrated
from poc.rules.evidence import ByCost, Calibration, Deciding
from poc.tools import conversion, frames
from poc.tools.estimators import cross_fit, raw_answers
from poc.tools.estimators.pruning import Pruned, strongest_units
from poc.tools.onnx_runtime import Scorer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
AMOUNT, BY_COST = Deciding(), Deciding(by_cost=ByCost(classes=["a", "b", "c"], costs=(1 - np.eye(3)).tolist()))
DECIDES = {"binary": Deciding(threshold=0.5), "multiclass": BY_COST, "regression": AMOUNT, "count": AMOUNT}
draw = np.random.default_rng(3)
X = pd.DataFrame(draw.normal(size=(90, 4)))
YES_OR_NO = (X[0] + X[1] * X[2] > 0).to_numpy().astype(np.int8)


def pruned(kind: Any = MLPClassifier, *, epochs: int = 5, keep: float = 0.5) -> Pipeline:
    network = kind(hidden_layer_sizes=(8, 4), max_iter=20, batch_size=15, learning_rate_init=0.01, random_state=7)
    return Pipeline([("model", Pruned(network, keep=keep, epochs=epochs))])


def test_the_units_go_that_scale_least_what_passes_through_them() -> None:
    incoming = np.array([[1.0, -3.0, 0.5], [1.0, 0.0, 0.5]])  # sums of absolute weights 2, 3, 1
    outgoing = np.array([[1.0], [0.1], [-4.0]])  # times 1, 0.1, 4: strengths 2, 0.3, 4
    assert [units.tolist() for units in strongest_units([incoming, outgoing], 2 / 3)] == [[0, 2]]
    assert [units.tolist() for units in strongest_units([incoming, outgoing], 0.01)] == [[2]]  # one is always left


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_what_is_left_is_fitted_on_from_the_weights_it_had(kind: Any) -> None:
    learns_nothing = pruned(kind).set_params(model__network__learning_rate_init=1e-12)
    whole = clone(learns_nothing[-1].network).fit(X, YES_OR_NO)
    first, second = strongest_units(whole.coefs_, 0.5)
    left = learns_nothing.fit(X, YES_OR_NO)[-1].network_
    assert [weights.shape for weights in left.coefs_] == [(4, 4), (4, 2), (2, 1)]
    assert np.allclose(left.coefs_[1], whole.coefs_[1][np.ix_(first, second)]) and np.allclose(left.intercepts_[0], whole.intercepts_[0][first])
    losses = pruned(kind, epochs=30).fit(X, YES_OR_NO)[-1].network_.loss_curve_
    assert len(losses) == 1 + 30 and losses[-1] < losses[1]


def test_each_fold_is_judged_by_a_network_that_was_pruned_without_it() -> None:
    found = cross_fit(pruned(), X, YES_OR_NO, X, folds=3, seed=5)
    for seen, held_out in StratifiedKFold(3, shuffle=True, random_state=5).split(X, YES_OR_NO):
        fold = pruned().fit(X.iloc[seen], YES_OR_NO[seen])
        assert np.array_equal(found.raw_train[held_out], fold.predict_proba(X.iloc[held_out])[:, 1])
    assert (type(found.estimator[-1]), found.estimator[-1].hidden_layer_sizes) == (MLPClassifier, (4, 2))


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression", "count"])
def test_a_pruned_network_converts_as_any_does_and_is_smaller(problem: str, tmp_path: Path) -> None:
    family = families_for(problem)["neural_network"]
    targets = TRAIN.labels + (TRAIN.tensors["Type"].ravel() == "L") * (problem == "multiclass")
    sizes = []
    for name, build in {"whole": family.build, **{name: each.build for name, each in family.smaller.items()}}.items():
        estimator = cross_fit(build(a_charter().features, 7), TRAIN.frame(), targets, DEV.frame(), folds=2, seed=7).estimator
        conversion.export(estimator, Calibration(slope=1.0, intercept=0.0), a_charter().features, tmp_path / f"{name}.onnx", problem=problem)
        expected = calibrated(problem, raw_answers(estimator, frames.model_frame(ROWS)), Calibration(slope=1.0, intercept=0.0))
        assert compare(DECIDES[problem], expected, Scorer(tmp_path / f"{name}.onnx").answers(ROWS)).largest_difference < 1e-4
        sizes.append((tmp_path / f"{name}.onnx").stat().st_size)
    assert sizes[1] < sizes[0]
