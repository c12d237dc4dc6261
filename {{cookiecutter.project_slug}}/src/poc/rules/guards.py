"""Every guard of a run, in one place: each looks at facts and names what is wrong, or lets the run go on.

A guard is called through `GUARDS`, so that `tests/test_guards.py` can take each out in turn and see a break go unnoticed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ParamSpec

from poc.errors import Problem, Refused
from poc.rules.live_features import Compared

P = ParamSpec("P")
Check = Callable[..., list[Problem]]
GUARDS: dict[str, Check] = {}

#: A column that alone ranks unseen positives this well gives the answer away. Matzka's AI4I set, whose failure type is known only
#: after the failure, reaches 0.98; its best honest column 0.70 to 0.83, depending on the split.
LEAK_AUC = 0.95
#: A model that ranks unseen rows this well has seen the answer, until somebody says why it may. Of an amount it then explains all but a ten-thousandth
#: of the variance: what it leaves is a hundredth of the spread, which is rounding, or physics that needs no model.
TOO_GOOD_AUC = 0.999
TOO_GOOD_R2 = 0.9999
TOO_GOOD = {"AUC": TOO_GOOD_AUC, "R2": TOO_GOOD_R2}
#: Share of rows of a later split that may stand in an earlier one, cell for cell.
SHARED_ROWS = 0.01
#: Standard deviations by which counts may differ where chance alone is at work: one comparison in 700 does by more.
CHANCE_DEVIATIONS = 3.0
#: Largest difference in probability between an estimator and its float32 graph.
PARITY_DIFFERENCE = 1e-4
#: Largest difference in probability between a served reply and the batch path.
REPLAY_DIFFERENCE = 1e-6


def guard(check: Callable[P, list[Problem]]) -> Callable[P, None]:
    """Turn a check into a guard that raises `Refused`, coded by its name, unless the check finds nothing."""
    name = check.__name__
    GUARDS[name] = check

    @wraps(check)
    def refuse(*args: P.args, **kwargs: P.kwargs) -> None:
        if problems := GUARDS[name](*args, **kwargs):
            raise Refused(problems, code=name)

    return refuse


@guard
def keys_are_unique(key: str, repeated: Sequence[object]) -> list[Problem]:
    """Refuse a source in which one key names several rows."""
    if not repeated:
        return []
    return [
        Problem(
            what=f"{len(repeated)} keys stand on more than one row, {repeated[0]!r} first",
            where=f"data, column {key}",
            fix="repair the source, or name the right key in charter.yaml, data.key",
        )
    ]


@guard
def split_can_be_judged(split: str, rows: int, sorts: Mapping[str, int], different: int, groups: int | None = None) -> list[Problem]:
    """Refuse a split without rows, without any of a sort that errors are counted among, or whose targets are all the same.

    `groups` is how many the source has, where rows share them: a group is never parted, so it may be they that do not suffice.
    """
    if rows > 0 and all(n > 0 for n in sorts.values()) and different > 1:
        return []
    counts = ", ".join(f"{n} {sort}" for sort, n in sorts.items() if sort != "rows") or f"{different} different targets"
    return [
        Problem(
            what=f"the {split} split has {rows} rows ({counts}): nothing can be judged on it" + _parted_in(groups),
            where="data" if groups is None else "charter.yaml, data.group",
            fix=f"bring more {'rows' if groups is None else 'groups'}, or change data.sealed_share or data.dev_share in charter.yaml",
        )
    ]


def _parted_in(groups: int | None) -> str:
    return "" if groups is None else f"; the source has {groups:,} group{'s' if groups > 1 else ''}, and no group is parted"


@guard
def splits_share_no_rows(shared: int, rows: int, between: str, excuse: str | None = None) -> list[Problem]:
    """Refuse splits that hold the same rows, unless the charter says why rows may repeat."""
    if excuse or shared <= SHARED_ROWS * rows:
        return []
    return [
        Problem(
            what=f"{shared} of {rows} rows stand in two splits ({between}), cell for cell; at most {SHARED_ROWS:.0%} may",
            where="data",
            fix="drop the copies, or declare data.group in charter.yaml; where different cases honestly look alike, say data.why_rows_may_repeat",
        )
    ]


@guard
def splits_hold_no_near_duplicates(found: float, by_chance: float, rows: int, between: str, excuse: str | None = None) -> list[Problem]:
    """Refuse splits of which the later all but repeats rows of the earlier, beyond chance, unless the charter says why rows may repeat.

    Both counts are of rare events, and so is their difference: its standard deviation is the root of their sum where chance alone is at work.
    """
    if excuse or found - by_chance <= SHARED_ROWS * rows + CHANCE_DEVIATIONS * math.sqrt(2 * by_chance):
        return []
    return [
        Problem(
            what=f"{found:,} of {rows:,} rows all but repeat a row of another split ({between}) in every feature, by chance {by_chance:,} would; "
            f"at most {SHARED_ROWS:.0%} more may",
            where="data",
            fix="drop the copies, or declare what belongs together as data.group, or data.time, in charter.yaml; where different cases honestly look alike, "
            "say data.why_rows_may_repeat",
        )
    ]


@guard
def contract_was_checked(declared: int, evaluated: int) -> list[Problem]:
    """Refuse a validation that evaluated nothing, or less than was declared."""
    if declared > 0 and evaluated == declared:
        return []
    return [
        Problem(
            what=f"{evaluated} of {declared} expectations were evaluated",
            where="expectations/suite.json",
            fix="draft the suite again with `poc draft-expectations`, read it and commit it",
        )
    ]


@guard
def contract_is_kept(failures: Sequence[str]) -> list[Problem]:
    """Refuse data that breaks a critical expectation."""
    return [
        Problem(
            what=failure,
            where="expectations/suite.json",
            fix="repair the source; or, where the charter or the world has changed, draft the contract anew (poc draft-expectations --force), "
            "read it and commit it",
        )
        for failure in failures
    ]


@guard
def splits_look_alike(drifted: Mapping[str, float], limit: float) -> list[Problem]:
    """Refuse splits between which a column's distribution moved further than chance alone moves it."""
    return [
        Problem(
            what=f"column {column} differs between train and a later split: divergence {divergence:.2f} beyond chance, at most {limit:.2f} is allowed",
            where="data",
            fix="see what changed; a model trained before the change does not speak for after it",
        )
        for column, divergence in drifted.items()
    ]


