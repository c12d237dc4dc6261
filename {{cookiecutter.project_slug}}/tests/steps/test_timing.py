"""The process that times, on a machine made of two clocks: what it does about waiting, noise and the time it was given."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifacts import fast_timings
from builders import a_charter, a_money, a_speed

from poc.rules.evidence import Confusion, Interval
from poc.rules.latency import expected_p99_ms, most_beyond
from poc.rules.queueing import calls_alike, p99_at
from poc.rules.rounds import FEWEST
from poc.rules.verdict import judge
from poc.steps import open_loop, timing
from poc.steps.open_loop import Asked, Known, OpenLoop, look
from poc.steps.paired_rounds import MOST_ROUNDS, ROUNDS, calls_a_round, paired_rounds
from poc.tools.machine import Clocks


class Machine:
    """Two clocks: looking at one takes ten microseconds, work takes as long as it says, and what another process takes is not computed by this one."""

    def __init__(self) -> None:
        self.now = self.computed = 0.0
        self.clocks = Clocks(wall=self._look, cpu=lambda: self.computed)

    def _look(self) -> float:
        self.work(1e-5)
        return self.now

    def work(self, seconds: float) -> None:
        self.now, self.computed = self.now + seconds, self.computed + seconds

    def lose(self, seconds: float) -> None:
        self.now += seconds

    def call(self, seconds: float, lost: float = 0.0) -> Callable[[], None]:
        return lambda: (self.work(seconds), self.lose(lost))[0]


def answered(machine: Machine, seconds: float, rate_per_s: float, n: int) -> np.ndarray:
    return OpenLoop(machine.call(seconds), rate_per_s, 0, machine.clocks).answer(n) * 1e3


def test_arrivals_now_and_then_wait_for_nobody_and_their_idle_time_is_cut() -> None:
    machine = Machine()
    assert answered(machine, 0.002, 1 / 60, 628) == pytest.approx(2.0, abs=0.03)
    assert machine.now < 628 * (0.002 + open_loop.LONGEST_IDLE_S + 1e-4)


def test_arrivals_faster_than_answers_wait_longer_and_longer() -> None:
    found = answered(Machine(), 0.002, 5000.0, 500)
    assert found[-1] == pytest.approx(500 * 2 - 500 / 5, rel=0.1)  # the last came after 100 ms and is answered after a second


def test_arrivals_at_half_the_rate_that_can_be_answered_wait_as_the_theory_says() -> None:
    p99_ms = float(np.quantile(answered(Machine(), 0.001, 500.0, 10_000), 0.99))
    assert expected_p99_ms(1000.0, 500.0) * 0.8 < p99_ms < expected_p99_ms(1000.0, 500.0) * 1.1


def test_a_queue_is_there_again_after_a_pause() -> None:
    machine = Machine()
    whole, loop = answered(machine, 0.001, 900.0, 400), OpenLoop(machine.call(0.001), 900.0, 0, machine.clocks)
    parts = []
    for _ in range(4):
        parts.append(loop.answer(100) * 1e3)
        machine.work(0.5)  # others take their turns
    assert np.concatenate(parts) == pytest.approx(whole, abs=0.1)


def rounds_of(machine: Machine, calls: dict[str, Callable[[], None]]) -> object:
    return paired_rounds({name: lambda call=call: call for name, call in calls.items()}, dict.fromkeys(calls, 50), machine.clocks, seed=0)


def test_a_slower_model_is_found_slower_and_every_round_of_a_quiet_machine_counts() -> None:
    machine = Machine()
    found = rounds_of(machine, {"fast": machine.call(1e-3), "slow": machine.call(1.3e-3)})
    assert found.walls("slow") / found.walls("fast") == pytest.approx(1.3, abs=0.01)
    assert found.cpu["slow"] / found.cpu["fast"] == pytest.approx(1.3, abs=0.01)
    assert (len(found.counts), found.counts.all()) == (ROUNDS, True)


def test_a_disturbed_round_is_dropped_and_another_is_timed_instead() -> None:
    machine, loaded = Machine(), []

    def load() -> Callable[[], None]:
        loaded.append(1)
        return machine.call(1e-4, lost=1e-4 if len(loaded) == 3 else 0.0)

    found = paired_rounds({"a": load}, {"a": 50}, machine.clocks, seed=0)
    assert (len(found.counts), found.counts.sum(), found.counts[2]) == (ROUNDS + 1, ROUNDS, False)


def test_what_else_runs_all_the_time_leaves_no_round_that_counts() -> None:
    machine = Machine()
    found = rounds_of(machine, {"a": machine.call(1e-4, lost=1e-4)})
    assert (len(found.counts), found.counts.sum()) == (MOST_ROUNDS - FEWEST + 1, 0)  # and no time is lost on more


def test_on_a_machine_too_busy_to_count_a_round_a_model_is_known_by_what_it_computes_and_nothing_is_predicted() -> None:
    machine = Machine()
    found = timing._known(rounds_of(machine, {"a": machine.call(1e-3, lost=1e-2)}), "a", asked())
    assert found.service_s == pytest.approx(1e-3, rel=0.02)
    assert math.isnan(found.own_p99_ms)


def test_a_quick_model_is_called_for_5_ms_a_round_a_slower_one_once_for_every_row_in_12_rounds_and_a_slow_one_in_the_time_given() -> None:
    assert [calls_a_round(seconds, 512, seconds=3.0) for seconds in (1e-5, 1e-4, 2e-3, 0.02, 1.0)] == [100, 50, 43, 12, 3]


def test_a_call_costs_what_calls_take_in_the_mean_rare_slow_rows_included(monkeypatch: pytest.MonkeyPatch) -> None:
    answers_s = np.full(512, 2e-3)
    answers_s[::128] = 100e-3  # 2.8 ms in the mean, 2.0 in most rounds
    cost = timed(answers_s, monkeypatch, rate_per_s=20.0)[0]["cpu_us_per_call"]
    assert cost["low"] < answers_s.mean() * 1e6 < cost["high"]
    assert cost["middle"] > 2200


def test_what_a_call_costs_among_others_refutes_no_budget() -> None:
    # alone it takes 10 ms: two machines at 200 a second; among others it computes for 24, which would take five, and 400 a month pay for three
    machine = Machine()
    busy = rounds_of(machine, {"a": machine.call(0.024, lost=0.05)})
    reported = timing._back_to_back(busy, "a", "a", asked())
    told = fast_timings().targets[0].timings[0].model_copy(update={"cpu_us_per_call": Interval(**reported["cpu_us_per_call"]), "rounds_kept": 0})
    limits = {
        limit.name: limit for limit in judge(a_charter(), Confusion(positives=136, missed=5, negatives=3864, false_alarms=700), a_money(), [a_speed(told)])
    }
    assert (limits["monthly_budget"].verdict, limits["monthly_budget"].high) == ("NOT PROVEN", 600)


def asked(**changes: float) -> Asked:
    return Asked(**{"limit_ms": 5.0, "rate_per_s": 200.0, "confidence": 0.95, "seconds": 3.0, **changes})


def known(seconds: float, rate_per_s: float = 200.0) -> Known:
    services = np.array([seconds])
    return Known(service_s=seconds, alike=calls_alike(rate_per_s, services), own_p99_ms=p99_at(rate_per_s, services, seed=0) * 1e3)


def looked_at(answer_s: float, *, lost: float = 0.0, lost_every: int = 1, **changes: float) -> open_loop.Looked:
    machine, called = Machine(), [0]

    def call() -> None:
        called[0] += 1
        machine.work(answer_s)
        machine.lose(lost if called[0] % lost_every == 0 else 0.0)

    return look({"a": call}, {"a": known(answer_s, changes.get("rate_per_s", 200.0))}, asked(**changes), machine.clocks, seed=0)["a"]


def test_a_model_far_within_its_limit_needs_one_look() -> None:
    found = looked_at(4e-5)
    assert (found.verdict, found.looks, len(found.latencies_ms)) == ("PASS", 1, 652)  # 636, and a few more because some wait for others
    assert found.null_p99_ms < 0.1


def test_a_model_that_is_too_slow_by_itself_fails_at_the_first_look() -> None:
    found = looked_at(6e-3, rate_per_s=2.0, seconds=10.0)
    assert (found.verdict, found.looks) == ("FAIL", 1)


def test_a_model_that_only_noise_makes_slow_does_not_fail() -> None:
    found = looked_at(4e-5, lost=8e-3, lost_every=20)
    assert (found.verdict, found.p99_ms.low > 5.0) == ("NOISY", True)


def test_no_time_is_spent_on_a_look_that_can_no_longer_end_well() -> None:
    found = looked_at(4e-5, lost=8e-3, lost_every=5, seconds=60.0)
    assert (found.verdict, found.looks, (found.latencies_ms > 5.0).sum() > most_beyond(0.95)) == ("NOISY", 1, True)


def test_a_limit_that_one_call_in_a_hundred_breaks_takes_every_look_and_stays_open() -> None:
    found = looked_at(4e-5, lost=5e-3, lost_every=100, seconds=60.0)
    assert (found.verdict, found.looks) == ("INCONCLUSIVE", 4)
    assert math.isinf(found.next_seconds)


def test_a_budget_too_small_for_the_percentile_proves_nothing_and_says_what_it_takes() -> None:
    found = looked_at(4e-5, seconds=0.1)
    assert (found.verdict, found.looks, found.p99_ms.high) == ("INCONCLUSIVE", 1, math.inf)
    assert len(found.latencies_ms) < 200
    assert found.next_calls == pytest.approx(636 * calls_alike(200.0, np.array([4e-5])))
    assert 0.3 < found.next_seconds < 0.6  # 636 of 40 us, each after half a millisecond, and a quarter as many that do nothing
    assert looked_at(4e-5, seconds=found.next_seconds * 1.01).verdict == "PASS"


def test_arrivals_faster_than_answers_fail_within_the_time_given() -> None:
    machine = Machine()
    found = look({"a": machine.call(0.02)}, {"a": known(0.02)}, asked(seconds=2.0), machine.clocks, seed=0)["a"]
    assert found.verdict == "FAIL"
    assert machine.now < 3.0


def test_what_the_quick_leave_of_the_time_is_spent_on_the_one_that_is_close_to_its_limit() -> None:
    machine, called = Machine(), [0]

    def close() -> None:
        called[0] += 1
        machine.work(4e-5)
        machine.lose(6e-3 if called[0] % 150 == 0 else 0.0)

    calls = {f"quick {i}": machine.call(4e-5) for i in range(4)} | {"close": close}
    found = look(calls, dict.fromkeys(calls, known(4e-5)), asked(seconds=1.0), machine.clocks, seed=0)
    assert [found[f"quick {i}"].looks for i in range(4)] == [1] * 4
    assert found["close"].looks > 1  # alone it had time for one look


def test_warm_up_ends_when_windows_agree_and_says_so_where_they_never_do() -> None:
    machine, takes = Machine(), [1e-4]

    def slower_and_slower() -> None:
        takes[0] *= 1.001
        machine.work(takes[0])

    steady, seconds = timing.warm(machine.call(1e-4), machine.clocks)
    assert (steady, seconds) == (True, pytest.approx(1.1e-4))  # with a look at the clock
    assert timing.warm(slower_and_slower, machine.clocks)[0] is False


def test_rows_take_turns() -> None:
    seen = []

    class Watched:
        def answers(self, row: int) -> None:
            seen.append(row)

    call = timing.rotating(Watched(), cycle([1, 2, 3]))  # type: ignore[arg-type]
    for _ in range(6):
        call()
    assert sorted(seen) == [1, 1, 2, 2, 3, 3]


class Answering:
    """A model on two clocks that takes as long for a row as the row says, and notes which rows it was asked one by one."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self.asked = machine, set[int]()

    def answers(self, row: dict[str, np.ndarray]) -> None:
        if len(row["id"]) == 1:
            self.asked.add(int(row["id"][0]))
        self._machine.work(float(row["seconds"].sum()))


