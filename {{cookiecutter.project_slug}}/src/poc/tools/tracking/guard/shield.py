"""Routes that reach no store: uploads and removals of artifacts, whatever way their path is written, and MLflow's assistant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

from poc.rules.signoff import Finding, artifact_places, guarded
from poc.tools.tracking.guard.signed import Signed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

READS = ("GET", "HEAD", "OPTIONS")
ARTIFACTS, UPLOAD, PRESIGNED = "mlflow-artifacts", "upload-artifact", "presigned-upload-url"


class Shield:
    """Stands before the whole server: artifacts go past Flask, where MLflow's own hooks are."""

    def __init__(self, app: App, signed: Signed) -> None:
        self._app, self._signed = app, signed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = artifact_places.names_in(scope["path"])
        if ("mlflow", "assistant") in pairwise(path):
            return await _answer(send, 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "MLflow's assistant is closed on this server."})
        if scope["method"] not in READS and {ARTIFACTS, UPLOAD, PRESIGNED} & set(path):
            query = scope.get("query_string", b"").decode("latin-1")
            found = await asyncio.to_thread(self.against, scope["method"], path, query)
            if found:
                return await _answer(send, 403, {"error_code": "PERMISSION_DENIED", "message": guarded.in_a_dialog(found[:1])})
        return await self._app(scope, receive, send)

    def against(self, method: str, path: list[str], query: str) -> list[Finding]:
        """List what speaks against a write to artifacts."""
        removes = method == "DELETE"
        found = artifact_places.upload_can_be_seen(path)
        for place in _places(path, query):
            found += artifact_places.path_leads_down(place) + artifact_places.removal_names_a_run(place, removes=removes)
            for name, below in artifact_places.ids_in(place):
                found += artifact_places.artifact_is_free(below, self._stages_of(name), removes=removes)
        return found

    def _stages_of(self, name: str) -> artifact_places.Stages:
        return self._signed.stages_of_logged_model(name) | self._signed.stages_of_run(name)


def _places(path: list[str], query: str) -> list[list[str]]:
    """Say where a request writes, as names from the store's root on; for a form of the browser, by its run and the path in it."""
    if ARTIFACTS in path:
        return [path[path.index(ARTIFACTS) + 2 :]]
    if UPLOAD not in path:
        return []
    said = parse_qs(query, keep_blank_values=True)
    return [
        [*artifact_places.names_in(run), "artifacts", *artifact_places.names_in(inner)] for run in said.get("run_uuid", []) for inner in said.get("path", [])
    ]


async def _answer(send: Send, status: int, body: dict[str, str]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
