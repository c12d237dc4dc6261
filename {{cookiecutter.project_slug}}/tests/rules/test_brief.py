"""The brief: what the sponsor reads, with figures worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from briefs import ERRORS, TOO_MANY, VARIANT, a_brief, a_judged
from builders import PLAIN, a_charter

from poc.rules.evidence import Confusion
from poc.rules.verdict import judge, overall
from poc.rules.write_brief import brief_of

#: 3.3 % positives, where the plain charter expects 2.5 to 4.5.
AS_AGREED = Confusion(positives=400, missed=8, negatives=11_600, false_alarms=580)

#: Flagging everybody costs next to nothing, so that no model is needed.
FREE_ALARMS: dict[str, Any] = {"value": {"cost_false_alarm": {"low": 0, "likely": 0, "high": "0.1"}}}
NAMED = {"data": {"positives_are_called": "faulty parts", "others_are_called": "good parts"}}


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def rows(table: Any) -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(map(plain, row[1:])) for row in table.rows}


def test_it_says_what_is_left_where_late_features_fall_silent() -> None:
    assert a_brief().if_late_features_fell_silent.startswith("If Tool wear [min] fell silent: +41,000 EUR a month (+33,000 to +49,000) instead of +68,800")


def test_what_nothing_but_its_owners_word_shows_to_have_come_in_time_is_not_proven() -> None:
    assert a_brief().not_proven[-1] == "No column has a time: nothing was predicted into the future, nor shown that Tool wear [min] came in time."
    assert "That Tool wear [min] had arrived when each row was decided is its owner's word" in a_brief(data={"time": "finished_at"}).not_proven[-1]


def test_a_reason_why_a_feature_is_known_in_time_is_one_that_nobody_has_signed() -> None:
    why = "The historian keeps what the panel showed when the part was decided"
    features = [PLAIN["features"][0], {**PLAIN["features"][1], "why_it_is_known_in_time": why}, PLAIN["features"][2]]
    said = a_brief(features=features).not_proven
    assert f"Tool wear [min] is said to be known in time; nobody has signed the reason: {why}." in said
    assert said[-1] == "No column has a time: nothing was predicted into the future."


def test_of_a_thousand_cases_it_says_how_many_are_missed_and_how_many_flagged_beside_today() -> None:
    # 8 of 400 and 180 of 3,600; the charter's baseline misses 45 % and flags 4 %
    assert a_brief(**NAMED).people_in_one_line == (
        "Of 1,000 faulty parts 20 are missed (450 today); of 1,000 good parts 50 are flagged for nothing (40 today)."
    )


def test_a_charter_that_names_no_cases_gets_words_that_fit_any() -> None:
    assert a_brief().people_in_one_line.startswith("Of 1,000 cases to catch 20 are missed (450 today); of 1,000 other cases 50 ")


def test_a_period_is_counted_at_the_likely_volume_with_bounds() -> None:
    # 30,000 decisions, 3.4 % of them positive: 1,020, and 28,980 others; 2 % missed between 1.0 % and 3.6 %, today 45 %; 5 % flagged, today 4 %
    found = rows(a_brief(**NAMED).people)
    assert found["of 1,000 faulty parts, missed"] == ("20", "10 to 36", "450")
    assert found["a month: faulty parts missed"] == ("20", "10 to 36", "459")
    assert found["a month: good parts flagged for nothing"][::2] == ("1,450", "1,160")


def test_fewer_than_one_in_a_thousand_is_not_said_to_be_none() -> None:
    today = {"baseline": {"missed_share": "0.0001", "false_alarm_share": "0"}}
    assert "(under 1 today); of 1,000 other cases 50 are flagged for nothing (0 today)" in a_brief(**today).people_in_one_line


def test_the_money_is_rounded_to_what_is_known_and_has_its_range() -> None:
    money = a_brief().money
    assert (money.figure, money.unit) == ("+81,000", "EUR a month")
    assert plain(money.bounds).startswith("90 % sure: between +")
    assert "agreed as the least, over 99.9 %" in plain(money.said) and "a loss is under 0.1 %" in plain(money.said)


@pytest.mark.parametrize(
    ("changes", "verdict", "sign", "meaning", "next_step"),
    [
        ({}, "GO", "✓", "Every limit of the charter is shown to be met", "the next stage (shadow): May it run without anybody acting on it?"),
        ({"confusion": TOO_MANY}, "NO-GO", "✕", "Shown to break what was agreed: “cases to catch that are missed”.", "a new version of the charter"),
        (
            {"differences": ("4 cores, not 2",)},
            "NOT PROVEN",
            "?",
            "too thin to show: “slowest 1 % of answers (p99 latency)”, “memory of the server” and “servers that the rate needs”.",
            "On 2026-03-02 it ends all the same",
        ),
    ],
)
def test_the_verdict_is_said_in_one_line_with_what_can_be_done(changes: dict[str, Any], verdict: str, sign: str, meaning: str, next_step: str) -> None:
    brief = a_brief(**changes)
    assert (brief.verdict, brief.sign) == (verdict, sign)
    assert meaning in brief.meaning and next_step in brief.next_step


def test_only_a_first_look_is_at_rows_that_nobody_had_seen() -> None:
    assert "nobody had seen" in a_brief().meaning
    assert "nobody had seen" not in a_brief(look=2).meaning + a_brief(look=2).evidence


def test_an_unsigned_charter_and_where_the_rows_come_from_are_said() -> None:
    brief = a_brief()
    assert "version 1) is unsigned" in brief.drafts and brief.data == "Synthetic data. Nobody measured it."


@pytest.mark.parametrize("card", [None, "# only a title\n"])
def test_without_a_data_card_the_page_says_so(card: str | None) -> None:
    assert a_brief(data_card=card).data.startswith("No data card says what the rows are")


def test_each_limit_has_what_was_agreed_what_was_measured_and_its_bounds() -> None:
    limits = {limit.name: limit for limit in a_brief().limits}
    missed, speed = limits["cases to catch that are missed"], limits["slowest 1 % of answers (p99 latency)"]
    assert tuple(map(plain, (missed.allowed, missed.measured, missed.bounds))) == ("at most 12 %", "2 %", "1 to 3.6 %")
    assert tuple(map(plain, (speed.allowed, speed.measured, speed.bounds))) == ("at most 5 ms", "0.3 ms", "0.2 to 0.5 ms")
    assert plain(limits["money against today's process"].allowed) == "at least 5,000 EUR a month"
    assert limits["money against flagging everything"].allowed == limits["money against flagging nothing"].allowed == "more than 0, always"


def test_where_no_minimum_was_agreed_any_gain_will_do() -> None:
    limits = {limit.name: plain(limit.allowed) for limit in a_brief(timebox={"minimum_value_per_period": 0}).limits}
    assert limits["money against today's process"] == "more than 0 EUR a month"


def test_a_model_that_keeps_every_share_and_misses_the_agreed_minimum_is_no_go() -> None:
    brief = a_brief(timebox={"minimum_value_per_period": "223456.50"})
    assert brief.verdict == "NO-GO" and brief.meaning == "Shown to break what was agreed: “money against today's process”."
    assert [plain(limit.allowed) for limit in brief.limits if limit.verdict == "NO-GO"] == ["at least 223,456.50 EUR a month"]


def test_a_minimum_within_the_bounds_is_not_proven_and_named_with_its_bounds() -> None:
    brief = a_brief(timebox={"minimum_value_per_period": 80000})
    assert brief.verdict == "NOT PROVEN" and "“money against today's process”" in brief.meaning
    [open_] = [plain(each) for each in brief.not_proven if each.startswith("Money against today's process")]
    assert "not shown to be at least 80,000 EUR a month; it could be " in open_


def test_a_policy_without_a_model_that_wins_is_named_and_nothing_is_said_to_break_the_agreement() -> None:
    brief = a_brief(**FREE_ALARMS)
    assert brief.verdict == "NO-GO" and brief.meaning == "Flagging everything needs no model and is shown to be worth no less."
    assert [limit.name for limit in brief.limits if limit.verdict == "NO-GO"] == ["money against flagging everything"]


def test_a_policy_that_wins_stands_beside_what_was_broken() -> None:
    assert a_brief(confusion=TOO_MANY, **FREE_ALARMS).meaning == (
        "Shown to break what was agreed: “cases to catch that are missed”. Flagging everything needs no model and is shown to be worth no less."
    )


def test_a_perfect_model_is_worth_no_less_than_this_one_by_the_same_means() -> None:
    money = a_judged(**FREE_ALARMS).verdict.money
    assert money.perfect_model > money.expected


def test_where_several_looks_are_allowed_each_bound_is_said_to_be_surer_from_the_first_on() -> None:
    one, three = a_brief(), a_brief(timebox={"looks": 3})
    assert plain(one.limits_caption).endswith("bounds that hold at 95 % confidence")
    for caption in (three.limits_caption, three.people.caption):
        assert "at 98.3 % confidence each, wider so that 3 looks keep 95 %" in plain(caption)


@pytest.mark.parametrize("changes", [{}, {"confusion": TOO_MANY}])
def test_nobody_is_invited_to_agree_to_what_is_known_already(changes: dict[str, Any]) -> None:
    brief = a_brief(**changes)
    said = brief.next_step + brief.drafts
    assert "fresh rows" in said and "before" in said and "sign the charter" not in said and "or agree" not in said


def test_what_the_charter_excuses_is_listed_as_unsigned() -> None:
    features = [{**PLAIN["features"][0], "why_it_may_decide_alone": "The torque is the failure itself, measured early"}, *PLAIN["features"][1:]]
    brief = a_brief(data={"why_rows_may_repeat": "Parts of one batch honestly look alike"}, features=features)
    assert "Rows may repeat across the splits; nobody has signed the reason: Parts of one batch honestly look alike." in brief.not_proven
    assert f"{features[0]['name']} may decide alone; nobody has signed the reason: The torque is the failure itself, measured early." in brief.not_proven


def test_groups_that_are_sealed_whole_say_that_nothing_was_predicted() -> None:
    told = "Groups were sealed whole, their old rows too"
    assert [any(each.startswith(told) for each in a_brief(data=data).not_proven) for data in ({"time": "day", "group": "line"}, {"time": "day"})] == [
        True,
        False,
    ]


def test_another_share_of_positives_than_the_charter_expects_is_told() -> None:
    assert any("production holds 2.5" in plain(each) and "of these rows 10" in plain(each) for each in a_brief().not_proven)
    assert not any("production holds" in each for each in a_brief(confusion=AS_AGREED).not_proven)


def test_shares_at_two_thresholds_say_of_how_many_rows_they_are() -> None:
    thresholds = a_brief(**NAMED).thresholds
    assert thresholds is not None and thresholds.caption.endswith("on the dev rows: 100 faulty parts, 1,900 good parts")


def test_looks_are_those_that_this_mlflow_knows_of() -> None:
    assert "look 1 of 2 that this MLflow knows of" in a_brief().evidence


@pytest.mark.parametrize(
    ("chosen", "said"), [(0.02, "was chosen to keep the limits, too."), (0.5, "likeliest to keep the limits, and breaks one all the same.")]
)
def test_a_threshold_that_keeps_no_limit_is_not_said_to(chosen: float, said: str) -> None:
    judged = a_judged()
    frozen = judged.evaluation.assessments[0]
    if chosen == 0.5:
        half = judged.evaluation.at_half
        assert half is not None
        frozen = frozen.model_copy(update={"counted": half.confusion, "limits": half.limits})
    evaluation = judged.evaluation.model_copy(update={"assessments": [frozen]})
    assert brief_of(dataclasses.replace(judged, evaluation=evaluation)).thresholds_said.endswith(said)


def test_what_a_policy_is_worth_is_said_with_two_digits_and_at_mean_costs() -> None:
    # flagging everything: 30,000 decisions at means of the ranges, the model's run cost not paid
    assert "what needs no model at mean costs: today's process 0; agreed minimum +5,000; flagging everything \u2212630; flagging nothing \u2212110,000." in (
        a_brief().money.picture.words
    )


def test_accuracy_at_the_usual_threshold_stands_beside_the_chosen_one() -> None:
    # 1,964 and 1,618 of 2,000 right; 36 and 2 of 100 missed; 0 and 380 of 1,900 flagged
    brief = a_brief()
    found = rows(brief.thresholds)
    assert found["right answers (accuracy)"] == ("98.2 %", "80.9 %")
    assert found["cases to catch missed"] == ("36 %", "2 %")
    assert found["other cases flagged"] == ("0 %", "20 %")
    assert found["verdict on these rows"] == ("✕ NO-GO", "✓ GO")
    assert "At 50 % the model is right on 98.2 % of these rows, misses 36 %" in plain(brief.thresholds_said)


def test_what_was_not_proven_names_hardware_looks_and_what_no_sealed_row_can_show() -> None:
    said = plain(" ".join(a_brief(differences=("4 cores, not 2",), look=2, repeated=True).not_proven))
    assert "on the charter's hardware: measured on another machine (4 cores, not 2)." in said
    assert "repeated look" in said and "this is look 2 of 2" in said and "How the model ages" in said


def test_a_go_on_the_right_hardware_leaves_open_only_what_time_will_show() -> None:
    assert len(a_brief(confusion=AS_AGREED).not_proven) == 2


def test_it_says_which_variant_was_chosen_and_draws_them_all() -> None:
    brief = a_brief()
    assert brief.variant_said == "The choice: the only one."
    assert [each.words for each in brief.variants.labels if each.kind == "strong"][-1] == "1 logistic"
    assert plain(brief.speed_said).startswith("99 of 100 calls are answered within 0.3 ms (0.2 to 0.5)")


def test_where_the_charter_names_several_machines_each_limit_says_on_which() -> None:
    machine = {"architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": 120}
    brief = a_brief(limits={"hardware": [machine | {"name": "edge-box"}, machine | {"name": "cloud"}]})
    named = [limit.name for limit in brief.limits]
    assert named[2:4] == ["slowest 1 % of answers (p99 latency), on edge-box", "slowest 1 % of answers (p99 latency), on cloud"]
    assert named.count("size of the model") == 1 and brief.verdict == "NOT PROVEN"


def test_a_target_that_was_measured_elsewhere_is_named_once_in_what_was_not_proven() -> None:
    judged = a_judged()
    machine = {"architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": 120}
    charter = a_charter(limits={"hardware": [machine | {"name": "edge-box"}, machine | {"name": "cloud"}]})
    [report] = judged.timings.targets
    reports = [report.model_copy(update={"target": "cloud"}), report.model_copy(update={"target": "edge-box", "differences": ["4 cores, not 2"]})]
    timings = judged.timings.model_copy(update={"targets": reports})
    limits = judge(charter, ERRORS, judged.verdict.money, timings.speeds(VARIANT))
    verdict = judged.verdict.model_copy(update={"limits": limits, "overall": overall(limits)})
    brief = brief_of(dataclasses.replace(judged, charter=charter, timings=timings, verdict=verdict))
    elsewhere = [said for said in brief.not_proven if "edge-box" in said]
    assert elsewhere == ["Speed, memory and cost on edge-box: measured on another machine (4 cores, not 2)."]
    assert [limit.name.rpartition(", on ")[2] for limit in brief.limits if limit.verdict == "NOT PROVEN"] == ["edge-box"] * 3


def test_the_tornado_speaks_of_the_same_cases_widest_first() -> None:
    brief = a_brief(**NAMED)
    names = [row[0] for row in brief.swings.rows]
    assert names[0] == "cost of a miss" and {"share of faulty parts", "faulty parts missed, as measured", "decisions a month"} <= set(names)


def test_what_the_charter_says_at_length_is_cut_after_a_word_and_printed_smaller() -> None:
    long = " ".join(["word"] * 110)
    brief = a_brief(decision={"question": long, "decider": long, "on_alert": long}, baseline={"process": long}, data_card=long, differences=(long,), look=2)
    assert brief.question.endswith("word…") and len(brief.question) <= 220
    assert 5.4 <= brief.print_pt < a_brief(confusion=AS_AGREED).print_pt


def test_the_digests_are_those_of_the_records() -> None:
    assert [digest[0] for _, digest in a_brief().digests] == ["a", "b", "c", "d"]


def test_it_is_said_for_whom_and_until_when() -> None:
    assert a_brief().byline == f"for {PLAIN['people'][0]['name']}, {PLAIN['people'][0]['title']} · judged 2026-02-20 · to be decided by 2026-03-02"
