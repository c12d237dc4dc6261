"""What a period costs, worked out by hand for every kind of problem."""

from __future__ import annotations

import numpy as np
import pytest
from builders import a_charter, a_multiclass_charter, an_amount_charter, sure

from poc.rules.charter import AmountCharter, BinaryCharter, Charter, MulticlassCharter
from poc.rules.stakes import TODAY, cost_of, cost_per_period, errors_of_nobody, errors_today, knowns, perfect_errors, perfect_saving_per_period

#: Of the rows of each class (good, rework, scrap) the share decided as each.
A_MODEL = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.2, 0.8]])


def parts() -> MulticlassCharter:
    """1,000 decisions; 90 % good, 7 % rework, 3 % scrap; costs as in the builder's charter, known exactly."""
    costs = {"good": (0, 3, 15), "rework": (80, 10, 9), "scrap": (200, 30, 5)}
    return a_multiclass_charter(
        value={
            "decisions_per_period": sure(1000),
            "class_shares": {"good": sure("0.9"), "rework": sure("0.07"), "scrap": sure("0.03")},
            "costs": {true: {decided: sure(cost) for decided, cost in zip(costs, row, strict=True)} for true, row in costs.items()},
            "run_cost_per_period": 0,
        }
    )


def pieces() -> AmountCharter:
    """1,000 estimates; a piece too many costs 0.5, one too few 2; today 9.5 over and 7.25 under on average."""
    ranges = {"decisions_per_period": sure(1000), "cost_per_unit_over": sure("0.5"), "cost_per_unit_under": sure(2)}
    return an_amount_charter(value={**ranges, "run_cost_per_period": 0})


def stops(**changes: object) -> BinaryCharter:
    """1,000 decisions, 10 % positive; a miss costs 100, a false alarm 2, a catch 20; today misses 50 % and stops 4 % of the others."""
    ranges = {"decisions_per_period": 1000, "positive_share": "0.1", "cost_missed": 100, "cost_false_alarm": 2, "cost_per_catch": 20}
    value = {name: sure(number) for name, number in (ranges | changes).items()}
    return a_charter(value={**value, "run_cost_per_period": 0}, baseline={"missed_share": "0.5", "false_alarm_share": "0.04"})


def cost(charter: Charter, errors: np.ndarray) -> float:
    return float(cost_per_period(charter, {name: np.asarray(float(known.likely)) for name, known in knowns(charter).items()}, errors))


def test_a_binary_period_costs_its_misses_catches_and_false_alarms() -> None:
    # 100 positives: 20 missed at 100, 80 caught at 20; 900 others, 90 alarms at 2
    assert cost(stops(), np.array([0.2, 0.1])) == pytest.approx(2000 + 1600 + 180)


def test_todays_decisions_on_parts_cost_what_the_matrix_says() -> None:
    # good 0.03 * 3 + 0.01 * 15 = 0.24; rework 0.4 * 80 + 0.5 * 10 + 0.1 * 9 = 37.9; scrap 0.3 * 200 + 0.3 * 30 + 0.4 * 5 = 71
    assert cost(parts(), errors_today(parts())) == pytest.approx(1000 * (0.9 * 0.24 + 0.07 * 37.9 + 0.03 * 71))


def test_a_models_decisions_on_parts_cost_what_the_matrix_says() -> None:
    # good 0.1 * 3 = 0.3; rework 0.1 * 80 + 0.9 * 10 = 17; scrap 0.2 * 30 + 0.8 * 5 = 10
    assert cost(parts(), A_MODEL) == pytest.approx(1000 * (0.9 * 0.3 + 0.07 * 17 + 0.03 * 10))


def test_deciding_the_same_every_time_costs_a_column_of_the_matrix() -> None:
    found = {name: cost(parts(), errors) for name, errors in errors_of_nobody(parts()).items()}
    assert found == {
        "deciding 'good' every time": pytest.approx(1000 * (0.07 * 80 + 0.03 * 200)),
        "deciding 'rework' every time": pytest.approx(1000 * (0.9 * 3 + 0.07 * 10 + 0.03 * 30)),
        "deciding 'scrap' every time": pytest.approx(1000 * (0.9 * 15 + 0.07 * 9 + 0.03 * 5)),
    }


