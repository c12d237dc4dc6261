"""Figures in words."""

from __future__ import annotations

import math

import pytest

from poc.rules import words
from poc.rules.evidence import LimitVerdict


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (68_740.1, "+68,700"),
        (-632.4, "-632"),
        (0, "0"),
        (0.133, "+0.133"),
        (5.292, "+5.29"),
        (41, "+41"),
        (1_409_000_000, "+1,410 million"),
        (math.nan, "unknown"),
    ],
)
def test_an_estimate_has_three_digits_and_a_sign(value: float, said: str) -> None:
    assert plain(words.amount(value, signed=True)) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.36, "36 %"), (0.0073, "0.7 %"), (0.00031, "0.03 %"), (0.9797, "98 %"), (0.99991, "99.99 %"), (math.nan, "unknown")],
)
def test_a_share_has_one_decimal_and_two_where_nothing_would_be_left(share: float, said: str) -> None:
    assert plain(words.percent(share)) == said


@pytest.mark.parametrize(("chance", "said"), [(0, "under 0.1 %"), (1, "over 99.9 %"), (0.042, "4.2 %")])
def test_no_chance_that_was_drawn_is_certain(chance: float, said: str) -> None:
    assert plain(words.chance(chance)) == said


@pytest.mark.parametrize(("text", "said"), [("short", "short"), ("one two three", "one two…"), ("onetwothree", "onetwoth…"), ("one, two three", "one…")])
def test_a_text_is_cut_after_a_word_where_it_has_one(text: str, said: str) -> None:
    assert words.clipped(text, 9 if "," not in text else 6) == said


def test_what_was_measured_exactly_has_no_range() -> None:
    exact = LimitVerdict(name="memory", verdict="GO", measured=80, low=80, high=80, limit=512, unit="MB", why="")
    assert words.range_of(exact) == "" and plain(words.range_of(exact.model_copy(update={"high": 90}))) == "80 to 90 MB"


def test_what_was_not_measured_says_so() -> None:
    assert words.figure(math.nan, "ms") == "not measured"


def test_names_are_listed_as_a_sentence_does() -> None:
    assert [words.listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_what_is_roughly_known_has_two_digits() -> None:
    assert [words.roughly(value) for value in (-628.4, 104_999.0, 0.0)] == [-630.0, 100_000.0, 0.0]
    assert math.isnan(words.roughly(math.nan))
