"""Which variant to freeze: the cheapest of those expected to meet every limit, as far as its cost can be told from theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from poc.rules.evidence import Assessment, Interval
from poc.rules.words import amount, parted

#: A chance of GO within this of the best is not worth a dearer variant.
AS_LIKELY = 0.05
#: By how much a call has to be cheaper, bound against bound, before it decides: what noise can move must not freeze another candidate in each run.
CHEAPER = 0.2


def choose(assessments: Sequence[Assessment]) -> tuple[Assessment, str]:
    """Return the variant to freeze and why, in one sentence with the figures; the best even if none is expected to pass.

    Of variants expected to pass, those about as likely as the best to reach GO are kept. Of these, those not shown to be dearer a month than the cheapest,
    counted in whole machines: dearer is whose lower bound lies above the upper bound of the cheapest. Of those, the ones with the most money on dev; of
    those, the ones whose calls are not shown to be dearer by a fifth; of those, the first by name. So intervals that overlap decide nothing, and two runs
    that differ in noise alone freeze the same bytes as a rule: each further candidate would spend a look. For the same reason it does not count whose
    latency a run happened to show: equals compute about as long, and which of them is PASS at the edge of a limit or of the time given is chance.
    """
    expected = [each for each in assessments if each.is_expected_to_pass]
    pool = expected or list(assessments)
    equals = _best(pool)
    chosen = min(equals, key=lambda each: each.variant)
    if not expected:
        best = "the most likely" if len(_likely(pool)) == 1 else "the cheapest of the most likely"
        return chosen, f"no variant is expected to meet every limit; {chosen.variant} is {best} to (predicted chance {chosen.chance_of_go:.0%})"
    others = [each for each in pool if each not in equals]
    counted = f"{len(expected)} of {len(assessments)} variants are expected to meet every limit"
    if len(equals) > 1:
        counted += f", {len(equals) - 1} of which as cheap and as good and later by name"
    counted += _shown_by_another(chosen, equals)
    if not others:
        earned = f"{amount(chosen.money.per_period.middle, signed=True)} {chosen.money.currency} a {chosen.money.period} earned on dev"
        figures = f"{_cost(chosen.monthly_cost)} {chosen.money.currency} a month, {earned}"
        return chosen, f"{chosen.variant}: {figures}; {counted}"
    rival = min(_best(others), key=lambda each: each.variant)
    return chosen, f"{chosen.variant} over {rival.variant}, {_why_not(rival, chosen, pool)}; {counted}"


def _best(pool: Sequence[Assessment]) -> list[Assessment]:
    """Return those that are about as likely, as cheap and as good as any."""
    cheap = _not_dearer(_likely(pool), lambda each: each.monthly_cost)
    most = max(round(each.money.per_period.middle) for each in cheap)
    rich = [each for each in cheap if round(each.money.per_period.middle) == most]
    return _not_dearer(rich, lambda each: each.cost_per_million, by=CHEAPER)


def _likely(pool: Sequence[Assessment]) -> list[Assessment]:
    return [each for each in pool if each.chance_of_go >= max(other.chance_of_go for other in pool) - AS_LIKELY]


def _not_dearer(pool: Sequence[Assessment], cost: Callable[[Assessment], Interval], by: float = 0.0) -> list[Assessment]:
    """Return those whose lower bound, less a margin, is within the smallest upper bound."""
    surely = min(cost(each).high for each in pool)
    return [each for each in pool if cost(each).low * (1 - by) <= surely]


def _shown_by_another(chosen: Assessment, equals: Sequence[Assessment]) -> str:
    """Name an equal whose latency is shown where that of the chosen is not: whoever wants it strikes the chosen, or gives it more time."""
    shown = sorted(each.variant for each in equals if _is_shown_fast(each))
    return f"; the latency of {chosen.variant} is not shown yet, that of {shown[0]} is" if shown and not _is_shown_fast(chosen) else ""


def _is_shown_fast(each: Assessment) -> bool:
    return all(limit.verdict == "GO" for limit in each.limits if parted(limit.name)[0] == "latency_p99")


def _why_not(rival: Assessment, chosen: Assessment, pool: Sequence[Assessment]) -> str:
    """Say what spoke against a rival: the first thing in the order of the choice."""
    currency, monthly = chosen.money.currency, f"{chosen.money.currency} a month"
    likely = _likely(pool)
    if rival not in likely:
        return f"whose predicted chance of GO is {rival.chance_of_go:.0%} against {chosen.chance_of_go:.0%}"
    if rival not in _not_dearer(likely, lambda each: each.monthly_cost):
        return f"which costs {_cost(rival.monthly_cost)} {monthly} against {_cost(chosen.monthly_cost)}"
    if round(rival.money.per_period.middle) != round(chosen.money.per_period.middle):
        less, more = (amount(each.money.per_period.middle, signed=True) for each in (rival, chosen))
        return f"which earns {less} against {more} {currency} a {chosen.money.period} on dev, at no lower cost ({_cost(chosen.monthly_cost)} {monthly})"
    return f"which earns as much on dev, and whose calls cost {_cost(rival.cost_per_million)} {currency} a million against {_cost(chosen.cost_per_million)}"


def _cost(cost: Interval) -> str:
    low, high = amount(cost.low), amount(cost.high)
    return low if low == high else f"{low} to {high}"
