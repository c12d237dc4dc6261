"""MLflow's own page, opened as people here need it: for training models, without its advertising."""

from __future__ import annotations

from typing import Any

from poc.tools.tracking.guard.shield import App, Message, Receive, Send

#: What MLflow's pages remember in the browser; a choice that somebody made there stays.
REMEMBERED = b"""<script>try{for(const[name,value]of[["mlflow.workflowType_v1",'"machine_learning"'],\
["_mlflow_model_registry_promo_modal_dismissed_v1","true"],["mlflow.assistant.panelOpen_v1","false"],["mlflow.assistant.fab.autoOpenedOnFirstLoad_v1","true"]])\
if(localStorage.getItem(name)===null)localStorage.setItem(name,value)}catch(_){}</script>"""


class Opening:
    """Puts a line into MLflow's index page and into nothing else: what is downloaded is what was logged."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", "/"):
            return await self._app(scope, receive, send)
        # Neither a part of the page nor a word that it has not changed could take the line.
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-none-match", b"if-modified-since", b"if-range")]
        return await self._app({**scope, "headers": headers}, receive, _inserting(send))


def _inserting(send: Send) -> Send:
    start: Message = {}
    body = bytearray()

    async def insert(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        page = bytes(body).replace(b"<head>", b"<head>" + REMEMBERED, 1) if _is_a_page(start) else bytes(body)
        headers: list[Any] = [(name, value) for name, value in start["headers"] if name.lower() not in (b"content-length", b"etag", b"last-modified")]
        await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
        await send({"type": "http.response.body", "body": page})

    return insert


def _is_a_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    return start["status"] == 200 and headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
