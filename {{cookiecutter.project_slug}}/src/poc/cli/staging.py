"""Promote, demote, roll back and verify: the commands that move stages, and the one that checks them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.errors import ExitCode
from poc.layout import project_root

if TYPE_CHECKING:
    from poc.acts.promote import Promoted
    from poc.acts.verify import Checked

#: As `rules.signoff.GATED` has them; importing that takes longer than printing a help page should.
STAGES = click.Choice(["shadow", "pilot", "production"])
VERSION = click.IntRange(1)


class VersionOrNone(click.ParamType[str]):
    """The number of a version, or `none`."""

    name = "N|none"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was typed."""
        return "none" if value == "none" else str(VERSION.convert(value, param, ctx))  # type: ignore[arg-type]  # what is typed is text


@click.command()
@click.argument("stage", type=STAGES)
@click.option("--version", type=VERSION, required=True, help="The version in MLflow to put there.")
@click.option("--instead-of", type=VersionOrNone(), help="Refuse unless this version holds the stage, or none.  [default: whichever does now]")
@as_json
def promote(stage: str, version: int, instead_of: str | None, as_json: bool) -> None:
    """Put a version on a stage, if it is signed for.

    The ledger is verified over the bytes that MLflow holds, every earlier stage with it. Of two who promote at once, one is told that the other was faster.
    """
    from poc.acts.promote import AS_SEEN
    from poc.acts.promote import promote as act

    _show(act(project_root(), stage, str(version), instead_of=AS_SEEN if instead_of is None else None if instead_of == "none" else instead_of), as_json=as_json)


@click.command()
@click.argument("stage", type=STAGES)
@click.option("--reason", required=True, help="Why, for whoever finds the stage empty.")
@as_json
def demote(stage: str, reason: str, as_json: bool) -> None:
    """Take a stage from the version that holds it; no sponsor is asked."""
    from poc.acts.promote import demote as act

    version = act(project_root(), stage, reason=reason)
    if as_json:
        print_json({"stage": stage, "demoted": version, "reason": reason})
    else:
        print(f"version {version} holds {stage} no longer; where another held it before: poc rollback {stage}")


@click.command()
@click.argument("stage", type=STAGES)
@as_json
def rollback(stage: str, as_json: bool) -> None:
    """Put back the version that held a stage before, if it is still signed for."""
    from poc.acts.promote import rollback as act

    _show(act(project_root(), stage), as_json=as_json)


def _show(promoted: Promoted, *, as_json: bool) -> None:
    from poc.rules.signoff.words import worth_of

    if as_json:
        print_json(
            {
                "stage": promoted.stage,
                "version": promoted.version,
                "instead_of": promoted.instead_of,
                "signed": [each.model_dump(mode="json") for each in promoted.signed],
                "pulled": promoted.pulled,
                "worth": worth_of(promoted.trust),
            }
        )
        return
    who = ", ".join(f"{each.signer} as {each.role} (signoffs/{each.entry:04d}.json)" for each in promoted.signed)
    print(f"version {promoted.version} holds {promoted.stage}, signed by {who}")
    print(worth_of(promoted.trust))
    if promoted.pulled:
        print(f"taken over from MLflow, to be committed: {', '.join(promoted.pulled)}")


@click.command()
@click.option("--ledger", is_flag=True, help="Check what lies in git alone, without MLflow: for CI.")
@click.option("--pull", is_flag=True, help="Take over into signoffs/ what was signed on the page.")
@click.option("--push", is_flag=True, help="Let MLflow and its page know what is signed in signoffs/.")
@as_json
def verify(ledger: bool, pull: bool, push: bool, as_json: bool) -> None:
    """Verify every signature, and hold every stage in MLflow against the ledger: 0 where all agrees, 6 where anything differs."""
    from poc.acts import verify as act

    if ledger and (pull or push):
        raise click.UsageError("--ledger looks at git alone; --pull and --push bring decisions from MLflow and to it")
    checked = act.verify_ledger(project_root()) if ledger else act.verify(project_root(), is_pulling=pull, is_pushing=push)
    if as_json:
        _print_as_json(checked)
    else:
        _print(checked)
    sys.exit(ExitCode.SIGNATURE if checked.found else ExitCode.GO)


def _print(checked: Checked) -> None:
    from poc.rules.signoff.words import worth_of

    for entry in checked.pulled:
        print(f"taken over from MLflow, to be committed: {entry}")
    for entry in checked.pushed:
        print(f"brought to MLflow: {entry}")
    for alias, version in checked.stages.items():
        print(f"{alias:<12} version {version}")
    for note in checked.notes:
        print(f"note: {note}")
    for finding in checked.found:
        print(finding.problem, file=sys.stderr)
    print(f"{len(checked.decisions)} decisions, {len(checked.found)} differences")
    print(worth_of(checked.trust))


def _print_as_json(checked: Checked) -> None:
    from poc.rules.signoff.words import worth_of

    said = [each.decision.statement.predicate for each in checked.decisions]
    print_json(
        {
            "decisions": [
                {"entry": each.seq, "stage": each.stage, "version": each.model_version, "decision": each.decision, "signer": each.signer, "role": each.role}
                for each in said
            ],
            "differences": [{"code": each.reason, **vars(each.problem)} for each in checked.found],
            "notes": list(checked.notes),
            "stages": dict(checked.stages),
            "pulled": list(checked.pulled),
            "pushed": list(checked.pushed),
            "worth": worth_of(checked.trust),
            "exit_code": int(ExitCode.SIGNATURE if checked.found else ExitCode.GO),
        }
    )
