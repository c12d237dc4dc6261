"""One command per step and per act: parse, call, show. The only part that prints."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poc.errors import ExitCode, PocError
from poc.layout import project_root
from poc.steps import STEPS, Step

if TYPE_CHECKING:
    from poc.acts.run import Ended
    from poc.rules.evidence import Report

EXIT_CODES = "Exit codes: 0 GO or done, 2 usage, 3 charter or input, 4 NO-GO or refused, 5 environment, 6 signature, 7 NOT PROVEN, 1 a bug."
PORT = click.IntRange(0, 65535)
as_json = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to standard output.")


class InOrder(click.Group):
    """List commands in the order they were written, which is the order of a run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands' names."""
        return list(self.commands)


@click.group(cls=InOrder, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name=None, prog_name="poc", version="0.1.0")
def poc() -> None:
    """From a charter to a verdict: run the proof of concept, look at it, serve it."""


@poc.command()
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
        _print_json(
            {
                "run": str(ended.run),
                "mlflow_run": ended.mlflow_run,
                "seconds": round(ended.seconds, 1),
                "exit_code": ended.exit_code,
                "steps": [report.model_dump(mode="json") for report in ended.reports],
                "verdict": ended.verdict and ended.verdict.model_dump(mode="json"),
                "version": ended.version and ended.version.model_dump(mode="json"),
            }
        )
    else:
        _show_end(ended)
    sys.exit(ended.exit_code)


def _show_end(ended: Ended) -> None:
    """Print the verdict, what it means in money, the steps' problems, and what to open."""
    last = ended.reports[-1] if ended.reports else None
    print(f"\n{len(ended.reports)} steps in {ended.seconds:.0f} s")
    if ended.verdict:
        print(f"\nVerdict: {ended.verdict.overall}" + ("   (the counts of an earlier look at this candidate, timed again)" if ended.verdict.repeated else ""))
        for limit in ended.verdict.limits:
            print(f"  {limit.verdict:<10} {limit.name:<18} {limit.why}")
        print(f"\n{last.headline if last else ''}")
    elif last is not None and last.status == "done":
        print(f"\nDev evidence: {next(report.headline for report in ended.reports if report.step == 'evaluate')}")
        print("Not a verdict: nothing was looked at that counts. Put it forward with `poc run --candidate`.")
    if last is None or last.status in ("refused", "failed"):
        for problem in last.problems if last else []:
            _print_problem(f"error: {problem.what}", problem.where, problem.fix)
    from poc.tools.tracking import run_url

    print("\nOpen (after `poc ui`):" if ended.version else "\nOpen:")
    if ended.version:
        print(f"  version  {ended.version.version_url}")
    print(f"  run      {run_url(ended.mlflow_run)}")
    print(f"  log      {ended.log}")


def _step_command(step: Step) -> click.Command:
    @click.option("--run", "run_folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A run's folder; the newest without it.")
    @as_json
    def command(run_folder: Path | None, as_json: bool) -> None:
        from poc.acts.run import step_by_hand

        root = project_root()
        os.chdir(root)
        report = step_by_hand(root, step.name, run_folder.resolve() if run_folder else None)
        if as_json:
            _print_json(report.model_dump(mode="json"))
            return
        print(f"{step.name}: {report.headline} ({report.seconds:.1f} s)")
        for number in report.numbers:
            print(f"  {number.name:<40} {number.value:>14,.6g} {number.unit}")

    does = step.does[0].upper() + step.does[1:]
    return click.command(name=step.name, help=f"{does}.\n\nRefuses when {step.refuses_when}.", short_help=f"{does}.")(command)


for each in STEPS:
    poc.add_command(_step_command(each))


@poc.command()
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), default=Path("pipeline.yaml"), show_default=True)
@as_json
def compile(target: Path, as_json: bool) -> None:
    """Write the pipeline as Kubeflow's YAML and check that nothing in it dangles."""
    from poc.pipeline import prod_first_poc
    from poc.tools import kubeflow

    kubeflow.compile_to(prod_first_poc, target)
    tasks = kubeflow.check_compiled(target)
    if as_json:
        _print_json({"file": str(target), "tasks": tasks})
    else:
        print(f"{target}: {len(tasks)} tasks, {', '.join(tasks)}")


