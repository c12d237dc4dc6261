"""Time variants in rounds, each once in every round and loaded anew, so that what disturbs a round hits all alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poc.rules.rounds import FEWEST, that_count
from poc.tools import machine
from poc.tools.machine import Clocks

Call = Callable[[], None]
Floats = NDArray[np.float64]
#: So many rounds are to count; where the machine disturbs them, twice as many are tried.
ROUNDS = 12
MOST_ROUNDS = 24
#: A variant is called for about so long in a round, or so often that the rounds together ask every row, and a third as often before that to warm up.
SECONDS_A_ROUND = 0.005
FEWEST_CALLS, MOST_CALLS = 3, 100
#: Longer than the turn that a scheduler gives another process, so that no such process stays hidden between two turns.
PROBE_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """What the rounds took: per variant the seconds of each call, shape (n_rounds, n_calls), and CPU seconds per call, shape (n_rounds,).

    `lost` holds the shares of time that something else took before, during and after each round, shape (n_rounds, 3); `counts` which rounds count.
    """

    wall: dict[str, Floats]
    cpu: dict[str, Floats]
    lost: Floats
    counts: NDArray[np.bool_]

    def walls(self, name: str) -> Floats:
        """Return the median seconds of a call, round by round, shape (n_rounds,)."""
        found: Floats = np.median(self.wall[name], axis=1)
        return found


def time_calls(call: Call, n: int, clocks: Clocks) -> Floats:
    """Time calls one after another; seconds, shape (n,), float64."""
    seconds = np.empty(n)
    for i in range(n):
        started = clocks.wall()
        call()
        seconds[i] = clocks.wall() - started
    return seconds


def calls_a_round(seconds_a_call: float, rows: int, seconds: float) -> int:
    """Return how often a variant is called in one round: often enough for every row to have its turn, where all rounds take no longer than given."""
    every_row = min(math.ceil(rows / ROUNDS), seconds / ROUNDS / seconds_a_call)
    return int(np.clip(max(every_row, SECONDS_A_ROUND / seconds_a_call), FEWEST_CALLS, MOST_CALLS))


def paired_rounds(load: Mapping[str, Callable[[], Call]], calls: Mapping[str, int], clocks: Clocks, *, seed: int) -> Rounds:
    """Time rounds in random order until enough of them count; a round that was disturbed is repeated, while there still may be enough."""
    wall: dict[str, list[Floats]] = {name: [] for name in load}
    cpu: dict[str, list[float]] = {name: [] for name in load}
    lost: list[tuple[float, float, float]] = []
    shuffle = np.random.default_rng(seed)
    before = machine.time_lost(PROBE_S, clocks)
    kept = 0
    while kept < ROUNDS and len(lost) < MOST_ROUNDS and kept + MOST_ROUNDS - len(lost) >= FEWEST:
        took, computed = 0.0, 0.0
        for name in shuffle.permutation(list(load)):
            call = load[name]()
            time_calls(call, -(-calls[name] // 3), clocks)
            started, computed_before = clocks.wall(), clocks.cpu()
            wall[name].append(time_calls(call, calls[name], clocks))
            cpu_s = clocks.cpu() - computed_before
            took, computed = took + clocks.wall() - started, computed + cpu_s
            cpu[name].append(cpu_s / calls[name])
        after = machine.time_lost(PROBE_S, clocks)
        lost.append((before, max(0.0, 1.0 - computed / took), after))
        before, kept = after, int(that_count(np.array(lost)).sum())
    return Rounds(
        wall={name: np.array(each) for name, each in wall.items()},
        cpu={name: np.array(each) for name, each in cpu.items()},
        lost=np.array(lost),
        counts=that_count(np.array(lost)),
    )
