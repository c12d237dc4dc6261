"""What a load on a server shows: how late answers were, what serving adds to a call, and whether the charter's limit is kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import Hardware
from poc.rules.evidence import Interval, LatencyVerdict, Load, Machine
from poc.rules.hardware import differences
from poc.rules.latency import latency_verdict, percentile_bounds

Floats = NDArray[np.float64]
#: What a request got that has no status of HTTP's.
WITHOUT_STATUS = {-1: "connection lost", 0: "no answer in time"}
OK = 200
#: Of the requests to a server that keeps up, more than this share finds it idle: it is busy for less than 99 % of the time.
FEWEST_ALONE = 0.01


def failures(status: NDArray[np.int64]) -> dict[str, int]:
    """Count the requests that were not answered, by what they got instead."""
    return {WITHOUT_STATUS.get(code, f"status {code}"): n for code, n in sorted(Counter(status.tolist()).items()) if code != OK}


def undisturbed(due: Floats, latency: Floats, service: Floats) -> Floats:
    """Return the service times of requests that were sent when no other was under way: what the server takes where nobody queues; same unit."""
    is_answered = np.isfinite(latency)
    done = np.where(is_answered, due + latency, -np.inf)
    busy_until = np.maximum.accumulate(np.concatenate([[-np.inf], done[:-1]])) if len(done) else done
    with np.errstate(invalid="ignore"):  # what was never answered has no time of sending
        is_alone = is_answered & (due + latency - service >= busy_until)
    return service[is_alone]


def p99_of(latency: Floats, confidence: float, *, alike: float = 1.0) -> Interval:
    """Bound the 99th percentile, same unit; a request without an answer counts as one that takes for ever.

    Requests that queue wait for the same slow answers: `alike` of them say as much as one (`queueing.calls_alike`).
    """
    with np.errstate(invalid="ignore"):  # between two infinite ones
        bounds = percentile_bounds(latency, 0.99, confidence, alike=alike)
    return bounds.model_copy(update={"middle": float(np.quantile(latency, 0.99, method="inverted_cdf"))})


def served_verdict(p99_ms: Interval, limit_ms: float, late_p99_ms: float, *, shares_cores: bool, is_endless: bool = False) -> LatencyVerdict:
    """Compare the bounds of the served p99 with the limit; a client that was late itself, or took one of the server's cores, refutes nothing.

    `is_endless` says that the queue never ended, which needs no bound.
    """
    found = latency_verdict(p99_ms, limit_ms, late_p99_ms, own_p99_ms=math.inf if is_endless else None)
    return "NOISY" if found == "FAIL" and shares_cores else found


def is_queue_endless(latency: Floats, alone: Floats, limit: float, confidence: float) -> bool:
    """Say whether hardly a request found the server idle while answers came later than the limit; `limit` in the unit of `latency`."""
    return len(alone) < FEWEST_ALONE * len(latency) and p99_of(latency, confidence).low > limit


def overhead_us(service_us: Floats, raw_us: Floats, confidence: float) -> Interval:
    """Bound the median of what serving a row takes beyond a call with the same row; `raw_us` has one figure for each row, and rows take turns."""
    beyond = service_us - np.resize(raw_us, len(service_us))
    return percentile_bounds(beyond[np.isfinite(beyond)], 0.5, (1 + confidence) / 2)


def most_like(machine: Machine, targets: Sequence[Hardware]) -> Hardware:
    """Return the machine of the charter that differs least from this one."""
    return min(targets, key=lambda hardware: len(differences(machine, hardware, range(hardware.cores))))


def cores_for(usable: Collection[int], charters: int) -> tuple[list[int], int | None, bool]:
    """Share out cores: the server's, the client's, and whether the client had to take one of those that the charter gives the server.

    The client never sleeps, so it needs a core of its own: one beyond the charter's, or else one of them, and the server makes do with the rest.
    With a single core both share it.
    """
    server, spare = sorted(usable)[-charters:], sorted(usable)[:-charters]
    if spare:
        return server, spare[-1], False
    return (server[1:], server[0], True) if len(server) > 1 else (server, next(iter(server), None), True)


def in_words(load: Load) -> list[str]:
    """Say what a load showed, line by line."""
    failed = ", ".join(f"{n:,} {what}" for what, n in load.failed.items()) or "none failed"
    again = f", {load.reconnects} connections opened again" if load.reconnects else ""
    return [
        f"{load.requests:,} requests in {load.seconds:.1f} s at {load.rate_per_s:g} a second over {load.connections} connections; {failed}{again}",
        f"served: p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms.middle:.2f} ms ({load.p99_ms.low:.2f} to {load.p99_ms.high:.2f} at {load.confidence:.0%} "
        f"confidence), slowest {load.slowest_ms:.2f} ms; the charter allows {load.limit_ms:g} ms",
        f"a call in the process takes {load.raw_us:,.0f} us; serving adds {load.overhead_us.middle:,.0f} us ({load.overhead_us.low:,.0f} to "
        f"{load.overhead_us.high:,.0f})",
        f"the client itself was late by {load.late_p99_ms:.2f} ms at p99",
    ]


def conclusion(load: Load, calls_needed: float) -> str:
    """Say in one line what the load proves, and why not more; `calls_needed` may tell, and is infinite where requests queue without end."""
    more = f"at least {calls_needed:,.0f}, --seconds {calls_needed / load.rate_per_s:,.0f}, and more where it is close"
    why = {
        "PASS": "the bound lies within the limit",
        "FAIL": "the limit is broken",
        "NOISY": "the client or the machine was too busy with something else to show it: repeat it where it is quiet, with a core more than the charter names",
        "INCONCLUSIVE": f"so few requests do not tell: {more}"
        if math.isfinite(calls_needed)
        else "requests queue as long as they come, so that no number tells",
    }[load.verdict]
    if load.differences:
        return f"NOT PROVEN, not on the charter's hardware ({'; '.join(load.differences)}); here {load.verdict}: {why}"
    return f"{load.verdict}: {why}" + (", on the charter's hardware" if load.verdict in ("PASS", "FAIL") else "")
