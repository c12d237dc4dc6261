from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from artifacts import changed, fast_timings
from briefs import VARIANT, a_judged

from poc.rules.evidence import Interval, Timings
from poc.rules.rounds import FEWEST
from poc.rules.speed import speed_said

TARGETS = [{"name": name, "architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": 120} for name in ("edge-box", "cloud")]
MEASURED = {
    "open_loop_p99_low_ms": 1.2,
    "open_loop_p99_ms": 1.5,
    "open_loop_p99_high_ms": 2.1,
    "highest_rate_per_s": 9_500.0,
    "cost_per_million": Interval(low=0.0045, middle=0.0046, high=0.0048),
}


def timed(**changes: Any) -> Timings:
    [fast] = fast_timings().targets[0].timings
    return changed(fast_timings(), timings=[fast.model_copy(update={"variant": VARIANT, **MEASURED, **changes})])


def said(timings: Timings, **charter: Any) -> str:
    return speed_said(dataclasses.replace(a_judged(**charter), timings=timings)).replace("\u00a0", " ")


def test_it_says_how_slow_the_slowest_are_how_far_that_holds_what_calls_cost_and_where_it_was_measured() -> None:
    assert said(timed()) == (
        "99 of 100 calls are answered within 1.5 ms (1.2 to 2.1); one worker keeps the limit up to about 9,500 calls a second; "
        "a million calls cost 0.0046 EUR (0.0045 to 0.0048). "
        "Measured at 200 calls a second on a processor, x86_64, 1 core, ONNX Runtime 1.32; bounds at 95 % confidence."
    )


def test_a_bound_that_so_few_calls_do_not_give_is_said_to_be_missing() -> None:
    assert "within 1.5 ms (no bound known)" in said(timed(open_loop_p99_high_ms=math.inf))


@pytest.mark.parametrize(("verdict", "though"), [("NOISY", ", on a machine that something else kept busy; "), ("FAIL", ", which is too slow; ")])
def test_a_p99_that_shows_nothing_or_too_much_is_said_to(verdict: str, though: str) -> None:
    assert f"within 1.5 ms (1.2 to 2.1){though}" in said(timed(latency_verdict=verdict))


@pytest.mark.parametrize(("rounds_kept", "rate", "is_said"), [(FEWEST, 9_500.0, True), (FEWEST - 1, 9_500.0, False), (FEWEST, math.nan, False)])
def test_no_rate_is_promised_that_too_few_quiet_rounds_bear_out(rounds_kept: int, rate: float, is_said: bool) -> None:
    assert ("one worker keeps" in said(timed(rounds_kept=rounds_kept, highest_rate_per_s=rate))) is is_said


@pytest.mark.parametrize(("verdict", "though"), [("FAIL", ""), ("INCONCLUSIVE", ", in too few calls to tell")])
def test_what_another_machine_took_is_said_to_be_that_and_refutes_nothing(verdict: str, though: str) -> None:
    found = said(changed(timed(latency_verdict=verdict), differences=["4 cores, not 2"]))
    assert found.startswith(f"Measured on another machine than the charter's: 99 of 100 calls are answered within 1.5 ms (1.2 to 2.1){though}; one worker")


def test_of_several_targets_each_has_its_sentence_and_what_was_not_measured_its_reason() -> None:
    one, other = (
        changed(timed(), target="edge-box", differences=["4 cores, not 2"]).targets[0],
        changed(timed(), target="cloud", timings=[], not_timed={VARIANT: "it ended with 1"}).targets[0],
    )
    found = said(timed().model_copy(update={"targets": [one, other]}), limits={"hardware": TARGETS})
    assert (
        found.startswith("For edge-box, measured on another machine: 99 of 100 calls")
        and "On cloud: speed was not measured: it ended with 1. Measured at" in found
    )
