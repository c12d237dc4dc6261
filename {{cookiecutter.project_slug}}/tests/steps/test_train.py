"""Fitting families: each is tried, and what cannot be fitted does not stop the rest."""

from __future__ import annotations

import pytest
from artifacts import Run

from poc import layout
from poc.problem.model import BASELINE, FAMILIES, Family
from poc.rules.evidence import FittedModel, Models, Splits
from poc.rules.params import Params
from poc.tools import files


def trained(run: Run, *families: str) -> list[FittedModel]:
    """Perform train with these families named in params."""
    files.write_record(run.folder("agreement") / layout.PARAMS_JSON, Params(seed=7, families=list(families)))
    run.perform("train")
    return list(run.read("models", layout.MODELS_JSON, Models).models)


def hopeless() -> Family:
    """Return a family whose pipeline scikit-learn refuses to fit."""
    from sklearn.linear_model import LogisticRegression

    return Family(build=lambda features, seed: LogisticRegression(C=-1.0))


def test_a_family_that_cannot_be_fitted_is_recorded_and_the_rest_goes_on(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "hopeless", hopeless())
    assert [model.name for model in trained(exported, "hopeless", BASELINE)] == [BASELINE]
    assert "hopeless" in exported.report("train").headline


def test_a_family_that_nobody_knows_is_recorded_and_the_baseline_is_fitted_unasked(exported: Run) -> None:
    assert [model.name for model in trained(exported, "unheard_of")] == [BASELINE]
    assert "unheard_of" in exported.report("train").headline


def test_every_open_row_is_judged_once_by_a_model_that_had_not_seen_it(exported: Run) -> None:
    (model,) = trained(exported, BASELINE)
    splits = exported.read("data", layout.SPLITS_JSON, Splits)
    assert model.at_threshold.positives == splits.train.positives + splits.dev.positives
    assert model.at_threshold.positives + model.at_threshold.negatives == splits.train.rows + splits.dev.rows
    assert model.auc > 0.95


def test_no_sealed_row_is_read(exported: Run) -> None:
    (exported.folder("data") / layout.SPLIT_FILES["sealed"]).unlink()
    assert len(trained(exported, BASELINE)) == 1
