"""Check the data contract, drift between the splits, and whether one column gives the answer away."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.rules import drift, guards
from poc.rules.charter import Charter
from poc.rules.evidence import Number, Validation
from poc.rules.leakage import alone
from poc.steps.inputs import Rows, charter_of, rows_of
from poc.steps.perform import Result
from poc.tools import expectations, files, frames

#: What a column alone is said to rank, and by what: the same chance of 0.5 and the same 1 for every kind of problem.
MEASURES = {"binary": "positives with AUC", "multiclass": "a class with AUC"} | dict.fromkeys(("regression", "count"), "amounts with concordance")


def validate(*, agreement: Path, data: Path, validation: Path) -> Result:
    """Refuse data that breaks the contract, drifts between splits, or leaks; train and dev with labels, the sealed rows without."""
    charter = charter_of(agreement)
    declared, evaluated, warnings = _check_contract(agreement, data, charter)
    train, dev = rows_of(data, "train", charter), rows_of(data, "dev", charter)
    sealed = frames.columns(frames.read_table(data / layout.SPLIT_FILES["sealed"]), charter.features)
    later = (dev.tensors, sealed)
    moved = {name: max(drift.divergence(values, part[name]) for part in later) for name, values in train.tensors.items()}
    beyond = {name: max(drift.beyond_chance(values, part[name], len(later) * len(moved)) for part in later) for name, values in train.tensors.items()}
    guards.splits_look_alike({name: found for name, found in beyond.items() if not found <= drift.LIMIT}, drift.LIMIT)
    ranked = _alone(charter, train, dev)
    measure = MEASURES[charter.problem]
    guards.no_column_gives_the_answer_away(ranked, {feature.name: feature.why_it_may_decide_alone for feature in charter.features}, measure)
    files.write_record(
        validation / layout.VALIDATION_JSON, Validation(declared=declared, evaluated=evaluated, warnings=warnings, drift=moved, auc_alone=ranked)
    )
    strongest = max(ranked, key=lambda name: ranked[name])
    return Result(
        headline=f"{evaluated} of {declared} expectations evaluated, no critical one broken, {len(warnings)} warnings; "
        f"strongest column alone: {strongest}, {measure.split()[-1]} {ranked[strongest]:.2f}",
        numbers=[
            Number(name="expectations", value=evaluated, unit="expectations"),
            Number(name="warnings", value=len(warnings), unit="expectations"),
            Number(name="largest_drift", value=max(moved.values()), unit="bits"),
        ],
    )


def _check_contract(agreement: Path, data: Path, charter: Charter) -> tuple[int, int, list[str]]:
    import pandas as pd

    suite = (agreement / layout.SUITE_JSON).read_bytes()
    opened = pd.concat([frames.read_table(data / layout.SPLIT_FILES[split]) for split in ("train", "dev")], ignore_index=True)
    sealed = frames.read_table(data / layout.SPLIT_FILES["sealed"])
    whole = pd.concat([opened, sealed], ignore_index=True)
    declared = (*charter.feature_names(), charter.data.target, charter.data.key, charter.data.time, charter.data.group)
    undeclared = [column for column in expectations.columns_of(suite) if column not in declared]
    checked = [
        expectations.check(opened, suite, undeclared=undeclared, whole=whole),
        expectations.check(sealed, suite, undeclared=undeclared, whole=whole, without=[charter.data.target]),
    ]
    of_columns = [f"the contract speaks of column {column!r}, which the charter does not declare" for column in undeclared]
    of_rows = [f"{where} rows: {failure}" for where, each in zip(("open", "sealed"), checked, strict=True) for failure in each.failures]
    guards.contract_is_kept([*of_columns, *of_rows])
    for each in checked:
        guards.contract_was_checked(each.declared, each.evaluated)
    return sum(each.declared for each in checked), sum(each.evaluated for each in checked), [warning for each in checked for warning in each.warnings]


def _alone(charter: Charter, train: Rows, dev: Rows) -> dict[str, float]:
    return {
        feature.name: alone(charter.problem, train.tensors[feature.name].ravel(), train.labels, dev.tensors[feature.name].ravel(), dev.labels, feature.kind)
        for feature in charter.features
    }
