"""The web: Open Inference Protocol v2 over HTTP, a thin ASGI application on uvicorn."""

from poc.tools.web.application import MAX_BODY_BYTES, Answered, Application, Seen
from poc.tools.web.protocol import MAX_ROWS, BadRequest
from poc.tools.web.server import listen, serve, serve_on
from poc.tools.web.workers import Workers

__all__ = ["MAX_BODY_BYTES", "MAX_ROWS", "Answered", "Application", "BadRequest", "Seen", "Workers", "listen", "serve", "serve_on"]
