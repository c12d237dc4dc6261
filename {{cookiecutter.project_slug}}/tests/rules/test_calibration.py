from __future__ import annotations

import math

import numpy as np
import pytest

from poc.rules.calibration import HIGHEST, LOWEST, calibrated, in_unit, logit, temperature, unit_of
from poc.rules.evidence import Calibration


def test_slope_one_and_intercept_zero_change_nothing() -> None:
    raw = np.array([0.01, 0.5, 0.99])
    assert calibrated("binary", raw, Calibration(slope=1, intercept=0)) == pytest.approx(raw)


def test_a_calibrated_probability_by_hand() -> None:
    # logit(0.8) = log(4) = 1.3863; 0.5 * 1.3863 - 1 = -0.3069; sigmoid(-0.3069) = 0.4239
    assert calibrated("binary", np.array([0.8]), Calibration(slope=0.5, intercept=-1))[0] == pytest.approx(0.4239, abs=1e-4)


def test_the_logit_of_four_to_one_is_the_logarithm_of_four() -> None:
    assert logit(np.array([0.8, 0.2, 0.5])) == pytest.approx([math.log(4), -math.log(4), 0.0])


def test_certainty_is_clipped_to_a_finite_logit() -> None:
    assert logit(np.array([0.0, 1.0])) == pytest.approx([math.log(LOWEST), math.log(HIGHEST / (1.0 - HIGHEST))], rel=1e-6)


def test_float32_is_calibrated_in_float64() -> None:
    assert calibrated("binary", np.array([0.3], dtype=np.float32), Calibration(slope=1, intercept=0)).dtype == np.float64


def test_the_upper_clip_still_differs_from_one_in_float32() -> None:
    assert np.float32(HIGHEST) < np.float32(1.0)


def test_a_positive_slope_keeps_the_order() -> None:
    raw = np.linspace(0.001, 0.999, 50)
    assert (np.diff(calibrated("binary", raw, Calibration(slope=0.3, intercept=2))) > 0).all()


def test_a_temperature_by_hand() -> None:
    # halved logarithms are square roots: sqrt(0.64), sqrt(0.32), sqrt(0.04) are 0.8, 0.5657 and 0.2, together 1.5657
    found = calibrated("multiclass", np.array([[0.64, 0.32, 0.04]]), Calibration(slope=0.5, intercept=0))
    assert found[0] == pytest.approx([0.8 / 1.5657, 0.5657 / 1.5657, 0.2 / 1.5657], abs=1e-4)


def test_probabilities_that_are_too_sure_get_a_temperature_above_one_and_good_ones_none() -> None:
    rng = np.random.default_rng(3)
    honest = rng.dirichlet([2.0, 2.0, 2.0], 20_000)
    truth = np.array([rng.choice(3, p=row) for row in honest])
    sure = honest**3 / (honest**3).sum(axis=1, keepdims=True)
    assert temperature(honest, truth).slope == pytest.approx(1.0, abs=0.05)
    assert temperature(sure, truth).slope == pytest.approx(1 / 3, abs=0.02)


def test_a_count_is_never_below_nothing_and_an_amount_may_be() -> None:
    shift = Calibration(slope=2.0, intercept=-3.0)
    assert calibrated("count", np.array([1.0, 4.0]), shift).tolist() == [0.0, 5.0]
    assert calibrated("regression", np.array([1.0, 4.0]), shift).tolist() == [-1.0, 5.0]


@pytest.mark.parametrize(("problem", "fitted"), [("regression", [-1.0, 1.0]), ("count", [0.5, 1.5]), ("multiclass", [2, 6])])
def test_amounts_are_fitted_in_a_unit_of_their_own_and_counts_keep_their_zero(problem: str, fitted: list[float]) -> None:
    truth = np.array([2, 6])
    unit = unit_of(problem, truth)
    assert in_unit(truth, unit).tolist() == fitted
    assert (unit.slope * np.array(fitted) + unit.intercept).tolist() == truth.tolist()
