"""Look at the sealed set, once and counted, and judge the frozen candidate by every limit of the charter."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poc import layout
from poc.errors import EnvironmentRefused
from poc.rules import guards
from poc.rules.answers import count, count_invalid
from poc.rules.charter import Charter
from poc.rules.counts import CountedShare, counted_shares, in_words, sorts_of
from poc.rules.evidence import Candidate, Counted, Number, Splits, Verdict
from poc.rules.looks import NONE_BEFORE, breaks_in, digest_of_look, is_as_written, shares_seen
from poc.rules.value import worth
from poc.rules.verdict import judge, overall
from poc.steps.inputs import charter_of, groups_of
from poc.steps.judged import candidate_digest, check_evidence, speeds_of
from poc.steps.perform import Result
from poc.steps.target import written_labels
from poc.tools import files, frames, tracking
from poc.tools.onnx_runtime import Scorer


def gate(
    *,
    agreement: Path,
    data: Path,
    sealed_labels: Path,
    validation: Path,
    models: Path,
    graphs: Path,
    variants: Path,
    timings: Path,
    candidate: Path,
    rehearsal: Path,
    verdict: Path,
) -> Result:
    """Write the verdict. The same candidate again gets what its look found in the sealed set, uncounted; speed and memory are judged as timed in this run."""
    check_evidence(
        {
            "agreement": agreement,
            "data": data,
            "sealed_labels": sealed_labels,
            "validation": validation,
            "models": models,
            "graphs": graphs,
            "variants": variants,
            "timings": timings,
            "candidate": candidate,
            "rehearsal": rehearsal,
        }
    )
    charter, frozen = charter_of(agreement), files.read_record(candidate / layout.CANDIDATE_JSON, Candidate)
    speeds = speeds_of(charter, frozen, timings, rehearsal)
    with tracking.one_at_a_time():  # else two runs at the same moment would both take the last look, or write down the result of one
        look, nth, stored, first_at = _take_look(charter, candidate, data, sealed_labels)
        counted = Verdict.model_validate_json(stored).counted if stored is not None else _counted(charter, frozen, data, sealed_labels, candidate)
        money = worth(charter, counted, seed=charter.data.split_seed)  # agreed with the sponsor, so that no builder can draw again
        limits = judge(charter, counted, money, speeds)
        found = Verdict(
            overall=overall(limits),
            limits=limits,
            money=money,
            counted=counted,
            candidate_sha256=look.candidate_sha256,
            sealed_sha256=look.sealed_sha256,
            look=nth,
            looks_allowed=charter.timebox.looks,
            repeated=stored is not None,
            first_look_at=first_at,
            unproven=[limit.name for limit in limits if limit.verdict == "NOT PROVEN"],
        )
        files.write_record(verdict / layout.VERDICT_JSON, found)
        if stored is None:
            tracking.finish_look(look, verdict / layout.VERDICT_JSON)
    shares = counted_shares(charter, counted)
    return Result(headline=_headline(found, shares), numbers=_numbers(found, shares))


def _take_look(charter: Charter, candidate: Path, data: Path, sealed_labels: Path) -> tuple[tracking.Look, int, bytes | None, str]:
    """Return the look of this candidate at this sealed set, the how many-th at these rows it is, what it found before, and when the first was taken.

    A new look is recorded here, before anything is seen.
    """
    splits = files.read_record(data / layout.SPLITS_JSON, Splits)
    labels_agree = files.sha256_of_file(sealed_labels / layout.SEALED_LABELS) == splits.sealed_labels_sha256
    guards.digests_agree([] if labels_agree else ["the sealed labels are not those that splits.json names"])
    with tracking.turn() as is_still_ours:
        chain = tracking.looks(charter.project)
        guards.looks_are_chained(breaks_in(chain, tracking.newest_look(charter.project)))
        new = _next_look(chain, candidate_digest(candidate), splits, charter.version)
        everywhere = tracking.looks_of_all_projects()
        place = next((place for place, look in enumerate(everywhere) if _is_same(look, new)), len(everywhere))
        known = everywhere[place] if place < len(everywhere) else None
        counted = [(other, share) for other, share in shares_seen(everywhere, new.sealed_sha256, splits.sealed_sketch) if other != place]
        earlier = [everywhere[other] for other, _ in counted if other < place]
        nth = 1 + len(earlier)
        if known and known.result_sha256:
            return known, nth, _stored(known), (earlier or [known])[0].at
        guards.a_look_is_left([_in_words(everywhere[other], share, charter.project) for other, share in counted], charter.timebox.looks)
        look = known or tracking.open_look(charter.project, os.environ.get("MLFLOW_RUN_ID", ""), new)  # one that a crash cut off goes on, and is the same
        if not is_still_ours():
            _give_up(look, is_new=known is None)
        if known is None:
            tracking.note_look(look)
    return look, nth, None, (earlier or [look])[0].at


def _next_look(chain: Sequence[tracking.Look], candidate_sha256: str, splits: Splits, charter_version: int) -> tracking.Look:
    """Return the look that comes next in a project's chain, not yet recorded."""
    number, previous = len(chain) + 1, chain[-1].digest if chain else NONE_BEFORE
    return tracking.Look(
        number=number,
        candidate_sha256=candidate_sha256,
        sealed_sha256=splits.sealed_rows_sha256,
        previous=previous,
        sketch=tuple(splits.source_sketch),
        digest=digest_of_look(number, candidate_sha256, splits.sealed_rows_sha256, previous, splits.source_sketch),
        charter_version=charter_version,
    )


