"""Serve a frozen candidate, after checking that its bytes are the ones that were judged."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from poc.errors import PocError
from poc.rules.evidence import Candidate
from poc.steps.frozen import frozen_model
from poc.tools import files, web
from poc.tools.onnx_runtime import Scorer


def application(frozen: Candidate, content: bytes, **more: Any) -> web.Application:
    """Load a frozen candidate's bytes and return what answers for it; `more` are further fields of the application."""
    return web.Application(
        name=frozen.project,
        deciding=frozen,
        inputs=frozen.inputs,
        answers=Scorer(content).answers,
        model_sha256=frozen.model_sha256,
        **more,
    )


def serve(candidate: Path, *, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    """Answer predictions until stopped; port 0 takes a free one. The bytes that were checked are the bytes that are loaded.

    Raises:
        Refused: the model's bytes are not those of `candidate.json`.
        EnvironmentRefused: the port is taken.
    """
    app = application(*frozen_model(candidate))
    web.serve(app, host=host, port=port, on_ready=on_ready)


def main() -> None:
    """Serve for another program, such as `poc replay`: the port goes to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidate", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        serve(arguments.candidate, host="127.0.0.1", port=0, on_ready=lambda port: files.write_atomically(arguments.port_file, str(port).encode()))
    except PocError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
