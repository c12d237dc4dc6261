"""What a model sees: from declared columns to the matrix that an estimator is fitted on.

Everything here is a scikit-learn transformer that converts to ONNX, so that training, benchmark and serving compute the
same features in the same place: inside the model file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from poc.rules.charter import Feature

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer


def for_trees(features: Sequence[Feature]) -> ColumnTransformer:
    """Numbers with their pairwise products, categories as dense one-hot; no scaling, which makes trees differ in float32.

    Products let a shallow tree see what two columns do together; on the production line that is power (torque times speed) and strain
    (torque times wear), the physics of a milling tool.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    return _columns(features, make_pipeline(SimpleImputer(strategy="median"), PolynomialFeatures(2, interaction_only=True, include_bias=False)))


def for_sums(features: Sequence[Feature]) -> ColumnTransformer:
    """Scaled numbers with squares and products, categories as dense one-hot: for models that add up weighted inputs."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return _columns(features, make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()))


def _columns(features: Sequence[Feature], numbers: object) -> ColumnTransformer:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    named = {kind: [feature.name for feature in features if feature.kind == kind] for kind in ("number", "category")}
    parts = [("numbers", numbers, named["number"]), ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), named["category"])]
    return ColumnTransformer([part for part in parts if part[2]])
