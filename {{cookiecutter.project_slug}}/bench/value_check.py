"""Check what the rules of money and verdict promise: by counting every possible sealed set where that can be done, by simulating some where not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # a charter that does not change with yours

from builders import a_charter

from poc.rules.charter import BinaryCharter
from poc.rules.counts import drawn_errors
from poc.rules.evidence import Confusion, Deviations, Interval
from poc.rules.groups import bounds
from poc.rules.value import allowed_error, expected_worth, gain, interval, means, money_interval
from poc.rules.verdict import judge_share, lower_bound, upper_bound

Floats = NDArray[np.float64]
Cell, Found = TypeVar("Cell"), TypeVar("Found")

POSITIVES, MISSED_SHARES = (20, 200), (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
#: For each positive so many negatives, and of these so many flagged.
NEGATIVES_EACH, FALSE_ALARM_SHARE = 10, 0.05
LIMITS, SEALED_ROWS, LOOKS = (0.01, 0.02, 0.05, 0.12, 0.25, 0.5), (20, 59, 102, 200, 500), 3
RATES, GROUPS, CORRELATIONS, ROWS_A_GROUP = (0.05, 0.2), (20, 50, 200), (0.0, 0.1, 0.5), 10
#: How errors of amounts may be distributed, and their true mean.
DEVIATIONS: dict[str, tuple[Callable[[np.random.Generator, int], Floats], float]] = {
    "half-normal": (lambda rng, n: np.abs(rng.standard_normal(n)), float(np.sqrt(2 / np.pi))),
    "log-normal": (lambda rng, n: rng.lognormal(size=n), float(np.exp(0.5))),
}
#: By how many times the usual amount is off by more, on average, than the model: one has learned nothing, the other much.
SKILLS, AMOUNT_ROWS = (1, 3), (20, 50, 200)
#: Worked out by hand: errors, rows, looks, and the verdict at a limit of 5 % and 95 % confidence.
BY_HAND = ((0, 59, 1, "GO"), (1, 93, 1, "GO"), (3, 102, 1, "NOT PROVEN"), (15, 102, 1, "NO-GO"), (0, 59, 3, "NOT PROVEN"))
#: The promises: 90 % intervals hold the true money about nine times in ten on average over the grid, and a false verdict comes at most so often.
AVERAGE_COVERAGE, FALSE_VERDICTS = (0.87, 0.93), 0.05
#: Sealed sets that can be told from certainty not to happen are left out; false alarms stand for their neighbours, so many over the whole distribution.
NEVER, FALSE_ALARM_COUNTS = 1e-6, 9
RESAMPLED, SETS, DRAWS = 1_000, 600, 1_000


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often intervals hold the truth, how often they lie above it, which flatters, and how wide they are on average."""

    held: float
    flattered: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Of simulated sealed sets whose true share lies exactly at the limit: how often bounds say GO, say NO-GO, and how often 90 % intervals hold it."""

    go: float
    no_go: float
    held: float


def main(arguments: Sequence[str]) -> int:
    """Print all tables; return 1 when a promise is broken. `--quick` takes corners of each grid and fewer simulated sets."""
    quick = "--quick" in arguments
    broken = [*check_money(quick=quick), *check_limits(), *check_by_hand(), *check_groups(quick=quick)]
    show_amounts(quick=quick)
    print("\n" + ("every promise held" if not broken else "\n".join(f"NOT held: {promise}" for promise in broken)))
    return 1 if broken else 0


def a_sure_charter() -> BinaryCharter:
    """Return a charter in which only the errors are unknown."""
    known = {"decisions_per_period": 30_000, "positive_share": "0.034", "cost_missed": 200, "cost_false_alarm": 3, "cost_per_catch": 25}
    return a_charter(value={name: {"low": number, "likely": number, "high": number} for name, number in known.items()})


def check_money(*, quick: bool) -> Iterator[str]:
    """Compare intervals of money from Beta draws with those from resampled rows."""
    cells = [(positives, missed) for positives in POSITIVES for missed in (MISSED_SHARES[::2] if quick else MISSED_SHARES)]
    print("90 % intervals of the money per period, costs known; misses counted exactly, false alarms at nine quantiles")
    print(f"{'positives':>9} {'missed':>7} {'Beta draws':>11} {'flatter':>8} {'resampled rows':>15} {'flatter':>8} {'width ratio':>12}")
    found = spread(money_coverage, cells, quick=quick)
    for (positives, missed), (ours, theirs) in zip(cells, found, strict=True):
        ratio = ours.width / theirs.width
        print(f"{positives:>9} {missed:>7.0%} {ours.held:>11.1%} {ours.flattered:>8.1%} {theirs.held:>15.1%} {theirs.flattered:>8.1%} {ratio:>12.2f}")
    average = float(np.mean([ours.held for ours, _ in found]))
    print(f"on average {average:.1%} (resampled rows {np.mean([theirs.held for _, theirs in found]):.1%}); at the least {min(o.held for o, _ in found):.1%}")
    low, high = AVERAGE_COVERAGE
    if not low <= average <= high:
        yield f"intervals from Beta draws hold the money {average:.1%} of the time on average, not {low:.0%} to {high:.0%}"


def money_coverage(cell: tuple[int, float]) -> tuple[Coverage, Coverage]:
    """Return the coverage of both intervals, Beta draws first, when this share of so many positives is truly missed."""
    positives, missed = cell
    charter, negatives = a_sure_charter(), positives * NEGATIVES_EACH
    truth = float(expected_worth(charter, np.array([missed, FALSE_ALARM_SHARE])))
    counts, chances = likely_counts(positives, missed)
    sets = [
        (chance / FALSE_ALARM_COUNTS, Confusion(positives=positives, missed=int(count), negatives=negatives, false_alarms=int(alarms)))
        for count, chance in zip(counts, chances, strict=True)
        for alarms in typical_counts(negatives, FALSE_ALARM_SHARE)
    ]
    ours = [money_interval(charter, seen, seed=number) for number, (_, seen) in enumerate(sets)]
    theirs = [resampled_interval(charter, seen, seed=number) for number, (_, seen) in enumerate(sets)]
    weights = np.array([chance for chance, _ in sets])
    return coverage(ours, weights, truth), coverage(theirs, weights, truth)


def coverage(intervals: Sequence[Interval], weights: Floats, truth: float) -> Coverage:
    """Weigh intervals by how likely the sealed sets are that they come from."""
    low, high = (np.array([getattr(each, end) for each in intervals]) for end in ("low", "high"))
    of = np.array([(low <= truth) & (truth <= high), low > truth, high - low], dtype=np.float64) @ weights / weights.sum()
    return Coverage(held=float(of[0]), flattered=float(of[1]), width=float(of[2]))


def resampled_interval(charter: BinaryCharter, seen: Confusion, *, seed: int) -> Interval:
    """Return the interval that a plain bootstrap gives: rows drawn again with replacement, the charter's prevalence kept."""
    cells = np.array([seen.missed, seen.positives - seen.missed, seen.false_alarms, seen.negatives - seen.false_alarms])
    drawn = np.random.default_rng(seed).multinomial(cells.sum(), cells / cells.sum(), RESAMPLED)
    shares = np.array([drawn[:, at] / np.maximum(drawn[:, at] + drawn[:, at + 1], 1) for at in (0, 2)])
    return interval(gain(charter, means(charter), shares), allowed_error(charter))


