"""How long answers took, as a picture: a histogram with logarithmic axes, because what matters is rare and far out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from poc.rules.evidence import Interval
from poc.rules.shapes import Bar, Kind, Label, Line, Picture, scale
from poc.rules.words import UNBROKEN

LEFT, RIGHT, TOP, BOTTOM = 40.0, 334.0, 52.0, 176.0
BARS = 58


def latency_picture(latencies_ms: NDArray[np.float64], p99_ms: Interval, limit_ms: float, *, title: str) -> Picture:
    """Draw how many answers took how long, the limit as a line, the p99 with its bounds as another; what was never answered is counted in words."""
    answered = latencies_ms[np.isfinite(latencies_ms) & (latencies_ms > 0)]
    lost = len(latencies_ms) - len(answered)
    shown = [*answered[[answered.argmin(), answered.argmax()]].tolist(), limit_ms] if len(answered) else [limit_ms]
    x = scale([math.log10(min(shown) / 1.2), math.log10(max(shown) * 1.2)], LEFT, RIGHT)
    edges = np.linspace(x.low, x.high, BARS + 1)
    counts = np.histogram(np.log10(answered), edges)[0].tolist()
    y = scale([math.log10(0.5), math.log10(max(2, *counts))], BOTTOM, TOP)

    def across(milliseconds: float) -> float:
        return x(math.log10(milliseconds))

    bars = [
        Bar(x=x(edge), y=y(math.log10(n)), width=round(x(following) - x(edge), 1), height=round(BOTTOM - y(math.log10(n)), 1), kind="main")
        for edge, following, n in zip(edges, edges[1:], counts, strict=False)
        if n
    ]
    tens = [10**power for power in range(8) if math.log10(0.5) < power <= y.high]
    lines = [Line(x1=LEFT, y1=y(math.log10(n)), x2=RIGHT, y2=y(math.log10(n)), kind="axis") for n in tens]
    lines.append(Line(x1=LEFT, y1=BOTTOM, x2=RIGHT, y2=BOTTOM, kind="zero"))
    labels = [Label(x=0, y=10, words=title, kind="strong"), Label(x=0, y=TOP - 6, words="requests", kind="quiet")]
    labels += [Label(x=LEFT - 4, y=y(math.log10(n)) + 3.5, words=f"{n:,}", anchor="end", kind="quiet") for n in tens]
    labels += [Label(x=across(tick), y=BOTTOM + 14, words=f"{tick:g}", anchor="middle", kind="quiet") for tick in log_ticks(10**x.low, 10**x.high)]
    labels.append(Label(x=(LEFT + RIGHT) / 2, y=BOTTOM + 28, words="ms from the intended arrival to the answer", anchor="middle", kind="quiet"))
    marks: list[tuple[float, str, Kind]] = [(limit_ms, f"limit {limit_ms:g}{UNBROKEN}ms", "agreed")]
    if math.isfinite(p99_ms.middle):
        bound = f", at most {p99_ms.high:.3g}" if math.isfinite(p99_ms.high) else ""
        marks.append((p99_ms.middle, f"p99 {p99_ms.middle:.3g}{UNBROKEN}ms{bound}", "leader"))
    for (at, words, kind), row in zip(sorted(marks, reverse=True), (26.0, 40.0), strict=False):
        is_right = across(at) > (LEFT + RIGHT) / 2
        lines.append(Line(x1=across(at), y1=row - 8, x2=across(at), y2=BOTTOM, kind=kind))
        labels.append(Label(x=across(at) + (-4 if is_right else 4), y=row, words=words, anchor="end" if is_right else "start"))
    return Picture(
        name="latency",
        title=title,
        words=f"{len(answered):,} answers, {lost:,} requests without one; p99 {p99_ms.middle:.3g} ms, {p99_ms.low:.3g} to {p99_ms.high:.3g}; "
        f"limit {limit_ms:g} ms.",
        height=BOTTOM + 34,
        bars=tuple(bars),
        lines=tuple(lines),
        labels=tuple(labels),
    )


def log_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """List round values within bounds on a logarithmic axis: 1, 2 and 5 times the powers of ten, or fewer of them where that is too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in powers for factor in factors if low <= factor * 10.0**power <= high]
        if len(found) <= most:
            break
    return found
