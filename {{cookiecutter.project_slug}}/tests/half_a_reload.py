"""Two workers, asked all the time, and a replacement of which the first worker loads and the second does not: say who answered, and what was lost."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

from small_models import INPUTS, some_rows

from poc.rules.oip import infer_request
from poc.steps.frozen import frozen_model
from poc.tools import frames, web
from poc.tools.onnx_runtime import Scorer


def application(folder: Path) -> web.Application:
    """Load a candidate."""
    frozen, content = frozen_model(folder)
    return web.Application(name=frozen.project, deciding=frozen, inputs=frozen.inputs, answers=Scorer(content).answers, model_sha256=frozen.model_sha256)


def application_once(folder: Path, taken: Path) -> web.Application:
    """Load a candidate in the worker that comes first; the other ends, once that one has had time to answer."""
    try:
        taken.touch(exist_ok=False)
    except FileExistsError:
        time.sleep(2)
        os._exit(1)
    return application(folder)


def main(present: Path, other: Path) -> None:
    """Serve one candidate, try to replace it by another, and write what clients saw meanwhile."""
    body = infer_request(frames.columns(some_rows(2).tail(1), INPUTS), INPUTS)
    listeners = web.listen("127.0.0.1", 0, count=2)
    port, stop, seen, lost = listeners[0].getsockname()[1], threading.Event(), set[str](), list[str]()

    def ask() -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("POST", "/v2/models/stop-bad-parts/infer", body)
                seen.add(json.loads(connection.getresponse().read())["model_version"])
            except (OSError, http.client.HTTPException) as error:
                lost.append(repr(error))
            connection.close()
            time.sleep(0.005)

    def turn(workers: web.Workers) -> None:
        asking = [threading.Thread(target=ask) for _ in range(4)]
        for each in asking:
            each.start()
        is_replaced = workers.replace(partial(application_once, other, other.with_name("taken")))
        time.sleep(0.5)
        stop.set()
        for each in asking:
            each.join()
        sys.stdout.write(json.dumps({"is_replaced": is_replaced, "seen": sorted(seen), "lost": lost}))
        sys.stdout.flush()
        workers.should_exit.set()

    web.Workers(partial(application, present), listeners, on_ready=lambda _: None, each_turn=turn).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
