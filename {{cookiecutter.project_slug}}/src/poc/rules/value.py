"""Money: what a model is worth per period against today's process, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import Charter, Range, ShareRange, perfect_saving_per_period
from poc.rules.evidence import Confusion, Interval, Money

Floats = NDArray[np.float64]
F = TypeVar("F", float, Floats)

#: How many draws; more where fewer than a hundred would lie beyond a bound, as long as memory is no matter.
DRAWS, MOST_DRAWS, BEYOND = 20_000, 1_000_000, 100


@dataclass(frozen=True, kw_only=True)
class Economy:
    """What the charter says of volume and costs: one number each, or one per draw, shape (n_draws,), float64."""

    decisions: float | Floats
    positives: float | Floats
    missed: float | Floats
    false_alarm: float | Floats
    catch: float | Floats

    def cost(self, missed_share: float | Floats, false_alarm_share: float | Floats) -> float | Floats:
        """Return the cost of errors and catches per period.

        decisions * (positives * (missed share * miss + (1 - missed share) * catch) + (1 - positives) * false-alarm share * false alarm):
        the expected cost of a classifier at prevalence `positives` (C. Elkan, "The foundations of cost-sensitive learning", 2001).
        """
        on_positives = missed_share * self.missed + (1 - missed_share) * self.catch
        return self.decisions * (self.positives * on_positives + (1 - self.positives) * false_alarm_share * self.false_alarm)


def worth(charter: Charter, confusion: Confusion, *, seed: int) -> Money:
    """Return money per period by which a model with these errors beats today's process, flagging everything and flagging nothing.

    Draws of the two error shares come from Beta(errors + 1/2, rows - errors + 1/2), Jeffreys' posterior of a share (Brown, Cai and
    DasGupta, "Interval estimation for a binomial proportion", 2001); those of volume, prevalence and costs from triangular
    distributions over the charter's ranges. Prevalence is the charter's, because a split may hold more positives than the world. The
    model pays its run cost, the other policies none; today's shares count as the charter states them.

    Each end of an interval is a one-sided bound at the charter's confidence, the allowed error divided by the number of looks, as for
    every other limit that the sealed rows show: 95 % and one look give 90 % intervals.
    """
    rng = np.random.default_rng(seed)
    beyond = (1 - float(charter.limits.confidence)) / charter.timebox.looks
    draws = int(np.clip(BEYOND / beyond, DRAWS, MOST_DRAWS))
    economy = _drawn_economy(charter, rng, draws)
    model = economy.cost(*_drawn_shares(confusion, rng, draws)) + float(charter.value.run_cost_per_period)
    today = economy.cost(float(charter.baseline.missed_share), float(charter.baseline.false_alarm_share))
    beats_today = np.asarray(today - model)
    return Money(
        currency=charter.value.currency,
        period=charter.value.period,
        per_period=_interval(beats_today, beyond),
        level=1 - 2 * beyond,
        chance_of_loss=float(np.mean(beats_today < 0)),
        chance_of_minimum=float(np.mean(beats_today >= float(charter.timebox.minimum_value_per_period))),
        flag_everything=_interval(np.asarray(economy.cost(0.0, 1.0) - model), beyond),
        flag_nothing=_interval(np.asarray(economy.cost(1.0, 0.0) - model), beyond),
        perfect_model=float(perfect_saving_per_period(charter) - charter.value.run_cost_per_period),
    )


def expected_worth(charter: Charter, missed_share: F, false_alarm_share: F) -> F:
    """Return the mean money per period against today's process at given error shares: one number, or an array of the shares' shape.

    A triangular distribution has the mean (low + likely + high) / 3; the ranges are independent, so means may be multiplied.
    """
    economy, today = _mean_economy(charter), charter.baseline
    gain = economy.cost(float(today.missed_share), float(today.false_alarm_share)) - economy.cost(missed_share, false_alarm_share)
    return gain - float(charter.value.run_cost_per_period)  # type: ignore[return-value]  # one number from numbers, an array from arrays


def _mean_economy(charter: Charter) -> Economy:
    value = charter.value

    def mean(known: Range | ShareRange) -> float:
        return float(known.low + known.likely + known.high) / 3

    return Economy(
        decisions=mean(value.decisions_per_period),
        positives=mean(value.positive_share),
        missed=mean(value.cost_missed),
        false_alarm=mean(value.cost_false_alarm),
        catch=mean(value.cost_per_catch),
    )


def _drawn_economy(charter: Charter, rng: np.random.Generator, n: int) -> Economy:
    value = charter.value
    return Economy(
        decisions=triangular(value.decisions_per_period, rng, n),
        positives=triangular(value.positive_share, rng, n),
        missed=triangular(value.cost_missed, rng, n),
        false_alarm=triangular(value.cost_false_alarm, rng, n),
        catch=triangular(value.cost_per_catch, rng, n),
    )


def _drawn_shares(confusion: Confusion, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    pairs = ((confusion.missed, confusion.positives), (confusion.false_alarms, confusion.negatives))
    missed, false_alarms = (rng.beta(errors + 0.5, rows - errors + 0.5, n) for errors, rows in pairs)
    return missed, false_alarms


def triangular(known: Range | ShareRange, rng: np.random.Generator, n: int = DRAWS) -> Floats:
    """Draw from the triangular distribution, shape (n,); low = high is allowed, which numpy's own refuses.

    The inverse of its distribution function at a uniform u: low + sqrt(u * width * (likely - low)) up to the peak, mirrored beyond.
    """
    low, likely, high = (float(number) for number in (known.low, known.likely, known.high))
    u, width = rng.random(n), high - low
    rising = low + np.sqrt(u * width * (likely - low))
    falling = high - np.sqrt((1 - u) * width * (high - likely))
    return np.where(u * width < likely - low, rising, falling)


def _interval(draws: Floats, beyond: float) -> Interval:
    low, middle, high = np.quantile(draws, [beyond, 0.5, 1 - beyond])
    return Interval(low=float(low), middle=float(middle), high=float(high))
