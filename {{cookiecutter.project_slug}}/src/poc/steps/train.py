"""Fit a plain baseline and every family; calibrate and choose what decides by cross-fitting on train and dev."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.problem.model import families_for
from poc.rules import guards
from poc.rules.counts import in_words
from poc.rules.evidence import FittedModel, Models, Number, Splits
from poc.steps.fitting import fit
from poc.steps.inputs import charter_of, params_of, rows_of
from poc.steps.perform import Result
from poc.tools import files


def train(*, agreement: Path, data: Path, validation: Path, models: Path) -> Result:
    """Write each fitted family; a poor one goes on to its NO-GO."""
    charter, params = charter_of(agreement), params_of(agreement)
    splits = files.read_record(data / layout.SPLITS_JSON, Splits)
    train_rows, dev_rows = rows_of(data, "train", charter), rows_of(data, "dev", charter)
    fitted: list[FittedModel] = []
    reasons: list[str] = []
    families = families_for(charter.problem)
    for name in dict.fromkeys([next(iter(families)), *params.families]):
        if name not in families:
            reasons.append(f"{name}: not in src/poc/problem/model.py, which has {', '.join(families)}")
            continue
        try:
            fitted.append(
                fit(
                    name,
                    name,
                    families[name].build,
                    technique="float32",
                    parent=None,
                    charter=charter,
                    params=params,
                    train=train_rows,
                    dev=dev_rows,
                    splits=splits,
                    into=models,
                )
            )
        except ValueError as error:  # what scikit-learn raises when a family cannot be fitted to these rows
            reasons.append(f"{name}: {error}")
    guards.something_was_fitted(len(fitted), reasons)
    strongest = max(fitted, key=lambda model: model.skill.value)
    excuses = {feature.name: feature.why_it_may_decide_alone for feature in charter.features}
    guards.result_is_believable(strongest.name, strongest.skill.value, excuses, strongest.skill.unit)
    files.write_record(models / layout.MODELS_JSON, Models(models=fitted))
    best = max(fitted, key=lambda model: model.predicted_chance_of_go)
    shares = ", ".join(f"{seen.errors / seen.rows:.1%} {in_words(name)}" for name, seen in best.limited.items() if seen.rows)
    return Result(
        headline=f"{len(fitted)} families; {best.name}: {shares}" + (f"; not fitted: {'; '.join(reasons)}" if reasons else ""),
        numbers=[
            number
            for model in fitted
            for number in (
                Number(name=f"{model.name}_{model.skill.name}", value=model.skill.value, unit="share"),
                Number(name=f"{model.name}_chance_of_go", value=model.predicted_chance_of_go, unit="share"),
            )
        ],
    )
