"""Markdown that MLflow shows as it is meant."""

from __future__ import annotations

import html

import pytest

from poc.rules import markdown


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "a | b", "**bold** _it_ `code`", "[x](http://e.example)", "# title", "- item", "1. item", "---", "a & b"]
)
def test_text_that_looks_like_markup_stays_text(words: str) -> None:
    written = markdown.text(words)
    assert html.unescape(written) == words
    assert not set("<>|*`[]") & set(written) and not written.startswith(("#", "- ", "1.", "---"))


@pytest.mark.parametrize(
    "words", ["boosted_trees.float32", "2.8 to 5.6 %", "+68,700", "between a figure and its unit, as in 0.1\u00a0%, no line ends", "\u22125,000"]
)
def test_names_and_figures_are_left_as_they_are(words: str) -> None:
    assert markdown.text(words) == words


def test_a_line_end_or_a_pipe_in_a_cell_breaks_no_table() -> None:
    lines = markdown.table(("a", "b"), [("one\ntwo", "x | y")]).splitlines()
    assert [line.count("|") for line in lines] == [3, 3, 3]


A_PAGE = markdown.page(
    ["## GO", "### Not proven\n\nHow it ages.", f"### Evidence\n\n{'d' * 90}", f"### People\n\n{'p' * 90}", "[all of it](http://e.example)."]
)


def test_a_description_that_fits_stays_as_it_is() -> None:
    assert markdown.shortened(A_PAGE, len(A_PAGE)) == A_PAGE


def test_what_was_not_proven_outlives_what_can_be_looked_up() -> None:
    assert markdown.shortened(A_PAGE, len(A_PAGE) - 1) == A_PAGE.replace(f"### Evidence\n\n{'d' * 90}\n\n", "")
    assert markdown.shortened(A_PAGE, 100) == "## GO\n\n### Not proven\n\nHow it ages.\n\n[all of it](http://e.example).\n"


@pytest.mark.parametrize("most", range(40, 300, 7))
def test_a_description_never_has_more_letters_than_mlflow_takes(most: int) -> None:
    short = markdown.shortened(A_PAGE, most)
    assert len(short) <= most and short.endswith("[all of it](http://e.example).\n")
