"""What a load on a server shows, with figures worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from artifacts import fast_timings

from poc.rules.charter import Hardware
from poc.rules.evidence import Interval, Load
from poc.rules.queueing import calls_alike
from poc.rules.served import conclusion, cores_for, failures, in_words, is_queue_endless, most_like, overhead_us, p99_of, served_verdict, undisturbed

WITHIN, BEYOND = Interval(low=1, middle=2, high=3), Interval(low=6, middle=7, high=8)
HERE = fast_timings().targets[0].machine


def a_load(**changes: Any) -> Load:
    said = {
        "url": "http://127.0.0.1:8080",
        "rate_per_s": 200,
        "connections": 16,
        "requests": 2000,
        "seconds": 10,
        "failed": {},
        "reconnects": 0,
        "p50_ms": 0.4,
        "p95_ms": 0.6,
        "p99_ms": WITHIN,
        "slowest_ms": 4,
        "late_p99_ms": 0.02,
        "limit_ms": 5,
        "confidence": 0.95,
        "verdict": "PASS",
        "raw_us": 30,
        "overhead_us": Interval(low=90, middle=100, high=110),
        "machine": HERE,
        "server_cores": [1],
        "client_core": 0,
        "differences": [],
    }
    return Load.model_validate({**said, **changes})


def test_what_was_not_answered_is_counted_by_what_came_instead() -> None:
    assert failures(np.array([200, 503, 200, -1, 0, 503])) == {"connection lost": 1, "no answer in time": 1, "status 503": 2}


def test_two_requests_in_a_hundred_without_an_answer_leave_no_p99() -> None:
    latency = np.where(np.arange(1000) % 50 == 0, np.inf, 0.001)
    found = p99_of(latency, 0.95)
    assert (found.middle, found.high, served_verdict(found, 5, 0.02, shares_cores=False)) == (math.inf, math.inf, "FAIL")


def test_requests_sent_while_another_is_under_way_do_not_tell_how_long_the_server_takes() -> None:
    due, service = np.array([0.0, 1.0, 10.0, 20.0]), np.array([3.0, 4.0, 2.0, np.inf])
    latency = np.array([3.0, 4.0, 2.5, np.inf])  # the third was sent half a second late
    assert undisturbed(due, latency, service).tolist() == [3.0, 2.0]


def queued(service_ms: float, rate_per_s: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return when requests are due, and their latency and service times, in seconds, where one worker takes exponential times and all are sent at once."""
    draw = np.random.default_rng(3)
    due, took, ends = np.cumsum(draw.exponential(1 / rate_per_s, n)), draw.exponential(service_ms / 1e3, n), np.empty(n)
    for i in range(n):
        ends[i] = max(due[i], ends[i - 1] if i else 0.0) + took[i]
    return due, ends - due, ends - due


def test_the_bound_of_a_p99_is_wider_where_requests_queue_and_there_is_none_where_they_do_for_ever() -> None:
    due, latency, service = queued(2.5, 200, 20_000)
    alone = undisturbed(due, latency, service)
    alike = calls_alike(200, alone)
    assert 6 < alike < 14 and 0.45 < len(alone) / 20_000 < 0.55  # nine by the formula, and half of the arrivals find an idle worker
    assert p99_of(latency, 0.95, alike=alike).high > p99_of(latency, 0.95).high
    due, latency, service = queued(10, 200, 2_000)
    assert is_queue_endless(latency, undisturbed(due, latency, service), 0.005, 0.95)
    assert served_verdict(Interval(low=0, middle=900, high=math.inf), 5, 0.02, shares_cores=False, is_endless=True) == "FAIL"


def test_the_p99_of_a_thousand_is_the_tenth_from_the_end() -> None:
    found = p99_of(np.arange(1.0, 1001.0), 0.95)
    assert found.middle == 990 and found.low < 990 < found.high < 1000


@pytest.mark.parametrize(
    ("p99_ms", "late_ms", "shares_cores", "verdict"),
    [
        (WITHIN, 0.02, False, "PASS"),
        (WITHIN, 4.0, True, "PASS"),  # a late client and a lost core only make answers slower
        (BEYOND, 0.02, False, "FAIL"),
        (BEYOND, 4.0, False, "NOISY"),
        (BEYOND, math.nan, False, "NOISY"),
        (BEYOND, 0.02, True, "NOISY"),
        (Interval(low=4, middle=5, high=6), 0.02, False, "INCONCLUSIVE"),
    ],
)
def test_a_late_client_or_one_that_takes_a_core_refutes_nothing(p99_ms: Interval, late_ms: float, shares_cores: bool, verdict: str) -> None:
    assert served_verdict(p99_ms, 5, late_ms, shares_cores=shares_cores) == verdict


def test_overhead_is_taken_row_by_row() -> None:
    raw, served = np.array([10.0, 1000.0]), np.array([110.0, 1100.0] * 50)
    assert overhead_us(served, raw, 0.95) == Interval(low=100, middle=100, high=100)


def test_requests_without_an_answer_have_no_overhead() -> None:
    assert overhead_us(np.array([110.0, np.inf, 110.0]), np.array([10.0]), 0.5).middle == 100


@pytest.mark.parametrize(
    ("usable", "charters", "expected"),
    [
        (range(4), 2, ([2, 3], 1, False)),
        (range(2), 2, ([1], 0, True)),
        (range(2), 4, ([1], 0, True)),
        ([5], 1, ([5], 5, True)),
        ([], 2, ([], None, True)),
    ],
)
def test_the_client_takes_a_core_beyond_the_charter_s_where_there_is_one(usable: list[int], charters: int, expected: tuple[Any, ...]) -> None:
    assert cores_for(usable, charters) == expected


def test_of_several_machines_the_one_that_this_is_counts() -> None:
    shared = {"cores": 2, "memory_mb": 1024, "monthly_cost": 10}
    targets = [Hardware(name="edge", architecture="arm64", **shared), Hardware(name="server", architecture="x86_64", **shared)]
    assert most_like(HERE, targets).name == "server"


def test_elsewhere_than_on_the_charter_s_hardware_nothing_is_proven() -> None:
    assert conclusion(a_load(differences=["cores: 1, not 2"]), 628).startswith("NOT PROVEN, not on the charter's hardware (cores: 1, not 2); here PASS")
    assert conclusion(a_load(), 628) == "PASS: the bound lies within the limit, on the charter's hardware"


def test_too_few_requests_are_said_with_how_long_would_do() -> None:
    assert "at least 628, --seconds 63" in conclusion(a_load(rate_per_s=10, verdict="INCONCLUSIVE"), 628)


def test_failures_and_lost_connections_are_said() -> None:
    said = in_words(a_load(failed={"status 503": 3}, reconnects=2))
    assert said[0].endswith("3 status 503, 2 connections opened again")
