"""What a project needs before a run: a data contract, a machine that has everything, a shell that completes commands."""

from __future__ import annotations

import sys

import click

from poc.cli.options import as_json
from poc.cli.printing import plain, print_json
from poc.errors import ExitCode
from poc.layout import project_root


@click.command("draft-expectations")
@click.option("--force", is_flag=True, help="Overwrite the contract that is there.")
@as_json
def draft_expectations(force: bool, as_json: bool) -> None:
    """Draft the data contract from the source, for a person to read and commit."""
    from poc.acts.draft_expectations import draft

    path = draft(project_root(), force=force)
    if as_json:
        print_json({"file": str(path)})
    else:
        print(f"wrote {path}: read it, change what the world does not promise, commit it")


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what this machine has and lacks."""
    from poc.acts.doctor import examine

    findings = examine(project_root())
    if as_json:
        print_json([plain(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "ok" if finding.is_ok else "MISSING" if finding.is_needed else "note"
            print(f"{mark:<8} {finding.name:<20} {finding.found}" + ("" if finding.is_ok else f"\n         fix: {finding.fix}"))
    if any(finding.is_needed and not finding.is_ok for finding in findings):
        sys.exit(ExitCode.ENVIRONMENT)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@as_json
@click.pass_context
def completion(context: click.Context, shell: str, as_json: bool) -> None:
    """Print what makes a shell complete `poc`: eval "$(poc completion bash)"."""
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    if complete is not None:
        script = complete(context.find_root().command, {}, "poc", "_POC_COMPLETE").source()
        if as_json:
            print_json({"shell": shell, "script": script})
        else:
            print(script)
