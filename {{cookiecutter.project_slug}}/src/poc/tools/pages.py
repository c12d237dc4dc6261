"""Pages: the brief as one HTML file, a picture as one SVG file, the pages on which people sign (Jinja)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from poc.rules.brief import Brief
from poc.rules.shapes import WIDTH, Picture
from poc.rules.signoff.page import EnrolPage, SignoffPage

if TYPE_CHECKING:
    from jinja2 import Environment


def brief_page(brief: Brief) -> bytes:
    """Write the brief as one HTML file that needs nothing else: no script, no style sheet, no font and no picture from elsewhere."""
    return _pages().get_template("brief.html").render(brief=brief, width=WIDTH).encode()


def picture_file(picture: Picture) -> bytes:
    """Write a picture as one SVG file that brings its own style."""
    return _pages().get_template("picture.html").render(picture=picture, width=WIDTH).encode()


def signoff_page(page: SignoffPage, *, prefix: str, token: str) -> bytes:
    """Write the page on which a version, or the charter, is signed; its script and style lie below `prefix`, and `token` is what its script sends back."""
    return _pages().get_template("signoff.html").render(page=page, prefix=prefix, token=token).encode()


def enrol_page(page: EnrolPage, *, prefix: str, token: str) -> bytes:
    """Write the page on which somebody makes a passkey."""
    return _pages().get_template("enrol.html").render(page=page, prefix=prefix, token=token).encode()


def _pages() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
