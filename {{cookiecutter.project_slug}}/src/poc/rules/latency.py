"""Latency as statistics: percentiles with bounds that assume nothing about the distribution, steadiness, arrivals, waiting."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval, LatencyVerdict

#: A machine that by itself takes this share of the limit is too busy to show that a model breaks it.
MOST_NOISE = 0.2
#: How often a latency is looked at, at most, before the time allowed for it is over.
LOOKS = 4
#: How many calls may lie beyond the bound of a p99 at the first look: with none, one pause of the machine would be the bound.
BEYOND = 1


def percentile_bounds(samples: NDArray[np.float64], p: float, confidence: float, *, alike: float = 1.0) -> Interval:
    """Bound a percentile by order statistics, each side at `confidence`; too few samples give an infinite upper bound.

    The k-th smallest of n samples lies above the p-quantile with chance P(Binomial(n, p) < k). Source: H. A. David and H. N. Nagaraja,
    "Order Statistics", 3rd edition, section 7.1. Where `alike` of them say as much as one independent sample (`calls_alike`), the ranks are those of
    n / alike samples, at the same shares of n.
    """
    ordered = np.sort(samples)
    n = len(ordered)
    if n == 0:
        return Interval(low=0.0, middle=math.nan, high=math.inf)
    independent = int(n / alike)
    below = np.cumsum(_binomial_chances(independent, p))  # below[k] = P(Binomial <= k)
    upper = int(np.searchsorted(below, confidence - 1e-12)) + 1  # the first of them whose rank, from 1, bounds the percentile from above
    lower = int(np.searchsorted(below, 1.0 - confidence, side="right"))
    return Interval(
        low=float(ordered[lower * n // independent - 1]) if lower else 0.0,
        middle=float(np.quantile(ordered, p)),
        high=float(ordered[-(-upper * n // independent) - 1]) if upper <= independent else math.inf,
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


def corrected(confidence: float) -> float:
    """Return the confidence of each look so that all of them together keep it: the error is shared out among the looks planned (Bonferroni)."""
    return 1.0 - (1.0 - confidence) / LOOKS


def calls_by(look: int, confidence: float, *, alike: float = 1.0) -> float:
    """Return how many calls there are at the first, second, ... look: enough to bound a p99 with `BEYOND` over the bound, then twice as many each time.

    636 at 95 % confidence, where no call waits for another; infinite where the queue never ends.
    """
    return calls_needed(0.99, corrected(confidence), beyond=BEYOND) * alike * 2.0 ** (look - 1)


def most_beyond(confidence: float, *, alike: float = 1.0) -> float:
    """Return how many of all the calls planned may lie beyond a limit that is still shown to be kept: 35 of 5,088 at 95 % confidence.

    With more of them no later look can end in a PASS, however quiet the machine becomes.
    """
    calls = int(calls_by(LOOKS, confidence))
    below = np.cumsum(_binomial_chances(calls, 0.99))
    return (calls - 1 - int(np.searchsorted(below, corrected(confidence) - 1e-12))) * alike


def latency_verdict(p99_ms: Interval, limit_ms: float, null_p99_ms: float, *, own_p99_ms: float | None = None) -> LatencyVerdict:
    """Compare the bounds of a p99 with the limit; beyond it proves something only of a quiet machine.

    Other work on a machine only ever adds to a latency, so a bound within the limit is a PASS. A FAIL needs a witness that the machine was quiet: a
    call that does nothing was answered at once. `own_p99_ms`, what the model's own answers predict when they are given back to back, is a second one:
    if it keeps the limit, the machine broke it; if it is infinite, answers take longer than arrivals leave time for; NaN is a machine too busy to say.
    """
    if p99_ms.high <= limit_ms:
        return "PASS"
    if not null_p99_ms <= MOST_NOISE * limit_ms:  # NaN included
        return "NOISY"
    if own_p99_ms == math.inf:
        return "FAIL"
    if not p99_ms.low > limit_ms:
        return "INCONCLUSIVE"
    return "FAIL" if own_p99_ms is None or own_p99_ms > limit_ms else "NOISY"


def latency_why(verdict: LatencyVerdict, null_p99_ms: float, own_p99_ms: float, limit_ms: float, *, calls: int, next_calls: float, next_seconds: float) -> str:
    """Say in words why a latency was not shown to be kept; nothing where it was."""
    if verdict == "PASS":
        return ""
    if verdict == "FAIL":
        endless = "answers take longer than arrivals leave time for, so the queue never ends"
        return endless if own_p99_ms == math.inf else f"its own answers, given back to back, predict {own_p99_ms:.4g} ms too, and the machine was quiet"
    own = "too few rounds counted" if math.isnan(own_p99_ms) else f"its own answers, given back to back, predict {own_p99_ms:.4g} ms"
    if verdict == "NOISY":
        idle = f"a call that does nothing took {null_p99_ms:.4g} ms at the same arrivals, " if null_p99_ms > MOST_NOISE * limit_ms else ""
        return f"{idle}{own}: something else kept this machine busy, so time it again where it is quiet"
    if not math.isfinite(next_seconds):
        return f"{calls:,} calls, all that were planned, do not tell; {own}"
    more = f"{next_calls:,.0f} take {next_seconds:.1f} s: give `benchmark_seconds_per_variant` at least that"
    return f"{calls:,} calls do not tell, and {more}; {own}"


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