def likely_counts(n: int, share: float) -> tuple[NDArray[np.intp], Floats]:
    """Return the counts of errors among n rows that can well happen at this true share, and their chances."""
    from scipy.stats import binom

    counts = np.arange(n + 1)
    chances = binom.pmf(counts, n, share)
    return counts[chances > NEVER], chances[chances > NEVER]


def typical_counts(n: int, share: float) -> Floats:
    """Return counts that are equally likely to be nearest."""
    from scipy.stats import binom

    return np.asarray(binom.ppf((np.arange(FALSE_ALARM_COUNTS) + 0.5) / FALSE_ALARM_COUNTS, n, share))


def check_limits() -> Iterator[str]:
    """Work out how often a limit is judged wrongly when the true share lies exactly at it, which is the worst case."""
    print(f"\nwrong verdicts when the true share is exactly the limit; exact, at most {FALSE_VERDICTS:.0%}")
    print(f"{'limit':>6} {'rows':>5} {'false GO':>9} {'false NO-GO':>12} {f'GO in any of {LOOKS} looks':>21}")
    for limit in LIMITS:
        for rows in SEALED_ROWS:
            go, no_go = (false_verdict(outcome, limit, rows, looks=1) for outcome in ("GO", "NO-GO"))
            union = LOOKS * false_verdict("GO", limit, rows, looks=LOOKS)  # were no two wrong at once
            print(f"{limit:>6.0%} {rows:>5} {go:>9.2%} {no_go:>12.2%} {union:>21.2%}")
            if max(go, no_go, union) > FALSE_VERDICTS:
                yield f"a share of {rows} rows that lies at its limit of {limit:.0%}: GO {go:.1%}, NO-GO {no_go:.1%}, GO in {LOOKS} looks {union:.1%}"


