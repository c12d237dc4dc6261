"""Serve by worker processes: watched, counted, reloaded when another candidate is promoted, with a shadow beside them if one is named."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson

from poc.acts.admit import Admitted, Source, check_shadow
from poc.acts.following import Follower, Found, Role
from poc.acts.observing import Observing
from poc.acts.worker import HEALTH, REASON, Work, application
from poc.errors import EnvironmentRefused, PocError
from poc.rules.observed import latency_buckets
from poc.tools import files, metrics, request_log, web


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where requests are logged, which share of them, and how much of it stays."""

    folder: Path
    share: float
    bounds: request_log.Bounds


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve; `poll_seconds` is how often sources are asked for something new, None for on SIGHUP only, and `limit_ms` the charter's p99."""

    holder: Source
    shadow: Source | None = None
    workers: int = 1
    host: str = "127.0.0.1"
    port: int = 8080
    poll_seconds: float | None = None
    log: Log | None = None
    require_age: bool = False
    limit_ms: float | None = None


def serve_by_workers(settings: Settings, *, on_ready: Callable[[int, Admitted], None], say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets the port and what is served, and `say` whatever an operator should read.

    Raises:
        Refused: what is to be served does not verify.
        EnvironmentRefused: the port is taken, or nothing can be started.
    """
    listeners = web.listen(settings.host, settings.port, count=settings.workers)
    try:
        with tempfile.TemporaryDirectory(prefix="poc-serve-", ignore_cleanup_errors=True) as shared:
            _Service(settings, Path(shared), listeners, say).run(on_ready)
    finally:
        for each in listeners:
            each.close()


def now() -> str:
    """Say the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(kw_only=True)
class _Serving:
    """What is served in a role, and what the last attempt at something else ended in."""

    admitted: Admitted
    since: str = field(default_factory=now)
    last_refusal: dict[str, str] | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "sha256": self.admitted.candidate.model_sha256,
            "variant": self.admitted.candidate.variant,
            "source": self.admitted.source,
            "since": self.since,
            "last_refusal": self.last_refusal,
        }


