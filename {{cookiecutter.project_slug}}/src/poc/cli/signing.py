"""`poc sign`: show what is signed, ask, sign, and say what comes next."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.errors import InputRefused, NotSignedOff
from poc.layout import project_root

if TYPE_CHECKING:
    from poc.acts.sign import Decided, ToSign

#: As `rules.signoff.StageName` has them; importing that takes longer than printing a help page should.
STAGES = click.Choice(["charter", "shadow", "pilot", "production"])
ROLES = click.Choice(["sponsor", "owner", "user_representative", "risk"])
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: Wider lines are hard to read.
WIDTH = 110


@click.command()
@click.argument("stage", type=STAGES)
@click.option("--version", type=click.IntRange(1), help="The version in MLflow that it is about; the charter has none.")
@click.option("--key", type=A_FILE, help="Sign with this key.  [default: the first of git's, the agent's and ~/.ssh that is listed for you]")
@click.option("--as", "signer", metavar="EMAIL", default="", help="Who signs.  [default: the key's owner, else git's user.email]")
@click.option("--role", type=ROLES, help="As what, where somebody may sign in several roles.")
@click.option("--on-behalf-of", metavar="EMAIL", default="", help="For whom a deputy signs.")
@click.option("--reject", is_flag=True, help="Say no, with --reason. It holds until whoever said it says yes.")
@click.option("--reason", default="", help="Why, in a sentence that is signed too.")
@click.option("--attach", "attached", type=A_FILE, multiple=True, help="Evidence for this stage, signed with it; can be given several times.")
@click.option("--yes", is_flag=True, help="Do not ask: for scripts.")
@click.option("--browser", is_flag=True, help="Sign with a passkey, on a page that only this machine's browser can open.")
@click.option(
    "--by-branch", is_flag=True, help="No signature: merging it into the protected branch is the approval. A lower assurance, where roles.yaml allows it."
)
@as_json
def sign(
    stage: str,
    version: int | None,
    key: Path | None,
    signer: str,
    role: str | None,
    on_behalf_of: str,
    reject: bool,
    reason: str,
    attached: tuple[Path, ...],
    yes: bool,
    browser: bool,
    by_branch: bool,
    as_json: bool,
) -> None:
    """Sign the charter, or a version for a stage: the numbers are shown first, and what is signed are the bytes behind them.

    Whom to believe is read from the place that POC_TRUST names. Refuses when the signature would be worth nothing.
    """
    if (stage == "charter") != (version is None):
        raise click.UsageError("the charter has no version in MLflow" if stage == "charter" else f"say which version: poc sign {stage} --version N")
    if stage == "charter" and attached:
        raise click.UsageError("what is attached belongs to a version; the charter is signed alone")
    if browser:
        if key or signer or role or on_behalf_of or reject or reason or attached or yes or by_branch:
            raise click.UsageError("on the page somebody says by themselves who they are and what they decide")
        _sign_in_browser(stage, str(version or ""), as_json=as_json)
        return
    from poc.acts.sign import Asked, to_sign
    from poc.acts.sign import sign as act

    root = project_root()
    asked = Asked(
        stage=stage,
        version=str(version or ""),
        decision="reject" if reject else "approve",
        reason=reason,
        signer=signer,
        role=role or "",
        on_behalf_of=on_behalf_of,
        key=key,
        attached=attached,
        is_by_branch=by_branch,
    )
    if not yes and not sys.stdin.isatty():
        raise InputRefused(
            "nobody sits at this terminal to be asked", where=f"poc sign {stage}", fix="sign at a terminal, or say --yes where a script may sign"
        )
    prepared = to_sign(root, asked)
    _show(prepared, sys.stderr if as_json else sys.stdout)
    if not yes and not click.confirm("\n" + _question(prepared), default=False, err=as_json):
        raise NotSignedOff("you did not say yes; nothing was signed", where=f"poc sign {stage}", code="not_signed")
    decided = act(root, prepared)
    if as_json:
        _print_as_json(decided)
    else:
        _print(decided)


def _sign_in_browser(stage: str, version: str, *, as_json: bool) -> None:
    from poc.acts.signoff_page import sign_in_browser

    entry = sign_in_browser(project_root(), stage, version, on_ready=lambda link: print(f"open {link}", file=sys.stderr, flush=True))
    if entry is None:
        raise NotSignedOff("the page was closed before anybody signed", where=f"poc sign {stage} --browser", code="not_signed")
    if as_json:
        print_json({"entry": entry.number, "files": [entry.where, entry.where.replace(".json", ".sig")]})
    else:
        print(f"next: git add {entry.where.removesuffix('.json')}.*, and commit")


def _show(prepared: ToSign, to: TextIO) -> None:
    """Show what is signed: whom by, what it says, its bytes, and what the signature will be worth."""
    from poc.rules.signoff.words import MADE_WITH, at, lower_assurance, who, worth_of

    said, width = prepared.statement.predicate, min(shutil.get_terminal_size().columns, WIDTH)
    about = f"charter version {said.charter_version}" if said.stage == "charter" else f"version {said.model_version}, for {said.stage}"
    lines = [
        *said.shown,
        *((f"sha256 of {name}", digest) for name, digest in prepared.statement.digests.items()),
        *(("attached", path.name) for path in prepared.attached),
        *([("builders", ", ".join(said.builders))] if said.builders else []),
        ("signed by", f"{who(said)}, {MADE_WITH[said.assurance]}"),
        *([("key", f"{prepared.key.fingerprint}, {prepared.key.place}")] if prepared.key else []),
        *([("holds until", at(said.expires_at))] if said.decision == "approve" else []),
        *([("reason", said.reason)] if said.reason else []),
    ]
    names = max(len(name) for name, _ in lines)
    print(f"{said.project}: {about}\n", file=to)
    for name, figure in lines:
        print(textwrap.fill(figure, width, initial_indent=f"  {name:<{names}}  ", subsequent_indent=" " * (names + 4), break_on_hyphens=False), file=to)
    for words in (worth_of(prepared.trust), lower_assurance(said.assurance)):
        print(f"\n{textwrap.fill(words, width, break_on_hyphens=False)}" if words else "", file=to, end="")
    print("", file=to)


def _question(prepared: ToSign) -> str:
    said = prepared.statement.predicate
    return f"{prepared.question}\nSay {'yes, and sign it' if said.decision == 'approve' else 'no, and sign that'}?"


def _print(decided: Decided) -> None:
    from poc.rules.signoff.words import signed_in_words
    from poc.tools.tracking.charters import charter_page_url

    said = decided.statement.predicate
    print(f"\n{decided.entry.where}: {signed_in_words(said)}")
    print(f"next: git add {' '.join(decided.files)} && git commit -m 'Sign {said.stage} as {said.role}'")
    for lack in dict.fromkeys(each.what for each in decided.lacks):
        print(f"  still open: {lack}")
    if said.stage == "charter" and decided.lacks and (url := charter_page_url(said.project)):
        print(f"  after poc run, a guarded MLflow shows it for the others to sign at {url}")
    if not decided.lacks:
        print("  the charter is signed" if said.stage == "charter" else f"  then: poc promote {said.stage} --version {said.model_version}")


def _print_as_json(decided: Decided) -> None:
    from poc.rules.signoff.words import worth_of

    print_json(
        {
            "entry": decided.entry.number,
            "files": decided.files,
            "statement": decided.statement.model_dump(mode="json", by_alias=True),
            "lacks": [{"code": each.reason, **vars(each.problem)} for each in decided.lacks],
            "worth": worth_of(decided.trust),
        }
    )
