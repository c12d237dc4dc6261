"""Pictures of variants: places worked out by hand."""

from __future__ import annotations

import math
from typing import Any

from test_trade_off import an_option

from poc.rules.pareto import full_picture, small_picture
from poc.rules.shapes import Label, Picture
from poc.rules.trade_off import Option, Tradeoff

#: With its bounds, the cheapest begins at 0.9 and the dearest ends at 11, each with a twentieth to spare: log10 from -0.0669 to 1.0626.
CHEAP, FROZEN, OUT = an_option("a.float32", 1, 40), an_option("b.float32", 10, 90, is_frozen=True), an_option("c.float32", 4, 70, why_not="memory")


def a_tradeoff(*options: Option, **changes: Any) -> Tradeoff:
    plain = {"limit": 1000.0, "limit_is": "budget", "minimum": 20.0, "money": "EUR a month", "costs": "cost of a million calls", "unit": "EUR"}
    return Tradeoff(**{"name": "cost", "options": options or (CHEAP, FROZEN, OUT), **plain, **changes})


def label(picture: Picture, begins: str) -> Label:
    return next(each for each in picture.labels if each.words.startswith(begins))


def test_marks_lie_by_the_logarithm_of_the_cost_and_by_the_worth() -> None:
    # across 46 to 334: log10 of 1 lies (0 + 0.0669) / 1.1295 of the way; up from 210 to 30 for 0 to 100: 40 lies at 210 - 72
    picture = full_picture(a_tradeoff())
    assert [(dot.x, dot.y, dot.kind) for dot in picture.dots] == [(216.6, 84.0, "faint"), (63.1, 138.0, "other"), (318.0, 48.0, "main")]


def test_both_intervals_go_through_each_mark_and_the_frozen_ones_stand_out() -> None:
    whiskers = [(line.x1, line.y1, line.x2, line.y2) for line in full_picture(a_tradeoff()).lines if line.kind == "main"]
    assert whiskers == [(306.4, 48.0, 328.6, 48.0), (318.0, 66.0, 318.0, 30.0)]  # 9 to 11, and 80 to 100
    assert len([line for line in full_picture(a_tradeoff()).lines if line.kind == "faint"]) == 4


def test_the_front_is_drawn_in_steps_without_what_is_ruled_out() -> None:
    [steps] = full_picture(a_tradeoff()).traces
    assert steps.points == ((63.1, 138.0), (318.0, 138.0), (318.0, 48.0), (334.0, 48.0))


def test_the_agreed_minimum_is_a_line_across_and_a_near_limit_one_upwards() -> None:
    lines = [(line.x1, line.y1, line.x2, line.y2) for line in full_picture(a_tradeoff(limit=4.0)).lines if line.kind == "agreed"]
    assert lines == [(46.0, 174.0, 334.0, 174.0), (216.6, 26.0, 216.6, 210.0)]


def test_a_limit_far_away_stands_at_the_edge_with_an_arrow_and_does_not_squeeze_the_marks() -> None:
    far, cheap = full_picture(a_tradeoff(limit=1000.0)), full_picture(a_tradeoff(limit=0.001))
    assert far.dots == cheap.dots == full_picture(a_tradeoff(limit=4.0)).dots
    assert (label(far, "budget 1,000\u00a0EUR →").anchor, label(cheap, "← budget 0.001\u00a0EUR").anchor) == ("end", "start")


def test_every_variant_has_a_number_and_its_figures_and_reason_in_the_list() -> None:
    words = [each.words for each in full_picture(a_tradeoff()).labels]
    assert words[-6:] == [
        "1  a.float32",
        "1 (0.9 to 1.1); +40 (+30 to +50)",
        "2  b.float32 (frozen)",
        "10 (9 to 11); +90 (+80 to +100)",
        "3  c.float32: memory",
        "4 (3.6 to 4.4); +70 (+60 to +80)",
    ]
    assert {"1", "2", "3"} <= set(words)


def test_a_variant_that_was_not_timed_is_listed_and_not_drawn() -> None:
    picture = full_picture(a_tradeoff(CHEAP, an_option("d.float32", math.inf, 60, why_not="not timed")))
    assert len(picture.dots) == 1
    assert [each.words for each in picture.labels][-2:] == ["2  d.float32: not timed", "not measured; +60 (+50 to +70)"]


def test_numbers_of_marks_close_together_do_not_cover_each_other() -> None:
    options = [an_option(f"m{number}.float32", 1 + number / 500, 50 + number) for number in range(5)]
    placed = [each for each in full_picture(a_tradeoff(*options)).labels if each.words in {"1", "2", "3", "4", "5"} and each.y < 210 and each.kind == "other"]
    boxes = [(each.x - {"start": 0, "middle": 3, "end": 6}[each.anchor], each.y) for each in placed]
    apart = [abs(x - u) >= 6 or abs(y - v) >= 10 for at, (x, y) in enumerate(boxes) for u, v in boxes[:at]]
    assert len(placed) == 5 and sum(apart) >= 8  # of ten pairs


def test_the_small_picture_names_the_most_worth_first_and_what_decides_alike_once() -> None:
    picture = small_picture(a_tradeoff(CHEAP, an_option("a.graph-optimised", 2, 40), FROZEN, OUT))
    named = [(each.words, each.kind) for each in picture.labels if each.x == 172.0]
    assert named == [("1 b", "strong"), ("2 c: memory", "quiet"), ("3 a", "other")]
    assert len(picture.dots) == 3


def test_the_small_picture_lists_seven_and_says_how_many_more_there_are() -> None:
    picture = small_picture(a_tradeoff(*(an_option(f"m{number}.float32", 1 + number, 50 + number) for number in range(10))))
    assert [each.words for each in picture.labels if each.x == 172.0][-2:] == ["7 m3", "and 3 more"]


def test_a_name_too_long_for_the_small_picture_is_cut_where_the_picture_ends() -> None:
    picture = small_picture(a_tradeoff(an_option("neural_network_pruned.pruned", 3, 50), an_option("neural_network_pruned.int8-dynamic", 2, 45)))
    assert [each.words for each in picture.labels if each.x == 172.0] == ["1 neural network pruned", "2 neural network pruned int8-dy…"]


def test_the_words_say_everything_that_is_to_be_seen() -> None:
    said = full_picture(a_tradeoff()).words
    assert "b float32 (frozen): 10 (9 to 11) EUR, worth +90 (+80 to +100)" in said
    assert "c float32: memory: 4 (3.6 to 4.4) EUR" in said
    assert said.endswith("The budget is 1,000\u00a0EUR, the agreed minimum 20 EUR a month.")


def test_a_picture_of_nothing_has_its_axes_and_no_marks() -> None:
    untimed = an_option("d.float32", math.inf, 60, why_not="not timed")
    for picture in (small_picture(a_tradeoff(untimed, limit=math.inf)), full_picture(a_tradeoff(untimed, limit=math.inf))):
        assert (picture.dots, picture.traces) == ((), ())
        assert not any("nan" in each.words or "inf" in each.words for each in picture.labels)
