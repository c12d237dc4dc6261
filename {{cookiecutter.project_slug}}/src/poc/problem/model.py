"""Which models are tried: each family builds an unfitted scikit-learn pipeline that converts to ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from poc.problem.features import for_sums, for_trees
from poc.rules.charter import Feature

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Build = Callable[[Sequence[Feature], int], "Pipeline"]
Loss = Literal["squared_error", "poisson"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of model, and smaller versions of it worth trying when compressing."""

    build: Build
    is_neural: bool = False
    thinned: Mapping[str, Build] = field(default_factory=dict)


def _logistic(features: Sequence[Feature], seed: int) -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(for_sums(features), LogisticRegression(max_iter=2000, random_state=seed))


def _boosted_trees(iterations: int, leaves: int) -> Build:
    def build(features: Sequence[Feature], seed: int) -> Pipeline:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.pipeline import make_pipeline

        trees = HistGradientBoostingClassifier(max_iter=iterations, max_leaf_nodes=leaves, learning_rate=0.05, early_stopping=False, random_state=seed)
        return make_pipeline(for_trees(features), trees)

    return build


def _neural_network(features: Sequence[Feature], seed: int) -> Pipeline:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    network = MLPClassifier((32, 16), alpha=0.1, learning_rate_init=0.005, max_iter=40, early_stopping=False, random_state=seed)
    return make_pipeline(for_sums(features), network)


def _linear(features: Sequence[Feature], seed: int) -> Pipeline:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    return make_pipeline(for_sums(features), Ridge(alpha=1.0, random_state=seed))


def _log_linear(features: Sequence[Feature], seed: int) -> Pipeline:
    from sklearn.linear_model import PoissonRegressor
    from sklearn.pipeline import make_pipeline

    return make_pipeline(for_sums(features), PoissonRegressor(alpha=1e-3, max_iter=2000))


def _boosted_amounts(loss: Loss, iterations: int, leaves: int) -> Build:
    def build(features: Sequence[Feature], seed: int) -> Pipeline:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.pipeline import make_pipeline

        trees = HistGradientBoostingRegressor(
            loss=loss, max_iter=iterations, max_leaf_nodes=leaves, learning_rate=0.05, early_stopping=False, random_state=seed
        )
        return make_pipeline(for_trees(features), trees)

    return build


def _neural_amounts(features: Sequence[Feature], seed: int) -> Pipeline:
    """Squared errors for counts too: a network with a Poisson loss has no form in skl2onnx 1.20."""
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline

    network = MLPRegressor(hidden_layer_sizes=(32, 16), alpha=0.1, learning_rate_init=0.005, max_iter=40, early_stopping=False, random_state=seed)
    return make_pipeline(for_sums(features), network)


def _amounts(baseline: str, build: Build, loss: Loss) -> dict[str, Family]:
    return {
        baseline: Family(build=build),
        "boosted_trees": Family(build=_boosted_amounts(loss, 300, 24), thinned={"boosted_trees_thin": _boosted_amounts(loss, 100, 12)}),
        "neural_network": Family(build=_neural_amounts, is_neural=True),
    }


#: The plain model that every other has to beat; the first of each kind, and always fitted.
BASELINE = "logistic"
#: For yes or no, and for one of several classes.
FAMILIES: dict[str, Family] = {
    BASELINE: Family(build=_logistic),
    "boosted_trees": Family(build=_boosted_trees(150, 12), thinned={"boosted_trees_thin": _boosted_trees(50, 8)}),
    "neural_network": Family(build=_neural_network, is_neural=True),
}
#: For how much and for how many; they see the target in a unit of its own (`rules.calibration.unit_of`).
FAMILIES_OF_AMOUNTS: dict[str, dict[str, Family]] = {
    "regression": _amounts("linear", _linear, "squared_error"),
    "count": _amounts("log_linear", _log_linear, "poisson"),
}


def families_for(problem: str) -> Mapping[str, Family]:
    """Return the families for a kind of problem, by name."""
    return FAMILIES_OF_AMOUNTS.get(problem, FAMILIES)
