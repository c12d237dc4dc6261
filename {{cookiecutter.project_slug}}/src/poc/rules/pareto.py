"""Variants as marks: cost across, worth upwards, each with its interval; what was agreed as lines, and the Pareto front as steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from poc.rules.evidence import Interval
from poc.rules.shapes import LETTER, Anchor, Dot, Kind, Label, Line, Picture, Scale, Trace, scale, ticks
from poc.rules.trade_off import Option, Tradeoff, alike, front
from poc.rules.words import amount, bounded, figure, in_words

#: Where marks may lie; in the small picture their names stand in a column at the right.
LEFT, RIGHT, NARROW_RIGHT, NAMES = 46.0, 334.0, 162.0, 172.0
#: Above the marks: what the limit is; below them: the axis with its name.
ABOVE, AXIS = 18.0, 30.0
#: The distance between two lines of words, and how high a letter and a mark are.
ROW, LETTER_HEIGHT, MARK = 12.0, 10.0, 9.0
#: A limit farther away than so many times the dearest mark stands at the edge, with an arrow: the marks are what is to be told apart.
FAR = 5.0
#: As many names, and of as many letters, have room beside a small picture.
MOST_NAMES, LONGEST = 7, 32


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where an option lies in a picture."""

    option: Option
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A trade-off, the options that are drawn of it, and the scales that place them; costs lie on a logarithmic axis."""

    tradeoff: Tradeoff
    options: tuple[Option, ...]
    x: Scale
    y: Scale

    def across(self, cost: float) -> float:
        """Return where a cost lies."""
        return self.x(math.log10(cost)) if 0 < cost < math.inf else self.x.start if cost <= 0 else self.x.end

    def marks(self) -> list[Mark]:
        """Place the options, the frozen one first."""
        known = sorted((each for each in self.options if each.is_known), key=lambda each: not each.is_frozen)
        return [Mark(option=each, x=self.across(each.cost.middle), y=self.y(each.worth.middle)) for each in known]


def small_picture(tradeoff: Tradeoff) -> Picture:
    """Draw the options that decide differently, the most worth first, with a list of their names beside them."""
    options = sorted(alike(tradeoff.options), key=lambda each: (not each.is_known, -each.worth.middle))
    plot = _plot(tradeoff, options, right=NARROW_RIGHT, top=ABOVE, bottom=78.0)
    return _picture(plot, [*_numbers(plot), *_names(plot)], height=78.0 + AXIS)


def full_picture(tradeoff: Tradeoff) -> Picture:
    """Draw every option, with a list of them and of their figures below."""
    top, height = ROW + ABOVE, 240.0
    plot = _plot(tradeoff, tradeoff.options, right=RIGHT, top=top, bottom=height - AXIS)
    what = Label(x=0, y=8, words=f"worth on the dev rows, {tradeoff.money}", kind="quiet")
    rows = [label for number, each in enumerate(tradeoff.options, 1) for label in _row(number, each, height + 2 * ROW * number - 8)]
    return _picture(plot, [what, *_numbers(plot), *rows], height=height + 2 * ROW * len(tradeoff.options) + 6)


def _plot(tradeoff: Tradeoff, options: Sequence[Option], *, right: float, top: float, bottom: float) -> Plot:
    known = [each for each in options if each.is_known]
    costs = [end for each in known for end in _ends(each.cost) if end > 0] or [1.0]
    is_near = min(costs) / FAR <= tradeoff.limit <= max(costs) * FAR
    shown = [*costs, tradeoff.limit] if is_near else costs
    x = scale([math.log10(min(shown) / 1.05), math.log10(max(shown) * 1.05)], LEFT, right)
    y = scale([*(end for each in known for end in _ends(each.worth)), 0.0, tradeoff.minimum], bottom, top)
    return Plot(tradeoff=tradeoff, options=tuple(options), x=x, y=y)


def _ends(interval: Interval) -> list[float]:
    return [end for end in (interval.low, interval.middle, interval.high) if math.isfinite(end)]


def _picture(plot: Plot, labels: Sequence[Label], *, height: float) -> Picture:
    marks, tradeoff = plot.marks(), plot.tradeoff
    return Picture(
        name=tradeoff.name,
        title=f"Worth on the dev rows, {tradeoff.money}, against {tradeoff.costs}, {tradeoff.unit}",
        words=_in_words(plot),
        height=height,
        traces=tuple(_steps(plot)),
        lines=(*_grid(plot), *(line for mark in reversed(marks) for line in _whiskers(plot, mark))),
        dots=tuple(Dot(x=mark.x, y=mark.y, kind="main" if mark.option.is_frozen else "faint" if mark.option.why_not else "other") for mark in reversed(marks)),
        labels=(*_axes(plot), *labels),
    )


def _grid(plot: Plot) -> Iterator[Line]:
    """Draw the grid, the agreed minimum, and the limit where it lies within."""
    left, right, bottom, limit = plot.x.start, plot.x.end, plot.y.start, plot.tradeoff.limit
    for value in ticks(plot.y.low, plot.y.high, 4):
        yield Line(x1=left, y1=plot.y(value), x2=right, y2=plot.y(value), kind="zero" if value == 0 else "axis")
    for value in _round(plot.x):
        yield Line(x1=plot.across(value), y1=bottom, x2=plot.across(value), y2=bottom + 4, kind="axis")
    yield Line(x1=left, y1=plot.y(plot.tradeoff.minimum), x2=right, y2=plot.y(plot.tradeoff.minimum), kind="agreed")
    if _side(plot, limit) == 0:
        yield Line(x1=plot.across(limit), y1=plot.y.end - 4, x2=plot.across(limit), y2=bottom, kind="agreed")


def _axes(plot: Plot) -> Iterator[Label]:
    """Say what lies where on both axes, and what was agreed."""
    tradeoff, right, bottom = plot.tradeoff, plot.x.end, plot.y.start
    for value in ticks(plot.y.low, plot.y.high, 4):
        yield Label(x=LEFT - 4, y=plot.y(value) + 3.5, words=amount(value), anchor="end", kind="quiet")
    for value in _round(plot.x):
        yield Label(x=plot.across(value), y=bottom + 14, words=amount(value), anchor="middle", kind="quiet")
    yield Label(x=right, y=bottom + 27, words=f"{tradeoff.costs}, {tradeoff.unit}", anchor="end", kind="quiet")
    yield Label(x=right, y=plot.y(tradeoff.minimum) - 3, words="agreed minimum", anchor="end", kind="quiet")
    said = f"{tradeoff.limit_is} {figure(tradeoff.limit, tradeoff.unit)}"
    if not math.isfinite(tradeoff.limit):
        return
    side, at = _side(plot, tradeoff.limit), plot.across(tradeoff.limit)
    words = (said, f"{said} →", f"← {said}")[side]  # -1 is the last
    is_right = at > (LEFT + right) / 2
    yield Label(x=at, y=plot.y.end - 8, words=words, anchor="end" if is_right else "start")


def _side(plot: Plot, cost: float) -> int:
    """Say whether a cost lies on the axis (0), or beyond its left (-1) or right end (1)."""
    return -1 if cost < 10**plot.x.low else 1 if cost > 10**plot.x.high else 0


def _round(x: Scale) -> list[float]:
    """List round costs: 1, 2 and 5 times the powers of ten, or, where the axis is shorter, evenly apart; those that have room for their words."""
    low, high = 10**x.low, 10**x.high
    powers = range(math.floor(x.low), math.ceil(x.high) + 1)
    found = [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]
    apart: list[float] = []
    for value in found if len(found) > 2 else ticks(low, high, 4):
        if not apart or x(math.log10(value)) - x(math.log10(apart[-1])) >= LETTER * (len(amount(value)) + 1):
            apart.append(value)
    return apart


def _whiskers(plot: Plot, mark: Mark) -> Iterator[Line]:
    """Draw both intervals through a mark; an end that is not known is where the axis ends."""
    kind: Kind = "main" if mark.option.is_frozen else "faint"
    cost, worth = mark.option.cost, mark.option.worth
    yield Line(x1=plot.across(cost.low), y1=mark.y, x2=plot.across(cost.high), y2=mark.y, kind=kind)
    yield Line(x1=mark.x, y1=plot.y(worth.low), x2=mark.x, y2=plot.y(worth.high), kind=kind)


def _steps(plot: Plot) -> Iterator[Trace]:
    """Draw the front: the most that can be had for no more than each cost."""
    places = [(plot.across(each.cost.middle), plot.y(each.worth.middle)) for each in front(plot.options)]
    if places:
        corners = [corner for (_, before), (at, up) in pairwise(places) for corner in ((at, before), (at, up))]
        yield Trace(points=(places[0], *corners, (plot.x.end, places[-1][1])), is_area=False, kind="front")


def _names(plot: Plot) -> Iterator[Label]:
    """List what the first numbers stand for, one below the other."""
    known = [(number, each) for number, each in enumerate(plot.options, 1) if each.is_known]
    for row, (number, each) in enumerate(known[:MOST_NAMES]):
        yield Label(x=NAMES, y=plot.y.end + 4 + ROW * row, words=_cut(f"{number} {_name(each)}"), kind=_kind(each))
    if (left := len(known) - MOST_NAMES) > 0:
        yield Label(x=NAMES, y=plot.y.end + 4 + ROW * MOST_NAMES, words=f"and {left} more", kind="quiet")


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _kind(option: Option) -> Kind:
    """Return how what is said of an option is drawn."""
    return "strong" if option.is_frozen else "quiet" if option.why_not else "other"


def _name(option: Option) -> str:
    name = in_words(option.name).replace(".", " ")
    return f"{name}: {option.why_not}" if option.why_not else name


#: Where a number may stand beside its mark: how far to the right and down, and which end of it is there.
PLACES: tuple[tuple[float, float, Anchor], ...] = ((8, 3.5, "start"), (-8, 3.5, "end"), (0, -8, "middle"), (0, 16, "middle"), (7, -5, "start"), (-7, -5, "end"))
Box = tuple[float, float, float, float]


def _numbers(plot: Plot) -> Iterator[Label]:
    """Put each number where it covers the least of the other numbers and marks, and of what stands to the right."""
    number = {each.name: str(at) for at, each in enumerate(plot.options, 1)}
    taken: list[Box] = [(mark.x - MARK / 2, mark.y - MARK / 2, mark.x + MARK / 2, mark.y + MARK / 2) for mark in plot.marks()]
    for mark in plot.marks():
        words = number[mark.option.name]
        tried = [(_box(mark.x + right, mark.y + down, words, anchor), mark.x + right, mark.y + down, anchor) for right, down, anchor in PLACES]
        box, x, y, anchor = min(tried, key=lambda each: sum(_shared(each[0], other) for other in taken) + max(0.0, each[0][2] - plot.x.end) * ROW)
        taken.append(box)
        yield Label(x=round(x, 1), y=round(y, 1), words=words, anchor=anchor, kind=_kind(mark.option))


def _box(x: float, y: float, words: str, anchor: Anchor) -> Box:
    width = LETTER * len(words)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, y - LETTER_HEIGHT, left + width, y


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _row(number: int, option: Option, y: float) -> Iterator[Label]:
    """Say what a number stands for, in two lines."""
    said = " (frozen)" if option.is_frozen else f": {option.why_not}" if option.why_not else ""
    yield Label(x=0, y=y, words=f"{number}  {option.name}{said}", kind=_kind(option))
    yield Label(x=12, y=y + ROW, words=f"{bounded(option.cost)}; {bounded(option.worth, signed=True)}", kind="quiet")


def _in_words(plot: Plot) -> str:
    tradeoff = plot.tradeoff
    each = (
        f"{_name(option)}{' (frozen)' if option.is_frozen else ''}: {bounded(option.cost)} {tradeoff.unit}, worth {bounded(option.worth, signed=True)}"
        for option in plot.options
    )
    limit = f"The {tradeoff.limit_is} is {figure(tradeoff.limit, tradeoff.unit)}, t" if math.isfinite(tradeoff.limit) else "T"
    return f"{'; '.join(each)}. {limit}he agreed minimum {amount(tradeoff.minimum)} {tradeoff.money}."
