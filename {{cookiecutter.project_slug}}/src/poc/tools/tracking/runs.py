"""Runs: opened and closed, each step's figures and evidence, each variant below its run, and all of them compared."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from poc import layout
from poc.errors import EnvironmentRefused, Refused
from poc.layout import project_root
from poc.rules.evidence import Assessment, Confusion, Number, Report, Signoff, Speed, Timings
from poc.rules.params import Params
from poc.tools.tracking.connection import as_tags, connect, experiment_of, ui_root
from poc.tools.tracking.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: What a variant's run shows of its timings.
TIMED = ("single_p50_us", "single_p99_us", "open_loop_p50_ms", "open_loop_p99_ms", "highest_rate_per_s", "memory_mb", "size_mb")


@uninterrupted()
def open_run(project: str, *, name: str, candidate: bool) -> str:
    """Open a run and return its id; it carries who launched it, so that a dead launcher's run can be told from a live one's."""
    client = connect()
    tags = {
        "poc.kind": "run",
        "poc.candidate": str(candidate).lower(),
        "poc.draft": "true",
        "poc.launcher": _process(os.getpid()),
        "mlflow.source.name": "poc run",
        **_trained_by(),
    }
    if commit := _commit():
        tags["mlflow.source.git.commit"] = commit
    return str(client.create_run(experiment_of(client, project), run_name=name, tags=tags).info.run_id)


@uninterrupted()
def adopt_run(run_id: str, *, candidate: bool) -> str:
    """Use a run that somebody else opened, and return its id.

    Raises:
        EnvironmentRefused: MLflow has no such run, or it is over.
    """
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        status = client.get_run(run_id).info.status
    except MlflowException as error:
        raise EnvironmentRefused(f"MLflow has no run {run_id}", where="MLFLOW_RUN_ID", fix="unset it, or name a run of this tracking server") from error
    if status != "RUNNING":
        raise EnvironmentRefused(f"the MLflow run {run_id} is {status}", where="MLFLOW_RUN_ID", fix="unset it, or name a run that is still open")
    client.log_batch(run_id, tags=as_tags({"poc.kind": "run", "poc.candidate": str(candidate).lower(), "poc.draft": "true"} | _trained_by()))
    return run_id


@uninterrupted()
def reopen_run(run_id: str, *, candidate: bool) -> bool:
    """Go on with a run that is over, as its launcher; False where MLflow has none of this id.

    Raises:
        Refused: it is not over.
    """
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        run = client.get_run(run_id)
    except MlflowException:
        return False
    if run.info.lifecycle_stage == "deleted":
        return False
    if run.info.status == "RUNNING" and not _is_dead(run.data.tags.get("poc.launcher", "")):
        raise Refused(f"the run {run.info.run_name} is still going on", where=f"MLflow run {run_id}", fix="wait until it ends, or name another with --run")
    # The launcher first: a run that is RUNNING and whose launcher is gone may be closed by anybody.
    client.log_batch(run_id, tags=as_tags({"poc.launcher": _process(os.getpid())} | ({"poc.candidate": "true"} if candidate else {})))
    client.update_run(run_id, status="RUNNING")
    return True


@uninterrupted()
def close_run(run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
    """End a run."""
    connect().set_terminated(run_id, status)


@uninterrupted()
def close_dead_runs(project: str) -> list[str]:
    """Close runs left RUNNING by a launcher on this machine that is no longer there; return their ids.

    A look stays open: the same candidate may finish it.
    """
    client = connect()
    left = client.search_runs([experiment_of(client, project)], "attributes.status = 'RUNNING' and tags.`poc.kind` != 'look'")
    dead = [run.info.run_id for run in left if _is_dead(run.data.tags.get("poc.launcher", ""))]
    for run_id in dead:
        client.set_terminated(run_id, "KILLED")
    return dead


def _commit() -> str:
    """Return the commit that is checked out, or nothing where there is none: a repository around this one, such as the template's, says nothing of it."""
    try:
        found = subprocess.run(["git", "rev-parse", "--show-toplevel", "HEAD"], cwd=project_root(), capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return ""
    top, _, commit = found.stdout.strip().rpartition("\n")
    return commit if found.returncode == 0 and Path(top).resolve() == project_root().resolve() else ""


def _trained_by() -> dict[str, str]:
    """Say who runs this, by the address that git knows them by: whoever trained a model signs for it in no stage."""
    try:
        found = subprocess.run(["git", "config", "user.email"], cwd=project_root(), capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return {}
    address = found.stdout.strip()
    return {"poc.trained_by": address} if found.returncode == 0 and address else {}


def _process(pid: int) -> str:
    """Name a process so that another one with the same number is not taken for it: machine, number, start."""
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:12]
    try:
        start = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        start = "?"
    return f"{machine}/{pid}/{start}"


def _is_dead(launcher: str) -> bool:
    machine, _, rest = launcher.partition("/")
    pid = rest.partition("/")[0]
    if not pid.isdigit() or machine != _process(os.getpid()).partition("/")[0]:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _process(int(pid)) != launcher


@uninterrupted()
def log_step(run_id: str, report: Report, folders: Mapping[str, Path]) -> None:
    """Log a step's figures in one batch and its evidence as artifacts, sealed labels never."""
    client = connect()
    client.log_batch(
        run_id,
        metrics=_metrics(report.step, [*report.numbers, Number(name="seconds", value=report.seconds, unit="s")]),
        params=_params(folders),
        tags=as_tags({"poc.last_step": f"{report.step}: {report.status}"} | _charter_tags(report, folders)),
    )
    for path in _evidence(folders):
        client.log_artifact(run_id, str(path), f"evidence/{report.step}")


@uninterrupted()
def log_evidence(run_id: str, step: str, folder: Path) -> None:
    """Log what a step that is still at work has written: what it is about to point at has to be there."""
    client = connect()
    for path in _evidence({step: folder}):
        client.log_artifact(run_id, str(path), f"evidence/{step}")


@uninterrupted()
def log_afterwards(run_id: str, act: str, numbers: Sequence[Number], folder: Path) -> bool:
    """Log what an act found out about a run that is over, beside the evidence, which people sign; False where MLflow has no such run."""
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        client.log_batch(run_id, metrics=_metrics(act, numbers))
        for path in _evidence({act: folder}):
            client.log_artifact(run_id, str(path), f"afterwards/{act}")
    except MlflowException:
        return False
    return True


@uninterrupted()
def complete_evidence(run_id: str, left: Mapping[str, Mapping[str, Path]]) -> None:
    """Log what steps left in their folders and MLflow does not hold: the launcher may be a moment behind, or gone."""
    client = connect()
    for step, folders in left.items():
        held = {each.path for each in client.list_artifacts(run_id, f"evidence/{step}")}
        for path in (path for path in _evidence(folders) if f"evidence/{step}/{path.name}" not in held):
            client.log_artifact(run_id, str(path), f"evidence/{step}")


def _evidence(folders: Mapping[str, Path]) -> list[Path]:
    """List the files of a step's artifacts that go to MLflow, sealed labels never."""
    shown = (folder for artifact, folder in folders.items() if artifact != "sealed_labels" and folder.is_dir())
    return [path for folder in shown for path in sorted(folder.iterdir()) if path.suffix in layout.SHOWN]


def _metrics(step: str, numbers: Sequence[Number]) -> list[Any]:
    """Name figures `<step>.<number>`, in the letters that MLflow takes; what is not finite stays in the report."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(re.sub(r"[^\w./: -]", "_", f"{step}.{number.name}"), number.value, now, 0) for number in numbers if math.isfinite(number.value)]


def _params(folders: Mapping[str, Path]) -> list[Any]:
    from mlflow.entities import Param

    path = folders["agreement"] / layout.PARAMS_JSON if "agreement" in folders else None
    if path is None or not path.is_file():
        return []
    return [Param(name, str(value)) for name, value in Params.model_validate_json(path.read_bytes()).model_dump(mode="json").items()]


def _charter_tags(report: Report, folders: Mapping[str, Path]) -> dict[str, str]:
    """Say by which charter a run is judged, and whether that is a draft."""
    digest = report.outputs.get(f"agreement/{layout.CHARTER_JSON}")
    signoff = folders["agreement"] / layout.SIGNOFF_JSON if f"agreement/{layout.SIGNOFF_JSON}" in report.outputs else None
    draft = {"poc.draft": Signoff.model_validate_json(signoff.read_bytes()).tag} if signoff else {}
    return ({"poc.charter_sha256": digest} if digest else {}) | draft


def _timings(client: MlflowClient, run_id: str) -> Timings:
    """Read what this run's benchmark logged; nothing where it logged nothing."""
    name = f"evidence/benchmark/{layout.TIMINGS_JSON}"
    if not any(each.path == name for each in client.list_artifacts(run_id, "evidence/benchmark")):
        return Timings(confidence=math.nan, targets=[])
    with tempfile.TemporaryDirectory() as folder:
        return Timings.model_validate_json(Path(client.download_artifacts(run_id, name, folder)).read_bytes())


@uninterrupted()
def log_variants(run_id: str, assessments: Sequence[Assessment], frozen: str) -> None:
    """Log each variant as a nested run, so that MLflow's own comparison puts speed beside money."""
    from mlflow.entities import Param

    client = connect()
    experiment, timings = client.get_run(run_id).info.experiment_id, _timings(client, run_id)
    for each in assessments:
        is_frozen, speeds = each.variant == frozen, timings.speeds(each.variant)
        tags = {"mlflow.parentRunId": run_id, "poc.kind": "variant", "poc.frozen": str(is_frozen).lower(), "poc.launcher": _process(os.getpid())}
        child = client.create_run(experiment, run_name=each.variant, tags=tags).info.run_id
        params = {
            "variant": each.variant,
            "is_expected_to_pass": str(each.is_expected_to_pass),
            "refuted": ", ".join(_refuted(each)) or "nothing",
            "why_not": each.why_not or "nothing",
        }
        client.log_batch(child, metrics=_metrics("dev", _figures(each, speeds)), params=[Param(name, value) for name, value in params.items()])
        client.set_terminated(child, "FINISHED")
        if is_frozen:
            slowest = max((speed.timing.open_loop_p99_ms for speed in speeds if speed.timing), default=math.nan)
            metrics = _metrics("evaluate", [Number(name="p99_ms", value=slowest, unit="ms")])
            client.log_batch(run_id, metrics=metrics, tags=as_tags({"poc.latency": _latency(speeds)}))


def _latency(speeds: Sequence[Speed]) -> str:
    """Say what the p99 of a variant shows: the worst of all targets."""
    said = {"NOT PROVEN" if speed.timing is None or speed.differences else speed.timing.latency_verdict for speed in speeds}
    return next((verdict for verdict in ("FAIL", "NOT PROVEN", "NOISY", "INCONCLUSIVE", "PASS") if verdict in said), "NOT PROVEN")


def _refuted(assessment: Assessment) -> list[str]:
    return [limit.name for limit in assessment.limits if limit.verdict == "NO-GO"]


def _figures(assessment: Assessment, speeds: Sequence[Speed]) -> list[Number]:
    money = assessment.money.per_period
    found = {
        **({"missed": counted.missed, "false_alarms": counted.false_alarms} if isinstance(counted := assessment.counted, Confusion) else {}),
        **{limit.name: limit.measured for limit in assessment.limits if limit.unit == "share"},
        "money_low": money.low,
        "money_middle": money.middle,
        "money_high": money.high,
        "chance_of_go": assessment.chance_of_go,
        "cpu_us_per_call": assessment.cpu_us_per_call,
        "cost_per_million": assessment.cost_per_million.middle,
    }
    for speed in speeds:
        target = f"{speed.target}." if len(speeds) > 1 else ""
        found |= {f"{target}{name}": getattr(speed.timing, name) for name in TIMED if speed.timing}
    return [Number(name=name, value=value, unit="") for name, value in found.items()]


def run_url(run_id: str) -> str:
    """Return the address of a run's page, in MLflow's mode for trained models."""
    experiment = connect().get_run(run_id).info.experiment_id
    return f"{ui_root()}/#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"


def evidence_url(run_id: str, step: str, name: str) -> str:
    """Return the address at which MLflow shows a file of evidence."""
    return run_url(run_id).replace("?", f"/artifacts/evidence/{step}/{name}?", 1)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run, for comparison; `last_step` is where it ended, and a figure is None where a run did not get that far.

    `dev_shares` holds the errors that the charter limits, by name, as the frozen variant made them on dev; `latency` says what its p99, as it was measured,
    shows: on a busy machine the figure may be far from what the model does by itself.
    """

    run: str
    started: str
    status: str
    last_step: str | None
    candidate: bool
    verdict: str | None
    dev_shares: dict[str, float]
    p99_ms: float | None
    latency: str | None
    dev_money_per_period: float | None
    chance_of_go: float | None
    seconds: float | None


def run_rows(project: str) -> list[RunRow]:
    """List runs, the newest first."""
    client = connect()
    runs = client.search_runs([experiment_of(client, project)], "tags.`poc.kind` = 'run'", order_by=["attributes.start_time DESC"], max_results=200)
    return [
        RunRow(
            run=run.info.run_name,
            started=datetime.fromtimestamp(run.info.start_time / 1e3, UTC).strftime("%Y-%m-%d %H:%M"),
            status=run.info.status,
            last_step=run.data.tags.get("poc.last_step"),
            candidate=run.data.tags.get("poc.candidate") == "true",
            verdict=run.data.tags.get("poc.verdict"),
            dev_shares=_dev_shares(run.data.metrics),
            p99_ms=run.data.metrics.get("evaluate.p99_ms"),
            latency=run.data.tags.get("poc.latency"),
            dev_money_per_period=run.data.metrics.get("evaluate.dev_money"),
            chance_of_go=run.data.metrics.get("evaluate.chance_of_go"),
            seconds=(run.info.end_time - run.info.start_time) / 1e3 if run.info.end_time else None,
        )
        for run in runs
    ]


def _dev_shares(metrics: Mapping[str, float]) -> dict[str, float]:
    """Find the shares that `evaluate` logged, by name."""
    return {name.removeprefix("evaluate."): value for name, value in metrics.items() if name.startswith("evaluate.dev_") and "_share" in name}


@uninterrupted()
def set_verdict(run_id: str, verdict: str, *, note: str) -> None:
    """Tag a run with its verdict, and say it in words on the run's page."""
    connect().log_batch(run_id, tags=as_tags({"poc.verdict": verdict, "mlflow.note.content": note}))
