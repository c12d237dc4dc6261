"""`poc run`: show the steps as they end, then the verdict, and what to open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.errors import ExitCode
from poc.layout import project_root
from poc.steps import Step

if TYPE_CHECKING:
    from poc.acts.run import Ended
    from poc.rules.evidence import Report

#: From which predicted chance of GO on a look is worth advising.
LIKELY = 0.5


@click.command()
@click.option("--candidate", is_flag=True, help="Put the result forward: one counted look at the sealed rows, a version, a verdict.")
@as_json
def run(candidate: bool, as_json: bool) -> None:
    """Run the pipeline here, as Kubeflow would run it there."""
    from poc.acts.run import launch, steps_of
    from poc.tools.terminal import Progress

    with Progress([step.name for step in steps_of(candidate=candidate)], sys.stderr) as progress:

        def show(step: Step, report: Report | None) -> None:
            if report is None:
                progress.started(step.name)
            else:
                progress.ended(step.name, report.status, report.seconds, report.headline)

        ended = launch(project_root(), candidate=candidate, show=show)
    if as_json:
        print_json(
            {
                "run": str(ended.run),
                "mlflow_run": ended.mlflow_run,
                "seconds": round(ended.seconds, 1),
                "exit_code": ended.exit_code,
                "problems": [vars(problem) for problem in ended.problems],
                "steps": [report.model_dump(mode="json") for report in ended.reports],
                "verdict": ended.verdict and ended.verdict.model_dump(mode="json"),
                "version": ended.version and ended.version.model_dump(mode="json"),
            }
        )
    else:
        show_end(ended)
    sys.exit(ended.exit_code)


def show_end(ended: Ended) -> None:
    """Print the verdict and what it means in money, or dev evidence, or what ended the run early; then what to open."""
    by_step = {report.step: report for report in ended.reports}
    print(f"\n{len(ended.reports)} steps in {ended.seconds:.0f} s")
    if ended.verdict:
        print(f"\nVerdict: {ended.verdict.overall}" + ("   (the counts of an earlier look at this candidate, timed again)" if ended.verdict.repeated else ""))
        width = max(18, *(len(limit.name) for limit in ended.verdict.limits))
        for limit in ended.verdict.limits:
            print(f"  {limit.verdict:<10} {limit.name:<{width}} {limit.why}")
    elif ended.exit_code == ExitCode.GO:
        print(f"\nDev evidence: {by_step['evaluate'].headline}")
        print("Not a verdict: nothing was looked at that counts. " + _advice(by_step["evaluate"]))
    if "decide" in by_step:
        print(f"\n{by_step['decide'].headline}")
    if "decide" not in by_step or by_step["decide"].status in ("refused", "failed"):
        for problem in ended.problems:
            print(problem, file=sys.stderr)
    _show_what_to_open(ended)


def _advice(evaluated: Report) -> str:
    chance = next((number.value for number in evaluated.numbers if number.name == "chance_of_go"), 0.0)
    if chance < LIKELY:
        return f"To put it forward now would spend a look at a predicted chance of GO of {chance:.0%}."
    return "Put it forward with `poc run --candidate`."


def _show_what_to_open(ended: Ended) -> None:
    from poc.tools.tracking import run_url

    print("\nOpen (the links while `poc ui` runs):")
    if ended.version:
        print(f"  brief     {ended.brief}")
    print(f"  version   {ended.version.version_url}" if ended.version else f"  evidence  {ended.evidence}")
    print(f"  run       {run_url(ended.mlflow_run)}")
    print(f"  log       {ended.log}")