def test_flagging_everything_catches_every_positive_and_nothing_none() -> None:
    found = {name: cost(stops(), errors) for name, errors in errors_of_nobody(stops()).items()}
    assert found == {"flagging everything": pytest.approx(100 * 20 + 900 * 2), "flagging nothing": pytest.approx(100 * 100)}


def test_amounts_cost_their_units_over_and_under() -> None:
    assert cost(pieces(), errors_today(pieces())) == pytest.approx(1000 * (9.5 * 0.5 + 7.25 * 2))
    assert cost(pieces(), np.array([6.0, 5.0])) == pytest.approx(1000 * (6 * 0.5 + 5 * 2))
    assert errors_of_nobody(pieces()) == {}


def test_yes_or_no_is_the_matrix_of_two_classes() -> None:
    """A third class that never occurs changes nothing."""
    rows = {"good": (0, 2, 0), "rework": (100, 20, 100), "scrap": (0, 0, 0)}
    two = a_multiclass_charter(
        value={
            "decisions_per_period": sure(1000),
            "class_shares": {"good": sure("0.9"), "rework": sure("0.1"), "scrap": sure(0)},
            "costs": {true: {decided: sure(each) for decided, each in zip(rows, row, strict=True)} for true, row in rows.items()},
        },
        baseline={"decided_shares": {"good": {"good": "0.96", "rework": "0.04", "scrap": 0}, "rework": {"good": "0.5", "rework": "0.5", "scrap": 0}}},
    )
    as_matrix = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [1.0, 0.0, 0.0]])
    assert cost(two, as_matrix) == pytest.approx(cost(stops(), np.array([0.2, 0.1])))
    assert cost(two, errors_today(two)) == pytest.approx(cost(stops(), errors_today(stops())))
    assert perfect_saving_per_period(two) == pytest.approx(perfect_saving_per_period(stops()))


def test_shares_of_classes_that_were_drawn_one_by_one_are_scaled_to_add_up_to_one() -> None:
    plain = {name: np.asarray(float(known.likely)) for name, known in knowns(parts()).items()}
    doubled = {name: 2 * value if name.startswith("share of ") else value for name, value in plain.items()}
    assert cost_per_period(parts(), doubled, A_MODEL) == pytest.approx(cost_per_period(parts(), plain, A_MODEL))


@pytest.mark.parametrize(("charter", "one"), [(stops(), np.array([0.2, 0.1])), (parts(), A_MODEL), (pieces(), np.array([6.0, 5.0]))])
def test_draws_stay_on_the_last_axis(charter: Charter, one: np.ndarray) -> None:
    today = errors_today(charter)
    found = cost_per_period(charter, {name: np.full(2, float(known.likely)) for name, known in knowns(charter).items()}, np.stack([one, today], axis=-1))
    assert found == pytest.approx([cost(charter, one), cost(charter, today)])


def test_a_perfect_model_saves_all_but_what_right_decisions_cost() -> None:
    assert perfect_saving_per_period(stops()) == pytest.approx((5000 + 1000 + 72) - 2000)
    assert perfect_saving_per_period(pieces()) == pytest.approx(1000 * (9.5 * 0.5 + 7.25 * 2))


def test_a_perfect_model_scraps_what_is_dearer_to_rework() -> None:
    assert perfect_errors(parts()).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert perfect_saving_per_period(parts()) == pytest.approx(4999 - 1000 * (0.07 * 9 + 0.03 * 5))


def test_a_perfect_model_catches_nothing_where_a_catch_costs_more_than_a_miss() -> None:
    # today: 50 missed at 100, 50 caught at 150, 36 alarms at 2; cheapest: all 100 missed
    assert perfect_saving_per_period(stops(cost_per_catch=150)) == pytest.approx((5000 + 7500 + 72) - 10_000)


def test_every_range_of_the_charter_is_known_by_name() -> None:
    assert list(knowns(stops())) == ["decisions", "positive share", "cost of a miss", "cost of a false alarm", "cost of a catch"]
    assert list(knowns(pieces())) == ["decisions", "cost of a unit over", "cost of a unit under"]
    of_parts = knowns(parts())
    assert len(of_parts) == 1 + 3 + 9
    assert float(of_parts[cost_of("scrap", "good")].likely) == 200
    assert TODAY not in of_parts
