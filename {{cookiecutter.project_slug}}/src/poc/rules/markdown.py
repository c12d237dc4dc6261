"""Write Markdown that MLflow shows as it is meant, whatever text goes in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from poc.rules.words import on_one_line

#: MLflow's page puts no space between the columns of a table; two no-break spaces after each cell do.
GAP = "\u00a0\u00a0"
#: A version's description in MLflow's tables: SQLite takes more, PostgreSQL refuses.
MOST_LETTERS = 5_000
#: Sections that a description is made shorter by, the first first: they stand in the brief, which it links to.
LEFT_OUT_FIRST = ("Evidence", "What the money depends on most", "Why not the usual threshold", "People")
#: What could begin markup or a table's next cell; an underscore only at a word's edge.
SPECIAL = re.compile(r"[\\`*<>&|\[\]~$]|(?<!\w)_|_(?!\w)|^(?:#{1,6}|[+-]|\d+[.)])(?=\s|$)|^[-=]+$")


def text(words: str) -> str:
    """Write text that stays text: on one line, and without anything that Markdown or HTML would read.

    Numbered entities, because a backslash is not read by every converter in the same way.
    """
    return SPECIAL.sub(lambda found: "".join(f"&#{ord(letter)};" for letter in found[0]), on_one_line(words))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of texts; MLflow needs the gap after its last line as well."""
    lines = [[text(cell) + GAP for cell in head], ["---"] * len(head), *([text(cell) + GAP for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(parts: Sequence[str]) -> str:
    """Put paragraphs apart: MLflow shows every line end as one, so a paragraph is one line."""
    return "\n\n".join(part for part in parts if part) + "\n"


def shortened(page: str, most: int = MOST_LETTERS) -> str:
    """Leave sections out until a page fits, and letters at its end where that is not enough; its last paragraph stays."""
    if len(page) <= most:
        return page
    body, _, last = page.rstrip("\n").rpartition("\n\n")
    head, *sections = re.split(r"\n\n(?=### )", body)
    room = most - len(last) - 3
    for name in LEFT_OUT_FIRST:
        if len("\n\n".join([head, *sections])) <= room:
            break
        sections = [section for section in sections if not section.startswith(f"### {name}\n")]
    fits = "\n\n".join([head, *sections])[:room]
    return f"{fits}\n\n{last}\n"
