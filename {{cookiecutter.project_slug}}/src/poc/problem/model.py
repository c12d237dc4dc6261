"""Which models are tried: each family builds an unfitted scikit-learn pipeline that converts to ONNX, and says which rungs its ladder has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from poc.problem.features import for_sums, for_trees
from poc.rules.charter import Feature
from poc.rules.evidence import Rung

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Build = Callable[[Sequence[Feature], int], "Pipeline"]
Loss = Literal["squared_error", "poisson"]

#: What `compress` tries on a family's float32 file; what a model has no operators for is recorded with that reason.
RUNGS: tuple[Rung, ...] = ("graph-optimised", "fp16", "int8-dynamic", "int8-static")
#: What is left of a network that is pruned, and for how long it is fitted on.
KEEP, EPOCHS = 0.5, 10


@dataclass(frozen=True, kw_only=True)
class Smaller:
    """A smaller model of the same family, fitted anew, and what is tried on its file. Each variant costs seconds of timing in every run."""

    technique: Literal["thinned", "pruned"]
    build: Build
    rungs: tuple[Rung, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of model, what is tried on its file, and smaller models worth fitting when compressing, by name."""

    build: Build
    rungs: tuple[Rung, ...] = RUNGS
    smaller: Mapping[str, Smaller] = field(default_factory=dict)


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


def _pruned(network: Build) -> dict[str, Smaller]:
    """Return the ladder's rungs below a network: without half of its hidden units, and that in int8 too."""

    def build(features: Sequence[Feature], seed: int) -> Pipeline:
        from sklearn.pipeline import Pipeline

        from poc.tools.estimators.pruning import Pruned

        *before, (name, whole) = network(features, seed).steps
        return Pipeline([*before, (name, Pruned(whole, keep=KEEP, epochs=EPOCHS))])

    return {"neural_network_pruned": Smaller(technique="pruned", build=build, rungs=("int8-static",))}


def _thinned(build: Callable[[int, int], Build], iterations: int, leaves: int) -> dict[str, Smaller]:
    """Return the rungs below boosted trees: a third of the trees, a third of the leaves. Either is less to walk through, and may miss less."""
    return {
        "boosted_trees_fewer_trees": Smaller(technique="thinned", build=build(iterations // 3, leaves)),
        "boosted_trees_fewer_leaves": Smaller(technique="thinned", build=build(iterations, leaves // 3)),
    }


def _amounts(baseline: str, build: Build, loss: Loss) -> dict[str, Family]:
    return {
        baseline: Family(build=build),
        "boosted_trees": Family(build=_boosted_amounts(loss, 300, 24), smaller=_thinned(partial(_boosted_amounts, loss), 300, 24)),
        "neural_network": Family(build=_neural_amounts, smaller=_pruned(_neural_amounts)),
    }


#: The plain model that every other has to beat; the first of each kind, and always fitted.
BASELINE = "logistic"
#: For yes or no, and for one of several classes.
FAMILIES: dict[str, Family] = {
    BASELINE: Family(build=_logistic),
    "boosted_trees": Family(build=_boosted_trees(150, 12), smaller=_thinned(_boosted_trees, 150, 12)),
    "neural_network": Family(build=_neural_network, smaller=_pruned(_neural_network)),
}
#: For how much and for how many; they see the target in a unit of its own (`rules.calibration.unit_of`).
FAMILIES_OF_AMOUNTS: dict[str, dict[str, Family]] = {
    "regression": _amounts("linear", _linear, "squared_error"),
    "count": _amounts("log_linear", _log_linear, "poisson"),
}


def families_for(problem: str) -> Mapping[str, Family]:
    """Return the families for a kind of problem, by name."""
    return FAMILIES_OF_AMOUNTS.get(problem, FAMILIES)