@guard
def no_column_gives_the_answer_away(alone: Mapping[str, float], excused: Mapping[str, str | None], ranks: str = "positives with AUC") -> list[Problem]:
    """Refuse a column that predicts the target by itself, unless the charter says why that is right."""
    return [
        Problem(
            what=f"column {column!r} alone ranks {ranks} {auc:.3f}: it gives the answer away",
            where=f"charter.yaml, features, {column}",
            fix="if it is known only afterwards, take it out of the features and draft the contract anew; if it is right, say why in "
            "why_it_may_decide_alone, in a sentence that the sponsor agrees to",
        )
        for column, auc in alone.items()
        if not auc < LEAK_AUC and not excused.get(column)
    ]


@guard
def something_was_fitted(fitted: int, reasons: Sequence[str]) -> list[Problem]:
    """Refuse to go on without any model."""
    if fitted > 0:
        return []
    return [
        Problem(
            what=f"no family could be fitted: {'; '.join(reasons) or 'none was named'}",
            where="params.yaml, families",
            fix="name families that src/poc/problem/model.py knows",
        )
    ]


@guard
def result_is_believable(model: str, skill: float, excused: Mapping[str, str | None], measure: str = "AUC") -> list[Problem]:
    """Refuse a model that answers rows it has not seen all but perfectly, unless the charter says of a feature why that is right."""
    if skill < TOO_GOOD[measure] or any(excused.values()):
        return []
    return [
        Problem(
            what=f"{model} predicts unseen rows with {measure} {skill:.4f}: too good to be true, although no column alone gives the answer away",
            where="charter.yaml, features",
            fix="look for columns that are known only afterwards; if it is right, say why in why_it_may_decide_alone of the feature that does it, "
            "in a sentence that the sponsor agrees to",
        )
    ]


@guard
def graph_equals_estimator(name: str, largest_difference: float, flipped: int, rows: int) -> list[Problem]:
    """Refuse a graph that answers unlike the estimator it was made from, in probability or in decision."""
    if rows > 0 and largest_difference <= PARITY_DIFFERENCE and flipped == 0:
        return []
    return [
        Problem(
            what=f"{name}: ONNX differs from the estimator by up to {largest_difference:.2g} and flips {flipped} of {rows} decisions",
            where="export",
            fix="take the family out of params.yaml, families, or see the conversions that go wrong in docs/builder.md",
        )
    ]


