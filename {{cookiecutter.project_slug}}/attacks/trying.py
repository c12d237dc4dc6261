"""Try attacks, each on a copy of the prepared world, by several processes."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attack import Attack, Outcome, Tried
from listed import ATTACKS
from worlds import World

PROCESSES = 2


def one(attack: Attack, value: Any, prepared: World) -> Outcome:
    """Lay an attack, or its control, on a copy of the world and let the program answer."""
    with tempfile.TemporaryDirectory(dir=prepared.folder.parent) as folder:
        world = prepared.copied(Path(folder) / "world")
        try:
            attack.lay(world, value)
            return attack.through(world)
        except Exception as bug:
            return Outcome(reasons=(f"a bug: {bug!r}",), words="".join(traceback.format_exception(bug)))


def tried(number: int, prepared: Path, *, has_control: bool = True) -> Tried:
    """Try an attack by its place in the list."""
    attack, world = ATTACKS[number], World(prepared)
    attacked = one(attack, attack.attack, world)
    return Tried(attack=attack, attacked=attacked, controlled=one(attack, attack.control, world) if has_control else None)


def _ended(number: int, prepared: Path) -> tuple[Outcome, Outcome | None]:
    """Return what goes between processes: functions do not."""
    found = tried(number, prepared)
    return found.attacked, found.controlled


def all_tried(attacks: Sequence[Attack], prepared: Path) -> Iterator[Tried]:
    """Try attacks side by side; they come back in their order."""
    numbers = [ATTACKS.index(attack) for attack in attacks]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for attack, (attacked, controlled) in zip(attacks, pool.map(_ended, numbers, [prepared] * len(numbers)), strict=True):
            yield Tried(attack=attack, attacked=attacked, controlled=controlled)
