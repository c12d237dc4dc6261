"""Pipelines that convert without a word and answer otherwise in ONNX, each with a twin that does not, and what the export step says of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from builders import a_charter
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from small_models import TORQUE, TYPE, WEAR

from poc.rules.evidence import Calibration, FittedModel, Graph, Number
from poc.steps.export import export_one
from poc.steps.inputs import Rows
from poc.steps.parity import awkward_rows
from poc.tools import estimators

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def some_parts(n: int, seed: int) -> Rows:
    """Return parts whose wear is counted in whole minutes, a twentieth of the numbers and a quarter of the categories missing."""
    draw = np.random.default_rng(seed)
    torque, wear = draw.normal(40, 10, n).astype(np.float32), np.round(draw.uniform(0, 240, n)).astype(np.float32)
    kind = draw.choice(np.array(["L", "M", "H", ""], dtype=object), n)
    labels = (torque / 10 + wear / 80 + 1.5 * (kind == "L") + draw.normal(0, 1, n) > 7).astype(np.int8)
    for numbers in (torque, wear):
        numbers[draw.random(n) < 0.05] = np.nan
    return Rows(tensors={name: values.reshape(-1, 1) for name, values in ((TORQUE, torque), (WEAR, wear), (TYPE, kind))}, labels=labels)


TRAIN, DEV = some_parts(3000, 1), some_parts(1000, 2)
ROWS = awkward_rows(TRAIN, DEV)


def imputed() -> SimpleImputer:
    return SimpleImputer(strategy="median")


def scaled() -> Pipeline:
    return make_pipeline(imputed(), StandardScaler())


def one_hot(*, sparse: bool = False) -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)


def behind(numbers: Any, categories: Any, model: Any) -> Pipeline:
    """Put a model behind a transformer of numbers and one of categories; what is sparse stays so."""
    return make_pipeline(make_column_transformer((numbers, [TORQUE, WEAR]), (categories, [TYPE]), sparse_threshold=1.0), model)


def proved(pipeline: Pipeline, folder: Path) -> Graph:
    """Fit, convert and compare as `export` does.

    Raises:
        Refused: the graph answers unlike the estimator.
    """
    estimators.save(pipeline.fit(TRAIN.frame(), TRAIN.labels), folder / "model.joblib")
    model = FittedModel(
        name="model",
        family="trees",
        file="model.joblib",
        technique="float32",
        parent=None,
        calibration=Calibration(slope=1.0, intercept=0.0),
        threshold=0.5,
        predicted_chance_of_go=0.9,
        skill=Number(name="auc", value=0.9, unit="AUC"),
        limited={},
    )
    return export_one(model, folder / model.file, a_charter(), ROWS, folder)
