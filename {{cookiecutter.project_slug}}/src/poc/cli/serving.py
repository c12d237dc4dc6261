"""Serve, ask and load: the commands that a server has to do with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poc.cli.options import A_FOLDER, as_json
from poc.cli.printing import print_json
from poc.cli.staging import STAGES
from poc.layout import LOAD_SVG, project_root

if TYPE_CHECKING:
    from poc.acts.admit import Admitted


@click.command()
@click.option("--candidate", "folder", type=A_FOLDER, help="A candidate's folder; without it that of the newest run that froze one.")
@click.option("--alias", help="Serve the version that holds this alias in MLflow, and the next one as soon as it holds it.")
@click.option("--stage", type=STAGES, help="Serve the version that holds this stage, if it is signed for; the next one too.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that answer, with one thread each.")
@click.option(
    "--poll-seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="With an alias or a stage: how often MLflow is asked who holds it."
)
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
    stage: str | None,
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

    if sum(map(bool, (folder, alias, stage))) > 1:
        raise click.UsageError("--candidate, --alias and --stage name several things to serve")
    named = alias or stage  # as an alias, a stage is that stage
    settings = Settings(
        holder=sources.in_folder(folder) if folder else sources.by_alias(project_root(), named) if named else sources.newest(project_root()),
        shadow=sources.in_folder_or_by_alias(shadow) if shadow else None,
        workers=workers,
        host=host,
        port=port,
        poll_seconds=poll_seconds if named or (shadow and not Path(shadow).is_dir()) else None,
        log=Log(folder=log.resolve(), share=log_share, bounds=Bounds(seconds_per_file=log_seconds, max_rows=log_rows, max_bytes=log_mb * 2**20))
        if log
        else None,
        require_age=require_age,
        limit_ms=sources.limit_ms(),
    )

    run = None if folder or named else newest_candidate(project_root())[0]

    def ready(bound: int, served: Admitted) -> None:
        url = f"http://{host}:{bound}"
        if as_json:
            what = {"source": served.source, "candidate": served.place, "sha256": served.candidate.model_sha256}
            print_json({"url": url, "host": host, "port": bound, "run": run and run.name, "verdict": run and verdict_of(run), **what})
        else:
            print(f"serving {served.source}, on {url}; stop with Ctrl-C", flush=True)

    serve_by_workers(settings, on_ready=ready, say=lambda what: print(what, file=sys.stderr, flush=True))


@click.command()
@click.option("--url", default="http://127.0.0.1:8080", show_default=True)
@as_json
def ask(url: str, as_json: bool) -> None:
    """Send one real dev row to a running server and show its answer."""
    from poc.acts.ask import ask as act
    from poc.acts.newest import newest_candidate

    reply = act(newest_candidate(project_root())[1], url)
    if as_json:
        print_json(reply.model_dump(mode="json", exclude_none=True))
        return
    print(f"{reply.in_words()} ({reply.milliseconds:.1f} ms there and back)")


@click.command()
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
        print_json(loaded.load.model_dump(mode="python") | {"folder": str(loaded.folder), "is_in_mlflow": loaded.is_in_mlflow})
    else:
        print("\n".join(loaded.words))
        print(f"picture: {loaded.folder / LOAD_SVG}" + ("" if loaded.is_in_mlflow else " (not in MLflow)"))
    sys.exit(loaded.exit_code)
