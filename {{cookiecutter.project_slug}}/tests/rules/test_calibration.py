from __future__ import annotations

import math

import numpy as np
import pytest

from poc.rules.calibration import HIGHEST, LOWEST, calibrated, logit
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
