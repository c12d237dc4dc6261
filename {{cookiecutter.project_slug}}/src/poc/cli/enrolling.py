"""Enrol: make a passkey to sign with, and propose it to whoever keeps the trust files."""

from __future__ import annotations

import sys

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.errors import NotSignedOff
from poc.layout import project_root


@click.command()
@click.option("--as", "email", metavar="EMAIL", help="Who you are; without it the page asks.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page.  [default: a free one]")
@click.option("--no-open", is_flag=True, help="Only print the link.")
@as_json
def enrol(email: str | None, port: int, no_open: bool, as_json: bool) -> None:
    """Make a passkey to sign with, in your browser, and write it down as a proposal.

    It gives no right by itself: somebody else has to add the line to the trust files.
    """
    from poc.acts.brief import open_address
    from poc.acts.signoff_page import enrol_in_browser

    def ready(link: str) -> None:
        print(f"open this link, which works once: {link}", file=sys.stderr, flush=True)
        if not no_open:
            open_address(link)

    proposed = enrol_in_browser(project_root(), email, port=port, on_ready=ready)
    if proposed is None:
        raise NotSignedOff("the page was closed before a passkey was made", where="poc enrol", code="not_signed")
    if as_json:
        print_json(vars(proposed))
        return
    print(proposed.line)
    print(f"fingerprint: {proposed.fingerprint}")
    print(proposed.words)
