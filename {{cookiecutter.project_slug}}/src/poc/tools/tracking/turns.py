"""Turns: through a tracking server one gate at a time takes a look, on whatever machine; the file lock ends where its machine ends."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from poc.errors import EnvironmentRefused
from poc.tools.tracking.connection import connect, is_on_this_machine
from poc.tools.tracking.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: A registered model that stands for the turn: MLflow's database refuses a second one of the same name, and forgets one that is deleted.
TURN = "poc-a-look-is-being-taken"
HOLDER = "poc.turn"
#: From when on a turn is taken away from a gate that has died: it takes well below a second. One that was only slow finds out, and sees nothing.
STALE_S = 30.0
#: How long a gate waits for its turn.
PATIENCE_S = 300.0


@contextmanager
def turn() -> Iterator[Callable[[], bool]]:
    """Wait for the turn to take a look; what is yielded says whether the turn is still this gate's.

    Ask it after the look was recorded and before anything is seen. Whoever takes the turn over reads the looks afterwards: either it finds this
    look, or this gate finds that it has lost its turn. No clock and no patience can make two of one look.

    Raises:
        EnvironmentRefused: other gates, or whatever keeps MLflow from giving turns, took too long.
    """
    if is_on_this_machine():
        yield lambda: True  # `one_at_a_time` keeps the others out
        return
    client, mine = connect(), secrets.token_hex(16)
    _wait(client, mine)
    try:
        yield lambda: _holder(client) == mine
    finally:
        _take_away(client, mine)


def _wait(client: MlflowClient, mine: str) -> None:
    began = since = time.monotonic()
    holder = ""
    while not _is_taken(client, mine):
        last, holder = holder, _holder(client)
        since = since if holder == last else time.monotonic()
        if holder and time.monotonic() - since > STALE_S:
            _take_away(client, holder)
        if time.monotonic() - began > PATIENCE_S:
            raise EnvironmentRefused(
                f"no turn to take a look in {PATIENCE_S:.0f} s: MLflow would not register {TURN!r}",
                where="MLFLOW_TRACKING_URI",
                fix="wait for the other gates; see whether you may register models there, and delete that one if no gate runs",
            )
        time.sleep(random.uniform(0.05, 0.25))


@uninterrupted()
def _is_taken(client: MlflowClient, mine: str) -> bool:
    """Try to take the turn; one that an answer got lost on the way back is taken too."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(TURN, tags={HOLDER: mine}, description="A gate is taking a look at sealed rows. This goes by itself within a minute.")
    except MlflowException:  # somebody has it; or the database is busy, and says so in many ways
        return _holder(client) == mine
    return True


def _holder(client: MlflowClient) -> str:
    """Say whose turn it is; nobody's, if MLflow cannot tell."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_registered_model(TURN).tags.get(HOLDER, "unknown"))
    except MlflowException:
        return ""


@uninterrupted()
def _take_away(client: MlflowClient, holder: str) -> None:
    from mlflow.exceptions import MlflowException

    if _holder(client) == holder:
        try:
            client.delete_registered_model(TURN)
        except MlflowException:
            return  # somebody was faster, or the next gate finds it stale