def _is_same(look: tracking.Look, new: tracking.Look) -> bool:
    return (look.candidate_sha256, look.sealed_sha256) == (new.candidate_sha256, new.sealed_sha256)


def _in_words(look: tracking.Look, share: float, project: str) -> str:
    """Say which look counts, and why."""
    whose = "" if look.project == project else f" in project {look.project!r}"
    if not is_as_written(look):
        return f"look {look.number} of {look.at[:10]}{whose} was changed, so that nobody can tell what it had"
    how = ", sealed or open" if look.sketch else " (it was recorded by an earlier version, and compared by their digest alone)"
    return f"look {look.number} of {look.at[:10]}{whose} had {100 * share:.0f} % of these rows{how}"


def _give_up(look: tracking.Look, *, is_new: bool) -> None:
    """Leave before anything is seen, because the turn was lost.

    Raises:
        EnvironmentRefused: always.
    """
    if is_new:
        tracking.give_up_look(look)
    raise EnvironmentRefused(
        "this gate was so slow to record its look that another took over; nothing was seen", where="MLFLOW_TRACKING_URI", fix="poc run --candidate, again"
    )


def _stored(look: tracking.Look) -> bytes | None:
    """Return what a finished look found, as it was written; None for one that was cut off."""
    if not look.result_sha256:
        return None
    result = tracking.result_of_look(look, layout.VERDICT_JSON)
    is_as_written = result is not None and files.sha256_of(result) == look.result_sha256
    guards.digests_agree([] if is_as_written else [f"the stored result of look {look.number} is gone or was changed"])
    return result


def _counted(charter: Charter, frozen: Candidate, data: Path, sealed_labels: Path, candidate: Path) -> Counted:
    """Open the sealed labels, here and nowhere else, and count decisions as they were frozen."""
    rows = frames.read_table(data / layout.SPLIT_FILES["sealed"])
    labels = written_labels(frames.read_table(sealed_labels / layout.SEALED_LABELS), charter)
    guards.split_can_be_judged("sealed", len(labels), sorts_of(charter, labels), len(np.unique(labels)))
    answered = Scorer(candidate / layout.CANDIDATE_MODEL).answers(frames.columns(rows, frozen.inputs))
    guards.answers_are_valid("the candidate on the sealed set", *count_invalid(frozen, answered))
    usual = files.read_record(data / layout.SPLITS_JSON, Splits).usual_amount
    return count(charter, frozen, answered, labels, groups=groups_of(rows, charter), usual_amount=usual)


def _headline(found: Verdict, shares: Sequence[CountedShare]) -> str:
    again = " (the counts of an earlier look at this candidate, timed again)" if found.repeated else ""
    counts = ", ".join(f"{share.errors:,} of {share.rows:,} {in_words(share.name)}" for share in shares)
    return f"{found.overall}{again}: {counts}; look {found.look}, {found.looks_allowed} allowed"


def _numbers(found: Verdict, shares: Sequence[CountedShare]) -> list[Number]:
    return [
        *(Number(name=share.name, value=share.errors / share.rows, unit="share") for share in shares),
        Number(name="money_low", value=found.money.per_period.low, unit=f"{found.money.currency} per {found.money.period}"),
        Number(name="money_middle", value=found.money.per_period.middle, unit=f"{found.money.currency} per {found.money.period}"),
        Number(name="money_high", value=found.money.per_period.high, unit=f"{found.money.currency} per {found.money.period}"),
    ]
