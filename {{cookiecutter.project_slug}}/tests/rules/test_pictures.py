"""Pictures: places worked out by hand."""

from __future__ import annotations

import math

import pytest

from poc.rules.evidence import CurvePoint, Interval, Swing
from poc.rules.pictures import Mark, curve_picture, money_picture, tornado_picture, worth_at
from poc.rules.shapes import Picture, scale, ticks


def a_point(threshold: float, low: float, middle: float, high: float) -> CurvePoint:
    return CurvePoint(threshold=threshold, missed_share=0.0, false_alarm_share=0.0, money=Interval(low=low, middle=middle, high=high))


#: The odds of 0.1, 0.5 and 0.9 are 1/9, 1 and 9: their logarithms lie evenly.
CURVE = [a_point(0.1, -100, 0, 100), a_point(0.5, 0, 50, 100), a_point(0.9, -100, -50, 0)]
CHOSEN = Mark(threshold=0.5, money=50, words="chosen", kind="strong")


def a_money_picture(**others: float) -> Picture:
    return money_picture(Interval(low=100, middle=200, high=300), others, 50, today="today", unit="EUR a month", level="90 % interval")


def test_a_curve_is_placed_by_the_odds_of_its_thresholds_and_by_its_money() -> None:
    picture = curve_picture(CURVE, [CHOSEN], unit="EUR a month", level="90 % interval")
    band, line = picture.traces
    # across 54 to 334; down from 21, one label's line below the top, to 129: 50 is a quarter from the top
    assert line.points == ((54.0, 75.0), (194.0, 48.0), (334.0, 102.0))
    assert band.points == ((54.0, 129.0), (194.0, 75.0), (334.0, 129.0), (334.0, 75.0), (194.0, 21.0), (54.0, 21.0))
    assert [(dot.x, dot.y) for dot in picture.dots] == [(194.0, 48.0)]


def test_zero_is_marked_on_the_curve_even_where_nothing_comes_near_it() -> None:
    picture = curve_picture([a_point(0.1, 50, 60, 70), a_point(0.9, 80, 90, 100)], [CHOSEN], unit="EUR", level="")
    assert [line.y1 for line in picture.lines if line.kind == "zero"] == [129.0]


def test_labels_of_thresholds_close_together_stand_in_lines_of_their_own() -> None:
    marks = [CHOSEN, Mark(threshold=0.51, money=50, words="usual", kind="mark")]
    rows = [label.y for label in curve_picture(CURVE, marks, unit="EUR", level="").labels if label.words in ("chosen", "usual")]
    assert len(set(rows)) == 2


def test_a_label_near_the_right_edge_ends_there() -> None:
    mark = Mark(threshold=0.9, money=0, words="a long label at the right edge", kind="mark")
    label = next(each for each in curve_picture(CURVE, [mark], unit="EUR", level="").labels if each.words == mark.words)
    assert (label.x, label.anchor) == (340.0, "end")


def test_points_that_are_no_numbers_are_left_out_of_the_curve() -> None:
    picture = curve_picture([*CURVE, a_point(0.95, math.nan, math.nan, math.nan)], [CHOSEN], unit="EUR", level="")
    assert len(picture.traces[1].points) == 3


def test_thresholds_of_nought_and_one_stay_on_the_page() -> None:
    xs = [x for x, _ in curve_picture([a_point(0, 0, 1, 2), a_point(1, 0, 1, 2)], [], unit="EUR", level="").traces[1].points]
    assert xs == [54.0, 334.0]


def test_the_money_between_two_points_lies_on_their_line() -> None:
    assert worth_at(CURVE, 0.25) == pytest.approx(25.0, abs=1e-9)  # odds of 1/3, midway between 1/9 and 1
    assert (worth_at(CURVE, 0.001), worth_at(CURVE, 0.999)) == (0, -50)


