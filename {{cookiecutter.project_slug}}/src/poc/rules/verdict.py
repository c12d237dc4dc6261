"""The verdict: each limit of the charter GO, NO-GO or NOT PROVEN; together, the worst."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from poc.rules import groups
from poc.rules.charter import Charter, Hardware
from poc.rules.counts import counted_shares
from poc.rules.evidence import MODEL_SIZE, MONEY, MONEY_AGAINST, ON, Counted, Interval, LimitVerdict, Money, Outcome, Speed, Timing
from poc.rules.rounds import FEWEST
from poc.rules.stakes import TODAY
from poc.rules.words import chance

#: How busy the cores may be on average. In an M/M/1 queue half busy means waiting as long as one call takes; above it waits grow fast.
MOST_BUSY = 0.5
#: A year has 8,760 hours.
HOURS_A_MONTH = 730
WORST_FIRST: tuple[Outcome, ...] = ("NO-GO", "NOT PROVEN", "GO")
NOTHING_MEASURED = Speed(target="", timing=None, not_timed="", differences=[])


def judge(charter: Charter, counted: Counted, money: Money, speeds: Sequence[Speed]) -> list[LimitVerdict]:
    """Judge every limit of the charter, those of a machine on every machine that it names; one of which `speeds` says nothing proves nothing."""
    return [*judge_shares(charter, counted, charter.timebox.looks), *_judge_machines(charter, speeds), *judge_money(money)]


def judge_shares(charter: Charter, counted: Counted, looks: int) -> list[LimitVerdict]:
    """Judge every limit that is a share of rows."""
    confidence = float(charter.limits.confidence)
    return [
        judge_share(each.errors, each.rows, each.limit, confidence, looks, name=each.name, by_group=each.by_group) for each in counted_shares(charter, counted)
    ]


def overall(verdicts: Sequence[LimitVerdict]) -> Outcome:
    """Return the worst verdict; nothing judged is nothing proven."""
    found = {verdict.verdict for verdict in verdicts}
    return next((outcome for outcome in WORST_FIRST if outcome in found), "NOT PROVEN")


def judge_share(
    errors: int, n: int, limit: float, confidence: float, looks: int = 1, *, name: str = "share", by_group: NDArray[np.float64] | None = None
) -> LimitVerdict:
    """Judge a share of errors by exact one-sided bounds, the allowed error divided by the number of looks (Bonferroni).

    Rows that share groups are not independent: where `by_group` holds their counts, shape (n_groups, 2), the bounds are `groups.bounds`.
    """
    each = 1 - (1 - confidence) / looks
    if by_group is None:
        low, high = lower_bound(errors, n, each), upper_bound(errors, n, each)
    else:
        low, high = groups.bounds(by_group[:, 0], by_group[:, 1], each)
        if (errors, n) != tuple(by_group.sum(axis=0)):
            low = high = math.nan  # the groups are of other rows
    measured = errors / n if 0 <= errors <= n and n > 0 else math.nan
    why = f"{errors:,} of {n:,}: between {low:.1%} and {high:.1%}, each bound at {each:.4g} confidence; at most {limit:.4g} allowed"
    if by_group is not None:
        why += f"; rows of one group count together, in {int((by_group[:, 1] > 0).sum()):,} groups"
    verdict = _outcome(low, high, limit)
    if verdict == "NOT PROVEN" and (least := _upper_bound_of_none(n, each, by_group)) > limit:
        why += f"; so few {'rows' if by_group is None else 'groups'} cannot show it: even without an error they leave up to {least:.1%} possible"
    if n <= 0:
        why = "there is no row to judge it on"
    return LimitVerdict(name=name, verdict=verdict, measured=measured, low=low, high=high, limit=limit, unit="share", why=why)


def _upper_bound_of_none(n: int, confidence: float, by_group: NDArray[np.float64] | None) -> float:
    """Return up to what share of errors stays possible when none was seen."""
    return upper_bound(0, n, confidence) if by_group is None else groups.bounds(np.zeros(len(by_group)), by_group[:, 1], confidence)[1]


def judge_quantity(
    name: str, measured: float, interval: Interval, limit: float, unit: str, *, differences: Sequence[str] = (), not_timed: str = ""
) -> LimitVerdict:
    """Judge a measured quantity that must not exceed its limit; on another machine it proves nothing, either way."""
    verdict = _outcome(interval.low, interval.high, limit) if not differences and math.isfinite(measured) else "NOT PROVEN"
    bounds = f", between {interval.low:.4g} and {interval.high:.4g}" if interval.low != interval.high else ""
    why = f"measured {measured:.4g} {unit}{bounds}" if math.isfinite(measured) else "not measured" + (f": {not_timed}" if not_timed else "")
    why += f"; at most {limit:.4g} allowed"
    if differences:
        why += f"; but not on the charter's hardware: {'; '.join(differences)}"
    return LimitVerdict(name=name, verdict=verdict, measured=measured, low=interval.low, high=interval.high, limit=limit, unit=unit, why=why)


def judge_money(money: Money) -> list[LimitVerdict]:
    """Judge money, first against today's process by the agreed minimum, then against each policy that needs no model by any gain at all."""
    unit = f"{money.currency} a {money.period}"
    asked = f"at least {money.minimum:,.0f} agreed, the chance of which is {chance(money.chance_of_minimum)}" if money.minimum else "a gain is asked for"
    return [
        _judge_gain(MONEY, money.per_period, money.minimum, unit, asked=f"against {TODAY}; {asked}"),
        *(_judge_gain(f"{MONEY_AGAINST}{policy}", gap, 0.0, unit, asked=f"against {policy}, which needs no model") for policy, gap in money.against.items()),
    ]


