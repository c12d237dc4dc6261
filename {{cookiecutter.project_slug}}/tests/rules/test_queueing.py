from __future__ import annotations

import math

import numpy as np
import pytest

from poc.rules.latency import calls_by, expected_p99_ms, percentile_bounds
from poc.rules.queueing import calls_alike, highest_rate, p99_at, seconds_for, waits


def test_an_arrival_waits_for_what_is_left_of_those_before_it() -> None:
    # arrivals at 1, 2, 6, 6.5; answers of 3 each: begun at 1, 4, 7, 10
    found = waits(np.array([1.0, 1.0, 4.0, 0.5]), np.array([3.0, 3.0, 3.0, 3.0]))
    assert found.tolist() == [0.0, 2.0, 1.0, 3.5]


def test_nobody_waits_for_a_worker_that_is_free_again_in_time() -> None:
    assert waits(np.full(5, 2.0), np.full(5, 1.0)).tolist() == [0.0] * 5


def test_the_simulated_queue_of_answers_that_take_equally_long_is_the_one_of_the_theory() -> None:
    # Pollaczek and Khinchine's tail lies 0 to 19 % above the truth
    assert expected_p99_ms(1000.0, 500.0) / 1.19 < p99_at(500.0, np.array([1e-3]), seed=0) * 1e3 < expected_p99_ms(1000.0, 500.0)


def test_a_queue_that_never_ends_has_no_percentile_and_nothing_measured_has_none_either() -> None:
    assert p99_at(1000.0, np.array([1e-3]), seed=0) == math.inf
    assert math.isnan(p99_at(1000.0, np.empty(0), seed=0))


def test_the_highest_rate_is_the_one_whose_p99_reaches_the_limit() -> None:
    # 1 ms an answer, 5.5 ms allowed: the simulation of a queue 60 % busy gave 5.52
    found = highest_rate(np.array([1e-3]), 5.5e-3, seed=0)
    assert found == pytest.approx(600.0, rel=0.03)
    assert p99_at(found, np.array([1e-3]), seed=0) <= 5.5e-3


@pytest.mark.parametrize("services", [np.array([6e-3]), np.empty(0)])
def test_what_is_too_slow_when_alone_or_not_measured_takes_no_rate(services: np.ndarray) -> None:
    assert highest_rate(services, 5e-3, seed=0) == 0.0


def test_alone_each_call_counts_and_in_a_queue_many_say_as_much_as_one() -> None:
    assert calls_alike(1e-6, np.array([1e-3])) == pytest.approx(1.0)
    assert calls_alike(500.0, np.array([1e-3])) == pytest.approx(6.0)  # 1.5 / 0.5 ** 2
    # half of the answers take 2 ms and half none: mean 1, variance 1, so (1 + .5) (1 + .5) / .5 ** 2
    assert calls_alike(500.0, np.array([0.0, 2e-3])) == pytest.approx(9.0)
    assert calls_alike(1000.0, np.array([1e-3])) == math.inf
    assert calls_alike(1000.0, np.empty(0)) == math.inf


def test_calls_that_wait_for_each_other_bound_their_percentile_no_more_often_wrongly_than_said() -> None:
    draw, services = np.random.default_rng(3), np.array([1e-3])
    alike, truth = calls_alike(500.0, services), 4.34e-3  # three million arrivals, half busy
    n = int(calls_by(1, 0.95, alike=alike))
    gaps = draw.exponential(2e-3, (300, n))
    latencies = [waits(each, np.full(n, 1e-3)) + 1e-3 for each in gaps]
    wrong = [percentile_bounds(each, 0.99, 0.9875, alike=alike).high < truth for each in latencies]
    assert np.mean(wrong) < 0.03  # 1.25 % said; as if every call were independent it is 15 to 20 %
    assert np.mean([percentile_bounds(each, 0.99, 0.9875).high < truth for each in latencies]) > 0.08


def test_long_idle_times_are_cut_and_answers_are_not() -> None:
    assert seconds_for(100, 10.0, 2e-3, 5e-4) == pytest.approx(0.25)
    assert seconds_for(100, 1e5, 2e-3, 5e-4) == pytest.approx(0.201)
