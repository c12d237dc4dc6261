"""What is said of the money without late features."""

from __future__ import annotations

from rehearsals import WEAR, WITHOUT_WEAR, a_rehearsal

from poc.rules.evidence import Interval, Silence
from poc.rules.silence import if_they_fell_silent, without_late_features

UNIT = "EUR a month"


def test_a_headline_sets_the_money_without_late_features_beside_that_with_all() -> None:
    assert without_late_features(a_rehearsal(), UNIT) == f"without {WEAR}: +41,000 EUR a month on dev instead of +68,800"


def test_the_brief_says_it_with_its_interval() -> None:
    assert if_they_fell_silent(a_rehearsal(), UNIT) == f"If {WEAR} fell silent: +41,000 EUR a month (+33,000 to +49,000) instead of +68,800, on the dev rows."


def test_where_the_input_contract_refuses_rows_without_a_feature_the_brief_says_what_happens() -> None:
    refused = a_rehearsal(silences=[Silence(features=[WEAR], money=WITHOUT_WEAR, is_refused=True)])
    assert if_they_fell_silent(refused, UNIT).endswith("Its input contract refuses such rows: until it is changed, today's process would decide them.")


def test_what_a_model_is_worth_that_does_not_answer_is_not_known() -> None:
    found = a_rehearsal(silences=[Silence(features=[WEAR], money=None, why_not_known="the model gives 3 of 50 rows no valid answer")])
    assert without_late_features(found, UNIT) == f"without {WEAR}: not known what it is worth"
    assert "not known what the model would be worth: the model gives 3 of 50 rows no valid answer" in if_they_fell_silent(found, UNIT)
    assert "not known" in without_late_features(a_rehearsal(money=None), UNIT)


def test_of_several_features_all_together_are_said_and_many_are_counted() -> None:
    each = [Silence(features=[name], money=WITHOUT_WEAR) for name in "abcd"]
    assert "without a and b: " in without_late_features(a_rehearsal(silences=[*each[:2], Silence(features=["a", "b"], money=WITHOUT_WEAR)]), UNIT)
    assert "the 4 features that do not come with the request" in without_late_features(
        a_rehearsal(silences=[*each, Silence(features=list("abcd"), money=WITHOUT_WEAR)]), UNIT
    )


def test_one_that_costs_more_alone_than_all_together_is_said_too() -> None:
    worse = Interval(low=1000, middle=15_700, high=30_000)
    alone = [Silence(features=["a"], money=worse), Silence(features=["b"], money=None)]
    both = Silence(features=["a", "b"], money=WITHOUT_WEAR)
    assert if_they_fell_silent(a_rehearsal(silences=[*alone, both]), UNIT).endswith("on the dev rows; if a alone did, +15,700.")
    assert "alone" not in if_they_fell_silent(a_rehearsal(silences=[alone[1], both.model_copy(update={"features": ["b"]}), both]), UNIT)


def test_where_every_feature_comes_with_the_request_nothing_is_said() -> None:
    assert without_late_features(a_rehearsal(silences=[]), UNIT) == if_they_fell_silent(a_rehearsal(silences=[]), UNIT) == ""
