from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter, sure
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from poc.rules.charter import BinaryCharter
from poc.rules.evidence import ClassCounts, Confusion, Deviations
from poc.rules.thresholds import choose_threshold, confusion_at
from poc.rules.value import allowed_error, expected_worth, money_interval, threshold_by_costs, triangular, worth
from poc.rules.verdict import judge_money, judge_shares, overall


def a_sure_charter(**changes: Any) -> BinaryCharter:
    """1,000 decisions, 10 % positive; a miss costs 100, a false alarm 2, a catch 20; running it 50. Today costs 1,000 * (6.0 + 0.072) = 6,072 a month."""
    value = {
        "decisions_per_period": sure(1000),
        "positive_share": sure("0.1"),
        "cost_missed": sure(100),
        "cost_false_alarm": sure(2),
        "cost_per_catch": sure(20),
    }
    return a_charter(value=value | {"run_cost_per_period": 50} | changes, baseline={"missed_share": "0.5", "false_alarm_share": "0.04"})


def many(missed: float, false_alarms: float) -> Confusion:
    n = 10_000_000  # so many rows that the posterior is a point
    return Confusion(positives=n, missed=int(n * missed), negatives=n, false_alarms=int(n * false_alarms))


def test_value_is_what_today_costs_less_what_the_model_costs_and_its_run_cost() -> None:
    # model: 1,000 * (0.1 * (0.2 * 100 + 0.8 * 20) + 0.9 * 0.1 * 2) + 50 = 3,600 + 180 + 50; today 6,072
    assert worth(a_sure_charter(), many(0.2, 0.1), seed=1).per_period.middle == pytest.approx(6072 - 3830, abs=2)


def test_value_against_flagging_everything_and_nothing() -> None:
    money = worth(a_sure_charter(), many(0.2, 0.1), seed=1)
    assert money.against["flagging everything"].middle == pytest.approx(2000 + 1800 - 3830, abs=2)  # every positive caught, every negative alarmed
    assert money.against["flagging nothing"].middle == pytest.approx(10000 - 3830, abs=2)  # every positive missed


def test_a_perfect_model_pays_its_run_cost() -> None:
    assert worth(a_sure_charter(), many(0.2, 0.1), seed=1).perfect_model == pytest.approx(6072 - 2000 - 50)


def test_a_perfect_model_is_worth_its_mean_as_all_else_is() -> None:
    # likely 2,000 of a thousand decisions; the mean of 500, 2,000 and 6,500 is 3,000: three times what a sure thousand saves
    volume = {"decisions_per_period": {"low": 500, "likely": 2000, "high": 6500}}
    assert worth(a_sure_charter(**volume), many(0.2, 0.1), seed=1).perfect_model == pytest.approx(3 * (6072 - 2000) - 50)


def test_a_more_accurate_model_can_be_worth_less() -> None:
    cautious, sharp = many(0.01, 0.20), many(0.40, 0.01)  # 4.9 % of errors less, 3,120 more of cost
    difference = worth(a_sure_charter(), cautious, seed=1).per_period.middle - worth(a_sure_charter(), sharp, seed=1).per_period.middle
    assert difference == pytest.approx(0.39 * 0.1 * 80 * 1000 - 0.19 * 0.9 * 2 * 1000, abs=4)


def test_equal_seeds_give_equal_money_and_others_do_not() -> None:
    few = Confusion(positives=20, missed=2, negatives=200, false_alarms=20)
    assert worth(a_charter(), few, seed=1) == worth(a_charter(), few, seed=1)
    assert worth(a_charter(), few, seed=1) != worth(a_charter(), few, seed=2)


def test_prevalence_is_the_charters_and_not_the_files() -> None:
    rare, common = Confusion(positives=10**6, missed=10**5, negatives=10**7, false_alarms=10**6), many(0.1, 0.1)
    assert worth(a_sure_charter(), rare, seed=1).per_period.middle == pytest.approx(worth(a_sure_charter(), common, seed=1).per_period.middle, abs=5)


def test_chances_are_shares_of_the_draws() -> None:
    loses = worth(a_sure_charter(), many(0.9, 0.5), seed=1)
    assert (loses.chance_of_loss, loses.chance_of_minimum) == (1.0, 0.0)
    wins = worth(a_sure_charter(run_cost_per_period=0), many(0.0, 0.0), seed=1)
    assert (wins.chance_of_loss, wins.chance_of_minimum) == (0.0, 0.0)  # 4,072 is not the 5,000 that the charter asks for


