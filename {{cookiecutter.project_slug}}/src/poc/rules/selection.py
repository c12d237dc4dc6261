"""Which variant to freeze: the cheapest of those expected to meet every limit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from poc.rules.evidence import Assessment

#: A chance of GO within this of the best is not worth a dearer variant.
AS_LIKELY = 0.05


def choose(assessments: Sequence[Assessment]) -> tuple[Assessment, str]:
    """Return the variant to freeze and the reason, in one sentence; the best even if none is expected to pass.

    Among variants expected to pass, those about as likely as the best to reach GO are kept; of these the cheapest a month, counted in whole machines; of
    those the one with the most money on dev, then the first by name. Microseconds do not decide: timing noise would freeze another candidate each time,
    and each candidate takes a look.
    """
    expected = [each for each in assessments if each.is_expected_to_pass]
    pool = expected or list(assessments)
    likely = [each for each in pool if each.chance_of_go >= max(other.chance_of_go for other in pool) - AS_LIKELY]
    cheap = [each for each in likely if monthly_cost(each) == min(monthly_cost(other) for other in likely)]
    chosen = min(cheap, key=lambda each: (-round(each.money.per_period.middle), each.variant))
    if not expected:
        return chosen, f"no variant is expected to meet every limit; {chosen.variant} is the most likely to (predicted chance {chosen.chance_of_go:.0%})"
    cost = f"{monthly_cost(chosen):,.0f} {chosen.money.currency} a month, {chosen.cpu_us_per_call:.0f} us CPU a call"
    return chosen, f"{chosen.variant}: of {len(expected)} variants expected to meet every limit, among the cheapest ({cost}), and of those it earns most on dev"


def monthly_cost(assessment: Assessment) -> float:
    """Return what the machines cost that a variant needs at the charter's rate, per month; infinite if it was not timed."""
    found = (limit.measured for limit in assessment.limits if limit.name == "monthly_budget" and math.isfinite(limit.measured))
    return next(found, math.inf)
