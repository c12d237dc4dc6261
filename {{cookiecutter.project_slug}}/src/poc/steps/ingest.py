"""Read the source, keep what the charter declares, and split it so that nobody can look at the last part by accident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.errors import InputRefused, Problem
from poc.problem import source
from poc.rules import guards
from poc.rules.charter import Charter
from poc.rules.evidence import Number, Split, Splits
from poc.rules.splits import split_rows
from poc.steps.inputs import charter_of
from poc.steps.perform import Result
from poc.tools import files, frames

if TYPE_CHECKING:
    import pandas as pd


def ingest(*, agreement: Path, data: Path, sealed_labels: Path) -> Result:
    """Write train, dev and sealed rows; the sealed labels go to an artifact of their own, which only `gate` opens."""
    charter = charter_of(agreement)
    table = source.read(charter, Path.cwd())
    _refuse_unusable(table, charter)
    kept, labels = _declared(table, charter), _labels(table, charter)
    where = split_rows(
        labels=labels,
        sealed_share=float(charter.data.sealed_share),
        dev_share=float(charter.data.dev_share),
        seed=charter.data.split_seed,
        times=frames.order_of(table, charter.data.time) if charter.data.time else None,
        groups=table[charter.data.group].astype(str).to_numpy() if charter.data.group else None,
    )
    parts = {"train": kept.iloc[where.train], "dev": kept.iloc[where.dev], "sealed": kept.iloc[where.sealed]}
    indices = {"train": where.train, "dev": where.dev, "sealed": where.sealed}
    for name, part in parts.items():
        guards.split_can_be_judged(name, len(part), int(labels[indices[name]].sum()))
    _refuse_shared_rows({name: table.iloc[rows] for name, rows in indices.items()}, charter)
    _write(parts, labels, indices, charter.data.target, data, sealed_labels)
    splits = {
        name: Split(rows=len(part), positives=int(labels[indices[name]].sum()), sha256=files.sha256_of_file(data / layout.SPLIT_FILES[name]))
        for name, part in parts.items()
    }
    ignored = [column for column in table.columns if column not in kept.columns and column != charter.data.target]
    files.write_record(
        data / layout.SPLITS_JSON,
        Splits(
            **splits,
            sealed_labels_sha256=files.sha256_of_file(sealed_labels / layout.SEALED_LABELS),
            sealed_rows_sha256=frames.sha256_of_rows(_identity(table.iloc[where.sealed], charter)),
            ignored_columns=ignored,
            how=where.how,
        ),
    )
    return Result(
        headline=", ".join(f"{split.rows:,} {name}" for name, split in splits.items()) + f" rows; not declared, so not used: {', '.join(ignored) or 'nothing'}",
        numbers=[Number(name=f"{name}_{what}", value=getattr(split, what), unit="rows") for name, split in splits.items() for what in ("rows", "positives")],
    )


def _refuse_unusable(table: pd.DataFrame, charter: Charter) -> None:
    """Refuse a source without rows, without a declared column, with repeated keys or with an unclear target; all at once."""
    data = charter.data
    declared = [*charter.feature_names(), data.target, *(name for name in (data.key, data.time, data.group) if name)]
    problems = [
        Problem(what=f"the source has no column {name!r}", where=f"charter.yaml, {data.source}", fix=f"name one of: {', '.join(map(str, table.columns))}")
        for name in declared
        if name not in table.columns
    ]
    if len(table) == 0:
        problems.append(Problem(what="the source has no rows", where=data.source, fix="bring data"))
    if problems:
        raise InputRefused(problems)
    if data.key:
        guards.keys_are_unique(data.key, table[data.key][table[data.key].duplicated()].unique().tolist())
    if data.group and (without := int(table[data.group].isna().sum())):
        raise InputRefused(
            f"{without} rows have no {data.group!r}: it is not known which rows they belong with",
            where="charter.yaml, data.group",
            fix="give every row its group, or drop those rows",
        )
    values = table[data.target]
    if (missing := int(values.isna().sum())) or values.nunique() != 2 or data.positive not in set(values.astype(str)):
        raise InputRefused(
            f"the target {data.target!r} has {values.nunique()} values and {missing} rows without one; it must have two, one of them {data.positive!r}",
            where="charter.yaml, data.target and data.positive",
            fix="name the column and the value that means yes; drop rows whose outcome is not known yet",
        )


def _declared(table: pd.DataFrame, charter: Charter) -> pd.DataFrame:
    extra = [name for name in (charter.data.key, charter.data.time, charter.data.group) if name]
    return table[[*dict.fromkeys([*extra, *charter.feature_names()])]]


def _labels(table: pd.DataFrame, charter: Charter) -> NDArray[np.int8]:
    return np.asarray(table[charter.data.target].astype(str) == charter.data.positive, dtype=np.int8)


def _identity(table: pd.DataFrame, charter: Charter) -> pd.DataFrame:
    """Return what names a row whatever a builder declares: its key and target, or without a key all that the source says."""
    return table[[charter.data.key, charter.data.target]] if charter.data.key else table


def _refuse_shared_rows(parts: dict[str, pd.DataFrame], charter: Charter) -> None:
    """Compare rows by all that the source says of them but the key: where few columns are declared, different rows look alike."""
    import pandas as pd

    train, dev, sealed = (parts[name].drop(columns=[charter.data.key] if charter.data.key else []) for name in ("train", "dev", "sealed"))
    excuse = charter.data.why_rows_may_repeat
    guards.splits_share_no_rows(frames.shared_rows(train, dev), len(dev), "train and dev", excuse)
    guards.splits_share_no_rows(frames.shared_rows(pd.concat([train, dev]), sealed), len(sealed), "train or dev, and sealed", excuse)


def _write(
    parts: dict[str, pd.DataFrame], labels: NDArray[np.int8], indices: dict[str, NDArray[np.intp]], target: str, data: Path, sealed_labels: Path
) -> None:
    import pandas as pd

    for name in ("train", "dev"):
        frames.write_table(parts[name].assign(**{target: labels[indices[name]]}), data / layout.SPLIT_FILES[name])
    frames.write_table(parts["sealed"], data / layout.SPLIT_FILES["sealed"])
    frames.write_table(pd.DataFrame({target: labels[indices["sealed"]]}), sealed_labels / layout.SEALED_LABELS)