def test_no_positive_seen_leaves_the_value_wide_open() -> None:
    money = worth(a_charter(), Confusion(positives=0, missed=0, negatives=100, false_alarms=5), seed=1)
    assert money.per_period.low < 0 < money.per_period.high


def test_error_shares_are_drawn_from_jeffreys_posterior() -> None:
    # with sure costs only the shares vary: each point missed costs 1,000 * 0.1 * 80 / 100; the false-alarm share is all but known
    money = worth(a_sure_charter(), Confusion(positives=20, missed=1, negatives=10**7, false_alarms=10**6), seed=1)
    missed = [(6072 - 50 - 2000 - 180 - bound) / 8000 for bound in (money.per_period.high, money.per_period.low)]
    assert missed == pytest.approx(betaincinv(1.5, 19.5, [0.05, 0.95]), rel=0.05)


def test_a_triangular_range_keeps_its_bounds_and_its_mean() -> None:
    draws = triangular(a_charter(value={"cost_missed": {"low": 0, "likely": 30, "high": 90}}).value.cost_missed, np.random.default_rng(3))
    assert draws.min() >= 0
    assert draws.max() <= 90
    assert draws.mean() == pytest.approx(40, abs=0.5)  # (0 + 30 + 90) / 3
    assert np.mean(draws <= 30) == pytest.approx(1 / 3, abs=0.01)  # the area left of the peak is (likely - low) / (high - low)


def test_expected_worth_uses_the_means_of_the_ranges() -> None:
    assert expected_worth(a_sure_charter(), np.array([0.2, 0.1])) == pytest.approx(6072 - 3830)
    assert expected_worth(a_sure_charter(), np.array([[0.2, 0.5], [0.1, 0.04]])) == pytest.approx([6072 - 3830, -50])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 500))
def test_bounds_are_ordered_and_no_model_beats_a_perfect_one_on_sure_costs(positives: int, missed: int, false_alarms: int) -> None:
    money = worth(a_sure_charter(), Confusion(positives=positives, missed=min(missed, positives), negatives=500, false_alarms=false_alarms), seed=1)
    for interval in (money.per_period, *money.against.values()):
        assert interval.low <= interval.middle <= interval.high
    assert money.per_period.high <= money.perfect_model + 1e-6


@pytest.mark.parametrize("positives", [20, 200])
def test_nine_in_ten_intervals_hold_the_true_value(positives: int) -> None:
    # 200 sealed sets from a model that misses 15 % and alarms on 20 %; binomial noise on 200 is 2.1 points
    rng, charter, negatives = np.random.default_rng(11), a_sure_charter(), positives * 10
    truth = expected_worth(charter, np.array([0.15, 0.20]))
    held = 0
    for seed in range(200):
        seen = Confusion(positives=positives, missed=int(rng.binomial(positives, 0.15)), negatives=negatives, false_alarms=int(rng.binomial(negatives, 0.20)))
        interval = worth(charter, seen, seed=seed).per_period
        held += interval.low <= truth <= interval.high
    assert 0.85 <= held / 200 <= 0.95


def test_a_higher_confidence_and_more_looks_widen_the_money_as_every_other_limit() -> None:
    errors = Confusion(positives=136, missed=4, negatives=3864, false_alarms=842)
    plain, strict = (worth(a_charter(limits={"confidence": c}, timebox={"looks": looks}), errors, seed=7) for c, looks in ((0.95, 1), (0.99, 10)))
    assert (round(plain.level, 6), round(strict.level, 6)) == (0.9, 0.998)
    assert strict.per_period.low < plain.per_period.low < plain.per_period.high < strict.per_period.high


def parts(counts: list[list[int]]) -> ClassCounts:
    """So many rows that the posterior is a point."""
    return ClassCounts(counts=[[1_000_000 * count for count in row] for row in counts])