def test_the_money_interval_lies_on_one_axis_with_today_at_zero() -> None:
    picture = a_money_picture()
    (bar,) = picture.bars
    # 0 to 300 over 112 to 332: 100 lies at 112 + 220 / 3
    assert (bar.x, bar.width) == (185.3, 146.7)
    assert {line.kind: line.x1 for line in picture.lines} == {"zero": 112.0, "agreed": 148.7}
    assert picture.dots[0].x == 258.7


def test_every_row_of_the_money_picture_is_named_and_has_its_figure() -> None:
    words = [label.words for label in a_money_picture(nothing=-40).labels]
    assert words == ["this model", "+100", "+300", "today", "0", "agreed minimum", "+50", "nothing", "\u221240"]


def test_what_is_far_off_stands_at_the_edge_with_an_arrow_and_does_not_squeeze_the_rest() -> None:
    picture = a_money_picture(nothing=-100_000)
    assert picture.bars == a_money_picture().bars and picture.labels[-1].words == "\u2212100,000 ←"
    assert picture.dots[-1].x == 112.0


def test_the_tornado_draws_the_widest_bars_with_their_ends_and_zero() -> None:
    swings = [Swing(name=f"cost {n}", low=1, high=2, unit="EUR", at_low=60 - 10 * n, at_high=40 + 10 * n) for n in range(6, 0, -1)]
    picture = tornado_picture(swings, 50, unit="EUR a month")
    assert [label.words for label in picture.labels if label.kind == "strong"] == ["cost 6", "cost 5", "cost 4", "cost 3", "cost 2"]
    # 0 to 100 over 52 to 286: 50 lies at 169, the first bar takes all
    low, high = picture.bars[:2]
    assert (low.x, low.width, low.kind, high.x, high.width, high.kind) == (52.0, 117.0, "low", 169.0, 117.0, "high")
    assert {line.x1 for line in picture.lines if line.kind == "zero"} == {52.0}


def test_an_end_is_labelled_on_the_side_where_it_lies() -> None:
    swing = Swing(name="cost of a catch", low=15, high=40, unit="EUR", at_low=90, at_high=10)
    labels = tornado_picture([swing], 50, unit="EUR a month").labels
    ends = [(label.words.replace("\u00a0", " "), label.anchor) for label in labels if label.kind == "other"]
    assert ends == [("40 EUR", "end"), ("15 EUR", "start")]


def test_zero_is_on_the_tornados_axis_when_all_of_it_is_a_loss() -> None:
    swing = Swing(name="decisions", low=1, high=2, unit="a month", at_low=-90, at_high=-10)
    assert {line.x1 for line in tornado_picture([swing], -50, unit="EUR").lines if line.kind == "zero"} == {286.0}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-172_000, 124_000, [-100_000, 0, 100_000]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (3, 27, [5, 10, 15, 20, 25])],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_a_scale_of_one_value_and_of_none_places_it_at_the_start() -> None:
    assert (scale([7.0], 10, 20)(7.0), scale([math.nan], 10, 20)(0.0)) == (10, 10)


def test_no_tick_of_the_curve_is_cut_off_at_the_edge() -> None:
    picture = curve_picture([a_point(0.1, 0, 10, 20), a_point(0.9, 0, 10, 20), a_point(0.99, 0, 10, 20)], [CHOSEN], unit="EUR", level="")
    [last] = [label for label in picture.labels if label.words.startswith("99")]
    assert last.x == 324.8  # four letters of 3.8 to each side of the middle end at 340


@pytest.mark.parametrize("near", [1, 21])  # the label would lie across the line, or touch it
def test_no_end_of_a_tornado_runs_into_the_zero_line(near: float) -> None:
    right, left = (Swing(name="cost", low=120, high=500, unit="EUR", at_low=sign * near, at_high=sign * 100) for sign in (1, -1))
    for swing, zero, side in ((right, 52.0, -4), (left, 286.0, 4)):
        picture = tornado_picture([swing], swing.at_high / 2, unit="EUR")
        assert {line.x1 for line in picture.lines if line.kind == "zero"} == {zero}
        [label] = [each for each in picture.labels if each.words.startswith("120")]
        assert label.x == zero + side
