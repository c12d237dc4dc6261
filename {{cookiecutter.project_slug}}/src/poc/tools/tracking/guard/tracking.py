"""MLflow's record of runs, where the runs and logged models of versions that were decided about stay as they were."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from poc.rules.signoff import Finding, artifact_places, guarded
from poc.tools.tracking.guard.decisions import refuse
from poc.tools.tracking.guard.signed import Signed

#: What changes a run, or what MLflow shows of it.
OF_RUNS = (
    "update_run_info", "delete_run", "log_param", "set_tag", "delete_tag", "record_logged_model", "log_inputs", "log_outputs", "link_traces_to_run",
    "unlink_traces_from_run",
)  # fmt: skip
#: What changes a logged model.
OF_LOGGED_MODELS = (
    "log_logged_model_params", "delete_logged_model", "finalize_logged_model", "set_logged_model_tags", "delete_logged_model_tag", "set_model_versions_tags",
)  # fmt: skip
#: What takes an experiment away, or hides it under another name.
OF_EXPERIMENTS = ("delete_experiment", "rename_experiment")


class GuardedTracking(SqlAlchemyStore):
    """The record of runs in a database, with the guard before each write that could touch what is signed."""

    def __init__(self, db_uri: str, artifact_root: str, signed: Signed) -> None:
        super().__init__(db_uri, artifact_root)
        self._signed = signed

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Any = None) -> str:
        """Make an experiment, but none whose artifacts would pass the guard by, or lie among those of a signed run."""
        refuse(artifact_places.artifacts_go_through_the_server(artifact_location))
        path = artifact_places.names_in(urlsplit(artifact_location or "").path)
        refuse(artifact_places.path_leads_down(path))
        for run_id, _ in artifact_places.ids_in(path):
            refuse(self._of_run(run_id))
        return super().create_experiment(name, artifact_location, tags)

    def log_metric(self, run_id: str, metric: Metric) -> None:
        """Log a figure; of a signed run only what is found out afterwards."""
        refuse(guarded.metrics_came_afterwards([metric.key], self._signed.stages_of_run(run_id)))
        super().log_metric(run_id, metric)

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        """Log a batch; of a signed run only figures that are found out afterwards."""
        stages = self._signed.stages_of_run(run_id)
        named = [each.key for each in metrics] or [run_id]
        refuse(guarded.is_undecided(f"run {run_id}", stages) if params or tags else guarded.metrics_came_afterwards(named, stages))
        super().log_batch(run_id, metrics, params, tags)

    def create_logged_model(self, experiment_id: str, name: str | None = None, source_run_id: str | None = None, *more: Any, **named: Any) -> Any:
        """Make a logged model, but none that claims to come from a signed run."""
        refuse(self._of_run(source_run_id or ""))
        return super().create_logged_model(experiment_id, name, source_run_id, *more, **named)

    def _of_run(self, run_id: str) -> list[Finding]:
        return guarded.is_undecided(f"run {run_id}", self._signed.stages_of_run(run_id))

    def _of_logged_model(self, model_id: str) -> list[Finding]:
        stages = self._signed.stages_of_logged_model(model_id)
        if not stages:
            source = self.get_logged_model(model_id, allow_deleted=True).source_run_id
            stages = self._signed.stages_of_run(source or "")
        return guarded.is_undecided(f"logged model {model_id}", stages)

    def _of_experiment(self, experiment_id: str) -> list[Finding]:
        for run_id, stages in self._signed.runs():
            if guarded.number_of(self.get_run(run_id).info.experiment_id) == guarded.number_of(experiment_id):
                return guarded.is_undecided(f"run {run_id} in experiment {experiment_id}", stages)
        return []


def _asking(name: str, argument: str, ask: Callable[[GuardedTracking, str], list[Finding]]) -> Callable[..., Any]:
    """Let a write of MLflow's ask first about the run, model or experiment that it names."""
    write = getattr(SqlAlchemyStore, name)
    signature = inspect.signature(write)

    @functools.wraps(write)
    def asked(store: GuardedTracking, *given: Any, **named: Any) -> Any:
        refuse(ask(store, signature.bind(store, *given, **named).arguments[argument]))
        return write(store, *given, **named)

    return asked


for _name in OF_RUNS:
    setattr(GuardedTracking, _name, _asking(_name, "run_id", GuardedTracking._of_run))
for _name in OF_LOGGED_MODELS:
    setattr(GuardedTracking, _name, _asking(_name, "model_id", GuardedTracking._of_logged_model))
for _name in OF_EXPERIMENTS:
    setattr(GuardedTracking, _name, _asking(_name, "experiment_id", GuardedTracking._of_experiment))
