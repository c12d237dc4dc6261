"""What was counted: shares against limits, and the errors that money is drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter
from scipy.special import betaincinv

from poc.rules.charter import Charter
from poc.rules.counts import USUAL, counted_shares, drawn_errors, expected_errors, limited_shares, sorts_in_groups, sorts_of
from poc.rules.evidence import ClassCounts, Confusion, Counted, Deviations, InGroups

FOUR_GROUPS = Confusion(positives=20, missed=3, negatives=80, false_alarms=4, by_group=[(5, 3, 20, 0), (5, 0, 20, 4), (10, 0, 20, 0), (0, 0, 20, 0)])
PARTS = ClassCounts(counts=[[90, 8, 2], [1, 18, 1], [0, 2, 8]])
PIECES = Deviations(rows=[1, 1, 1, 1], beyond=[0, 1, 0, 0], over=[4, 0, 2, 0], under=[0, 30, 0, 2], usual_over=[9, 0, 3, 0], usual_under=[0, 40, 0, 8])
QUANTILES = [0.05, 0.5, 0.95]


def quantiles(draws: np.ndarray) -> np.ndarray:
    return np.quantile(draws, QUANTILES)


def drawn(counted: Counted, n: int = 100_000) -> np.ndarray:
    return drawn_errors(counted, np.random.default_rng(5), n)[0]


def test_misses_are_among_positives_and_false_alarms_among_the_others() -> None:
    missed, alarms = counted_shares(a_charter(), FOUR_GROUPS)
    assert (missed.name, missed.errors, missed.rows, missed.limit) == ("missed_share", 3, 20, 0.12)
    assert (alarms.name, alarms.errors, alarms.rows, alarms.limit) == ("false_alarm_share", 4, 80, 0.25)
    assert missed.by_group is not None and missed.by_group.tolist() == [[3, 5], [0, 5], [0, 10], [0, 0]]
    assert alarms.by_group is not None and alarms.by_group.tolist() == [[0, 20], [4, 20], [0, 20], [0, 20]]


def test_of_each_class_that_has_a_limit_everything_off_the_diagonal_is_missed() -> None:
    rework, scrap = counted_shares(a_multiclass_charter(), PARTS)
    assert (rework.name, rework.errors, rework.rows, rework.limit, rework.by_group) == ("missed_share of 'rework'", 2, 20, 0.20, None)
    assert (scrap.name, scrap.errors, scrap.rows, scrap.limit) == ("missed_share of 'scrap'", 2, 10, 0.10)


def test_classes_are_counted_in_their_groups_too() -> None:
    halves = [[[45, 4, 1], [1, 9, 0], [0, 0, 4]], [[45, 4, 1], [0, 9, 1], [0, 2, 4]]]
    grouped = PARTS.model_copy(update={"by_group": halves})
    found = [each.by_group for each in counted_shares(a_multiclass_charter(), grouped)]
    assert [table.tolist() for table in found if table is not None] == [[[1, 10], [1, 10]], [[0, 4], [2, 6]]]


def test_estimates_beyond_the_tolerance_are_counted_and_grouped_only_where_rows_share_groups() -> None:
    (alone,) = counted_shares(an_amount_charter(), PIECES)
    assert (alone.name, alone.errors, alone.rows, alone.limit, alone.by_group) == ("beyond_tolerance_share", 1, 4, 0.15, None)
    (shared,) = counted_shares(an_amount_charter(), PIECES.model_copy(update={"rows": [1, 2, 1, 1]}))
    assert shared.by_group is not None and shared.by_group.tolist() == [[0, 1], [1, 2], [0, 1], [0, 1]]


@pytest.mark.parametrize(("charter", "counted"), [(a_charter(), PARTS), (a_multiclass_charter(), PIECES), (an_amount_charter(), FOUR_GROUPS)])
def test_counts_of_another_kind_of_problem_are_refused(charter: Charter, counted: Counted) -> None:
    with pytest.raises(TypeError, match="is not what a"):
        counted_shares(charter, counted)


@pytest.mark.parametrize(("charter", "counted"), [(a_charter(), FOUR_GROUPS), (a_multiclass_charter(), PARTS), (an_amount_charter(), PIECES)])
def test_what_is_limited_is_what_is_counted(charter: Charter, counted: Counted) -> None:
    assert [(each.name, each.limit) for each in limited_shares(charter)] == [(each.name, each.limit) for each in counted_shares(charter, counted)]


def test_shares_of_rows_are_drawn_from_jeffreys_posterior() -> None:
    missed, alarms = drawn(FOUR_GROUPS.model_copy(update={"by_group": []}))
    assert quantiles(missed) == pytest.approx(betaincinv(3.5, 17.5, QUANTILES), rel=0.02)
    assert quantiles(alarms) == pytest.approx(betaincinv(4.5, 76.5, QUANTILES), rel=0.02)


def test_groups_of_one_row_are_drawn_as_rows() -> None:
    by_group = [(1, 1, 0, 0)] * 3 + [(1, 0, 0, 0)] * 17 + [(0, 0, 1, 1)] * 4 + [(0, 0, 1, 0)] * 76
    missed, alarms = drawn(FOUR_GROUPS.model_copy(update={"by_group": by_group}))
    assert quantiles(missed) == pytest.approx(betaincinv(3.5, 17.5, QUANTILES), rel=0.02)
    assert quantiles(alarms) == pytest.approx(betaincinv(4.5, 76.5, QUANTILES), rel=0.02)


def test_errors_that_lie_in_one_group_are_less_certain_than_as_many_in_rows() -> None:
    grouped, alone = (np.ptp(quantiles(drawn(seen)[0])) for seen in (FOUR_GROUPS, FOUR_GROUPS.model_copy(update={"by_group": []})))
    assert grouped > 1.5 * alone


def test_each_class_is_decided_by_shares_with_one_made_up_row_spread_over_the_classes() -> None:
    shares = drawn(PARTS)
    assert shares.shape == (3, 3, 100_000)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert quantiles(shares[0, 0]) == pytest.approx(betaincinv(90 + 1 / 3, 10 + 2 / 3, QUANTILES), rel=0.01)
    assert quantiles(shares[2, 1]) == pytest.approx(betaincinv(2 + 1 / 3, 8 + 2 / 3, QUANTILES), rel=0.02)


def test_many_classes_do_not_make_up_many_errors() -> None:
    right = ClassCounts(counts=(20 * np.eye(10, dtype=int)).tolist())
    assert 1 - drawn(right, 10_000)[0, 0].mean() == pytest.approx(0.9 / 21, rel=0.05)  # one row in 21 is made up, nine tenths of it wrong


def test_classes_in_groups_of_one_row_are_drawn_as_rows() -> None:
    by_group = [
        [[int((i, j) == (true, decided)) for j in range(3)] for i in range(3)]
        for true, row in enumerate(PARTS.counts)
        for decided, count in enumerate(row)
        for _ in range(count)
    ]
    shares = drawn(PARTS.model_copy(update={"by_group": by_group}))
    assert quantiles(shares[2, 1]) == pytest.approx(betaincinv(2 + 1 / 3, 8 + 2 / 3, QUANTILES), rel=0.02)
    assert quantiles(shares[0, 2]) == pytest.approx(betaincinv(2 + 1 / 3, 98 + 2 / 3, QUANTILES), rel=0.02)


def test_a_class_that_stands_ten_times_over_in_each_group_is_as_uncertain_as_once() -> None:
    right, wrong = np.eye(3, dtype=int), np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]])  # twice a part to scrap is sent to rework
    once = np.array([wrong] * 2 + [right] * 8)
    plain = ClassCounts(counts=once.sum(axis=0).tolist(), by_group=once.tolist())
    tenfold = ClassCounts(counts=(10 * once.sum(axis=0)).tolist(), by_group=(10 * once).tolist())
    assert quantiles(drawn(tenfold)[2, 1]) == pytest.approx(quantiles(drawn(plain)[2, 1]))


def test_amounts_are_drawn_around_their_means_with_the_usual_amount_on_the_same_rows() -> None:
    errors, policies = drawn_errors(PIECES, np.random.default_rng(5), 100_000)
    # over 4, 0, 2, 0 and half a row of twice the usual 3, half a row of none: (6 + 3) / 5; under (32 + 12) / 5
    assert errors.mean(axis=1) == pytest.approx([1.8, 8.8], rel=0.02)
    assert policies[USUAL].mean(axis=1) == pytest.approx([3.0, 12.0], rel=0.02)
    # variance of a mean under Dirichlet(1, 1, 1, 1, 1/2, 1/2): mean square deviation / (5 + 1), the mean square being (16 + 4 + 36 / 2) / 5
    assert errors[0].var() == pytest.approx((38 / 5 - 1.8**2) / 6, rel=0.03)
    assert np.corrcoef(errors[1], policies[USUAL][1])[0, 1] > 0.85  # a draw that weighs a hard row weighs it for both


def test_amounts_of_groups_count_each_row_but_draw_each_group() -> None:
    two = Deviations(rows=[1, 3], beyond=[0, 0], over=[4.0, 0.0], under=[0.0, 6.0], usual_over=[4.0, 0.0], usual_under=[0.0, 6.0])
    assert expected_errors(two).tolist() == [1.0, 1.5]
    assert drawn(two)[0].max() > 3.5  # when the first group has nearly all the weight


@pytest.mark.parametrize(("rows", "groups"), [([1], 1), ([500], 1), ([1] * 20, 20), ([50] * 20, 20)])
def test_perfect_estimates_leave_open_that_the_next_group_is_off_by_twice_the_usual(rows: list[int], groups: int) -> None:
    none, usual = [0.0] * len(rows), [9.0 * n for n in rows]
    perfect = Deviations(rows=rows, beyond=[0] * len(rows), over=none, under=none, usual_over=none, usual_under=usual)
    _, under = drawn(perfect)
    assert quantiles(under) == pytest.approx(2 * 9 * betaincinv(0.5, groups + 0.5, QUANTILES), rel=0.04)
    assert expected_errors(perfect)[1] == pytest.approx(9 / (groups + 1))


def test_where_rows_are_many_the_made_up_group_says_nothing_any_more() -> None:
    many = 20_000
    seen = PIECES.model_copy(update={name: getattr(PIECES, name) * (many // 4) for name in Deviations.model_fields})
    assert expected_errors(seen) == pytest.approx([1.5, 8.0], rel=1e-4)
    assert drawn(seen, 2_000).mean(axis=1) == pytest.approx([1.5, 8.0], rel=0.01)


def test_posterior_means_by_hand() -> None:
    assert expected_errors(FOUR_GROUPS.model_copy(update={"by_group": []})) == pytest.approx([3.5 / 21, 4.5 / 81])
    # the usual group of a positive has (25 + 25 + 100) / 20 = 7.5 positives, that of another row 20 others
    assert expected_errors(FOUR_GROUPS) == pytest.approx([(3 + 3.75) / (20 + 7.5), (4 + 10) / (80 + 20)])
    assert expected_errors(PARTS)[2] == pytest.approx([(1 / 3) / 11, (2 + 1 / 3) / 11, (8 + 1 / 3) / 11])
    assert expected_errors(PIECES) == pytest.approx([(6 + 3) / 5, (32 + 12) / 5])


def test_without_rows_an_amount_is_not_a_number() -> None:
    none = Deviations(rows=[], beyond=[], over=[], under=[], usual_over=[], usual_under=[])
    assert np.isnan(expected_errors(none)).all()
    assert np.isnan(drawn(none, 10)).all()


def test_rows_of_each_sort_count_as_the_groups_that_they_lie_in() -> None:
    truth, group_of = np.array([1, 1, 1, 1, 0, 0]), np.array(["a", "a", "a", "b", "b", "c"])
    # three positives in one group and one in another: 4² / (9 + 1) = 1.6, rounded down
    assert sorts_in_groups(a_charter(), truth, group_of) == {"positives": InGroups(groups=2, count_as=1), "negatives": InGroups(groups=2, count_as=2)}
    assert sorts_in_groups(an_amount_charter(), truth, group_of) == {"rows": InGroups(groups=3, count_as=2)}  # 6² / (9 + 4 + 1) = 2.6


def test_where_rows_share_no_groups_nothing_is_said_of_them() -> None:
    assert sorts_in_groups(a_charter(), np.array([1, 0]), None) == {}


def test_a_sort_without_rows_counts_as_none() -> None:
    found = sorts_in_groups(a_multiclass_charter(), np.array([0, 0, 1]), np.array(["a", "b", "b"]))
    assert found["rows of 'scrap'"] == InGroups(groups=0, count_as=0)
    assert set(found) == set(sorts_of(a_multiclass_charter(), np.array([0])))
