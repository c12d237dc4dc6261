"""The brief's pictures as shapes that are already scaled: a page has only to draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from poc.rules.evidence import CurvePoint, Interval, Swing
from poc.rules.shapes import LETTER, WIDTH, Bar, Dot, Kind, Label, Line, Picture, Trace, scale, ticks
from poc.rules.words import UNBROKEN, amount, figure, in_words

#: A row of the money picture; of the tornado, a name and a bar below it.
ROW, STEP = 18.0, 24.0


def money_picture(money: Interval, others: Mapping[str, float], minimum: float, *, today: str, unit: str, level: str) -> Picture:
    """Draw the model's interval and, on the same axis, today's process at 0, the agreed minimum and what needs no model, at mean costs.

    The axis is made for the model: what lies farther away than the width of all that matters stands at the edge, with an arrow.
    """
    matters = scale([money.low, money.high, 0.0, minimum], 0, 1)
    span = matters.high - matters.low
    near = [value for value in others.values() if matters.low - span <= value <= matters.high + span]
    at = scale([matters.low, matters.high, *near], 112, 332)
    rows: dict[str, tuple[float, Kind]] = {today: (0.0, "other"), "agreed minimum": (minimum, "agreed")}
    rows |= {name: (value, "other") for name, value in others.items()}
    height = 38 + ROW * len(rows)
    middle = 14.0
    labels = [
        Label(x=0, y=middle + 4, words="this model", kind="strong"),
        Label(x=_inside(at(money.low), amount(money.low, signed=True)), y=middle + 18, words=amount(money.low, signed=True), anchor="middle", kind="strong"),
        Label(x=_inside(at(money.high), amount(money.high, signed=True)), y=middle + 18, words=amount(money.high, signed=True), anchor="middle", kind="strong"),
    ]
    dots = [Dot(x=at(money.middle), y=middle, kind="main")]
    lines = [
        Line(x1=at(0), y1=2, x2=at(0), y2=height - 2, kind="zero"),
        Line(x1=at(minimum), y1=2, x2=at(minimum), y2=height - 2, kind="agreed"),
    ]
    for number, (name, (value, kind)) in enumerate(rows.items()):
        y = 47 + ROW * number
        off = "" if at.low <= value <= at.high else " ←" if value < at.low else " →"
        to_the_right = at(value) < 255
        labels.append(Label(x=0, y=y + 4, words=name))
        dots.append(Dot(x=at(value), y=y, kind=kind))
        labels.append(
            Label(
                x=at(value) + (8 if to_the_right else -8), y=y + 4, words=(amount(value, signed=True) or "0") + off, anchor="start" if to_the_right else "end"
            )
        )
    told = "; ".join(f"{name} {amount(value, signed=True)}" for name, (value, _) in rows.items())
    return Picture(
        name="money",
        title=f"Worth against today's process, {unit}: the model's median; what needs no model, at mean costs",
        words=f"This model: {amount(money.low, signed=True)} to {amount(money.high, signed=True)} ({level}), median "
        f"{amount(money.middle, signed=True)}. For comparison, what needs no model at mean costs: {told}. In {unit}, run cost of the model paid.",
        height=height,
        bars=(Bar(x=at(money.low), y=middle - 5, width=round(max(1.0, at(money.high) - at(money.low)), 1), height=10, kind="main"),),
        lines=tuple(lines),
        dots=tuple(dots),
        labels=tuple(labels),
    )


def _inside(x: float, words: str) -> float:
    """Move a label's middle so that it stays within the picture."""
    half = 3.8 * len(words)
    return round(min(WIDTH - half, max(half, x)), 1)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A threshold to point out on the curve."""

    threshold: float
    money: float
    words: str
    kind: Kind


#: Thresholds beyond these look the same to anybody.
SMALLEST, LARGEST = 0.0005, 0.9995


def odds(threshold: float) -> float:
    """Stretch both ends of the thresholds, where rare events are decided: the logarithm of the odds."""
    share = min(LARGEST, max(SMALLEST, threshold))
    return math.log(share / (1 - share))


def worth_at(curve: Sequence[CurvePoint], threshold: float) -> float:
    """Return the money that the curve's line shows at a threshold, between two of its points; beyond its ends, the end's."""
    points = sorted((odds(each.threshold), each.money.middle) for each in curve)
    at = odds(threshold)
    for (left, before), (right, after) in pairwise(points):
        if left <= at <= right and right > left:
            return before + (after - before) * (at - left) / (right - left)
    return points[0][1] if at < points[0][0] else points[-1][1]


def curve_picture(curve: Sequence[CurvePoint], marks: Sequence[Mark], *, unit: str, level: str) -> Picture:
    """Draw money over thresholds with its band; each mark has a line of its own above, so that no two labels meet."""
    points = [each for each in curve if all(map(math.isfinite, (each.money.low, each.money.middle, each.money.high)))]
    top, bottom = 8 + 13.0 * len(marks), 129.0
    x = scale([odds(each.threshold) for each in points] + [odds(mark.threshold) for mark in marks], 54, 334)
    y = scale([value for each in points for value in (each.money.low, each.money.high)] + [0.0], bottom, top)

    def across(threshold: float) -> float:
        return x(odds(threshold))

    lows, middles, highs = (tuple((across(each.threshold), y(getattr(each.money, end))) for each in points) for end in ("low", "middle", "high"))
    money_ticks = ticks(y.low, y.high)
    lines = [Line(x1=54, y1=y(value), x2=334, y2=y(value), kind="zero" if value == 0 else "axis") for value in money_ticks]
    labels = [Label(x=50, y=y(value) + 3.5, words=amount(value), anchor="end", kind="quiet") for value in money_ticks]
    for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.99):
        if x.low <= odds(share) <= x.high:
            lines.append(Line(x1=across(share), y1=bottom, x2=across(share), y2=bottom + 4, kind="axis"))
            tick = f"{100 * share:g}{UNBROKEN}%"
            labels.append(Label(x=_inside(across(share), tick), y=bottom + 15, words=tick, anchor="middle", kind="quiet"))
    labels.append(Label(x=194, y=bottom + 29, words="probability from which an alert is raised", anchor="middle", kind="quiet"))
    for number, mark in enumerate(sorted(marks, key=lambda mark: mark.threshold)):  # from left to right, so that no leader crosses another's label
        at, row = across(mark.threshold), 9 + 13.0 * number
        fits = at + 4 + LETTER * len(mark.words) <= WIDTH
        lines.append(Line(x1=at, y1=row - 8 if fits else row + 3, x2=at, y2=y(mark.money), kind="leader"))
        labels.append(Label(x=at + 4 if fits else WIDTH, y=row, words=mark.words, anchor="start" if fits else "end", kind=mark.kind))
    return Picture(
        name="curve",
        title=f"Worth at every threshold, {unit}, on the dev rows",
        words="; ".join(f"{mark.words}, {amount(mark.money, signed=True)}" for mark in marks) + f" ({unit} against today's process; the band is the {level}).",
        height=bottom + 34,
        traces=(Trace(points=(*lows, *reversed(highs)), is_area=True, kind="band"), Trace(points=middles, is_area=False, kind="main")),
        lines=tuple(lines),
        dots=tuple(Dot(x=across(mark.threshold), y=y(mark.money), kind=mark.kind) for mark in marks),
        labels=tuple(labels),
    )


def tornado_picture(swings: Sequence[Swing], expected: float, *, unit: str, most: int = 5) -> Picture:
    """Draw the widest bars, widest first: what the money would be if one thing lay at its low (light) or its high end (dark); the axis holds 0."""
    bars = list(swings[:most])
    at = scale([expected, 0.0, *(value for bar in bars for value in (bar.at_low, bar.at_high))], 52, 286)
    bottom = 4 + STEP * len(bars)
    upright = ticks(at.low, at.high, 4)
    labels = [Label(x=at(value), y=bottom + 11, words=amount(value), anchor="middle", kind="quiet") for value in upright]
    drawn, lines = [], []
    for number, bar in enumerate(bars):
        y = 13 + STEP * number
        (left, left_end), (right, right_end) = sorted([(bar.at_low, bar.low), (bar.at_high, bar.high)])
        # Between the names, not through them.
        lines += [Line(x1=at(value), y1=y - 1, x2=at(value), y2=y + 10, kind="axis" if value else "zero") for value in upright]
        drawn += [_bar(at(bar.at_low), at(expected), y, "low"), _bar(at(expected), at(bar.at_high), y, "high")]
        labels.append(Label(x=0, y=y - 3, words=in_words(bar.name), kind="strong"))
        before, after = end_of(bar, left_end), end_of(bar, right_end)
        starts, ends = at(left) - 8 - LETTER * len(before), at(right) + 8 + LETTER * len(after)  # with the white around letters
        labels.append(Label(x=(at(0) if starts < at(0) <= at(left) else at(left)) - 4, y=y + 8, words=before, anchor="end"))
        labels.append(Label(x=(at(0) if at(right) <= at(0) < ends else at(right)) + 4, y=y + 8, words=after))
    return Picture(
        name="tornado",
        title=f"Worth in {unit}, if one thing lies at its low (light) or high end",
        words="; ".join(
            f"{in_words(bar.name)} {end_of(bar, bar.low)}: {amount(bar.at_low, signed=True)}, {end_of(bar, bar.high)}: {amount(bar.at_high, signed=True)}"
            for bar in bars
        )
        + f" ({unit}; all else where it is expected, which gives {amount(expected, signed=True)}).",
        height=bottom + 15,
        bars=tuple(drawn),
        lines=tuple(lines),
        labels=tuple(labels),
    )


def _bar(one: float, other: float, y: float, kind: Kind) -> Bar:
    return Bar(x=min(one, other), y=y, width=round(abs(other - one), 1), height=9, kind=kind)


def end_of(bar: Swing, value: float) -> str:
    """Say an end of what a bar is about, with its unit; counts need none beside their name."""
    return amount(value) if bar.unit.startswith("a ") else figure(value, bar.unit)
