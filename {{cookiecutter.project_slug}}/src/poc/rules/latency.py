"""Latency as statistics: percentiles with bounds that assume nothing about the distribution, steadiness, arrivals, waiting."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval, LatencyVerdict

#: A machine that by itself takes this share of the limit is too busy to show that a model breaks it.
MOST_NOISE = 0.2


def percentile_bounds(samples: NDArray[np.float64], p: float, confidence: float) -> Interval:
    """Bound a percentile by order statistics, each side at `confidence`; too few samples give an infinite upper bound.

    The k-th smallest of n samples lies above the p-quantile with chance P(Binomial(n, p) < k). Source: H. A. David and H. N. Nagaraja,
    "Order Statistics", 3rd edition, section 7.1.
    """
    ordered = np.sort(samples)
    n = len(ordered)
    if n == 0:
        return Interval(low=0.0, middle=math.nan, high=math.inf)
    below = np.cumsum(_binomial_chances(n, p))  # below[k] = P(Binomial <= k)
    upper = int(np.searchsorted(below, confidence - 1e-12))  # the smallest k with P(Binomial <= k) >= confidence
    lower = int(np.searchsorted(below, 1.0 - confidence, side="right")) - 1
    return Interval(
        low=float(ordered[lower]) if lower >= 0 else 0.0,
        middle=float(np.quantile(ordered, p)),
        high=float(ordered[upper]) if upper < n else math.inf,
    )


def median_bounds(samples: NDArray[np.float64], confidence: float) -> Interval:
    """Bound a median from both sides at once at `confidence`, by order statistics; the sign test turned round. Too few samples bound nothing."""
    return percentile_bounds(samples, 0.5, (1.0 + confidence) / 2.0)


def calls_needed(p: float, confidence: float, *, beyond: int) -> int:
    """Return how many samples bound a percentile from above at `confidence` by a value that `beyond` of them exceed.

    The bound is finite, and not the maximum, once P(Binomial(n, p) <= n - 1 - beyond) reaches the confidence: for 99 % and none beyond 459
    samples bound a p99, at 95 % 299.
    """
    n = beyond + 1
    while not _chance_that_all_but(n, beyond, p) >= confidence:
        n *= 2
    low, high = n // 2, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _chance_that_all_but(middle, beyond, p) >= confidence else (middle, high)
    return high


def _chance_that_all_but(n: int, beyond: int, p: float) -> float:
    """Return P(Binomial(n, p) <= n - 1 - beyond): more than `beyond` of n samples exceed the p-quantile."""
    return float(_binomial_chances(n, p)[: max(0, n - beyond)].sum()) + 1e-12


def expected_p99_ms(service_us: float, rate_per_s: float) -> float:
    """Return the 99th percentile of waiting and answering when one worker takes Poisson arrivals, from how long one answer takes.

    Arrivals find the worker busy with chance rho = rate * service, and those wait about exponentially long, service / (2 (1 - rho)) in the mean:
    P(wait > t) = rho * exp(-2 (1 - rho) t / service). The mean is Pollaczek and Khinchine's for a constant service time; the exponential tail
    is the approximation of J. Abate, G. L. Choudhury and W. Whitt, "Exponential approximations for tail probabilities in queues", 1995.
    Infinite where answers take longer than arrivals leave time for.
    """
    busy = rate_per_s * service_us / 1e6
    if not busy < 1:  # NaN included
        return math.inf
    waits = math.log(100 * busy) / (2 * (1 - busy)) if busy > 0.01 else 0.0
    return service_us * (1 + waits) / 1e3


def latency_verdict(p99_ms: Interval, limit_ms: float, null_p99_ms: float) -> LatencyVerdict:
    """Compare the bounds of a p99 with the limit; beyond it proves something only where a call that does nothing was answered at once."""
    if p99_ms.high <= limit_ms:
        return "PASS"  # other work on the machine only ever adds to a latency
    if not null_p99_ms <= MOST_NOISE * limit_ms:  # NaN included
        return "NOISY"
    return "FAIL" if p99_ms.low > limit_ms else "INCONCLUSIVE"


def waits(gaps: NDArray[np.float64], services: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how long each arrival waits for one worker who answers in order, same unit; `gaps[k]` lies before arrival k.

    W[k] = max(0, W[k-1] + S[k-1] - A[k]) is a random walk held above 0: its height over its lowest point so far. Source: D. V. Lindley, "The theory
    of queues with a single server", 1952.
    """
    walk = np.concatenate([[0.0], np.cumsum(services[:-1] - gaps[1:])])
    found: NDArray[np.float64] = walk - np.minimum.accumulate(walk)
    return found


def highest_rate(services_s: NDArray[np.float64], limit_s: float, *, seed: int, n: int = 20_000) -> float:
    """Return at how many Poisson arrivals a second one worker still answers 99 of 100 within the limit, by simulating its queue from measured answers.

    The same draws at every rate, so that a higher rate only brings arrivals closer together, and halving finds the last one within the limit.
    """
    draw = np.random.default_rng(seed)
    services, gaps = draw.choice(services_s, n), draw.exponential(1.0, n)

    def p99_s(rate_per_s: float) -> float:
        return float(np.quantile(waits(gaps / rate_per_s, services) + services, 0.99))

    if not float(np.quantile(services, 0.99)) <= limit_s:
        return 0.0
    low, high = 0.0, 1.0 / float(services.mean())  # beyond it the queue never ends
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if p99_s(middle) <= limit_s else (low, middle)
    return low


def _binomial_chances(n: int, p: float) -> NDArray[np.float64]:
    """Return P(Binomial(n, p) = k) for k = 0..n, shape (n + 1,)."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    k = np.arange(n + 1)
    chances: NDArray[np.float64] = np.exp(factorials[n] - factorials[k] - factorials[n - k] + k * math.log(p) + (n - k) * math.log1p(-p))
    return chances


def is_steady(medians: Sequence[float], tolerance: float = 0.02, windows: int = 3) -> bool:
    """Say whether the last windows agree within the tolerance, so that timing may begin."""
    last = list(medians)[-windows:]
    return len(last) == windows and max(last) <= (1.0 + tolerance) * min(last)


def arrivals(rate_per_s: float, n: int, seed: int) -> NDArray[np.float64]:
    """Draw Poisson arrival times in seconds from a start, shape (n,): users do not wait for each other."""
    gaps: NDArray[np.float64] = np.random.default_rng(seed).exponential(1.0 / rate_per_s, n)
    return np.cumsum(gaps)