def test_money_of_several_classes_is_what_the_matrix_says() -> None:
    # see test_stakes: today 4,999, the model 1,760, and 100 to run it; deciding one class every time 11,600, 4,300 and 14,280
    costs = {"good": (0, 3, 15), "rework": (80, 10, 9), "scrap": (200, 30, 5)}
    charter = a_multiclass_charter(
        value={
            "decisions_per_period": sure(1000),
            "class_shares": {"good": sure("0.9"), "rework": sure("0.07"), "scrap": sure("0.03")},
            "costs": {true: {decided: sure(cost) for decided, cost in zip(costs, row, strict=True)} for true, row in costs.items()},
            "run_cost_per_period": 100,
        }
    )
    money = worth(charter, parts([[9, 1, 0], [1, 9, 0], [0, 2, 8]]), seed=1)
    assert money.per_period.middle == pytest.approx(4999 - 1860, abs=3)
    assert {name: each.middle for name, each in money.against.items()} == {
        "deciding 'good' every time": pytest.approx(11_600 - 1860, abs=3),
        "deciding 'rework' every time": pytest.approx(4300 - 1860, abs=3),
        "deciding 'scrap' every time": pytest.approx(14_280 - 1860, abs=3),
    }
    assert money.perfect_model == pytest.approx(4999 - 780 - 100)
    # of all errors scrap sold as good costs most; each unit of it saves 1,000 * 0.03 * 0.3 = 9; at 200 all but 3,139 would be gone at a cost below 0
    assert (money.break_even.name, math.isnan(money.break_even.value)) == ("cost of 'scrap' decided as 'good'", True)
    dearer = worth(
        charter.model_copy(update={"value": charter.value.model_copy(update={"run_cost_per_period": 3000})}), parts([[9, 1, 0], [1, 9, 0], [0, 2, 8]]), seed=1
    )
    assert dearer.break_even.value == pytest.approx(200 - (4999 - 1760 - 3000) / 9, abs=0.5)


def an_amount(**value: Any) -> Any:
    """1,000 estimates; a piece too many costs 0.5, one too few 2; today 9.5 over and 7.25 under, so 19,250 a month."""
    ranges = {"decisions_per_period": sure(1000), "cost_per_unit_over": sure("0.5"), "cost_per_unit_under": sure(2), "run_cost_per_period": 4000}
    return an_amount_charter(value=ranges | value)


def deviations(n: int = 20_000) -> Deviations:
    """Six over and five under on every row; always estimating the usual amount, eight and nine."""
    return Deviations(rows=[1] * n, beyond=[0] * n, over=[6.0] * n, under=[5.0] * n, usual_over=[8.0] * n, usual_under=[9.0] * n)


def test_money_of_amounts_is_what_units_over_and_under_cost() -> None:
    money = worth(an_amount(), deviations(), seed=1)
    assert money.per_period.middle == pytest.approx(19_250 - 13_000 - 4000, abs=2)
    assert {name: each.middle for name, each in money.against.items()} == {"the usual amount every time": pytest.approx(22_000 - 13_000 - 4000, abs=2)}
    assert money.perfect_model == pytest.approx(19_250 - 4000)
    # 3.5 fewer over save 1.75 an estimate, 2.25 fewer under their cost: with 4 to run it, nil at (4 - 1.75) / 2.25
    assert (money.break_even.name, money.break_even.value) == ("cost of a unit under", pytest.approx(1.0, abs=0.001))


@pytest.mark.parametrize("rows", [1, 500])
@pytest.mark.parametrize("off", [1.0, 9.0])  # the usual amount far better than today's process, and worse
def test_perfect_estimates_of_one_row_or_one_group_are_not_go(off: float, rows: int) -> None:
    one = Deviations(rows=[rows], beyond=[0], over=[0.0], under=[0.0], usual_over=[off * rows], usual_under=[off * rows])
    assert overall(judge_money(worth(an_amount(run_cost_per_period=0), one, seed=1))) != "GO"


def test_the_dearer_of_over_and_under_breaks_even() -> None:
    # under at 0.5 saves 1.125; over has to bring 2.875 from 3.5 units
    found = worth(an_amount(cost_per_unit_over=sure(2), cost_per_unit_under=sure("0.5")), deviations(), seed=1).break_even
    assert (found.name, found.value) == ("cost of a unit over", pytest.approx(2.875 / 3.5, abs=0.001))


def test_the_tornado_swings_each_range_from_end_to_end_widest_first() -> None:
    # at the means 30 * (miss - 20) - 108 - 50; twice as many decisions double all but the run cost
    charter = a_sure_charter(cost_missed={"low": 50, "likely": 100, "high": 150}, decisions_per_period={"low": 0, "likely": 1000, "high": 2000})
    bars = worth(charter, many(0.2, 0.1), seed=1).tornado
    assert [bar.name for bar in bars] == ["decisions", "cost of a miss", "missed share, as measured", "false-alarm share, as measured"]
    assert (bars[0].low, bars[0].high, bars[0].unit) == (0, 2000, "a month")
    assert (bars[0].at_low, bars[0].at_high) == (pytest.approx(-50), pytest.approx(2 * 2292 - 50, abs=1))
    assert (bars[1].low, bars[1].high, bars[1].unit) == (50, 150, "EUR")
    assert (bars[1].at_low, bars[1].at_high) == (pytest.approx(742, abs=1), pytest.approx(3742, abs=1))


