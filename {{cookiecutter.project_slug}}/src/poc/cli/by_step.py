"""A command for each step, by hand, and the pipeline that they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poc.cli.options import A_FOLDER, as_json
from poc.cli.printing import note_another_charter, print_json
from poc.layout import project_root
from poc.steps import STEPS, Step

if TYPE_CHECKING:
    from poc.rules.evidence import Report


def step_commands() -> list[click.Command]:
    """Make a command of every step, in their order."""
    return [_charter_command(step) if step.name == "charter" else _step_command(step) for step in STEPS]


def _step_command(step: Step) -> click.Command:
    @click.option("--run", "run_folder", type=A_FOLDER, help="A run's folder; without it the newest that holds what the step reads.")
    @as_json
    def command(run_folder: Path | None, as_json: bool) -> None:
        report, run = _step_in(run_folder, step)
        if as_json:
            print_json(report.model_dump(mode="json"))
            return
        _show_headline(report, run)
        for number in report.numbers:
            print(f"  {number.name:<40} {number.value:>14,.6g} {number.unit}")

    return _described(step)(command)


def _charter_command(step: Step) -> click.Command:
    """Make the command of the first step, whose figures are read as sentences: the agreement as one page."""

    @click.option("--schema", is_flag=True, help="Write the JSON Schema of charter.yaml, for editors, and check nothing.")
    @click.option("--run", "run_folder", type=A_FOLDER, help="A run's folder; without it a new one.")
    @as_json
    def command(schema: bool, run_folder: Path | None, as_json: bool) -> None:
        if schema:
            from poc.rules.charter_schema import charter_schema

            print_json(charter_schema())
            return
        report, run = _step_in(run_folder, step)
        if as_json:
            print_json(report.model_dump(mode="json"))
            return
        from poc.acts.by_hand import charter_of
        from poc.rules.charter_page import charter_page
        from poc.tools.tracking.charters import charter_page_url

        print(charter_page(charter_of(run)), end="\n\n")
        _show_headline(report, run)
        if url := charter_page_url(charter_of(run).project):
            print(f"  after poc run, a guarded MLflow shows it for signing at {url}")

    return _described(step)(command)


def _step_in(run_folder: Path | None, step: Step) -> tuple[Report, Path]:
    """Perform a step by hand, in a run's folder or in the newest that will do; return its report and the folder."""
    from poc.acts.by_hand import is_of_another_charter, run_for, step_by_hand

    root = project_root()
    os.chdir(root)
    run = run_folder or run_for(step, root)
    if step.inputs and is_of_another_charter(root, run):
        note_another_charter()
    return step_by_hand(step, run), run


def _show_headline(report: Report, run: Path) -> None:
    print(f"{report.step}: {report.headline} ({report.seconds:.1f} s)\n  in run {run.name}")


def _described(step: Step) -> Callable[[Callable[..., None]], click.Command]:
    does = step.does[0].upper() + step.does[1:]
    return click.command(name=step.name, help=f"{does}.\n\nRefuses when {step.refuses_when}.", short_help=f"{does}.")


@click.command()
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), default=Path("pipeline.yaml"), show_default=True)
@as_json
def compile(target: Path, as_json: bool) -> None:
    """Write the pipeline as Kubeflow's YAML and check that nothing in it dangles."""
    from poc.pipeline import prod_first_poc
    from poc.tools import kubeflow

    kubeflow.compile_to(prod_first_poc, target)
    tasks = kubeflow.check_compiled(target)
    if as_json:
        print_json({"file": str(target), "tasks": tasks})
    else:
        print(f"{target}: {len(tasks)} tasks, {', '.join(tasks)}")