def false_verdict(outcome: str, limit: float, rows: int, *, looks: int) -> float:
    """Return the chance of this verdict when the true share is the limit."""
    from scipy.stats import binom

    counts = [errors for errors in range(rows + 1) if judge_share(errors, rows, limit, 0.95, looks).verdict == outcome]
    return float(binom.pmf(counts, rows, limit).sum())


def check_by_hand() -> Iterator[str]:
    """Print the verdicts that were worked out by hand."""
    print("\n5 % allowed, 95 % confidence, as worked out by hand")
    for errors, rows, looks, expected in BY_HAND:
        found = judge_share(errors, rows, 0.05, 0.95, looks)
        print(f"{errors:>3} of {rows:>3}, {looks} look{'s' if looks > 1 else ' '}: {found.verdict:<10} between {found.low:.1%} and {found.high:.1%}")
        if found.verdict != expected:
            yield f"{errors} of {rows} at {looks} looks is {found.verdict}, worked out by hand {expected}"


def check_groups(*, quick: bool) -> Iterator[str]:
    """Compare bounds that know of groups with bounds that take every row for itself."""
    sets = SETS // 5 if quick else SETS
    rates, numbers = (RATES[1:], GROUPS[:2]) if quick else (RATES, GROUPS)
    cells = [(rate, number, equal, correlation, sets) for rate in rates for equal in (True, False) for number in numbers for correlation in CORRELATIONS]
    noise = 3 * float(np.sqrt(FALSE_VERDICTS * (1 - FALSE_VERDICTS) / sets))
    print(f"\nrows in groups of {ROWS_A_GROUP} on average, the true share exactly at the limit; {sets:,} simulated sets, so {noise:.1%} may be noise")
    print(f"{'':>37} {'groups count':^27} {'every row counts':^27}")
    print(f"{'limit':>6} {'groups':>6} {'sizes':>9} {'correlation':>12} " + " ".join([f"{'GO':>7} {'NO-GO':>8} {'90 %':>8}  "] * 2))
    for (rate, number, equal, correlation, _), (ours, theirs) in zip(cells, spread(in_groups, cells, quick=quick), strict=True):
        shown = " ".join(f"{each.go:>7.1%} {each.no_go:>8.1%} {each.held:>8.1%}  " for each in (ours, theirs))
        print(f"{rate:>6.0%} {number:>6} {'equal' if equal else 'unequal':>9} {correlation:>12.1f} {shown}")
        if max(ours.go, ours.no_go) > FALSE_VERDICTS + noise:
            yield f"{number} groups, correlation {correlation}, limit {rate:.0%}: wrongly GO {ours.go:.1%}, NO-GO {ours.no_go:.1%}"


def in_groups(cell: tuple[float, int, bool, float, int]) -> tuple[Grouped, Grouped]:
    """Simulate sealed sets whose groups differ in their share (beta-binomial); return what becomes of them with groups, then without."""
    rate, number, equal, correlation, sets = cell
    rng = np.random.default_rng([int(rate * 100), number, equal, int(correlation * 10)])
    found = [_judged(*a_grouped_set(rng, rate, number, equal=equal, correlation=correlation), rate, rng) for _ in range(sets)]
    with_groups, without = np.mean(found, axis=0)
    return _grouped(with_groups), _grouped(without)