def test_the_tornado_swings_each_error_within_what_was_measured() -> None:
    few = Confusion(positives=20, missed=1, negatives=10**7, false_alarms=10**6)
    bar = next(bar for bar in worth(a_sure_charter(), few, seed=1).tornado if bar.name == "missed share, as measured")
    assert (bar.low, bar.high) == (pytest.approx(betaincinv(1.5, 19.5, 0.05), rel=0.05), pytest.approx(betaincinv(1.5, 19.5, 0.95), rel=0.05))
    assert (bar.at_low, bar.at_high) == (pytest.approx(6072 - 2230 - 8000 * bar.low, abs=1), pytest.approx(6072 - 2230 - 8000 * bar.high, abs=1))
    assert (bar.unit, bar.at_low > bar.at_high) == ("share", True)


def test_the_tornado_swings_amounts_by_what_their_errors_cost() -> None:
    varied = deviations(4).model_copy(update={"over": [0.0, 0.0, 12.0, 12.0]})
    money = worth(an_amount(), varied, seed=1)
    (bar,) = money.tornado
    assert (bar.name, bar.low, bar.high, bar.unit) == ("errors, as measured", pytest.approx(0.05), pytest.approx(0.95), "quantile")
    assert (bar.at_low, bar.at_high) == pytest.approx((money.per_period.low, money.per_period.high))  # nothing else is uncertain
    assert bar.at_low < money.expected < bar.at_high


def test_at_the_break_even_cost_of_a_miss_the_money_is_nil() -> None:
    found = worth(a_sure_charter(), many(0.2, 0.1), seed=1).break_even
    assert (found.name, found.value, found.unit) == ("cost of a miss", pytest.approx(20 + 158 / 30, abs=0.01), "EUR")
    put_back = a_sure_charter(cost_missed=sure(round(found.value, 2)))
    assert expected_worth(put_back, np.array([0.2, 0.1])) == pytest.approx(0, abs=0.5)


def test_a_model_that_misses_more_than_today_breaks_even_from_above() -> None:
    # -10 * (miss - 20) - 108 - 50 + 90 * 4 with no false alarms at all: -10 * miss + 200 + 72 - 50
    assert worth(a_sure_charter(), many(0.6, 0.0), seed=1).break_even.value == pytest.approx(22.2, abs=0.01)


def test_money_that_no_cost_of_a_miss_could_undo_has_no_break_even() -> None:
    assert math.isnan(worth(a_sure_charter(cost_per_catch=sure(0), run_cost_per_period=0), many(0.2, 0.0), seed=1).break_even.value)


def a_charter_by_costs(**changes: Any) -> BinaryCharter:
    return a_sure_charter(**{"cost_missed": sure(900), "cost_false_alarm": sure(12), "cost_per_catch": sure(60), "positive_share": sure("0.02")} | changes)


def test_costs_alert_where_an_expected_miss_outweighs_an_expected_false_alarm() -> None:
    assert threshold_by_costs(a_charter_by_costs(), 0.02) == pytest.approx(12 / (12 + 900 - 60))  # 0.0141


def test_the_threshold_by_costs_shifts_by_the_ratio_of_prior_odds() -> None:
    # calibrated where half are positive, used where one in 50 is: odds 12 / 840 * (1 / 1) / (1 / 49) = 0.7
    assert threshold_by_costs(a_charter_by_costs(), 0.5) == pytest.approx(0.7 / 1.7)
    assert threshold_by_costs(a_charter_by_costs(), 0.001) < 12 / 852 < threshold_by_costs(a_charter_by_costs(), 0.2)


def test_the_threshold_by_costs_takes_the_means_of_the_ranges() -> None:
    wide = a_charter_by_costs(cost_missed={"low": 300, "likely": 600, "high": 1800}, positive_share={"low": "0.01", "likely": "0.01", "high": "0.04"})
    assert threshold_by_costs(wide, 0.02) == pytest.approx(12 / 852)


def test_no_alert_pays_where_a_catch_costs_as_much_as_a_miss_or_nothing_is_positive() -> None:
    assert threshold_by_costs(a_charter_by_costs(cost_per_catch=sure(900)), 0.02) == 1.0
    assert threshold_by_costs(a_charter_by_costs(positive_share=sure(0)), 0.02) == 1.0
    assert [threshold_by_costs(a_charter_by_costs(), prevalence) for prevalence in (0.0, 1.0, math.nan)] == [1.0, 1.0, 1.0]


def test_every_alert_pays_where_it_costs_nothing_or_all_are_positive() -> None:
    assert threshold_by_costs(a_charter_by_costs(cost_false_alarm=sure(0)), 0.02) == 0.0
    assert threshold_by_costs(a_charter_by_costs(positive_share=sure(1)), 0.02) == 0.0