@poc.command()
@click.option("--candidate", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A candidate's folder; the newest run's without it.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=PORT, default=8080, show_default=True)
@as_json
def serve(folder: Path | None, host: str, port: int, as_json: bool) -> None:
    """Answer predictions over HTTP, Open Inference Protocol v2."""
    from poc.acts import serve as act

    def ready(bound: int) -> None:
        url = f"http://{host}:{bound}"
        if as_json:
            _print_json({"url": url, "host": host, "port": bound})
        else:
            print(f"serving {candidate} on {url}; stop with Ctrl-C", flush=True)

    candidate = folder or _newest_candidate()
    act.serve(candidate, host=host, port=port, on_ready=ready)


@poc.command()
@click.option("--url", default="http://127.0.0.1:8080", show_default=True)
@as_json
def ask(url: str, as_json: bool) -> None:
    """Send one real dev row to a running server and show its answer."""
    from poc.acts.ask import ask as act

    reply = act(_newest_candidate(), url)
    if as_json:
        _print_json(reply.model_dump(mode="json"))
        return
    says = "act" if reply.decision else "let it pass"
    print(f"probability {reply.probability:.4f}, threshold {reply.threshold:.4f}: {says} ({reply.milliseconds:.1f} ms there and back)")


def _newest_candidate() -> Path:
    from poc import layout

    return layout.artifact_folder(layout.artifacts_of(layout.newest_run(project_root())), "evaluate", "candidate")


@poc.command()
@as_json
def runs(as_json: bool) -> None:
    """Compare runs: verdict, missed share, false alarms, speed, money."""
    from poc.acts.runs import compare

    rows = compare(project_root())
    if as_json:
        _print_json([_plain(row) for row in rows])
        return
    if not rows:
        print("no runs yet: poc run")
        return
    columns = list(_plain(rows[0]))
    cells = [[_cell(value) for value in _plain(row).values()] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    for line in [columns, *cells]:
        print("  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip())


def _plain(row: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(row)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


@poc.command()
@click.option("--port", type=PORT, default=5000, show_default=True)
@as_json
def ui(port: int, as_json: bool) -> None:
    """Open runs and versions in MLflow, on this machine only."""
    from poc.acts.ui import serve_ui

    url = f"http://127.0.0.1:{port}"
    if as_json:
        _print_json({"url": url})
    else:
        print(f"MLflow on {url}/?workflowType=machine_learning; stop with Ctrl-C", flush=True)
    serve_ui(project_root(), port=port)


@poc.command("draft-expectations")
@click.option("--force", is_flag=True, help="Overwrite the contract that is there.")
@as_json
def draft_expectations(force: bool, as_json: bool) -> None:
    """Draft the data contract from the source, for a person to read and commit."""
    from poc.acts.draft_expectations import draft

    path = draft(project_root(), force=force)
    if as_json:
        _print_json({"file": str(path)})
    else:
        print(f"wrote {path}: read it, change what the world does not promise, commit it")


@poc.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what this machine has and lacks."""
    from poc.acts.doctor import examine

    findings = examine(project_root())
    if as_json:
        _print_json([_plain(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "ok" if finding.is_ok else "MISSING" if finding.is_needed else "note"
            print(f"{mark:<8} {finding.name:<20} {finding.found}" + ("" if finding.is_ok else f"\n         fix: {finding.fix}"))
    if any(finding.is_needed and not finding.is_ok for finding in findings):
        sys.exit(ExitCode.ENVIRONMENT)


@poc.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@as_json
def completion(shell: str, as_json: bool) -> None:
    """Print what makes a shell complete `poc`: eval "$(poc completion bash)"."""
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    if complete is not None:
        script = complete(poc, {}, "poc", "_POC_COMPLETE").source()
        if as_json:
            _print_json({"shell": shell, "script": script})
        else:
            print(script)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, default=str), flush=True)


def _print_problem(what: str, where: str, fix: str) -> None:
    print(what + (f"\n  where: {where}" if where else "") + (f"\n  fix:   {fix}" if fix else ""), file=sys.stderr)


def _guarded(command: Callable[[], None]) -> int:
    try:
        command()
    except PocError as error:
        print(str(error), file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return 130
    return 0


def main() -> None:
    """Run the command line; the only place where errors become exit codes."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    gc.set_threshold(50_000)  # as in `perform_in_pipeline`
    try:
        sys.exit(_guarded(poc))
    finally:
        gc.freeze()  # else Python looks for garbage in all that was imported before it lets go: 0.7 s after MLflow
