"""Turns: through a tracking server one at a time takes a look or moves a stage, on whatever machine; the file lock ends where its machine ends."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poc.errors import EnvironmentRefused
from poc.tools.tracking.connection import connect, is_on_this_machine
from poc.tools.tracking.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What only one does at a time, and the registered model that stands for it: MLflow's database refuses a second one of the same name."""

    name: str
    doing: str
    others: str


A_LOOK = Turn(name="poc-a-look-is-being-taken", doing="take a look", others="gates")
HOLDER = "poc.turn"
#: From when on a turn is taken away from one that has died: it takes well below a second. One that was only slow finds out, and does nothing.
STALE_S = 30.0
#: How long one waits for its turn.
PATIENCE_S = 300.0


def a_move(project: str) -> Turn:
    """Name the turn to move a stage of a project."""
    return Turn(name=f"poc-a-stage-is-being-moved-{project}", doing="move a stage", others="promotions")


@contextmanager
def turn(of: Turn = A_LOOK) -> Iterator[Callable[[], bool]]:
    """Wait for the turn; what is yielded says whether it is still this one's.

    Ask it after what is intended was recorded and before anything is done. Whoever takes the turn over to look reads the looks afterwards: either it
    finds this look, or this gate finds that it has lost its turn. No clock and no patience can make two of one look.

    Raises:
        EnvironmentRefused: others, or whatever keeps MLflow from giving turns, took too long.
    """
    if is_on_this_machine():
        yield lambda: True  # `one_at_a_time` keeps the others out
        return
    client, mine = connect(), secrets.token_hex(16)
    _wait(client, of, mine)
    try:
        yield lambda: _holder(client, of) == mine
    finally:
        _take_away(client, of, mine)


def _wait(client: MlflowClient, of: Turn, mine: str) -> None:
    began = since = time.monotonic()
    holder = ""
    while not _is_taken(client, of, mine):
        last, holder = holder, _holder(client, of)
        since = since if holder == last else time.monotonic()
        if holder and time.monotonic() - since > STALE_S:
            _take_away(client, of, holder)
        if time.monotonic() - began > PATIENCE_S:
            raise EnvironmentRefused(
                f"no turn to {of.doing} in {PATIENCE_S:.0f} s: MLflow would not register {of.name!r}",
                where="MLFLOW_TRACKING_URI",
                fix=f"wait for the other {of.others}; see whether you may register models there, and delete that one if none of them runs",
            )
        time.sleep(random.uniform(0.05, 0.25))


@uninterrupted()
def _is_taken(client: MlflowClient, of: Turn, mine: str) -> bool:
    """Try to take the turn; one that an answer got lost on the way back is taken too."""
    from mlflow.exceptions import MlflowException

    said = f"Somebody has the turn to {of.doing}. This goes by itself within a minute."
    try:
        client.create_registered_model(of.name, tags={HOLDER: mine}, description=said)
    except MlflowException:  # somebody has it; or the database is busy, and says so in many ways
        return _holder(client, of) == mine
    return True


def _holder(client: MlflowClient, of: Turn) -> str:
    """Say whose turn it is; nobody's, if MLflow cannot tell."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_registered_model(of.name).tags.get(HOLDER, "unknown"))
    except MlflowException:
        return ""


@uninterrupted()
def _take_away(client: MlflowClient, of: Turn, holder: str) -> None:
    from mlflow.exceptions import MlflowException

    if _holder(client, of) == holder:
        try:
            client.delete_registered_model(of.name)
        except MlflowException:
            return  # somebody was faster, or the next one finds it stale
