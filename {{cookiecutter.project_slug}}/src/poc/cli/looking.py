"""Look at what there is: runs beside each other, MLflow's pages, and the page for the sponsor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from poc.cli.options import A_FOLDER, as_json
from poc.cli.printing import note_another_charter, plain, print_json
from poc.layout import project_root


@click.command()
@as_json
def runs(as_json: bool) -> None:
    """Compare runs: verdict, the errors that the charter limits, speed, money."""
    from poc.acts.runs import compare

    rows = _with_a_column_each([plain(row) for row in compare(project_root())], "dev_shares")
    if as_json:
        print_json(rows)
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


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 or abs(value) < 0.0005 else f"{value:.4g}"
    return str(value)


@click.command()
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
            print_json({"url": url})
        else:
            print(f"MLflow on {url}/?workflowType=machine_learning; stop with Ctrl-C", flush=True)

    serve_ui(project_root(), port=port, on_ready=ready)


@click.command()
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
        note_another_charter()
    printed = print_brief(run, page, target) if pdf else None
    if as_json:
        print_json({"run": str(run), "verdict": verdict_of(run), "brief": str(page), "pdf": printed and str(printed)})
        return
    print(printed or page)
    if not (pdf or no_open) and sys.stdout.isatty():
        open_page(page)
