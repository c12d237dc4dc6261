"""Read the source, keep what the charter declares, and split it so that nobody can look at the last part by accident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.errors import InputRefused, Problem
from poc.rules import guards
from poc.rules.charter import AmountCharter, Charter
from poc.rules.counts import sorts_in_groups, sorts_of
from poc.rules.evidence import NearDuplicates, Number, Split, Splits
from poc.rules.near_duplicates import near_duplicates
from poc.rules.sealed_rows import too_few
from poc.rules.sketches import Sketches, sketched
from poc.rules.splits import split_rows
from poc.steps.inputs import charter_of, groups_of
from poc.steps.perform import Result
from poc.steps.rows import source_rows
from poc.steps.target import labels_of, target_problems, without
from poc.tools import files, frames

if TYPE_CHECKING:
    import pandas as pd


def ingest(*, agreement: Path, data: Path, sealed_labels: Path) -> Result:
    """Write train, dev and sealed rows; the sealed labels go to an artifact of their own, which only `gate` opens."""
    charter = charter_of(agreement)
    rows = source_rows(charter, Path.cwd())
    table, own = rows.table, rows.own
    _refuse_unusable(table, charter)
    kept, labels = frames.typed(table, charter.features, _roles(charter)), labels_of(table, charter)
    seed = charter.data.split_seed
    where = split_rows(
        labels=_strata(labels, charter),
        sealed_share=float(charter.data.sealed_share),
        dev_share=float(charter.data.dev_share),
        lottery=frames.lottery(own[[charter.data.key]] if charter.data.key else own, seed),
        times=frames.order_of(table, charter.data.time) if charter.data.time else None,
        groups=frames.lottery(table[[charter.data.group]], seed) if charter.data.group else None,
    )
    parts = {"train": kept.iloc[where.train], "dev": kept.iloc[where.dev], "sealed": kept.iloc[where.sealed]}
    indices = {"train": where.train, "dev": where.dev, "sealed": where.sealed}
    sorts = {name: sorts_of(charter, labels[rows]) for name, rows in indices.items()}
    shared = groups_of(table, charter)
    groups = None if shared is None else len(np.unique(shared))
    for name, part in parts.items():
        guards.split_can_be_judged(name, len(part), sorts[name], len(np.unique(labels[indices[name]])), groups)
    _refuse_shared_rows({name: own.iloc[numbers] for name, numbers in indices.items()}, charter)
    near = _refuse_near_duplicates(parts, charter)
    _write(parts, labels, indices, charter.data.target, data, sealed_labels)
    if shared_with_readings := list(dict.fromkeys(name for join in charter.data.joins for name in join.by)):
        frames.write_table(frames.keys_as_text(own.iloc[where.dev], shared_with_readings), data / layout.DEV_KEYS)
    splits = {
        name: Split(
            rows=len(part),
            counts=sorts[name],
            sha256=files.sha256_of_file(data / layout.SPLIT_FILES[name]),
            in_groups=sorts_in_groups(charter, labels[indices[name]], None if shared is None else shared[indices[name]]),
        )
        for name, part in parts.items()
    }
    sketches = _sketch(table, own, charter, where.sealed)
    ignored = [column for column in table.columns if column not in kept.columns and column != charter.data.target]
    files.write_record(
        data / layout.SPLITS_JSON,
        Splits(
            **splits,
            sealed_labels_sha256=files.sha256_of_file(sealed_labels / layout.SEALED_LABELS),
            sealed_rows_sha256=frames.sha256_of_rows(_identity(own.iloc[where.sealed], charter)),
            sealed_sketch=sketches.sealed,
            source_sketch=sketches.source,
            ignored_columns=ignored,
            how=where.how,
            near_duplicates=near,
            usual_amount=float(np.median(labels[where.train])) if isinstance(charter, AmountCharter) else None,
        ),
    )
    few = too_few(charter, splits["sealed"])
    return Result(
        headline=", ".join(f"{split.rows:,} {name}" for name, split in splits.items())
        + f" rows, {where.how}; not declared, so not used: {', '.join(ignored) or 'nothing'}"
        + "".join(f"; {each.found:,} {name} rows all but repeat an earlier one, {each.by_chance:,} by chance" for name, each in near.items() if each.found)
        + "".join(f"; {each}" for each in [*rows.surprises(charter), *few]),
        numbers=[
            *(
                Number(name=f"{name}_{sort}", value=n, unit="rows")
                for name, split in splits.items()
                for sort, n in {"rows": split.rows, **split.counts}.items()
            ),
            *rows.numbers(),
            *(Number(name=f"lacking_for_{each.limited.name}", value=each.lacking, unit=each.unit) for each in few),
        ],
    )


def _refuse_unusable(table: pd.DataFrame, charter: Charter) -> None:
    """Refuse a source without rows or without a declared column; then one whose columns cannot serve as declared; each time all at once."""
    data = charter.data
    problems = frames.column_problems(table, [*charter.feature_names(), data.target, *_roles(charter)], data.source)
    if len(table) == 0:
        problems.append(Problem(what="the source has no rows", where=data.source, fix="bring data"))
    if problems:
        raise InputRefused(problems)
    problems = [
        *without(table, data.key, "key", "which rows they are"),
        *without(table, data.group, "group", "which rows they belong with"),
        *(frames.time_problems(table, data.time) if data.time else []),
        *target_problems(table, charter),
        *frames.number_problems(table, charter.features),
    ]
    if problems:
        raise InputRefused(problems)
    if data.key:
        guards.keys_are_unique(data.key, table[data.key][table[data.key].duplicated()].unique().tolist())


def _roles(charter: Charter) -> list[str]:
    """Name the columns that are no feature and yet stay with the rows."""
    return list(dict.fromkeys(name for name in (charter.data.key, charter.data.time, charter.data.group) if name))


def _strata(labels: NDArray[Any], charter: Charter) -> NDArray[np.int8]:
    """Return what the lottery is stratified by: the class. Amounts are drawn as they come, as the bounds take them to be."""
    return np.zeros(len(labels), dtype=np.int8) if isinstance(charter, AmountCharter) else labels


def _identity(table: pd.DataFrame, charter: Charter) -> pd.DataFrame:
    """Return what names a row whatever a builder declares: its key and target, or without a key all that the source says."""
    return table[[charter.data.key, charter.data.target]] if charter.data.key else table


def _sketch(table: pd.DataFrame, own: pd.DataFrame, charter: Charter, sealed: NDArray[np.intp]) -> Sketches:
    """Sketch the rows without their answers: else whoever reads the sketch could try out which answer a row has."""
    cells = frames.cell_hashes(own.drop(columns=[charter.data.target]))
    return sketched(cells, frames.cell_hashes(table[charter.feature_names()]), sealed=sealed)


def _refuse_shared_rows(parts: dict[str, pd.DataFrame], charter: Charter) -> None:
    """Compare rows by all that the source says of them but the key: where few columns are declared, different rows look alike."""
    import pandas as pd

    train, dev, sealed = (parts[name].drop(columns=[charter.data.key] if charter.data.key else []) for name in ("train", "dev", "sealed"))
    excuse = charter.data.why_rows_may_repeat
    guards.splits_share_no_rows(frames.shared_rows(train, dev), len(dev), "train and dev", excuse)
    guards.splits_share_no_rows(frames.shared_rows(pd.concat([train, dev]), sealed), len(sealed), "train or dev, and sealed", excuse)


def _refuse_near_duplicates(parts: dict[str, pd.DataFrame], charter: Charter) -> dict[str, NearDuplicates]:
    """Compare rows by what a model sees of them; return the counts by the later split."""
    train, dev, sealed = (frames.columns(parts[name], charter.features) for name in ("train", "dev", "sealed"))
    opened = {name: np.concatenate([train[name], dev[name]]) for name in train}
    seed, excuse = charter.data.split_seed, charter.data.why_rows_may_repeat
    in_dev, in_sealed = near_duplicates(train, dev, seed=seed), near_duplicates(opened, sealed, seed=seed)
    guards.splits_hold_no_near_duplicates(in_dev.found, in_dev.by_chance, in_dev.rows, "train and dev", excuse)
    guards.splits_hold_no_near_duplicates(in_sealed.found, in_sealed.by_chance, in_sealed.rows, "train or dev, and sealed", excuse)
    return {"dev": in_dev, "sealed": in_sealed}


def _write(parts: dict[str, pd.DataFrame], labels: NDArray[Any], indices: dict[str, NDArray[np.intp]], target: str, data: Path, sealed_labels: Path) -> None:
    import pandas as pd

    for name in ("train", "dev"):
        frames.write_table(parts[name].assign(**{target: labels[indices[name]]}), data / layout.SPLIT_FILES[name])
    frames.write_table(parts["sealed"], data / layout.SPLIT_FILES["sealed"])
    frames.write_table(pd.DataFrame({target: labels[indices["sealed"]]}), sealed_labels / layout.SEALED_LABELS)