def _judge_gain(name: str, gap: Interval, least: float, unit: str, *, asked: str) -> LimitVerdict:
    """Judge a gain over a rival: GO when its lower bound is above 0 and reaches the least, NO-GO when its upper bound is not above 0 or stays below."""
    is_known = all(map(math.isfinite, (gap.low, gap.middle, gap.high, least))) and gap.low <= gap.high
    outcome: Outcome = "NOT PROVEN"
    if is_known and gap.low > 0 and gap.low >= least:
        outcome = "GO"
    elif is_known and (gap.high <= 0 or gap.high < least):
        outcome = "NO-GO"
    why = f"{gap.low:,.0f} to {gap.high:,.0f} {asked}"
    return LimitVerdict(name=name, verdict=outcome, measured=gap.middle, low=gap.low, high=gap.high, limit=least, unit=unit, why=why)


def upper_bound(errors: int, n: int, confidence: float) -> float:
    """Return the exact one-sided upper bound of a share (Clopper and Pearson, 1934); NaN for counts that cannot be."""
    from scipy.special import betaincinv

    if not 0 <= errors <= n or n == 0:
        return math.nan
    return 1.0 if errors == n else float(betaincinv(errors + 1, n - errors, confidence))


def lower_bound(errors: int, n: int, confidence: float) -> float:
    """Return the exact one-sided lower bound of a share; the upper bound of the rows that are right, turned round."""
    return 1.0 - upper_bound(n - errors, n, confidence)


def most_errors_allowed(n: int, limit: float, confidence: float, looks: int = 1) -> int:
    """Return with how many errors among n a share is still GO; -1 when not even none would do."""
    low, high = -1, n
    while low < high:  # the upper bound grows with the errors, so halving finds the last one within the limit
        middle = (low + high + 1) // 2
        within = upper_bound(middle, n, 1 - (1 - confidence) / looks) <= limit
        low, high = (middle, high) if within else (low, middle - 1)
    return low


def sealed_rows_needed(limit: float, confidence: float, looks: int = 1, most_errors: int = 3) -> list[int]:
    """Return how many rows show a limit when 0, 1, ... of them are wrong: for 5 % at 95 % 59, 93, 124, 153."""
    return [_fewest_rows(misses, limit, 1 - (1 - confidence) / looks) for misses in range(most_errors + 1)]


def machines_needed(rate_per_s: float, hardware: Hardware, cpu_us_per_call: float) -> int:
    """Return how many of these machines calls at this rate keep at most half busy; at least one."""
    busy_cores = rate_per_s * cpu_us_per_call / 1e6
    return max(1, math.ceil(busy_cores / (hardware.cores * MOST_BUSY)))


def monthly_cost(rate_per_s: float, hardware: Hardware, cpu_us: Interval) -> Interval:
    """Return what the machines cost a month that calls at this rate need, in whole machines; NaN where it is not known how long a call takes."""
    ends = (cpu_us.low, cpu_us.middle, cpu_us.high)
    low, middle, high = (machines_needed(rate_per_s, hardware, end) * float(hardware.monthly_cost) if math.isfinite(end) else math.nan for end in ends)
    return Interval(low=low, middle=middle, high=high)


def cost_per_million(cpu_us: Interval, hardware: Hardware) -> Interval:
    """Return what a million calls cost in the charter's currency: CPU seconds, at the price of a core that is busy `MOST_BUSY` of the time.

    A core-second costs monthly_cost / (cores * 730 h * 3600 s); a million calls of one microsecond each take one core-second, and as much idle time
    again at half busy.
    """
    a_second = float(hardware.monthly_cost) / (hardware.cores * HOURS_A_MONTH * 3600) / MOST_BUSY
    return Interval(low=cpu_us.low * a_second, middle=cpu_us.middle * a_second, high=cpu_us.high * a_second)


