"""Money: what a model is worth per period against today's process, with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from poc.rules import stakes
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.charter_fields import Known
from poc.rules.counts import drawn_errors, expected_errors
from poc.rules.evidence import BreakEven, Confusion, Counted, Interval, Money, Swing
from poc.rules.groups import DRAWS, draws_for
from poc.rules.stakes import cost_per_period, errors_of_nobody, errors_today, knowns, perfect_errors

Floats = NDArray[np.float64]
#: Enough for a line in a picture.
FEW_DRAWS = 4_000


def worth(charter: Charter, counted: Counted, *, seed: int) -> Money:
    """Return money per period by which a model with these errors beats today's process, and what needs no model.

    Errors are drawn from what was counted (`rules.counts`), volume, prevalence and costs from triangular distributions over the charter's ranges.
    Prevalence is the charter's, because a split may hold more positives than the world. The model pays its run cost, the other policies none;
    today's errors count as the charter states them.

    Each end of an interval is a one-sided bound at the charter's confidence, the allowed error divided by the number of looks, as for
    every other limit that the sealed rows show: 95 % and one look give 90 % intervals.
    """
    rng = np.random.default_rng(seed)
    beyond = allowed_error(charter)
    n = draws_for(beyond, errors_today(charter).size)
    known = {name: triangular(each, rng, n) for name, each in knowns(charter).items()}
    errors, of_policies = drawn_errors(counted, rng, n)
    model = cost_per_period(charter, known, errors) + float(charter.value.run_cost_per_period)
    gains = {name: cost_per_period(charter, known, each) - model for name, each in {**errors_of_nobody(charter), **of_policies}.items()}
    beats_today = cost_per_period(charter, known, errors_today(charter)) - model
    mean, minimum = expected_errors(counted), float(charter.timebox.minimum_value_per_period)
    return Money(
        currency=charter.value.currency,
        period=charter.value.period,
        per_period=interval(beats_today, beyond),
        level=1 - 2 * beyond,
        chance_of_loss=1 - float(np.mean(beats_today >= 0)),  # so that what is not a number counts as a loss
        minimum=minimum,
        chance_of_minimum=float(np.mean(beats_today >= minimum)),
        against={name: interval(gain, beyond) for name, gain in gains.items()},
        expected=float(expected_worth(charter, mean)),
        tornado=sorted(_tornado(charter, counted, errors, beyond), key=lambda bar: -abs(bar.at_high - bar.at_low)),
        break_even=_break_even(charter, mean),
        perfect_model=float(expected_worth(charter, perfect_errors(charter))),
    )


def money_interval(charter: Charter, counted: Counted, *, seed: int) -> Interval:
    """Return the interval of `worth` alone, from fewer draws: for pictures."""
    rng = np.random.default_rng(seed)
    known = {name: triangular(each, rng, FEW_DRAWS) for name, each in knowns(charter).items()}
    return interval(gain(charter, known, drawn_errors(counted, rng, FEW_DRAWS)[0]), allowed_error(charter))


def allowed_error(charter: Charter) -> float:
    """Return how often one bound may be wrong: what the charter's confidence leaves, divided by the number of looks (Bonferroni)."""
    return (1 - float(charter.limits.confidence)) / charter.timebox.looks


def expected_worth(charter: Charter, errors: Floats) -> Floats:
    """Return the mean money per period against today's process at given errors, in the shape of their trailing axes.

    A triangular distribution has the mean (low + likely + high) / 3; the ranges are independent, so means may be multiplied. The shares of
    several classes are scaled to add up to 1: of those the ratio of means is close to the mean ratio, no more.
    """
    return gain(charter, means(charter), errors)


def gain(charter: Charter, known: Mapping[str, Floats], errors: Floats) -> Floats:
    """Return the money per period by which a model with these errors beats today's process, its run cost paid."""
    return cost_per_period(charter, known, errors_today(charter)) - cost_per_period(charter, known, errors) - float(charter.value.run_cost_per_period)


def means(charter: Charter) -> dict[str, Floats]:
    """Return the mean of everything that the charter knows as a range."""
    return {name: np.asarray(float(known.low + known.likely + known.high) / 3) for name, known in knowns(charter).items()}


