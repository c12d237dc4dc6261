"""One command per step and per act: parse, call, show. The only part that prints."""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poc.errors import ExitCode, PocError, Problem
from poc.layout import LOAD_SVG, project_root
from poc.steps import STEPS, Step

if TYPE_CHECKING:
    from poc.acts.admit import Admitted
    from poc.acts.run import Ended
    from poc.rules.evidence import Report

EXIT_CODES = "Exit codes: 0 GO or done, 2 usage, 3 charter or input, 4 NO-GO or refused, 5 environment, 6 signature, 7 NOT PROVEN, 1 a bug."
#: What a shell expects of a program that Ctrl-C ended.
INTERRUPTED = 130
#: From which predicted chance of GO on a look is worth advising.
LIKELY = 0.5
A_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
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


def _step_command(step: Step) -> click.Command:
    @click.option("--run", "run_folder", type=A_FOLDER, help="A run's folder; without it the newest that holds what the step reads.")
    @as_json
    def command(run_folder: Path | None, as_json: bool) -> None:
        report, run = _step_in(run_folder, step)
        if as_json:
            _print_json(report.model_dump(mode="json"))
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

            _print_json(charter_schema())
            return
        report, run = _step_in(run_folder, step)
        if as_json:
            _print_json(report.model_dump(mode="json"))
            return
        from poc.acts.by_hand import charter_of
        from poc.rules.charter_page import charter_page

        print(charter_page(charter_of(run)), end="\n\n")
        _show_headline(report, run)

    return _described(step)(command)


def _step_in(run_folder: Path | None, step: Step) -> tuple[Report, Path]:
    """Perform a step by hand, in a run's folder or in the newest that will do; return its report and the folder."""
    from poc.acts.by_hand import is_of_another_charter, run_for, step_by_hand

    root = project_root()
    os.chdir(root)
    run = run_folder or run_for(step, root)
    if step.inputs and is_of_another_charter(root, run):
        _note_another_charter()
    return step_by_hand(step, run), run


def _note_another_charter() -> None:
    print("note: charter.yaml has changed since this run began; `poc charter` begins a new one", file=sys.stderr)


def _show_headline(report: Report, run: Path) -> None:
    print(f"{report.step}: {report.headline} ({report.seconds:.1f} s)\n  in run {run.name}")


def _described(step: Step) -> Callable[[Callable[..., None]], click.Command]:
    does = step.does[0].upper() + step.does[1:]
    return click.command(name=step.name, help=f"{does}.\n\nRefuses when {step.refuses_when}.", short_help=f"{does}.")


