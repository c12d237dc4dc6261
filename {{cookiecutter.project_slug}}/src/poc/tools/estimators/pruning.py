"""Structured pruning: whole hidden units of a fitted network go, and what is left is fitted on. Import it where scikit-learn is wanted anyway."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags

Network: TypeAlias = MLPClassifier | MLPRegressor


class Pruned(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a network, drops all but a share of each layer's hidden units, and fits on for some epochs; wherever it is fitted, so in each fold too."""

    def __init__(self, network: Network, *, keep: float, epochs: int) -> None:
        self.network = network
        self.keep = keep
        self.epochs = epochs

    def fit(self, rows: NDArray[Any], targets: NDArray[Any]) -> Pruned:
        """Fit, prune, and fit on."""
        whole = clone(self.network).fit(rows, targets)
        kept = strongest_units(whole.coefs_, self.keep)
        self.network_ = _started_from(whole, kept, rows, targets).set_params(max_iter=self.epochs, warm_start=True).fit(rows, targets)
        return self

    def predict(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Answer as the pruned network does."""
        return np.asarray(self.network_.predict(rows))

    def predict_proba(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Answer as the pruned network does, shape (n_rows, n_classes)."""
        return np.asarray(self.network_.predict_proba(rows))

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes that the network tells apart."""
        return np.asarray(self.network_.classes_)

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self.network)


def strongest_units(weights: list[NDArray[np.floating[Any]]], keep: float) -> list[NDArray[np.intp]]:
    """Return which hidden units of each layer to keep, in their order, at least one; `weights[i]` has shape (n_units_before, n_units_behind).

    A unit is as strong as the sum of its absolute incoming weights times that of its outgoing ones: what passes through it is scaled by both. H. Li et
    al., "Pruning filters for efficient ConvNets", 2017, rank by the incoming ones alone.
    """
    strengths = [np.abs(incoming).sum(axis=0) * np.abs(outgoing).sum(axis=1) for incoming, outgoing in pairwise(weights)]
    return [np.sort(np.argsort(-each, kind="stable")[: max(1, round(keep * len(each)))]) for each in strengths]


def plain(fitted: Pipeline) -> Pipeline:
    """Return a pipeline with the network itself at its end, which converts, where `Pruned` was."""
    name, last = fitted.steps[-1]
    return Pipeline([*fitted.steps[:-1], (name, last.network_)]) if isinstance(last, Pruned) else fitted


def _started_from(whole: Network, kept: list[NDArray[np.intp]], rows: NDArray[Any], targets: NDArray[Any]) -> Network:
    """Return a network of the kept units with their weights. One epoch, whose weights are thrown away, makes all else that scikit-learn keeps of a fit."""
    small = clone(whole).set_params(hidden_layer_sizes=tuple(len(units) for units in kept), max_iter=1).fit(rows, targets)
    n_inputs, n_outputs = len(whole.coefs_[0]), len(whole.intercepts_[-1])
    before, behind = [np.arange(n_inputs), *kept], [*kept, np.arange(n_outputs)]
    small.coefs_ = [weights[np.ix_(units, others)] for weights, units, others in zip(whole.coefs_, before, behind, strict=True)]
    small.intercepts_ = [biases[units] for biases, units in zip(whole.intercepts_, behind, strict=True)]
    return small
