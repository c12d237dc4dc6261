"""Conversions that succeed and are wrong: nothing warns of them but the comparison, row by row, that `export` makes. XGBoost's are in tests/lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conversions import behind, imputed, one_hot, proved, scaled
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from poc.errors import Refused

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

pytestmark = pytest.mark.slow
Build = Callable[[], "Pipeline"]


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(30, random_state=7)


def boosted(**arguments: object) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=50, random_state=7, **arguments)


def numbered() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


#: What is wrong, and its twin: skl2onnx 1.20 and scikit-learn 1.9. Missing numbers go the other way at each split; a category's number is compared as
#: if it were an amount; a scaler rounds in float32 what the estimator rounds in float64, and some rows come to lie on the other side of a split.
PAIRS: dict[str, tuple[Build, Build]] = {
    "a forest meets missing numbers": (lambda: behind("passthrough", one_hot(), forest()), lambda: behind(imputed(), one_hot(), forest())),
    "a tree meets missing numbers": (
        lambda: behind("passthrough", one_hot(), DecisionTreeClassifier(max_depth=8, random_state=7)),
        lambda: behind(imputed(), one_hot(), DecisionTreeClassifier(max_depth=8, random_state=7)),
    ),
    "boosted trees with categorical features": (
        lambda: behind(imputed(), numbered(), boosted(categorical_features=[2])),
        lambda: behind(imputed(), one_hot(), boosted()),
    ),
    "a scaler before a forest": (lambda: behind(scaled(), one_hot(), forest()), lambda: behind(imputed(), one_hot(), forest())),
    "a scaler before boosted trees": (lambda: behind(scaled(), one_hot(), boosted()), lambda: behind(imputed(), one_hot(), boosted())),
}


@pytest.mark.parametrize("what", PAIRS)
def test_a_conversion_that_is_silently_wrong_is_refused_with_what_it_flips(what: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"differs from the estimator by up to .* and flips \d+ of 4640 decisions") as caught:
        proved(PAIRS[what][0](), tmp_path)
    assert caught.value.code == "graph_equals_estimator"


@pytest.mark.parametrize("what", PAIRS)
def test_its_twin_answers_as_its_estimator_does(what: str, tmp_path: Path) -> None:
    parity = proved(PAIRS[what][1](), tmp_path).parity
    assert (parity.decisions_flipped, parity.largest_difference < 1e-6) == (0, True)


def test_boosted_trees_take_missing_numbers_as_they_are(tmp_path: Path) -> None:
    """Unlike other trees: histogram gradient boosting says in its nodes where missing numbers go, and skl2onnx writes that down."""
    assert proved(behind("passthrough", one_hot(), boosted()), tmp_path).parity.decisions_flipped == 0
