"""A judged candidate whose figures are easy to work out by hand, and the brief about it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from artifacts import A_DIGEST, a_curve, changed, fast_timings
from builders import a_charter
from rehearsals import a_rehearsal

from poc.rules.brief import Brief, Judged
from poc.rules.charter import BinaryCharter
from poc.rules.evidence import (
    UNSIGNED,
    Assessment,
    AtHalf,
    Calibration,
    Candidate,
    CandidateInput,
    Confusion,
    Evaluation,
    Interval,
    NearDuplicates,
    Signoff,
    Split,
    Splits,
    Verdict,
)
from poc.rules.value import worth
from poc.rules.verdict import judge, judge_money, judge_shares, overall
from poc.rules.write_brief import brief_of
from poc.tools import browser

#: Where NEVER_SKIP is set, a machine without a browser fails these tests instead of leaving them out.
needs_chromium = pytest.mark.skipif(browser.find() is None and not os.environ.get("NEVER_SKIP"), reason="there is no Chromium on this machine")
#: On the sealed rows 2 % missed and 5 % flagged: by the plain charter's limits of 12 % and 25 % a GO.
ERRORS = Confusion(positives=400, missed=8, negatives=3600, false_alarms=180)
#: 40 % missed.
TOO_MANY = Confusion(positives=400, missed=160, negatives=3600, false_alarms=180)
#: On dev at 0.5: right on 1,964 of 2,000 rows, and 36 of 100 positives missed.
AT_HALF = Confusion(positives=100, missed=36, negatives=1900, false_alarms=0)
#: On dev at the chosen threshold: right on 1,618 of 2,000 rows, and 2 of 100 positives missed.
CHOSEN = Confusion(positives=100, missed=2, negatives=1900, false_alarms=380)
VARIANT = "logistic.float32"
CARD = "# parts.csv\n\n**Synthetic data.** Nobody\nmeasured it.\n\n| a | table |\n"
ATTACK = "<script>alert(1)</script> | **bold** [x](http://e.example) `code`"


def a_judged(
    *,
    confusion: Confusion = ERRORS,
    differences: tuple[str, ...] = (),
    data_card: str | None = CARD,
    look: int = 1,
    repeated: bool = False,
    signoff: Signoff = UNSIGNED,
    **charter_changes: Any,
) -> Judged:
    """Judge a candidate by the plain charter, changed, as `gate` would."""
    charter = a_charter(**charter_changes)
    [fast] = fast_timings().targets[0].timings
    timings = changed(fast_timings(), differences=list(differences), timings=[fast.model_copy(update={"variant": VARIANT})])
    money = worth(charter, confusion, seed=7)
    limits = judge(charter, confusion, money, timings.speeds(VARIANT))
    verdict = Verdict(
        overall=overall(limits),
        limits=limits,
        money=money,
        counted=confusion,
        candidate_sha256="c" * 64,
        sealed_sha256="d" * 64,
        look=look,
        looks_allowed=2,
        repeated=repeated,
        first_look_at="2026-01-15T09:00:00+00:00",
        unproven=[limit.name for limit in limits if limit.verdict == "NOT PROVEN"],
    )
    return Judged(
        charter=charter,
        candidate=_a_candidate(charter),
        verdict=verdict,
        evaluation=_an_evaluation(charter),
        timings=timings,
        splits=_splits(),
        rehearsal=a_rehearsal(),
        data_card=data_card,
        judged_on="2026-02-20",
        signoff=signoff,
    )


def a_brief(**changes: Any) -> Brief:
    """Write the brief about `a_judged`."""
    return brief_of(a_judged(**changes))


def an_attack() -> dict[str, Any]:
    """Return changes to the charter that put markup wherever free text goes, as long as the charter lets it be."""
    long = (ATTACK + " and so on" * 60)[:590]
    return {
        "decision": dict.fromkeys(("question", "decider", "on_alert", "fallback"), long),
        "baseline": {"process": long},
        "data": {"positives_are_called": "<b>bad | parts</b>", "others_are_called": "<i>good parts</i>"},
        "people": [{"role": "sponsor", "name": long[:118], "title": long[:118], "email": "sam@example.com"}],
        "stages": [{"name": "shadow", "question": long, "evidence": ["verdict.json"], "signers": ["owner"], "valid_days": 60}],
    }


def _a_candidate(charter: BinaryCharter) -> Candidate:
    return Candidate(
        project=charter.project,
        charter_sha256="a" * 64,
        variant=VARIANT,
        family="logistic",
        technique="float32",
        model_sha256="b" * 64,
        threshold=0.02,
        calibration=Calibration(slope=1.0, intercept=0.0),
        inputs=[CandidateInput(name=feature.name, kind=feature.kind) for feature in charter.features],
    )


def _an_evaluation(charter: BinaryCharter) -> Evaluation:
    half, chosen = (worth(charter, seen, seed=7) for seen in (AT_HALF, CHOSEN))
    at_half = [*judge_shares(charter, AT_HALF, charter.timebox.looks), *judge_money(half)]
    assessment = Assessment(
        variant=VARIANT,
        counted=CHOSEN,
        money=chosen,
        limits=[*judge_shares(charter, CHOSEN, charter.timebox.looks), *judge_money(chosen)],
        chance_of_go=0.9,
        expected_p99_ms=1.0,
        is_expected_to_pass=True,
        cpu_us_per_call=50.0,
        monthly_cost=Interval(low=120.0, middle=120.0, high=120.0),
        cost_per_million=Interval(low=0.0045, middle=0.0046, high=0.0048),
    )
    return Evaluation(
        assessments=[assessment],
        frozen=VARIANT,
        why="the only one",
        at_half=AtHalf(accuracy=0.982, confusion=AT_HALF, limits=at_half, money=half.per_period, overall=overall(at_half)),
        curve=a_curve(),
        threshold_by_costs=0.1,
    )


def _splits() -> Splits:
    train, dev, sealed = (
        Split(rows=rows, counts={"positives": positives, "negatives": rows - positives}, sha256=A_DIGEST)
        for rows, positives in ((6000, 600), (2000, 100), (4000, 400))
    )
    return Splits(
        train=train,
        dev=dev,
        sealed=sealed,
        sealed_labels_sha256=A_DIGEST,
        sealed_rows_sha256=A_DIGEST,
        sealed_sketch=[],
        source_sketch=[],
        ignored_columns=["Failure Type"],
        how="by lottery",
        near_duplicates={"dev": NearDuplicates(rows=2000, found=3, by_chance=2)},
    )