class _Service:
    """The parent of all processes: it serves nothing itself."""

    def __init__(self, settings: Settings, shared: Path, listeners: Sequence[socket.socket], say: Callable[[str], None]) -> None:
        self._settings, self._shared, self._listeners, self._say = settings, shared, listeners, say
        sources: dict[Role, Source] = {"holder": settings.holder}
        if settings.shadow:
            sources["shadow"] = settings.shadow
        self._follower = Follower(sources, shared, every_s=settings.poll_seconds)
        self._serving: dict[Role, _Serving] = {role: _Serving(admitted=self._follower.first(role)) for role in sources}
        if "shadow" in self._serving:
            check_shadow(self._admitted("shadow").candidate, self._admitted("holder").candidate)
        if settings.log:
            request_log.prepare(settings.log.folder)
        metrics.share(shared)
        self._metrics = metrics.Service(workers=settings.workers, limit_ms=settings.limit_ms)
        log = settings.log
        self._observing = Observing(log.folder if log else None, log.bounds if log else None) if log or settings.shadow else None

    def run(self, on_ready: Callable[[int, Admitted], None]) -> None:
        """Start everything, watch it, and end it in order: workers first, then who writes down what they told."""
        for role in self._serving:
            self._show(role)
        try:
            if self._observing:
                self._observing.start(self._shadow_folder())
            self._note()
            workers = web.Workers(
                self._make(),
                self._listeners,
                on_ready=lambda port: on_ready(port, self._admitted("holder")),
                each_turn=self._turn,
                on_death=self._mourn,
                on_hangup=self._follower.look_now,
            )
            self._follower.start()
            try:
                workers.run()
            except EnvironmentRefused as error:
                raise EnvironmentRefused(
                    self._reason() or str(error), where="poc serve", fix="serve another candidate, or read why this one does not load"
                ) from error
        finally:
            if self._observing:
                self._observing.end()

    def _mourn(self) -> None:
        """Count a worker that died, and say why where it did not even load."""
        self._metrics.restarts.inc()
        reason = self._reason()
        self._say(f"a worker did not load: {reason}" if reason else "a worker died; another is started")

    def _turn(self, workers: web.Workers) -> None:
        """Take up what the follower found, and see whether the observer lives."""
        while not self._follower.found.empty():
            self._take_up(self._follower.found.get(), workers)
        if self._observing and self._observing.replaced():
            self._metrics.observer_restarts.inc()
            self._note()
            self._say("the observer died; another was started")

    def _take_up(self, found: Found, workers: web.Workers) -> None:
        """Serve what was found, or say why the present one goes on."""
        if found.admitted is None:
            self._refuse(found.role, found.outcome or "failed", found.why)
            return
        before, self._serving[found.role] = self._serving[found.role], _Serving(admitted=found.admitted)
        if problem := self._problem_with(found.role, workers):
            self._serving[found.role] = before
            shutil.rmtree(found.admitted.folder, ignore_errors=True)
            self._refuse(found.role, "refused", problem)
            return
        shutil.rmtree(before.admitted.folder, ignore_errors=True)
        self._metrics.reloaded(found.role, "done")
        self._show(found.role)
        self._note()
        self._say(f"{found.role}: {found.admitted.source} is served now, {found.admitted.candidate.model_sha256[:12]}")

    def _problem_with(self, role: Role, workers: web.Workers) -> str:
        """Put what was found to work; return why that is not possible, and leave all as it was."""
        try:
            if "shadow" in self._serving:
                check_shadow(self._admitted("shadow").candidate, self._admitted("holder").candidate)
        except PocError as error:
            if role == "shadow":
                return str(error)
            self._say(f"the shadow does not fit what is served from now on, and will fail: {error}")
        if role == "holder":
            return "" if workers.replace(self._make()) else self._reason() or "a worker did not start in time"
        try:
            if self._observing:
                self._observing.start(self._shadow_folder(), goes_on=workers.watched)
        except EnvironmentRefused as error:
            return str(error)
        return ""

    def _refuse(self, role: Role, outcome: str, why: str) -> None:
        self._serving[role].last_refusal = {"at": now(), "outcome": outcome, "why": why}
        self._metrics.reloaded(role, outcome)
        self._note()
        self._say(f"{role}: {self._admitted(role).source} goes on; {why}")

    def _make(self) -> Callable[[], web.Application]:
        """Return what each worker calls to make what it serves."""
        (self._shared / REASON).unlink(missing_ok=True)
        log, settings = self._settings.log, self._settings
        work = Work(
            folder=self._admitted("holder").folder,
            shared=self._shared,
            buckets_s=latency_buckets(settings.limit_ms),
            require_age=settings.require_age,
            into=self._observing.into if self._observing else None,
            log_share=log.share if log else 0.0,
            is_shadowed=settings.shadow is not None,
        )
        return partial(application, work)

    def _admitted(self, role: Role) -> Admitted:
        return self._serving[role].admitted

    def _shadow_folder(self) -> Path | None:
        return self._admitted("shadow").folder if "shadow" in self._serving else None

    def _show(self, role: Role) -> None:
        admitted = self._admitted(role)
        self._metrics.serves(role, admitted.source, admitted.candidate.model_sha256)

    def _note(self) -> None:
        """Write down what is served, for the workers' page on health."""
        said: dict[str, object] = {"live": True, "workers": self._settings.workers, "observer": self._observing and self._observing.pid}
        said |= {role: serving.as_json() for role, serving in self._serving.items()}
        files.write_atomically(self._shared / HEALTH, orjson.dumps(said))

    def _reason(self) -> str:
        """Take what a worker left that did not load."""
        path = self._shared / REASON
        reason = path.read_text(errors="replace") if path.is_file() else ""
        path.unlink(missing_ok=True)
        return reason