def test_alerting_at_the_threshold_by_costs_is_worth_most() -> None:
    """A probability that is calibrated where half the rows are positive: p at a share 2p of positives and 2(1 - p) of others."""
    charter, p = a_charter_by_costs(), np.linspace(0, 1, 2001)
    best = p[np.argmax(expected_worth(charter, np.stack([p**2, (1 - p) ** 2])))]
    assert threshold_by_costs(charter, 0.5) == pytest.approx(best, abs=0.001)


def test_looks_share_out_what_the_confidence_leaves() -> None:
    assert allowed_error(a_charter()) == pytest.approx(0.05)
    assert allowed_error(a_charter(timebox={"looks": 3}, limits={"confidence": "0.9"})) == pytest.approx(0.1 / 3)


def test_the_interval_for_pictures_is_that_of_the_verdict() -> None:
    few = Confusion(positives=20, missed=2, negatives=200, false_alarms=20)
    quick, full = money_interval(a_charter(), few, seed=1), worth(a_charter(), few, seed=1).per_period
    assert (quick.low, quick.middle, quick.high) == pytest.approx((full.low, full.middle, full.high), rel=0.1)


def test_rows_that_share_groups_leave_the_money_less_certain() -> None:
    alone = Confusion(positives=40, missed=8, negatives=400, false_alarms=40)
    grouped = alone.model_copy(update={"by_group": [(10, 8, 100, 40), *[(10, 0, 100, 0)] * 3]})
    one, other = (worth(a_sure_charter(), seen, seed=1).per_period for seen in (alone, grouped))
    assert other.high - other.low > 1.5 * (one.high - one.low)


@pytest.mark.parametrize(
    "nothing",
    [
        Deviations(rows=[], beyond=[], over=[], under=[], usual_over=[], usual_under=[]),
        Deviations(rows=[1, 1], beyond=[0, 0], over=[math.nan, 0], under=[0, 0], usual_over=[0, 0], usual_under=[0, 0]),
    ],
)
def test_what_is_not_a_number_proves_nothing_and_counts_as_a_loss(nothing: Deviations) -> None:
    money = worth(an_amount(), nothing, seed=1)
    assert (overall(judge_money(money)), money.chance_of_loss, money.chance_of_minimum) == ("NOT PROVEN", 1.0, 0.0)


def answers_without_signal(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.beta(1, 20, n), (rng.random(n) < 0.034).astype(np.int8)


@pytest.mark.parametrize("seed", range(5))
def test_answers_that_know_nothing_are_no_go_at_the_threshold_that_is_chosen_for_them(seed: int) -> None:
    """The scenario's limits and sizes: 12 % missed and 25 % false alarms cannot both be had by chance, and flagging everything is no way out."""
    charter, (dev, dev_labels), (sealed, labels) = a_charter(), answers_without_signal(seed, 6000), answers_without_signal(seed + 100, 4000)
    chosen = choose_threshold(dev, dev_labels, charter, 136, 3864).threshold
    seen = confusion_at(sealed, labels, chosen)
    assert overall([*judge_shares(charter, seen, 1), *judge_money(worth(charter, seen, seed=seed))]) == "NO-GO"


@pytest.mark.parametrize("share_flagged", [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0])
def test_answers_that_know_nothing_are_never_go_however_many_rows_they_flag_and_whatever_the_limits_allow(share_flagged: float) -> None:
    charter = a_charter(limits={"missed_share": "0.999", "false_alarm_share": "0.999"})
    for seed in range(5):
        sealed, labels = answers_without_signal(seed, 4000)
        seen = confusion_at(sealed, labels, float(np.quantile(sealed, 1 - share_flagged)) if share_flagged else 2.0)
        assert overall([*judge_shares(charter, seen, 1), *judge_money(worth(charter, seen, seed=seed))]) != "GO"


def test_a_bound_far_out_rests_on_enough_draws() -> None:
    # 99.9 % and ten looks leave one draw in 10,000 beyond a bound
    strict = a_sure_charter().model_copy(
        update={k: getattr(a_charter(limits={"confidence": "0.999"}, timebox={"looks": 10}), k) for k in ("limits", "timebox")}
    )
    few = Confusion(positives=20, missed=1, negatives=10**7, false_alarms=10**6)
    for seed in (1, 2, 3):
        low = worth(strict, few, seed=seed).per_period.low
        assert (6072 - 50 - 2000 - 180 - low) / 8000 == pytest.approx(betaincinv(1.5, 19.5, 0.9999), rel=0.03)
