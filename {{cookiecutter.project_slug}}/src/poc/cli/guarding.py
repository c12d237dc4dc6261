"""Guard: the command that runs MLflow's server for a team."""

from __future__ import annotations

import sys

import click

from poc.cli.options import as_json
from poc.cli.printing import print_json
from poc.layout import project_root


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 5000, or what POC_UI_PORT says]")
@as_json
def mlflow(host: str, port: int | None, as_json: bool) -> None:
    """Run MLflow's server with the guard: no stage without signatures.

    POC_TRUST says whom it believes. Its records are in this repository, or where POC_MLFLOW_DATABASE=postgresql://... says, and its artifacts where
    POC_MLFLOW_ARTIFACTS does. Clients find it by MLFLOW_TRACKING_URI.
    """
    from poc.acts.mlflow_server import serve_guarded
    from poc.tools.tracking import ui_port

    port = port or ui_port()
    url = f"http://{'localhost' if host == '127.0.0.1' else host}:{port}"  # where passkeys work; on a number they do not

    def ready(warnings: list[str]) -> None:
        for line in warnings:
            print(f"warning: {line}", file=sys.stderr, flush=True)
        if as_json:
            print_json({"url": url, "warnings": warnings})
        else:
            print(f"MLflow, guarded, on {url}; stop with Ctrl-C", flush=True)

    serve_guarded(project_root(), host=host, port=port, on_ready=ready)
