"""Judge one rung of the ladder: what a file answers beside what it was made from, alone as among many, and counted on dev."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.rules import guards
from poc.rules.answers import compare, count, count_invalid
from poc.rules.charter import Charter
from poc.rules.counts import counted_shares
from poc.rules.evidence import Counted, Deciding, Errors, FittedModel, Parity, Rung, Splits, Technique, Variant
from poc.rules.thresholds import chance_of_go
from poc.steps.inputs import Rows
from poc.steps.parity import Tensors, awkward_rows, compare_alone
from poc.tools import files
from poc.tools.onnx_runtime import Scorer
from poc.tools.quantization import VariantNotMade

Make = Callable[[Path, Path], Any]
#: What promises the answers of what it was made from; the others are lossy, and judged by what they decide on dev (docs/adr/0016).
EXACT: tuple[Technique, ...] = ("graph-optimised",)


@dataclass(frozen=True, kw_only=True)
class Judging:
    """What every variant is judged by: the charter, the splits, every open row and the awkward ones, and which of them are dev's."""

    charter: Charter
    splits: Splits
    train: Rows
    dev: Rows
    rows: Tensors

    @classmethod
    def on(cls, train: Rows, dev: Rows, *, charter: Charter, splits: Splits) -> Judging:
        """Make rows awkward once for all variants."""
        return cls(charter=charter, splits=splits, train=train, dev=dev, rows=awkward_rows(train, dev))

    def count(self, model: Deciding, answers: NDArray[np.float32]) -> Counted:
        """Count what is decided of dev."""
        of_dev = slice(len(self.train.labels), len(self.train.labels) + len(self.dev.labels))
        return count(self.charter, model, answers[of_dev], self.dev.labels, groups=self.dev.groups, usual_amount=self.splits.usual_amount)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted model as a variant: its file, and what that answers to every row."""

    model: FittedModel
    variant: Variant
    path: Path
    answers: NDArray[np.float32]


def name_of(model: FittedModel, technique: Technique) -> str:
    """Name a variant: the model, then what was done to it."""
    return f"{model.name}.{technique}"


def judge_fitted(model: FittedModel, path: Path, parity: Parity | None, judging: Judging, *, smaller_than: Fitted | None = None) -> Fitted:
    """Judge a fitted model's float32 graph, whose `parity` with the estimator was proved; a smaller model is compared with the whole one instead."""
    answers = Scorer(path).answers(judging.rows)
    guards.answers_are_valid(name_of(model, model.technique), *count_invalid(model, answers))
    if smaller_than:
        parity = compare(model, smaller_than.answers, answers, expected_decides=smaller_than.model)
    parent = smaller_than.variant.name if smaller_than else None
    variant = _made(model, model.technique, parent, path, parity, judging.count(model, answers), model.predicted_chance_of_go)
    return Fitted(model=model, variant=variant, path=path, answers=answers)


def judge_rung(rung: Rung, make: Make, of: Fitted, judging: Judging) -> Variant:
    """Make a file of a fitted model's graph and judge it, or say why it was not made."""
    path = of.path.with_name(f"{name_of(of.model, rung)}.onnx")
    try:
        make(of.path, path)
        answers, parity = _believable(rung, path, of, judging)
    except VariantNotMade as reason:
        path.unlink(missing_ok=True)
        return not_made(of.model, rung, of.variant.name, str(reason))
    counted, parents = judging.count(of.model, answers), of.variant.dev
    assert parents is not None
    return _made(of.model, rung, of.variant.name, path, parity, counted, _chance(of.model, counted, parents, judging.charter, judging.splits))


def not_made(model: FittedModel, technique: Technique, parent: str | None, reason: str) -> Variant:
    """Record a variant that there is not."""
    return Variant(**_facts(model, technique, parent), reason_not_made=reason, file=None, sha256=None, size_bytes=None, parity=None, dev=None)


def _believable(rung: Rung, path: Path, of: Fitted, judging: Judging) -> tuple[NDArray[np.float32], Parity]:
    """Return what a file answers and how far that is from its parent's answers.

    Raises:
        VariantNotMade: it cannot be run, answers with what is no answer, or one row otherwise than among many; or it promised the same and differs.
    """
    try:
        scorer = Scorer(path)
        answers = scorer.answers(judging.rows)
    except Exception as error:  # ONNX Runtime raises bare exceptions of many kinds; it writes int8 products of a single column that it then cannot run
        raise VariantNotMade(f"ONNX Runtime cannot run what it made: {str(error).rpartition(':')[2].strip()}") from error
    _, not_finite, outside = count_invalid(of.model, answers)
    if not_finite or outside:
        raise VariantNotMade(f"of {len(answers):,} answers {not_finite:,} are not finite and {outside:,} are no probabilities")
    parity = compare(of.model, of.answers, answers)
    if rung in EXACT and _differs(parity):
        raise VariantNotMade(f"it promises the same answers, and they differ by up to {parity.largest_difference:.2g}; {_flipped(parity)}")
    alone = compare_alone(scorer, judging.rows, answers, of.model)
    if _differs(alone):
        raise VariantNotMade(
            f"a row's answer depends on the rows that are asked with it: alone, {_flipped(alone)} and answers differ by up to {alone.largest_difference:.2g}"
        )
    return answers, parity


def _differs(parity: Parity) -> bool:
    return parity.decisions_flipped > 0 or not parity.largest_difference <= guards.PARITY_DIFFERENCE


def _flipped(parity: Parity) -> str:
    return f"{parity.decisions_flipped} of {parity.rows} decisions flip"


def _chance(model: FittedModel, dev: Counted, parents: Counted, charter: Charter, splits: Splits) -> float:
    """Predict the chance of GO from the model's open rows, with as many more or fewer errors as the variant makes on dev."""
    if dev == parents:
        return model.predicted_chance_of_go
    more = {one.name: one.errors - other.errors for one, other in zip(counted_shares(charter, dev), counted_shares(charter, parents), strict=True)}
    shifted = {name: Errors(errors=int(np.clip(seen.errors + more[name], 0, seen.rows)), rows=seen.rows) for name, seen in model.limited.items()}
    return chance_of_go(charter, shifted, splits.sealed.evidence)


def _made(model: FittedModel, technique: Technique, parent: str | None, path: Path, parity: Parity | None, dev: Counted, chance: float) -> Variant:
    return Variant(
        **_facts(model, technique, parent) | {"predicted_chance_of_go": chance},
        reason_not_made=None,
        file=path.name,
        sha256=files.sha256_of_file(path),
        size_bytes=path.stat().st_size,
        parity=parity,
        dev=dev,
    )


def _facts(model: FittedModel, technique: Technique, parent: str | None) -> dict[str, Any]:
    return {
        "name": name_of(model, technique),
        "model": model.name,
        "family": model.family,
        "technique": technique,
        "parent": parent,
        "calibration": model.calibration,
        **{name: getattr(model, name) for name in Deciding.model_fields},
        "predicted_chance_of_go": model.predicted_chance_of_go,
    }
