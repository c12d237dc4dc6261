from __future__ import annotations

import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter

from poc.rules.counts import limited_shares
from poc.rules.evidence import Confusion, InGroups, Split
from poc.rules.sealed_rows import rows_needed, too_few
from poc.rules.verdict import judge_shares


def sealed(counts: dict[str, int], **in_groups: InGroups) -> Split:
    return Split(rows=sum(counts.values()), counts=counts, sha256="0" * 64, in_groups=in_groups)


def test_five_per_cent_takes_59_positives_without_an_error() -> None:
    charter = a_charter(limits={"missed_share": "0.05"})
    assert rows_needed(charter, limited_shares(charter)[0]) == [59, 93, 124, 153]


def test_rows_that_cannot_carry_a_claim_are_said_to_by_its_name() -> None:
    [found] = too_few(a_charter(limits={"missed_share": "0.05"}), sealed({"positives": 12, "negatives": 500}))
    assert str(found) == "12 sealed positives cannot show 0.05 missed_share: 59 are needed, so missed_share cannot be GO"


@pytest.mark.parametrize(("positives", "verdict"), [(58, "NOT PROVEN"), (59, "GO")])
def test_what_is_foretold_is_what_the_verdict_says_of_a_model_without_an_error(positives: int, verdict: str) -> None:
    charter = a_charter(limits={"missed_share": "0.05"})
    missed, _ = judge_shares(charter, Confusion(positives=positives, missed=0, negatives=500, false_alarms=0), looks=1)
    assert (missed.verdict, bool(too_few(charter, sealed({"positives": positives, "negatives": 500})))) == (verdict, verdict != "GO")


def test_every_kind_is_warned_of_its_own_limits() -> None:
    # 0.8**14 = 0.044 and 0.8**13 = 0.055; 0.9**29 = 0.047; 0.85**19 = 0.046 and 0.85**18 = 0.054
    assert [each.needed for each in too_few(a_multiclass_charter(), sealed({"rows of 'rework'": 13}))] == [14, 29]
    assert too_few(a_multiclass_charter(), sealed({"rows of 'rework'": 14, "rows of 'scrap'": 29})) == []
    assert [each.needed for each in too_few(an_amount_charter(), sealed({"rows": 18}))] == [19]


def test_rows_that_share_groups_are_said_to_count_as_fewer() -> None:
    charter = a_charter(limits={"missed_share": "0.12"})
    [found] = too_few(charter, sealed({"positives": 145, "negatives": 500}, positives=InGroups(groups=5, count_as=4)))
    assert str(found) == ("145 sealed positives in 5 groups count as 4; 24 are needed to show 0.12 missed_share, so missed_share cannot be GO")
    assert (found.lacking, found.unit) == (20, "groups of sealed positives")


@pytest.mark.parametrize(("groups", "verdict"), [(57, "NOT PROVEN"), (61, "GO")])  # on both sides of 59: bounds of groups are drawn
def test_what_is_foretold_of_groups_is_what_the_verdict_says_of_a_model_without_an_error(groups: int, verdict: str) -> None:
    charter = a_charter(limits={"missed_share": "0.05"})
    seen = Confusion(positives=10 * groups, missed=0, negatives=10 * groups, false_alarms=0, by_group=[(10, 0, 10, 0)] * groups)
    foretold = too_few(charter, sealed({"positives": 10 * groups, "negatives": 5000}, positives=InGroups(groups=groups, count_as=groups)))
    assert (judge_shares(charter, seen, looks=1)[0].verdict, bool(foretold)) == (verdict, verdict != "GO")