def _judge_machines(charter: Charter, speeds: Sequence[Speed]) -> list[LimitVerdict]:
    """Judge limit by limit, each on every target: the size of the model alone is the same on all."""
    known, targets = {speed.target: speed for speed in speeds}, charter.limits.hardware
    judged = [list(_judge_machine(charter, hardware, known.get(hardware.name or "", NOTHING_MEASURED))) for hardware in targets]
    if len(targets) == 1:
        return judged[0]
    by_limit = [[_on(hardware, limit) for hardware, limit in zip(targets, same, strict=True)] for same in zip(*judged, strict=True)]
    return [limit for same in by_limit for limit in same if limit.name != MODEL_SIZE or limit is same[0]]


def _on(hardware: Hardware, limit: LimitVerdict) -> LimitVerdict:
    """Name the target that a limit was judged on."""
    return limit if limit.name == MODEL_SIZE else limit.model_copy(update={"name": f"{limit.name}{ON}{hardware.name}"})


def _judge_machine(charter: Charter, hardware: Hardware, speed: Speed) -> Iterator[LimitVerdict]:
    limits, a_month, why_not, elsewhere = charter.limits, f"{charter.value.currency} a month", speed.not_timed, speed.differences
    measured = _Measured(charter, hardware, speed.timing)
    latency = judge_quantity("latency_p99", measured.p99_ms, measured.p99, float(limits.latency_p99_ms), "ms", differences=elsewhere, not_timed=why_not)
    yield _as_timed(latency, speed)
    yield judge_quantity("memory", measured.memory_mb, _exactly(measured.memory_mb), limits.memory_mb, "MB", differences=elsewhere, not_timed=why_not)
    yield judge_quantity(MODEL_SIZE, measured.size_mb, _exactly(measured.size_mb), float(limits.model_mb), "MB", not_timed=why_not)
    monthly, budget = measured.monthly, float(limits.monthly_budget)
    yield _as_disturbed(judge_quantity("monthly_budget", monthly.middle, monthly, budget, a_month, differences=elsewhere, not_timed=why_not), speed.timing)


def _as_timed(latency: LimitVerdict, speed: Speed) -> LimitVerdict:
    """Judge a latency as the benchmark did, which knows how busy the machine was: beyond the limit is NO-GO only where that was a FAIL (ADR 0017)."""
    if speed.timing is None or speed.differences:
        return latency
    is_go = speed.timing.latency_verdict == "PASS" and latency.verdict == "GO"
    outcome: Outcome = "GO" if is_go else "NO-GO" if speed.timing.latency_verdict == "FAIL" and latency.verdict != "GO" else "NOT PROVEN"
    why = f"{latency.why}; {speed.timing.latency_verdict}" + (f": {speed.timing.latency_why}" if speed.timing.latency_why else "")
    return latency.model_copy(update={"verdict": outcome, "why": why})


def _as_disturbed(budget: LimitVerdict, timing: Timing | None) -> LimitVerdict:
    """Refute no budget from a machine too busy to count rounds: other work only adds to what a call computes, so that alone a GO stands (ADR 0017)."""
    if timing is None or timing.rounds_kept >= FEWEST or budget.verdict == "GO":
        return budget
    why = (
        f"{budget.why}; only {timing.rounds_kept} rounds counted, of at least {FEWEST}: something else kept this machine busy, which adds to what a call takes"
    )
    return budget.model_copy(update={"verdict": "NOT PROVEN", "why": why})


class _Measured:
    """What a timing says, NaN throughout where there is none."""

    def __init__(self, charter: Charter, hardware: Hardware, timing: Timing | None) -> None:
        rate = float(charter.limits.arrivals_per_second)
        self.p99_ms = timing.open_loop_p99_ms if timing else math.nan
        self.p99 = Interval(low=timing.open_loop_p99_low_ms, middle=self.p99_ms, high=timing.open_loop_p99_high_ms) if timing else _exactly(math.nan)
        self.memory_mb = timing.memory_mb if timing else math.nan
        self.size_mb = timing.size_mb if timing else math.nan
        self.monthly = monthly_cost(rate, hardware, timing.cpu_us_per_call) if timing else _exactly(math.nan)


def _exactly(value: float) -> Interval:
    return Interval(low=value, middle=value, high=value)


def _outcome(low: float, high: float, limit: float) -> Outcome:
    """Compare bounds with a limit; whatever is not a number proves nothing."""
    if not all(map(math.isfinite, (low, high, limit))) or low > high:
        return "NOT PROVEN"
    if high <= limit:
        return "GO"
    return "NO-GO" if low > limit else "NOT PROVEN"


def _fewest_rows(errors: int, limit: float, confidence: float) -> int:
    enough = errors + 1
    while upper_bound(errors, enough, confidence) > limit:
        enough *= 2
    too_few = errors
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (too_few, middle) if upper_bound(errors, middle, confidence) <= limit else (middle, enough)
    return enough
