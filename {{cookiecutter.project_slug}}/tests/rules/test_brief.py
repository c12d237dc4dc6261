"""The brief: what the sponsor reads, with figures worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from briefs import TOO_MANY, a_brief
from builders import PLAIN

NAMED = {"data": {"positives_are_called": "faulty parts", "others_are_called": "good parts"}}


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def rows(table: Any) -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(map(plain, row[1:])) for row in table.rows}


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
        ({"confusion": TOO_MANY}, "NO-GO", "✕", "Shown to break what was agreed: “cases to catch that are missed”.", "stop, or agree another limit"),
        (
            {"differences": ("4 cores, not 2",)},
            "NOT PROVEN",
            "?",
            "too thin to show: “slowest 1 % of answers (p99 latency)”, “memory of the server” and “machines”.",
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
    assert plain(limits["money against today's process"].allowed) == "more than 0 EUR a month"


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
    assert len(a_brief().not_proven) == 2


def test_the_tornado_speaks_of_the_same_cases_widest_first() -> None:
    brief = a_brief(**NAMED)
    names = [row[0] for row in brief.swings.rows]
    assert names[0] == "cost of a miss" and {"share of faulty parts", "faulty parts missed, as measured", "decisions a month"} <= set(names)


def test_what_the_charter_says_at_length_is_cut_after_a_word_and_printed_smaller() -> None:
    long = " ".join(["word"] * 110)
    brief = a_brief(decision={"question": long, "decider": long, "on_alert": long}, baseline={"process": long}, data_card=long, differences=(long,), look=2)
    assert brief.question.endswith("word…") and len(brief.question) <= 220
    assert brief.print_pt < a_brief().print_pt == 7.8


def test_the_digests_are_those_of_the_records() -> None:
    assert [digest[0] for _, digest in a_brief().digests] == ["a", "b", "c", "d"]


def test_it_is_said_for_whom_and_until_when() -> None:
    assert a_brief().byline == f"for {PLAIN['people'][0]['name']}, {PLAIN['people'][0]['title']} · judged 2026-02-20 · to be decided by 2026-03-02"
