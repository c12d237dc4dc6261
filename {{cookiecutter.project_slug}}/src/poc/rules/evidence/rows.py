"""Rows: how they were split, and what `validate` found of them."""

from __future__ import annotations

from poc.rules.evidence.record import Record


class InGroups(Record):
    """In how many groups rows lie, and as how many rows, each for itself, they count."""

    groups: int
    count_as: int


class Split(Record):
    """Rows of one split, and how many of them there are of each sort that a limit may speak of: positives and negatives, or rows of each class.

    `in_groups` holds the same sorts where rows share groups.
    """

    rows: int
    counts: dict[str, int]
    sha256: str
    in_groups: dict[str, InGroups] = {}

    @property
    def evidence(self) -> dict[str, int]:
        """As how many rows those of each sort count, when a limit is to be shown on them."""
        return self.counts | {sort: shared.count_as for sort, shared in self.in_groups.items()}


class NearDuplicates(Record):
    """Rows of a later split that all but equal a row of an earlier one: of how many, how many were found, and how many chance alone would give."""

    rows: int
    found: int
    by_chance: int


class Splits(Record):
    """What `ingest` made; `sealed_rows_sha256` names the sealed rows by key, or by all that the source says of them, whatever is declared of them.

    `sealed_sketch` asks how many of them an earlier run had, `source_sketch` answers a later one (`rules/sketches.py`). `usual_amount` is the median of
    the train rows' target, where the target is an amount.
    """

    train: Split
    dev: Split
    sealed: Split
    sealed_labels_sha256: str
    sealed_rows_sha256: str
    sealed_sketch: list[str]
    source_sketch: list[str]
    ignored_columns: list[str]
    how: str
    near_duplicates: dict[str, NearDuplicates]
    usual_amount: float | None = None


class Validation(Record):
    """What `validate` found: the contract, drift between splits in bits, and how well each column alone ranks dev: its AUC, for amounts its concordance."""

    declared: int
    evaluated: int
    warnings: list[str]
    drift: dict[str, float]
    auc_alone: dict[str, float]
