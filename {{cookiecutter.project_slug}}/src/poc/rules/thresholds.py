"""Thresholds: from which probability to raise an alert, so that the sealed set will probably show every limit met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poc.errors import Refused
from poc.rules.charter import BinaryCharter, Charter
from poc.rules.counts import limited_shares
from poc.rules.evidence import Confusion, Errors
from poc.rules.value import expected_worth
from poc.rules.verdict import most_errors_allowed

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

#: Chances of GO closer than this are equal for the purpose: money decides between them.
EQUAL_CHANCE = 0.01
#: How many thresholds get the exact chance; a normal approximation picks them when there are more.
TRIED = 128


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A threshold that float32 holds exactly, the predicted chance that both error limits come out GO, and the counts it was chosen on."""

    threshold: float
    predicted_chance_of_go: float
    confusion: Confusion


def confusion_at(probabilities: NDArray[Any], labels: NDArray[np.integer[Any]], threshold: float, groups: NDArray[Any] | None = None) -> Confusion:
    """Count decisions (alert when probability >= threshold, both float32) against the truth; with `groups`, shape (n_rows,), for each of them too.

    Raises:
        Refused: a probability is NaN: every row must be answered.
    """
    alert = as_float32(probabilities) >= np.float32(threshold)
    positive = np.ravel(labels) == 1
    kinds = np.stack([positive, positive & ~alert, ~positive, ~positive & alert])
    positives, missed, negatives, false_alarms = (int(count) for count in kinds.sum(axis=1))
    return Confusion(positives=positives, missed=missed, negatives=negatives, false_alarms=false_alarms, by_group=_by_group(kinds, groups))


def _by_group(kinds: NDArray[np.bool_], groups: NDArray[Any] | None) -> list[tuple[int, int, int, int]]:
    """Count kinds of rows, shape (4, n_rows), in each group; nothing where rows share none."""
    if groups is None:
        return []
    _, place = np.unique(groups, return_inverse=True)
    counts = np.stack([np.bincount(place.reshape(-1), weights=kind) for kind in kinds]).astype(int)
    return [(a, b, c, d) for a, b, c, d in counts.T.tolist()]


def choose_threshold(
    probabilities: NDArray[Any], labels: NDArray[np.integer[Any]], charter: BinaryCharter, sealed_positives: int, sealed_negatives: int
) -> Threshold:
    """Choose the threshold with the best predicted chance of GO on a sealed set of the given size; money breaks near-ties.

    For each number of misses only the highest threshold is worth a look: it raises the fewest false alarms. It stands midway between two
    neighbouring probabilities, so that float noise flips nothing. Both chances are beta-binomial: the shares' posterior is Beta(errors +
    1/2, right + 1/2) on these rows, and GO is a sealed count within the exact bound.

    The prediction is made on the rows that the threshold was chosen on. Measured on 300 simulated open sets of 6,000 rows, 5 % of them
    positive, it said 0.45 where the true chance was 0.35, 0.22 for 0.10 and 0.84 for 0.88, each within 0.2 or so of a single set's truth:
    good enough to rank thresholds, too rosy where the chance is small. Cross-fitting it halved that and erred more where chances are good.
    """
    p = as_float32(probabilities)
    thresholds, missed, false_alarms = candidates(p, np.ravel(labels) == 1)
    positives, negatives = int((np.ravel(labels) == 1).sum()), int((np.ravel(labels) != 1).sum())
    halves = _halves(missed, positives, false_alarms, negatives, charter, sealed_positives, sealed_negatives)
    worth = expected_worth(charter, np.stack([(missed + 0.5) / (positives + 1), (false_alarms + 0.5) / (negatives + 1)]))
    tried = _most_promising(halves, worth)
    chance = np.prod([chance_of_at_most(allowed, sealed, errors[tried], n) for errors, n, sealed, allowed in halves], axis=0)
    equal = chance >= chance.max() - EQUAL_CHANCE
    best = int(np.argmax(np.where(equal, worth[tried], -np.inf)))
    chosen = float(thresholds[tried][best])
    return Threshold(threshold=chosen, predicted_chance_of_go=float(chance[best]), confusion=confusion_at(p, labels, chosen))


def chance_of_go(charter: Charter, seen: Mapping[str, Errors], sealed: Mapping[str, int]) -> float:
    """Return the predicted chance that every limit on errors comes out GO on the sealed rows, after these errors by limit; see `choose_threshold`.

    `sealed` says of each sort that `counts.limited_shares` speaks of as how many rows the sealed ones count (`evidence.Split.evidence`).
    """
    confidence, looks = float(charter.limits.confidence), charter.timebox.looks
    chances = []
    for limit in limited_shares(charter):
        rows, errors = sealed[limit.among], seen[limit.name]
        allowed = most_errors_allowed(rows, limit.limit, confidence, looks)
        chances.append(chance_of_at_most(allowed, rows, np.array([errors.errors]), errors.rows)[0])
    return float(np.prod(chances))


