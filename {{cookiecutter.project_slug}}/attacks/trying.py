"""Try attacks, each on a copy of the prepared world, by several processes."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attack import Attack, Outcome, Tried
from listed import ATTACKS
from server import running
from worlds import World

PROCESSES = 2


def one(attack: Attack, value: Any, prepared: Path) -> Outcome:
    """Lay an attack, or its control, on a copy of the world that it begins with, and let the program answer."""
    with tempfile.TemporaryDirectory(dir=prepared) as folder:
        return _answered(attack, value, World(prepared / attack.begins).copied(Path(folder) / "world"))


def _answered(attack: Attack, value: Any, world: World) -> Outcome:
    try:
        attack.lay(world, value)
        return attack.through(world)
    except Exception as bug:
        return Outcome(reasons=(f"a bug: {bug!r}",), words="".join(traceback.format_exception(bug)))


def on_copies(attacks: Sequence[Attack], prepared: Path, *, has_control: bool = True) -> Iterator[Tried]:
    """Try attacks in this process, one after another."""
    for attack in attacks:
        attacked = one(attack, attack.attack, prepared)
        yield Tried(attack=attack, attacked=attacked, controlled=one(attack, attack.control, prepared) if has_control else None)


def on_one_server(attacks: Sequence[Attack], prepared: Path, *, has_control: bool = True) -> Iterator[Tried]:
    """Run one server, and try attacks on it in turn: what is refused leaves it as it was."""
    with tempfile.TemporaryDirectory(dir=prepared) as folder, running(World(prepared / "served").copied(Path(folder) / "world")) as world:
        for attack in attacks:
            attacked = _answered(attack, attack.attack, replace(world))
            yield Tried(attack=attack, attacked=attacked, controlled=_answered(attack, attack.control, replace(world)) if has_control else None)


Ended = tuple[Outcome, Outcome | None]


def _on_copies(number: int, prepared: Path) -> Ended:
    """Try one attack by its place in the list: functions do not go from process to process."""
    (tried,) = on_copies([ATTACKS[number]], prepared)
    return tried.attacked, tried.controlled


def _on_one_server(numbers: Sequence[int], prepared: Path) -> list[Ended]:
    return [(each.attacked, each.controlled) for each in on_one_server([ATTACKS[number] for number in numbers], prepared)]


def all_tried(attacks: Sequence[Attack], prepared: Path) -> Iterator[Tried]:
    """Try attacks side by side, those on the server in turn; they come back as they end, in their order."""
    numbers = [ATTACKS.index(attack) for attack in attacks]
    served, others = ([number for number in numbers if (ATTACKS[number].begins == "served") is so] for so in (True, False))
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        on_server = pool.submit(_on_one_server, served, prepared) if served else None
        for number, (attacked, controlled) in zip(others, pool.map(_on_copies, others, [prepared] * len(others)), strict=True):
            yield Tried(attack=ATTACKS[number], attacked=attacked, controlled=controlled)
        for number, (attacked, controlled) in zip(served, on_server.result() if on_server else (), strict=True):
            yield Tried(attack=ATTACKS[number], attacked=attacked, controlled=controlled)