def timed(answers_s: np.ndarray, monkeypatch: pytest.MonkeyPatch, **changes: float) -> tuple[dict[str, Any], list[Answering]]:
    """Time a model from warm-up to verdict by how long each of its rows takes; return what is reported of it, and each loading of it."""
    machine, loaded = Machine(), list[Answering]()

    def load(path: Path, threads: int) -> Answering:
        loaded.append(Answering(machine))
        return loaded[-1]

    monkeypatch.setattr(timing, "Scorer", load)
    rows = [{"id": np.array([i]), "seconds": np.array([each])} for i, each in enumerate(answers_s)]
    found = timing.speed({"a": Path("a.onnx")}, rows, 1, {"a": "a"}, asked(**changes), machine.clocks)
    return found["variants"]["a"], loaded


@pytest.mark.parametrize("seconds", [4e-5, 2e-3])
def test_rounds_go_on_at_the_row_where_the_last_loading_stopped(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    _, loaded = timed(np.full(512, seconds), monkeypatch, rate_per_s=20.0)
    assert len(loaded) == 1 + ROUNDS
    assert len(set.union(*(each.asked for each in loaded[1:]))) == 512


@pytest.mark.parametrize(
    ("usual", "slow", "rows", "limit_ms"),
    [(2e-3, 20e-3, range(19, 512, 20), 10.0), (4e-5, 6e-3, range(434, 512), 5.0)],
    ids=["one row in twenty", "the last rows collected"],
)
def test_a_model_with_slow_rows_of_its_own_is_refuted_on_a_quiet_machine(
    usual: float, slow: float, rows: range, limit_ms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_s = np.full(512, usual)
    answers_s[list(rows)] = slow
    found, _ = timed(answers_s, monkeypatch, rate_per_s=20.0, limit_ms=limit_ms, seconds=30.0)
    assert (found["latency_verdict"], found["highest_rate_per_s"]) == ("FAIL", 0.0)
    assert found["own_p99_ms"] == pytest.approx(slow * 1e3, rel=0.2)


def test_a_model_too_slow_for_many_calls_is_refuted_by_the_few_and_its_highest_rate_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = timed(np.full(512, 0.1), monkeypatch, rate_per_s=2.0, limit_ms=50.0)
    assert (found["latency_verdict"], math.isnan(found["highest_rate_per_s"])) == ("FAIL", True)
    assert found["own_p99_ms"] == pytest.approx(100.0, rel=0.01)


def test_one_slow_call_among_forty_predicts_nothing_and_ten_among_four_hundred_do() -> None:
    answers_s = np.array([0.1] * 39 + [0.4])
    assert timing.own_p99(answers_s, asked(rate_per_s=0.1)) == 0.1  # the slow one may be the one in a thousand
    assert timing.own_p99(np.tile(answers_s, 10), asked(rate_per_s=0.1)) == pytest.approx(0.4, rel=0.01)
    assert timing.own_p99(answers_s, asked(rate_per_s=11.0)) == math.inf


def test_on_a_busy_machine_no_highest_rate_is_known() -> None:
    machine = Machine()
    assert math.isnan(timing._back_to_back(rounds_of(machine, {"a": machine.call(1e-3, lost=1e-2)}), "a", "a", asked())["highest_rate_per_s"])


def test_rows_too_rare_for_the_rounds_widen_the_bounds_once_the_arrivals_show_them() -> None:
    # one row in fifty takes twenty times as long, and at half busy everyone behind it waits; rounds that never asked it took all for 1 ms
    machine, rows = Machine(), cycle([1e-3] * 49 + [2e-2])
    found = look({"a": lambda: machine.work(next(rows))}, {"a": known(1e-3, 360.0)}, asked(rate_per_s=360.0, seconds=5.0), machine.clocks, seed=0)["a"]
    assert found.alike == pytest.approx(calls_alike(360.0, np.array([1e-3] * 49 + [2e-2])), rel=0.1)
    assert (found.looks, found.p99_ms.high, found.next_calls) == (1, math.inf, pytest.approx(1272 * found.alike))


def test_the_timing_process_loads_nothing_that_it_does_not_time() -> None:
    heavy = "import sys, poc.steps.timing; print([name for name in ('pandas', 'sklearn', 'scipy', 'mlflow', 'kfp') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout.strip() == "[]"
