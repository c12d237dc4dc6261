"""What errors mean where a model is used, for the kinds of problem that are not yes or no."""

from __future__ import annotations

from typing import Any

import numpy as np
from artifacts import fast_timings
from briefs import a_judged
from builders import a_multiclass_charter, an_amount_charter

from poc.rules.brief import Judged
from poc.rules.charter import Charter
from poc.rules.counts import sorts_of
from poc.rules.describe import description, in_one_line
from poc.rules.evidence import ByCost, ClassCounts, Counted, Deviations
from poc.rules.model_card import model_card
from poc.rules.people import people, people_in_one_line
from poc.rules.value import worth
from poc.rules.verdict import judge, overall
from poc.rules.write_brief import brief_of
from poc.tools.pages import brief_page

#: Of 200 rows to rework 10, of 100 to scrap 4 are decided as something else.
CLASSES = ClassCounts(counts=[[880, 15, 5], [8, 190, 2], [1, 3, 96]])
#: Of 1,000 estimates 30 are off by more than 20 pieces.
AMOUNTS = Deviations(
    rows=[1] * 1000, beyond=[1] * 30 + [0] * 970, over=[25.0] * 30 + [2.0] * 970, under=[0.0] * 1000, usual_over=[30.0] * 1000, usual_under=[0.0] * 1000
)


def judged_of(charter: Charter, counted: Counted, **deciding: Any) -> Judged:
    """Judge counts of another kind of problem as `gate` would."""
    plain, money = a_judged(), worth(charter, counted, seed=7)
    limits = judge(charter, counted, money, fast_timings().speeds("one line, float32"))
    verdict = plain.verdict.model_copy(update={"counted": counted, "money": money, "limits": limits, "overall": overall(limits)})
    candidate = plain.candidate.model_copy(update={"threshold": None, **deciding})
    dev = plain.evaluation.assessments[0].model_copy(update={"counted": counted, "money": money, "limits": limits})
    evaluation = plain.evaluation.model_copy(update={"assessments": [dev], "at_half": None, "curve": [], "threshold_by_costs": None})
    sorts = sorts_of(charter, np.arange(3))
    parts = {name: getattr(plain.splits, name).model_copy(update={"counts": sorts}) for name in ("train", "dev", "sealed")}
    return Judged(
        charter=charter,
        candidate=candidate,
        verdict=verdict,
        evaluation=evaluation,
        timings=plain.timings,
        splits=plain.splits.model_copy(update=parts),
        rehearsal=plain.rehearsal,
        data_card=None,
        judged_on="2026-02-20",
    )


def of_classes() -> Judged:
    names = ["good", "rework", "scrap"]
    return judged_of(a_multiclass_charter(), CLASSES, by_cost=ByCost(classes=names, costs=[[0, 1, 1], [1, 0, 1], [1, 1, 0]]))


def of_amounts() -> Judged:
    return judged_of(an_amount_charter(), AMOUNTS)


def test_of_a_thousand_rows_of_each_limited_class_it_is_said_how_many_are_decided_as_something_else() -> None:
    assert people_in_one_line(of_classes()) == (
        "Of 1,000 “rework” 50 are decided as something else (500 today); of 1,000 “scrap” 40 are decided as something else (600 today)."
    )


def test_a_likely_month_holds_as_many_of_a_class_as_the_charter_says() -> None:
    # 30,000 decisions, 7 % of them about rework: 2,100, of which one in twenty is decided as something else, and half today
    assert people(of_classes()).rows[2][0] == "a month: “rework” decided as something else"
    assert (people(of_classes()).rows[2][1], people(of_classes()).rows[2][3]) == ("105", "1,050")


def test_of_a_thousand_estimates_it_is_said_how_many_are_off_by_more_than_the_tolerance() -> None:
    assert people_in_one_line(of_amounts()) == "Of 1,000 estimates 30 are off by more than 20 pieces (350 today)."
    assert in_one_line(of_amounts().verdict).endswith("of 1,000 estimates 30 are beyond the tolerance.")


def test_in_one_line_each_class_is_counted_among_its_own() -> None:
    assert in_one_line(of_classes().verdict).endswith("of 1,000 'rework' 50 are missed, of 1,000 'scrap' 40 are missed.")


def test_no_page_speaks_of_a_threshold_where_none_decides() -> None:
    for judged in (of_classes(), of_amounts()):
        brief = brief_of(judged)
        for page in (description(brief), model_card(judged, brief), brief_page(brief).decode()):
            assert ("threshold" not in page and "What the money depends on most" in page) or page.startswith("# Model card")
            assert "nan" not in page.lower().split()


def test_the_card_says_what_decides_and_counts_the_rows_of_each_class() -> None:
    judged = of_classes()
    card = model_card(judged, brief_of(judged))
    assert "the class that costs least on average is decided" in card
    assert "rows of 'scrap'" in card
    assert "softmax(1 &#42; log(raw))" in card