def a_grouped_set(rng: np.random.Generator, rate: float, number: int, *, equal: bool, correlation: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw errors and rows of each group; unequal sizes are log-normal: of a hundred groups the largest has about sixteen times the median's rows."""
    rows = np.full(number, ROWS_A_GROUP) if equal else np.maximum(1, np.round(ROWS_A_GROUP * rng.lognormal(-0.72, 1.2, number))).astype(int)
    concentration = 1 / correlation - 1 if correlation else np.inf
    shares = rng.beta(rate * concentration, (1 - rate) * concentration, number) if correlation else np.full(number, rate)
    return rng.binomial(rows, shares), rows


def _judged(errors: NDArray[np.intp], rows: NDArray[np.intp], limit: float, rng: np.random.Generator) -> list[list[bool]]:
    """Say of each way whether it is GO, NO-GO, and whether its 90 % interval holds the limit."""
    wrong, n = int(errors.sum()), int(rows.sum())
    plain = Confusion(positives=n, missed=wrong, negatives=0, false_alarms=0)
    grouped = plain.model_copy(update={"by_group": [(int(all_), int(missed), 0, 0) for all_, missed in zip(rows, errors, strict=True)]})
    found = []
    for seen, (low, high) in ((grouped, bounds(errors, rows, 0.95, draws=DRAWS)), (plain, (lower_bound(wrong, n, 0.95), upper_bound(wrong, n, 0.95)))):
        held = interval(drawn_errors(seen, rng, DRAWS)[0][0], 0.05)
        found.append([high <= limit, low > limit, held.low <= limit <= held.high])
    return found


def _grouped(shares: Floats) -> Grouped:
    go, no_go, held = map(float, shares)
    return Grouped(go=go, no_go=no_go, held=held)


def show_amounts(*, quick: bool) -> None:
    """Show what intervals of a mean error are worth: nothing is promised of them, because nobody knows how large the largest error is."""
    sets = SETS // 5 if quick else SETS
    print(f"\n90 % intervals of the mean units off, {sets:,} simulated sealed sets; no promise")
    print(f"{'rows':>5} {'errors':>12} {'usual amount':>13} {'90 %':>7} {'flatter':>8}")
    cells = [(rows, name, skill, sets) for name in DEVIATIONS for skill in SKILLS for rows in AMOUNT_ROWS]
    for (rows, name, skill, _), found in zip(cells, spread(amount_coverage, cells, quick=quick), strict=True):
        print(f"{rows:>5} {name:>12} {f'{skill} x as far':>13} {found.held:>7.1%} {found.flattered:>8.1%}")


def amount_coverage(cell: tuple[int, str, int, int]) -> Coverage:
    """Simulate sealed sets of estimates, each row too low by a positive error; an interval that lies below the true mean flatters."""
    rows, name, skill, sets = cell
    rng, (draw, truth) = np.random.default_rng(rows), DEVIATIONS[name]
    none, held = [0.0] * rows, []
    for _ in range(sets):
        under, usual = draw(rng, rows).tolist(), (skill * draw(rng, rows)).tolist()
        seen = Deviations(rows=[1] * rows, beyond=[0] * rows, over=none, under=under, usual_over=none, usual_under=usual)
        found = interval(drawn_errors(seen, rng, DRAWS)[0][1], 0.05)
        held.append(Interval(low=-found.high, middle=-found.middle, high=-found.low))  # money falls as errors rise
    return coverage(held, np.ones(sets), -truth)


def spread(work: Callable[[Cell], Found], cells: Sequence[Cell], *, quick: bool) -> list[Found]:
    """Do the work of every cell, on all cores unless it is soon done."""
    if quick:
        return list(map(work, cells))
    with ProcessPoolExecutor() as pool:
        return list(pool.map(work, cells))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
