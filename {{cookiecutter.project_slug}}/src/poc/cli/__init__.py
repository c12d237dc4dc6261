"""One command per step and per act: parse, call, show. The only part that prints."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

import click

from poc.cli.by_step import compile, step_commands
from poc.cli.enrolling import enrol
from poc.cli.guarding import mlflow
from poc.cli.looking import brief, runs, ui
from poc.cli.printing import print_json
from poc.cli.running import run
from poc.cli.serving import ask, load, serve
from poc.cli.setting_up import completion, doctor, draft_expectations
from poc.cli.signing import sign
from poc.cli.staging import demote, promote, rollback, verify
from poc.cli.trusting import demo_trust
from poc.errors import PocError, Problem

EXIT_CODES = "Exit codes: 0 GO or done, 2 usage, 3 charter or input, 4 NO-GO or refused, 5 environment, 6 signature, 7 NOT PROVEN, 1 a bug."
#: What a shell expects of a program that Ctrl-C ended.
INTERRUPTED = 130


class InOrder(click.Group):
    """List commands in the order they were added, which is the order of a run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands' names."""
        return list(self.commands)


@click.group(cls=InOrder, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name=None, prog_name="poc", version="0.1.0")
def poc() -> None:
    """From a charter to a verdict: run the proof of concept, look at it, serve it."""


for each in (
    run,
    *step_commands(),
    compile,
    sign,
    enrol,
    promote,
    demote,
    rollback,
    verify,
    serve,
    ask,
    load,
    runs,
    ui,
    mlflow,
    brief,
    draft_expectations,
    demo_trust,
    doctor,
    completion,
):
    poc.add_command(each)


def call(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: the only place where errors become exit codes."""
    try:
        poc.main(list(arguments), prog_name="poc", standalone_mode=False)
    except PocError as error:
        print(error, file=sys.stderr)
        return _refused(arguments, error.code, error.exit_code, error.problems)
    except click.ClickException as error:
        error.show()
        return _refused(arguments, "usage", error.exit_code, [Problem(what=error.format_message())])
    except (click.Abort, KeyboardInterrupt):
        return _refused(arguments, "interrupted", INTERRUPTED, [])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _refused(arguments: Sequence[str], code: str, exit_code: int, problems: Sequence[Problem]) -> int:
    """Say the refusal on standard output too, where a program reads it; return the exit code."""
    if "--json" in arguments:
        print_json({"error": code, "exit_code": int(exit_code), "problems": [vars(problem) for problem in problems]})
    return int(exit_code)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    gc.set_threshold(50_000)  # as in `perform_in_pipeline`
    try:
        sys.exit(call(sys.argv[1:]))
    finally:
        gc.freeze()  # else Python looks for garbage in all that was imported before it lets go: 0.7 s after MLflow
