"""Shapes that are already scaled, and the scales that place them: what pictures are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: A phone's width less its margins: there a picture is drawn at its own size, on paper two stand side by side.
WIDTH = 340.0
#: A generous letter, in the size that labels have.
LETTER = 6.0
Anchor = Literal["start", "middle", "end"]
#: What a style sheet knows a shape by.
Kind = Literal["main", "band", "axis", "zero", "agreed", "mark", "other", "quiet", "strong", "leader", "low", "high", "faint", "front"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A disc."""

    x: float
    y: float
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A line through points, or the area that it encloses."""

    points: tuple[tuple[float, float], ...]
    is_area: bool
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Label:
    """Words at a point."""

    x: float
    y: float
    words: str
    anchor: Anchor = "start"
    kind: Kind = "other"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Shapes within WIDTH and `height`, a title, and in words what is to be seen."""

    name: str
    title: str
    words: str
    height: float
    bars: tuple[Bar, ...] = ()
    traces: tuple[Trace, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A straight way from values to places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies; beyond the ends, at the end."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 1)


def scale(values: Sequence[float], start: float, end: float) -> Scale:
    """Span all finite values, and some distance where they are all the same."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return Scale(low=low, high=high if high > low else low + 1.0, start=start, end=end)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """List round values within bounds, 0 among them where it is: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [step * count for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
