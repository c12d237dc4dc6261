"""Load the charter, check it against itself, and write down exactly what this run is judged by."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poc import layout
from poc.errors import InputRefused, PocError, Problem
from poc.rules.charter import Charter
from poc.rules.charter_page import people_of_the_example
from poc.rules.counts import limited_shares
from poc.rules.evidence import UNSIGNED, Number, Signoff
from poc.rules.params import Params
from poc.rules.sealed_rows import rows_needed
from poc.rules.signoff.agreement import signoff_of
from poc.rules.words import listed
from poc.steps.perform import Result
from poc.tools import files, strict_yaml


def charter(*, agreement: Path) -> Result:
    """Write the charter, byte by byte and as it is read, the parameters, the data contract and the data card as this run sees them."""
    as_signed = layout.CHARTER.read_bytes() if layout.CHARTER.is_file() else b""
    agreed, params = read_agreement(Path())
    files.write_atomically(agreement / layout.CHARTER_YAML, as_signed)
    files.write_atomically(agreement / layout.CHARTER_JSON, files.canonical_json(agreed))
    files.write_atomically(agreement / layout.PARAMS_JSON, files.canonical_json(params))
    files.write_atomically(agreement / layout.SUITE_JSON, layout.SUITE.read_bytes())
    if (card := _card(Path(), agreed)).is_file():
        files.write_atomically(agreement / layout.DATA_CARD_MD, card.read_bytes())
    digest, signoff = files.sha256_of_file(agreement / layout.CHARTER_JSON), _signoff(agreement)
    needed = _rows_needed(agreed)
    first = limited_shares(agreed)[0]
    few = [f"{number.value:,.0f}" for number in needed if number.unit == f"sealed {first.among}"]
    return Result(
        headline=f"charter version {agreed.version}, {digest[:12]}, {_signed_or_not(signoff)}; "
        f"{first.limit:.3g} {first.name.replace('_', ' ')} needs {', '.join(few[:-1])} or {few[-1]} sealed {first.among} at 0 to {len(few) - 1} errors",
        numbers=[
            Number(name="features", value=len(agreed.features), unit="columns"),
            Number(name="looks_allowed", value=agreed.timebox.looks, unit="looks"),
            Number(name="people_with_made_up_addresses", value=len(people_of_the_example(agreed)), unit="people"),
            *needed,
        ],
    )


def _signoff(agreement: Path) -> Signoff:
    """Write down whether these bytes are signed, where it is said whom to believe; where it is not, as in a cluster without trust files, they are not."""
    from poc.steps.trust import SETTING  # what verifies is not loaded where nothing says whom to believe

    if not os.environ.get(SETTING):
        return UNSIGNED
    found = _judged_signoff(Path.cwd(), agreement)
    files.write_record(agreement / layout.SIGNOFF_JSON, found)
    return found


def _judged_signoff(root: Path, agreement: Path) -> Signoff:
    """Ask the one verifier about the charter; a ledger or trust files that cannot be read make a draft, not a refusal: nothing is promoted here."""
    from poc.steps import vouch

    try:
        facts, trust = vouch.charter_facts(agreement), vouch.load_trust(root)
        ledger = vouch.verified(vouch.ledger_in(root), trust)
        return signoff_of(facts, ledger, trust, vouch.findings("charter", facts, ledger, trust))
    except PocError as error:
        return Signoff(is_signed=False, why_not="; ".join(problem.what for problem in error.problems))


def _signed_or_not(signoff: Signoff) -> str:
    demo = " (DEMO keys)" if signoff.is_demo else ""
    return f"signed by {listed(signoff.by)}{demo}" if signoff.is_signed else "unsigned: everything is a DRAFT"


def read_agreement(root: Path) -> tuple[Charter, Params]:
    """Read what a run is judged by.

    Raises:
        InputRefused: with everything that is wrong with the charter, the parameters and the folder.
    """
    problems = _of_the_folder(root)
    with _noting(problems):
        agreed = strict_yaml.load_charter(root / layout.CHARTER)
    with _noting(problems):
        params = strict_yaml.load_params(root / layout.PARAMS)
    if not problems:
        problems += _of_the_card(root, agreed)
    if problems:
        raise InputRefused(problems)
    return agreed, params


def _rows_needed(agreed: Charter) -> list[Number]:
    """Say how many sealed rows show each limit on errors, when 0, 1, 2 or 3 of them are wrong."""
    return [
        Number(name=f"needed_at_{errors}_errors_for_{each.name}", value=rows, unit=f"sealed {each.among}")
        for each in limited_shares(agreed)
        for errors, rows in enumerate(rows_needed(agreed, each))
    ]


def _of_the_folder(root: Path) -> list[Problem]:
    """Say what is wrong with the files that lie here, or do not."""
    found = []
    if (root / layout.SCENARIOS).exists():
        found.append(
            Problem(what="the template's hooks were skipped: scenarios/ is still here", where=str(layout.SCENARIOS), fix="bake again with --accept-hooks yes")
        )
    if not (root / layout.SUITE).is_file():
        found.append(Problem(what="there is no data contract", where=str(layout.SUITE), fix="poc draft-expectations, then read it and commit it"))
    return found


def _card(root: Path, agreed: Charter) -> Path:
    return root / Path(agreed.data.source).parent / layout.DATA_CARD


def _of_the_card(root: Path, agreed: Charter) -> list[Problem]:
    """Refuse a data card that speaks of another file: what it says of the rows stands in the registered version's description."""
    source, card = Path(agreed.data.source), _card(root, agreed)
    title = next(iter(card.read_text(encoding="utf-8", errors="replace").splitlines()), "") if card.is_file() else f"# {source.name}"
    if source.stem in title:  # the same rows in another format need no other card
        return []
    return [
        Problem(
            what=f"the data card speaks of {title.lstrip('# ')!r}, the charter of {source.name!r}",
            where=f"{source.parent / layout.DATA_CARD} line 1",
            fix=f"write the card for these rows, and begin it with # {source.name}",
        )
    ]


@contextmanager
def _noting(problems: list[Problem]) -> Iterator[None]:
    """Add a refusal's problems to the others, so that all are listed at once."""
    try:
        yield
    except InputRefused as error:
        problems += error.problems
