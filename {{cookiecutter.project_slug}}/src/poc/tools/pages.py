"""Pages: the brief as one HTML file (Jinja)."""

from __future__ import annotations

from pathlib import Path

from poc.rules.brief import Brief
from poc.rules.shapes import WIDTH


def brief_page(brief: Brief) -> bytes:
    """Write the brief as one HTML file that needs nothing else: no script, no style sheet, no font and no picture from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return pages.get_template("brief.html").render(brief=brief, width=WIDTH).encode()
