"""Fitting families: each is tried, and what cannot be fitted does not stop the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artifacts import Run, ingested
from builders import a_plain_charter
from samples import TORQUE

from poc import layout
from poc.errors import Refused
from poc.problem.model import BASELINE, FAMILIES, Family
from poc.rules.evidence import FittedModel, Models, Splits, Validation
from poc.rules.params import Params
from poc.steps.fitting import fit
from poc.steps.inputs import charter_of, rows_of
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
    assert model.limited["missed_share"].rows == splits.train.counts["positives"] + splits.dev.counts["positives"]
    assert sum(seen.rows for seen in model.limited.values()) == splits.train.rows + splits.dev.rows
    assert (model.skill.name, model.skill.value > 0.95) == ("auc", True)


def test_rows_of_one_group_are_held_out_together(exported: Run) -> None:
    charter, data = charter_of(exported.folder("agreement")), exported.folder("data")
    train, dev = rows_of(data, "train", charter), rows_of(data, "dev", charter)
    one_group = replace(train, groups=np.full(len(train.labels), "one", dtype=object))
    with pytest.raises(ValueError, match="all lie in one group"):
        fit(
            BASELINE,
            BASELINE,
            FAMILIES[BASELINE].build,
            technique="float32",
            parent=None,
            charter=charter,
            params=Params(seed=7, families=[BASELINE]),
            train=one_group,
            dev=dev,
            splits=exported.read("data", layout.SPLITS_JSON, Splits),
            into=exported.folder("models"),
        )


def test_no_sealed_row_is_read(exported: Run) -> None:
    (exported.folder("data") / layout.SPLIT_FILES["sealed"]).unlink()
    assert len(trained(exported, BASELINE)) == 1


def test_columns_that_together_give_the_answer_away_are_refused(project: Path) -> None:
    # each column alone ranks no better than chance: a part is bad when exactly one of two readings is high
    source = project / "data/parts.csv"
    parts = pd.read_csv(source)
    high, noise = np.arange(len(parts)) % 4, np.random.default_rng(1).uniform(0, 9, (2, len(parts)))
    parts[TORQUE], parts["Tool wear [min]"] = np.where(high // 2, 50.0, 20.0) + noise[0], np.where(high % 2, 150.0, 50.0) + noise[1]
    parts["Target"] = (high // 2) ^ (high % 2)
    parts.to_csv(source, index=False)
    charter = json.loads((project / layout.CHARTER).read_text())
    charter["features"] = a_plain_charter()["features"]
    (project / layout.CHARTER).write_text(json.dumps(charter, indent=1))
    run = ingested(project)
    run.write("validate", {layout.VALIDATION_JSON: Validation(declared=1, evaluated=1, warnings=[], drift={}, auc_alone={})})
    with pytest.raises(Refused, match=r"logistic predicts unseen rows with AUC 1\.0000: too good to be true"):
        trained(run, BASELINE)
