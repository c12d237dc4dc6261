"""Try attacks, each on a copy of the prepared world, by several processes."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attack import Attack, Outcome, Tried
from listed import ATTACKS
from server import running
from worlds import World

PROCESSES = 2


def one(attack: Attack, value: Any, prepared: World) -> Outcome:
    """Lay an attack, or its control, on a copy of the world and let the program answer."""
    with tempfile.TemporaryDirectory(dir=prepared.folder.parent) as folder:
        return _answered(attack, value, prepared.copied(Path(folder) / "world"))


def _answered(attack: Attack, value: Any, world: World) -> Outcome:
    try:
        attack.lay(world, value)
        return attack.through(world)
    except Exception as bug:
        return Outcome(reasons=(f"a bug: {bug!r}",), words="".join(traceback.format_exception(bug)))


def on_copies(attacks: Sequence[Attack], prepared: World, *, has_control: bool = True) -> Iterator[Tried]:
    """Try attacks in this process, one after another."""
    for attack in attacks:
        attacked = one(attack, attack.attack, prepared)
        yield Tried(attack=attack, attacked=attacked, controlled=one(attack, attack.control, prepared) if has_control else None)


def on_one_server(attacks: Sequence[Attack], served: World, *, has_control: bool = True) -> Iterator[Tried]:
    """Run one server, and try attacks on it in turn: what is refused leaves it as it was."""
    with tempfile.TemporaryDirectory(dir=served.folder.parent) as folder, running(served.copied(Path(folder) / "world")) as world:
        for attack in attacks:
            attacked = _answered(attack, attack.attack, replace(world))
            yield Tried(attack=attack, attacked=attacked, controlled=_answered(attack, attack.control, replace(world)) if has_control else None)


def _on_copies(number: int, prepared: Path) -> tuple[Outcome, Outcome]:
    """Try one attack by its place in the list: functions do not go from process to process."""
    attack = ATTACKS[number]
    return one(attack, attack.attack, World(prepared)), one(attack, attack.control, World(prepared))


def _on_one_server(numbers: Sequence[int], served: Path) -> list[tuple[Outcome, Outcome | None]]:
    return [(each.attacked, each.controlled) for each in on_one_server([ATTACKS[number] for number in numbers], World(served))]


def all_tried(attacks: Sequence[Attack], prepared: Path, served: Path) -> Iterator[Tried]:
    """Try attacks side by side, those on the server in turn; they come back in their order."""
    numbers = [ATTACKS.index(attack) for attack in attacks]
    on_server, on_copies = ([number for number in numbers if ATTACKS[number].on_server is is_so] for is_so in (True, False))
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        server = pool.submit(_on_one_server, on_server, served) if on_server else None
        outcomes: Iterator[tuple[Outcome, Outcome | None]] = chain(
            pool.map(_on_copies, on_copies, [prepared] * len(on_copies)), (each for each in (server.result() if server else []))
        )
        for number, (attacked, controlled) in zip([*on_copies, *on_server], outcomes, strict=True):
            yield Tried(attack=ATTACKS[number], attacked=attacked, controlled=controlled)