def triangular(known: Known, rng: np.random.Generator, n: int = DRAWS) -> Floats:
    """Draw from the triangular distribution, shape (n,); low = high is allowed, which numpy's own refuses.

    The inverse of its distribution function at a uniform u: low + sqrt(u * width * (likely - low)) up to the peak, mirrored beyond.
    """
    low, likely, high = (float(number) for number in (known.low, known.likely, known.high))
    u, width = rng.random(n), high - low
    rising = low + np.sqrt(u * width * (likely - low))
    falling = high - np.sqrt((1 - u) * width * (high - likely))
    return np.where(u * width < likely - low, rising, falling)


def interval(draws: Floats, beyond: float) -> Interval:
    """Return the median of draws, and the bounds that leave this share of them out on each side."""
    low, middle, high = np.quantile(draws, [beyond, 0.5, 1 - beyond])
    return Interval(low=float(low), middle=float(middle), high=float(high))


def threshold_by_costs(charter: BinaryCharter, prevalence: float) -> float:
    """Return from which calibrated probability on an alert costs less than none, at the mean costs.

    Alert when p * (miss - catch) >= (1 - p) * false alarm: p / (1 - p) >= false alarm / (miss - catch). `prevalence` is the share of positives
    among the rows that the probabilities were calibrated on; where production's differs, the odds shift by the ratio of the two prior
    odds (Elkan, 2001, theorem 2). 1 where a catch costs as much as a miss, or where there is no positive: then no alert pays.
    """
    mean = {name: float(known) for name, known in means(charter).items()}
    saved, share = mean[stakes.MISS] - mean[stakes.CATCH], mean[stakes.POSITIVE]
    if saved <= 0 or share <= 0 or not 0 < prevalence < 1:
        return 1.0
    odds = mean[stakes.FALSE_ALARM] / saved * (prevalence / (1 - prevalence)) * ((1 - share) / share)
    return odds / (1 + odds)


def _tornado(charter: Charter, counted: Counted, errors: Floats, beyond: float) -> Iterator[Swing]:
    """Swing everything that is not known exactly, one at a time: the charter's ranges end to end, the errors within their interval."""
    mean, expected = means(charter), expected_errors(counted)
    for name, known in knowns(charter).items():
        if known.low < known.high:
            low, high = float(known.low), float(known.high)
            at_low, at_high = (float(gain(charter, {**mean, name: np.asarray(end)}, expected)) for end in (low, high))
            yield Swing(name=name, low=low, high=high, unit=_unit(charter, name), at_low=at_low, at_high=at_high)
    if isinstance(counted, Confusion):
        for i, name in enumerate(("missed share, as measured", "false-alarm share, as measured")):
            low, high = (float(end) for end in np.quantile(errors[i], [beyond, 1 - beyond]))
            ends = [expected.copy() for _ in range(2)]
            ends[0][i], ends[1][i] = low, high
            yield Swing(
                name=name, low=low, high=high, unit="share", at_low=float(expected_worth(charter, ends[0])), at_high=float(expected_worth(charter, ends[1]))
            )
    else:
        at_low, at_high = (float(end) for end in np.quantile(expected_worth(charter, errors), [beyond, 1 - beyond]))
        yield Swing(name="errors, as measured", low=beyond, high=1 - beyond, unit="quantile", at_low=at_low, at_high=at_high)


def _break_even(charter: Charter, errors: Floats) -> BreakEven:
    """Find the dearest error's cost at which the money is nil: money is a straight line in each cost. NaN where that is below 0."""
    mean = means(charter)
    name = _dearest_error(charter)
    at_none, at_one = (float(gain(charter, {**mean, name: np.asarray(cost)}, errors)) for cost in (0.0, 1.0))
    slope = at_one - at_none
    nil = -at_none / slope if slope else float("nan")
    return BreakEven(name=name, value=nil if nil >= 0 else float("nan"), unit=_unit(charter, name))


def _dearest_error(charter: Charter) -> str:
    if isinstance(charter, BinaryCharter):
        return stakes.MISS
    if isinstance(charter, AmountCharter):
        return stakes.OVER if charter.value.cost_per_unit_over.likely > charter.value.cost_per_unit_under.likely else stakes.UNDER
    assert isinstance(charter, MulticlassCharter)
    costs, names = charter.value.costs, charter.data.classes
    true, decided = max(((true, decided) for true in names for decided in names if true != decided), key=lambda pair: costs[pair[0]][pair[1]].likely)
    return stakes.cost_of(true, decided)


def _unit(charter: Charter, name: str) -> str:
    if name == stakes.DECISIONS:
        return f"a {charter.value.period}"
    return "share" if name == stakes.POSITIVE or name.startswith("share of ") else charter.value.currency
