"""The histogram of latencies: places worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from poc.rules.evidence import Interval
from poc.rules.latency_picture import BOTTOM, latency_picture, log_ticks
from poc.rules.shapes import Picture
from poc.tools.pages import picture_file


def a_picture(*latencies_ms: float, limit_ms: float = 10.0) -> Picture:
    return latency_picture(np.array(latencies_ms), Interval(low=1, middle=1, high=2), limit_ms, title="Served")


def test_a_power_of_ten_is_as_far_from_the_next_as_that_from_the_one_after() -> None:
    ticks = {label.words: label.x for label in a_picture(0.1, 1.0, limit_ms=10).labels}
    assert ticks["1"] - ticks["0.1"] == pytest.approx(ticks["10"] - ticks["1"], abs=0.2)


def test_one_slow_answer_among_a_thousand_is_seen() -> None:
    picture = a_picture(*[0.3] * 1000, 40.0)
    assert [bar.height > 3 for bar in picture.bars] == [True, True]
    assert all(bar.y + bar.height == pytest.approx(BOTTOM, abs=0.2) for bar in picture.bars)


def test_the_limit_is_a_line_that_is_on_the_page_even_where_all_answers_are_far_from_it() -> None:
    picture = a_picture(0.3, 0.4, limit_ms=500)
    (line,) = (each for each in picture.lines if each.kind == "agreed")
    assert max(bar.x for bar in picture.bars) < line.x1 < 340


def test_requests_without_an_answer_are_told_in_words() -> None:
    assert a_picture(0.3, np.inf, np.inf).words.startswith("1 answers, 2 requests without one")


def test_where_nothing_was_answered_the_limit_is_still_drawn() -> None:
    picture = latency_picture(np.full(3, np.inf), Interval(low=np.inf, middle=np.inf, high=np.inf), 5, title="Served")
    assert (picture.bars, [line.kind for line in picture.lines if line.kind in ("agreed", "leader")]) == ((), ["agreed"])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.9, 11, [1, 2, 5, 10]), (0.1, 1000, [0.1, 1, 10, 100, 1000]), (0.2, 60, [0.2, 0.5, 1, 2, 5, 10, 20, 50])],
)
def test_ticks_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(expected)


def test_a_picture_is_one_file_that_brings_its_own_style_and_escapes_what_it_says() -> None:
    written = picture_file(latency_picture(np.array([1.0]), Interval(low=1, middle=1, high=1), 5, title="<script>")).decode()
    assert written.strip().startswith("<svg xmlns=") and "<style>" in written and "<script>" not in written
