"""Prometheus metrics of a server of several processes: each counts in files of its own, any of them adds all up."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

FOLDER_SETTING = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def share(folder: Path) -> None:
    """Let this process, and those it starts, count in a folder; prometheus_client asks for it when it is imported, which is why this module does so late."""
    os.environ[FOLDER_SETTING] = str(folder)


def _counter(name: str, says: str, labels: Sequence[str] = ()) -> Counter:
    from prometheus_client import Counter

    return Counter(name, says, labels, registry=None)  # what is shown is collected from the files, not from a registry


def _gauge(name: str, says: str, labels: Sequence[str] = ()) -> Gauge:
    from prometheus_client import Gauge

    return Gauge(name, says, labels, registry=None, multiprocess_mode="max")


def _histogram(name: str, says: str, buckets: Sequence[float]) -> Histogram:
    from prometheus_client import Histogram

    return Histogram(name, says, registry=None, buckets=buckets)


class Requests:
    """What a worker counts of requests to infer."""

    def __init__(self, *, buckets_s: Sequence[float], features: Sequence[str], decisions: Sequence[str]) -> None:
        self._requests = _counter("poc_requests", "Requests to infer, by HTTP status.", ["status"])
        self._seconds = _histogram("poc_request_seconds", "Seconds from a request's first byte to its reply, within a worker.", buckets_s)
        self._rows = _counter("poc_rows", "Rows that were answered.")
        decided = _counter("poc_decisions", "Rows by what was decided.", ["decision"])
        missing = _counter("poc_missing_values", "Values that were missing, by feature.", ["feature"])
        self._unstated = _counter("poc_unstated_ages", "Requests that did not say how old a feature is whose age the charter limits.", ["feature"])
        dropped = _counter("poc_observations_dropped", "Observations for the request log or the shadow that were given up, by reason.", ["reason"])
        # A label is looked up in a microsecond, under a lock; looked up once, it costs nothing, and shows 0 before anything was counted.
        self._by_status = {200: self._requests.labels("200"), 400: self._requests.labels("400")}
        self._decided = {each: decided.labels(each) for each in decisions}
        self._missing = {each: missing.labels(each) for each in features}
        self._dropped = {each: dropped.labels(each) for each in ("full", "too large")}

    def refused(self, status: int, seconds: float) -> None:
        """Count a request that was not answered with predictions."""
        self._count(status, seconds)

    def answered(self, seconds: float, rows: int, columns: Mapping[str, NDArray[Any]], decided: Mapping[str, int]) -> None:
        """Count a request that was: columns of shape (n_rows, 1), and how many rows were decided in which way."""
        self._count(200, seconds)
        self._rows.inc(rows)
        for name, values in columns.items():
            if count := _is_missing(values.item()) if rows == 1 else _missing_in(values):
                self._missing[name].inc(count)
        for decision, count in decided.items():
            self._decided[decision].inc(count)

    def unstated(self, feature: str, requests: int) -> None:
        """Count requests that did not say how old a feature is."""
        self._unstated.labels(feature).inc(requests)

    def dropped(self, reason: str) -> None:
        """Count an observation that was given up."""
        self._dropped[reason].inc()

    def _count(self, status: int, seconds: float) -> None:
        if status not in self._by_status:
            self._by_status[status] = self._requests.labels(str(status))
        self._by_status[status].inc()
        self._seconds.observe(seconds)


class Kept:
    """What is counted where requests are logged and a shadow is scored; what a shadow did is told by its digest, for another may follow."""

    def __init__(self, shadow_sha256: str = "") -> None:
        self.logged = _counter("poc_log_rows", "Rows that the request log took.")
        self.lost = _counter("poc_log_rows_lost", "Rows that could not be written to the request log.")
        by = ["sha256"]
        requests = _counter("poc_shadow_requests", "Observations that the shadow answered.", by)
        rows = _counter("poc_shadow_rows", "Rows that the shadow answered.", by)
        decisions = _counter("poc_shadow_decisions_differing", "Rows that the shadow would have decided otherwise.", by)
        failures = _counter("poc_shadow_failures", "Observations that the shadow could not answer.", by)
        largest = _gauge("poc_shadow_largest_difference", "Largest difference between the shadow's answer and the holder's.", by)
        self._largest_so_far = 0.0
        if shadow_sha256:
            self._requests, self._rows, self._decisions, self._failures = (each.labels(shadow_sha256) for each in (requests, rows, decisions, failures))
            self._largest = largest.labels(shadow_sha256)

    def differed(self, *, rows: int, decisions: int, largest: float) -> None:
        """Count a comparison of the shadow with what was told."""
        self._requests.inc()
        self._rows.inc(rows)
        self._decisions.inc(decisions)
        if largest > self._largest_so_far:
            self._largest_so_far = largest
            self._largest.set(largest)

    def failed(self) -> None:
        """Count an observation that the shadow could not answer."""
        self._failures.inc()


class Service:
    """What the parent of all processes counts and says."""

    def __init__(self, *, workers: int, limit_ms: float | None) -> None:
        self._model = _gauge("poc_model_info", "1 for what is served, and for the shadow; 0 for what was.", ["role", "source", "sha256"])
        self.restarts = _counter("poc_worker_restarts", "Workers that died and were replaced.")
        self.observer_restarts = _counter("poc_observer_restarts", "Times that the process which logs and scores the shadow died and was replaced.")
        self._reloads = _counter("poc_reloads", "Reloads, by role and outcome.", ["role", "outcome"])
        _gauge("poc_workers", "Worker processes.").set(workers)
        if limit_ms:
            _gauge("poc_latency_limit_seconds", "The p99 that the charter allows.").set(limit_ms / 1e3)
        self._shown: dict[str, tuple[str, str]] = {}
        for role in ("holder", "shadow"):
            for outcome in ("done", "refused", "failed"):
                self._reloads.labels(role, outcome)

    def serves(self, role: str, source: str, sha256: str) -> None:
        """Show what is served now in a role."""
        if role in self._shown:
            self._model.labels(role, *self._shown[role]).set(0)
        self._shown[role] = (source, sha256)
        self._model.labels(role, source, sha256).set(1)

    def reloaded(self, role: str, outcome: str) -> None:
        """Count a reload: `done`, `refused` for good, or `failed` for now."""
        self._reloads.labels(role, outcome).inc()


def exposition() -> bytes:
    """Return what all processes counted, in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _is_missing(value: float | str) -> bool:
    """Say whether a value is missing: NaN, or the empty text that stands for a category which is not there."""
    return value != value or value == ""  # noqa: PLR0124  # NaN alone differs from itself; to ask numpy would cost ten times as much


def _missing_in(values: NDArray[Any]) -> int:
    return int(np.isnan(values).sum() if values.dtype != object else (values == "").sum())