@guard
def live_features_equal_batch(compared: Sequence[Compared]) -> list[Problem]:
    """Refuse features that were not known when a row was decided as training saw them."""
    if not compared:
        return [Problem(what="no feature was compared with what was known of it", where="replay", fix="poc run, from the start")]
    return [
        Problem(
            what=f"feature {each.feature!r} was not known as training saw it {each.in_words}: {each.why}. {each.cost}",
            where=each.where,
            fix=each.fix,
        )
        for each in compared
        if each.differing > 0 or each.rows == 0
    ]


@guard
def served_equals_batch(rows: int, largest_difference: float, differing: int) -> list[Problem]:
    """Refuse a server that answers unlike the batch path."""
    if rows > 0 and largest_difference <= REPLAY_DIFFERENCE and differing == 0:
        return []
    return [
        Problem(
            what=f"served one by one, {differing} of {rows} decisions differ and answers differ by up to {largest_difference:.2g}",
            where="replay",
            fix="compute features in one place: src/poc/problem/features.py",
        )
    ]


@guard
def every_row_is_served(row: int, status: int, reply: str) -> list[Problem]:
    """Refuse a server that does not take a row which training took; `status` is HTTP's."""
    if status == 200:
        return []
    return [
        Problem(
            what=f"the server answered {status} to a dev row: {reply}",
            where=f"dev row {row}, in order of arrival",
            fix="the server must take every row that training took",
        )
    ]


@guard
def features_arrive_in_time(late: Sequence[str]) -> list[Problem]:
    """Refuse features that are used before they arrive."""
    return [
        Problem(what=f"feature {name} is used before it arrives", where=f"charter.yaml, features, {name}", fix="remove it, or decide later") for name in late
    ]


@guard
def evidence_is_whole(missing: Sequence[str]) -> list[Problem]:
    """Refuse a verdict or a version on evidence that is not all there."""
    return [Problem(what=f"evidence is missing: {name}", where="the run's folder", fix="poc run --candidate, from the start") for name in missing]


@guard
def digests_agree(differing: Sequence[str]) -> list[Problem]:
    """Refuse evidence that changed after it was written, or that speaks of other bytes."""
    return [
        Problem(
            what=f"digest differs: {name}", where="the run's folder", fix="nothing may be edited after a step wrote it; poc run --candidate, from the start"
        )
        for name in differing
    ]


@guard
def numbers_are_finite(numbers: Mapping[str, float]) -> list[Problem]:
    """Refuse NaN and infinity: a number that is not there shows nothing."""
    return [
        Problem(what=f"{name} is {value}", where="the run's evidence", fix="find the step that computed it; a missing number is not a good one")
        for name, value in numbers.items()
        if not math.isfinite(value)
    ]


@guard
def answers_are_valid(name: str, rows: int, not_finite: int, outside: int) -> list[Problem]:
    """Refuse an empty answer, or one with values that are not finite or, where they are probabilities, no probabilities."""
    if rows > 0 and not_finite == 0 and outside == 0:
        return []
    return [
        Problem(
            what=f"{name}: of {rows} answers {not_finite} are not finite and {outside} are no probabilities",
            where="the model",
            fix="look at the rows concerned; a model must answer every row",
        )
    ]


@guard
def a_look_is_left(counted: Sequence[str], allowed: int) -> list[Problem]:
    """Refuse to look at the sealed rows more often than the charter allows; `counted` says of each look which one it was and how much it saw."""
    if len(counted) < allowed:
        return []
    times = "once" if len(counted) == 1 else f"{len(counted)} times"
    return [
        Problem(
            what=f"these sealed rows have been looked at {times}; the charter allows {allowed}: {'; '.join(counted)}",
            where="charter.yaml, timebox.looks",
            fix="bring sealed rows that no look has seen, or agree more looks with the sponsor: each look widens every bound",
        )
    ]


@guard
def looks_are_chained(broken: Sequence[str]) -> list[Problem]:
    """Refuse to count looks when one was removed or changed."""
    return [
        Problem(
            what=f"the record of looks at the sealed set is broken: {name}",
            where="MLflow, runs tagged poc.kind=look",
            fix="restore the removed run; a look cannot be undone",
        )
        for name in broken
    ]
