"""The brief as one HTML file: safe, self-contained and readable without sight, script or network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from briefs import ATTACK, TOO_MANY, a_brief, an_attack

from poc.tools.pages import brief_page

VOID = {"meta", "br", "hr", "img", "input", "link"}
EVERY = [{}, {"confusion": TOO_MANY}, {"differences": ("4 cores, not 2",), "look": 2, "repeated": True}, {"data_card": ATTACK, **an_attack()}]


class Page(HTMLParser):
    """The elements of a page, their attributes, and the text that a reader sees."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.seen.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(params=EVERY, ids=["GO", "NO-GO", "NOT PROVEN", "attack"])
def content(request: pytest.FixtureRequest) -> bytes:
    changes: dict[str, Any] = request.param
    return brief_page(a_brief(**changes))


def test_it_is_one_small_file_that_asks_nothing_of_anybody(content: bytes) -> None:
    page = Page(content)
    assert len(content) < 100_000  # the promise is 1 MB
    assert page.all("script", "link", "img", "iframe", "object", "embed", "form", "base", "a") == []
    assert [name for _, attributes in page.elements for name in attributes if name in ("src", "href", "srcset", "xlink:href") or name.startswith("on")] == []
    assert re.findall(rb"url\(|@import|@font-face", content) == []
    assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"} in page.all("meta")


def test_every_element_is_closed(content: bytes) -> None:
    assert Page(content).open == []


def test_its_headings_begin_with_one_title_and_leave_no_level_out(content: bytes) -> None:
    levels = [int(tag[1]) for tag, _ in Page(content).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(after - before <= 1 for before, after in pairwise(levels))


def test_it_names_its_language_and_fits_a_phone(content: bytes) -> None:
    page = Page(content)
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_every_header_of_a_table_says_what_it_heads(content: bytes) -> None:
    page = Page(content)
    assert page.all("th") and {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}
    assert len(page.all("table")) == len(page.all("caption"))


def test_every_picture_has_a_title_and_says_in_words_what_is_to_be_seen(content: bytes) -> None:
    page = Page(content)
    ids = [attributes["id"] for attributes in page.all("title", "desc") if "id" in attributes]
    assert len(page.all("svg")) == 4 and len(ids) == len(set(ids)) == 8
    for picture in page.all("svg"):
        assert picture["role"] == "img" and set((picture["aria-labelledby"] or "").split()) <= set(ids)


def test_no_shape_lies_where_there_is_no_number(content: bytes) -> None:
    assert re.findall(rb'="[^"]*\b(?:nan|inf|None)\b', content) == []


def test_markup_in_the_charter_shows_as_text() -> None:
    content = brief_page(a_brief(data_card=ATTACK, **an_attack()))
    assert b"<script" not in content and b"<b>bad" not in content
    assert "<script>alert(1)</script>" in Page(content).text and "<b>bad | parts</b>" in Page(content).text


def test_the_verdict_is_a_word_and_not_only_a_colour(content: bytes) -> None:
    text = Page(content).text
    assert re.search(r"[✓✕?] (GO|NO-GO|NOT PROVEN)\b", text) and "DRAFT" in text
