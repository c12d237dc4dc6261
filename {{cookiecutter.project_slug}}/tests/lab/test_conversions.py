"""XGBoost, converted by onnxmltools inside our export: two pipelines that convert without a word and are wrong, and their twins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("xgboost")
pytest.importorskip("onnxmltools")

from conversions import behind, imputed, one_hot, proved, scaled
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from xgboost import XGBClassifier

from poc.errors import Refused

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

pytestmark = pytest.mark.lab
#: XGBoost takes what a sparse matrix does not hold for missing, ONNX for zero; a scaler rounds in float32 what the estimator rounds in float64.
WRONG: dict[str, Callable[[], Pipeline]] = {
    "behind a sparse one-hot code": lambda: behind(imputed(), one_hot(sparse=True), boosted()),
    "behind a scaler": lambda: behind(scaled(), one_hot(), boosted()),
}


def boosted() -> XGBClassifier:
    return XGBClassifier(n_estimators=50, random_state=7, n_jobs=1)


@pytest.fixture(scope="module", autouse=True)
def known_to_skl2onnx() -> None:
    """Do what onnxmltools' documentation asks for before XGBoost converts inside a pipeline."""
    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    update_registered_converter(XGBClassifier, "XGBoostXGBClassifier", calculate_linear_classifier_output_shapes, convert_xgboost, options=options)


@pytest.mark.parametrize("what", WRONG)
def test_a_conversion_that_is_silently_wrong_is_refused_with_what_it_flips(what: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"differs from the estimator by up to .* and flips \d+ of 4640 decisions") as caught:
        proved(WRONG[what](), tmp_path)
    assert caught.value.code == "graph_equals_estimator"


@pytest.mark.parametrize("numbers", [imputed(), "passthrough"], ids=["imputed", "missing"])
def test_behind_a_dense_code_and_unscaled_it_answers_as_its_estimator_does(numbers: object, tmp_path: Path) -> None:
    parity = proved(behind(numbers, one_hot(), boosted()), tmp_path).parity
    assert (parity.decisions_flipped, parity.largest_difference < 1e-6) == (0, True)
