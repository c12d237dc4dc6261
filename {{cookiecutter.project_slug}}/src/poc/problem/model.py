"""Which models are tried: each family builds an unfitted scikit-learn pipeline that converts to ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from poc.problem.features import for_sums, for_trees
from poc.rules.charter import Feature

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Build = Callable[[Sequence[Feature], int], "Pipeline"]


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


#: The plain model that every other has to beat; it is always fitted.
BASELINE = "logistic"
FAMILIES: dict[str, Family] = {
    BASELINE: Family(build=_logistic),
    "boosted_trees": Family(build=_boosted_trees(150, 12), thinned={"boosted_trees_thin": _boosted_trees(50, 8)}),
    "neural_network": Family(build=_neural_network, is_neural=True),
}