def chance_of_at_most(allowed: int, sealed: int, errors: Counts, n: int) -> Floats:
    """Return the chance of at most `allowed` errors among `sealed` rows after `errors` among n, shape of errors, float64.

    Beta-binomial with a = errors + 1/2 and b = n - errors + 1/2: P(k) = C(sealed, k) * B(k + a, sealed - k + b) / B(a, b).
    """
    from scipy.special import betaln, gammaln

    if allowed < 0:
        return np.zeros(len(errors))
    a, b = errors + 0.5, n - errors + 0.5
    k = np.arange(min(allowed, sealed) + 1)[:, None]
    choose = gammaln(sealed + 1) - gammaln(k + 1) - gammaln(sealed - k + 1)
    log_chance = choose + gammaln(k + a) + gammaln(sealed - k + b) - gammaln(sealed + a + b) - betaln(a, b)
    return np.asarray(np.minimum(np.exp(log_chance).sum(axis=0), 1.0), dtype=np.float64)


def _halves(
    missed: Counts, positives: int, false_alarms: Counts, negatives: int, charter: BinaryCharter, sealed_positives: int, sealed_negatives: int
) -> list[tuple[Counts, int, int, int]]:
    """Return errors, rows, sealed rows and how many sealed errors are still GO: for positives, then for negatives."""
    limits, looks, confidence = charter.limits, charter.timebox.looks, float(charter.limits.confidence)
    return [
        (missed, positives, sealed_positives, most_errors_allowed(sealed_positives, float(limits.missed_share), confidence, looks)),
        (false_alarms, negatives, sealed_negatives, most_errors_allowed(sealed_negatives, float(limits.false_alarm_share), confidence, looks)),
    ]


def as_float32(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """Return probabilities as the server sees them, shape (n_rows,).

    Raises:
        Refused: one is NaN.
    """
    p = np.ravel(np.asarray(probabilities, dtype=np.float32))
    if bad := int(np.isnan(p).sum()):
        raise Refused(f"{bad} of {len(p)} probabilities are NaN", where="the model", fix="look at the rows concerned; a model must answer every row")
    return p


def candidates(p: NDArray[np.float32], positive: NDArray[np.bool_]) -> tuple[NDArray[np.float32], Counts, Counts]:
    """Return thresholds just below each distinct probability of a positive, and one above them all, with misses and false alarms at each."""
    values, place = np.unique(p, return_inverse=True)
    at_positive = np.bincount(place.reshape(-1), weights=positive, minlength=len(values)).astype(np.intp)
    at_negative = np.bincount(place.reshape(-1), weights=~positive, minlength=len(values)).astype(np.intp)
    below = np.append(0, np.cumsum(at_positive))
    alarms = int(at_negative.sum()) - np.append(0, np.cumsum(at_negative))
    edges = np.append(np.flatnonzero(at_positive), len(values))
    return _midway(values)[edges], below[edges], alarms[edges]


def _midway(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the float32 midway below each ascending value, and one above the last, shape (n + 1,): value >= threshold holds from there on."""
    ends = np.concatenate([np.minimum(values[:1], 0), values, np.nextafter(np.maximum(values[-1:], 1), np.float32(2), dtype=np.float32)])
    middle = ((ends[:-1].astype(np.float64) + ends[1:]) / 2).astype(np.float32)
    return np.where(middle > ends[:-1], middle, ends[1:]).astype(np.float32)  # between adjacent floats there is no middle: take the upper


def _most_promising(halves: list[tuple[Counts, int, int, int]], worth: Floats) -> Counts:
    """Return at most TRIED candidates by a normal approximation of the chance, the one worth most among them."""
    from scipy.special import log_ndtr

    if len(worth) <= TRIED:
        return np.arange(len(worth))
    log_chance = np.zeros(len(worth))
    for errors, n, sealed, allowed in halves:
        share = (errors + 0.5) / (n + 1)
        spread = np.sqrt(share * (1 - share) * sealed * (1 + sealed / (n + 2)))
        log_chance += log_ndtr((allowed + 0.5 - sealed * share) / np.maximum(spread, 1e-9))
    return np.union1d(np.argsort(-log_chance, kind="stable")[: TRIED - 1], np.argmax(worth)).astype(np.intp)