for each in STEPS:
    poc.add_command(_charter_command(each) if each.name == "charter" else _step_command(each))


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
@click.option("--candidate", "folder", type=A_FOLDER, help="A candidate's folder; without it that of the newest run that froze one.")
@click.option("--alias", help="Serve the version that holds this alias in MLflow, and the next one as soon as it holds it.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that answer, with one thread each.")
@click.option("--poll-seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="With an alias: how often MLflow is asked who holds it.")
@click.option("--shadow", metavar="FOLDER|ALIAS", help="Ask this candidate the same, tell nobody, and count where it differs.")
@click.option("--log-requests", "log", type=click.Path(file_okay=False, path_type=Path), help="Log features and answers to Parquet files in this folder.")
@click.option("--log-share", type=click.FloatRange(0, 1, min_open=True), default=0.01, show_default=True, help="Share of requests that are logged.")
@click.option("--log-mb", type=click.IntRange(1), default=1024, show_default=True, help="How much of the log stays; the oldest files go first.")
@click.option("--log-rows", type=click.IntRange(1), default=10_000_000, show_default=True, help="How many rows of the log stay.")
@click.option("--log-seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="How long a row may wait to be written.")
@click.option("--require-age", is_flag=True, help="Refuse requests that do not say how old a feature is whose age the charter limits.")
@as_json
def serve(
    folder: Path | None,
    alias: str | None,
    host: str,
    port: int,
    workers: int,
    poll_seconds: float,
    shadow: str | None,
    log: Path | None,
    log_share: float,
    log_mb: int,
    log_rows: int,
    log_seconds: float,
    require_age: bool,
    as_json: bool,
) -> None:
    """Answer predictions over HTTP, Open Inference Protocol v2.

    SIGHUP serves again what there is now, without losing a request; SIGINT and SIGTERM stop once all requests under way are answered.
    """
    from poc.acts import sources
    from poc.acts.newest import newest_candidate, verdict_of
    from poc.acts.service import Log, Settings, serve_by_workers
    from poc.tools.request_log import Bounds

    if folder and alias:
        raise click.UsageError("--candidate and --alias name two things to serve")
    settings = Settings(
        holder=sources.in_folder(folder) if folder else sources.by_alias(project_root(), alias) if alias else sources.newest(project_root()),
        shadow=sources.in_folder_or_by_alias(shadow) if shadow else None,
        workers=workers,
        host=host,
        port=port,
        poll_seconds=poll_seconds if alias or (shadow and not Path(shadow).is_dir()) else None,
        log=Log(folder=log.resolve(), share=log_share, bounds=Bounds(seconds_per_file=log_seconds, max_rows=log_rows, max_bytes=log_mb * 2**20))
        if log
        else None,
        require_age=require_age,
        limit_ms=sources.limit_ms(),
    )

    run = None if folder or alias else newest_candidate(project_root())[0]

    def ready(bound: int, served: Admitted) -> None:
        url = f"http://{host}:{bound}"
        if as_json:
            what = {"source": served.source, "candidate": served.place, "sha256": served.candidate.model_sha256}
            _print_json({"url": url, "host": host, "port": bound, "run": run and run.name, "verdict": run and verdict_of(run), **what})
        else:
            print(f"serving {served.source}, on {url}; stop with Ctrl-C", flush=True)

    serve_by_workers(settings, on_ready=ready, say=lambda what: print(what, file=sys.stderr, flush=True))


@poc.command()
@click.option("--url", default="http://127.0.0.1:8080", show_default=True)
@as_json
def ask(url: str, as_json: bool) -> None:
    """Send one real dev row to a running server and show its answer."""
    from poc.acts.ask import ask as act
    from poc.acts.newest import newest_candidate

    reply = act(newest_candidate(project_root())[1], url)
    if as_json:
        _print_json(reply.model_dump(mode="json", exclude_none=True))
        return
    print(f"{reply.in_words()} ({reply.milliseconds:.1f} ms there and back)")


@poc.command()
@click.option("--url", help="A server that runs already; without it one is started for the newest candidate, on cores of its own.")
@click.option("--rate", type=float, help="Arrivals a second.  [default: the charter's]")
@click.option("--seconds", type=float, help="For so long.  [default: 10, or up to 60 where the rate needs it]")
@click.option("--clients", type=int, default=16, show_default=True, help="Connections: so many requests can be on their way at once.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where picture and numbers go.  [default: the run's folder]")
@as_json
def load(url: str | None, rate: float | None, seconds: float | None, clients: int, folder: Path | None, as_json: bool) -> None:
    """Load a server as users would, and judge the served p99 by the charter: 0 PASS, 4 FAIL, 7 otherwise."""
    from poc.acts.load import Asked, put_load

    loaded = put_load(project_root(), Asked(rate_per_s=rate, seconds=seconds, connections=clients), url=url, folder=folder)
    if as_json:
        _print_json(loaded.load.model_dump(mode="python") | {"folder": str(loaded.folder), "is_in_mlflow": loaded.is_in_mlflow})
    else:
        print("\n".join(loaded.words))
        print(f"picture: {loaded.folder / LOAD_SVG}" + ("" if loaded.is_in_mlflow else " (not in MLflow)"))
    sys.exit(loaded.exit_code)


@poc.command()
@as_json
def runs(as_json: bool) -> None:
    """Compare runs: verdict, the errors that the charter limits, speed, money."""
    from poc.acts.runs import compare

    rows = _with_a_column_each([_plain(row) for row in compare(project_root())], "dev_shares")
    if as_json:
        _print_json(rows)
        return
    if not rows:
        print("no runs yet: poc run")
        return
    columns = list(rows[0])
    cells = [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    for line in [columns, *cells]:
        print("  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip())


def _with_a_column_each(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Replace a column of figures by name with one column for each name that any row has."""
    names = dict.fromkeys(name for row in rows for name in row[column])
    return [
        {each: figure for name, value in row.items() for each, figure in ({n: value.get(n) for n in names} if name == column else {name: value}).items()}
        for row in rows
    ]


def _plain(row: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(row)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 or abs(value) < 0.0005 else f"{value:.4g}"
    return str(value)


@poc.command()
@click.option("--port", type=click.IntRange(1, 65535), help="For this once; links keep to POC_UI_PORT.")
@as_json
def ui(port: int | None, as_json: bool) -> None:
    """Open runs and versions in MLflow, on this machine only.

    On port 5000, or on the one that the environment variable POC_UI_PORT names: it also moves the links that other commands print and record.
    """
    from poc.acts.ui import serve_ui
    from poc.tools.tracking import ui_port

    port = port or ui_port()
    url = f"http://127.0.0.1:{port}"

    def ready() -> None:
        if as_json:
            _print_json({"url": url})
        else:
            print(f"MLflow on {url}/?workflowType=machine_learning; stop with Ctrl-C", flush=True)

    serve_ui(project_root(), port=port, on_ready=ready)


@poc.command()
@click.option("--run", "run_folder", type=A_FOLDER, help="A run's folder; without it the newest that came to a verdict.")
@click.option("--pdf", is_flag=True, help="Print it on one A4 page, with Chromium where there is one.")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path, resolve_path=True),
    help="With --pdf: the file to print to.  [default: brief.pdf in the run's folder]",
)
@click.option("--no-open", is_flag=True, help="Only say where it is.")
@as_json
def brief(run_folder: Path | None, pdf: bool, target: Path | None, no_open: bool, as_json: bool) -> None:
    """Open the page for the sponsor: verdict, money, people, limits, and what was not proven."""
    from poc.acts.brief import brief_of, open_page, print_brief
    from poc.acts.by_hand import is_of_another_charter
    from poc.acts.newest import verdict_of

    if target and not pdf:
        raise click.UsageError("--to names the file for --pdf")
    root = project_root()
    run, page = brief_of(root, run_folder)
    if is_of_another_charter(root, run):
        _note_another_charter()
    printed = print_brief(run, page, target) if pdf else None
    if as_json:
        _print_json({"run": str(run), "verdict": verdict_of(run), "brief": str(page), "pdf": printed and str(printed)})
        return
    print(printed or page)
    if not (pdf or no_open) and sys.stdout.isatty():
        open_page(page)


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
    print(json.dumps(_finite(value), indent=1, default=str, allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for, NaN and the infinities, by null."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
        _print_json({"error": code, "exit_code": int(exit_code), "problems": [vars(problem) for problem in problems]})
    return int(exit_code)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    gc.set_threshold(50_000)  # as in `perform_in_pipeline`
    try:
        sys.exit(call(sys.argv[1:]))
    finally:
        gc.freeze()  # else Python looks for garbage in all that was imported before it lets go: 0.7 s after MLflow
