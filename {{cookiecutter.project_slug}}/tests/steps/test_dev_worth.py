"""What the frozen model is worth on dev where features fall silent, with a model whose answers are known by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import a_charter, sure
from candidates import a_candidate as a_sigmoid_of_torque
from small_models import INPUTS, TORQUE, TYPE, WEAR, a_candidate, some_rows

from poc import layout
from poc.rules.evidence import Candidate
from poc.steps import dev_worth
from poc.steps.dev_worth import DevWorth, NotAnswered
from poc.tools import files, frames
from poc.tools.onnx_runtime import Scorer

#: 10,000 decisions, a tenth of them positive; today 45 % of the positives are missed and 4 % of the others flagged: 45,000 + 11,000 + 3,600 EUR.
SURE: dict[str, Any] = {
    "decisions_per_period": sure(10_000),
    "positive_share": sure("0.1"),
    "cost_missed": sure(100),
    "cost_false_alarm": sure(10),
    "cost_per_catch": sure(20),
    "run_cost_per_period": 0,
}


def a_dev_worth(folder: Path, **changes: Any) -> DevWorth:
    """Judge the candidate on rows that are positive exactly where it alerts, so that it is right about each of them."""
    wear_and_type = tensors()[WEAR] * 0.01 + (tensors()[TYPE] == "L")
    parts = {
        "charter": a_charter(value=SURE),
        "frozen": files.read_record(folder / layout.CANDIDATE_JSON, Candidate),
        "scorer": Scorer(folder / layout.CANDIDATE_MODEL),
        "labels": (np.nan_to_num(tensors()[TORQUE]) * 0.1 + wear_and_type > 4).astype(np.int8).ravel(),
        "groups": None,
        "usual_amount": None,
    }
    return DevWorth(**{**parts, **changes})


def tensors() -> Any:
    return frames.columns(some_rows(2000), INPUTS)


def test_a_model_that_no_longer_alerts_is_worth_what_flagging_nobody_is(tmp_path: Path) -> None:
    # Without torque it adds at most 2 and 1 to its bias of -4: nobody is flagged, and 1,000 positives are missed at 100 EUR
    found = a_dev_worth(a_candidate(tmp_path)).silence(tensors(), [TORQUE])
    assert found.money is not None and found.money.middle == pytest.approx(59_600 - 100_000, rel=0.01)
    assert found.money.low <= found.money.middle <= found.money.high


def test_each_late_feature_is_left_out_and_at_last_all(tmp_path: Path) -> None:
    dev = a_dev_worth(a_candidate(tmp_path))
    assert [each.features for each in dev.silences(tensors(), [WEAR, TYPE])] == [[WEAR], [TYPE], [WEAR, TYPE]]
    assert [each.features for each in dev.silences(tensors(), [WEAR])] == [[WEAR]]
    assert dev.silences(tensors(), []) == []


def test_of_many_late_features_those_that_cost_most_are_left_out_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_worth, "MOST_ALONE", 1)
    found = a_dev_worth(a_candidate(tmp_path)).silences(tensors(), [TYPE, TORQUE])
    assert [each.features for each in found] == [[TORQUE], [TYPE, TORQUE]]


def test_what_a_model_is_worth_that_answers_nothing_without_a_feature_is_not_known(tmp_path: Path) -> None:
    found = a_dev_worth(a_sigmoid_of_torque(tmp_path)).silence({TORQUE: np.full((2000, 1), 2, np.float32)}, [TORQUE])
    assert (found.money, found.why_not_known) == (None, "the model gives 2,000 of 2,000 rows no valid answer")


def test_a_model_that_does_not_run_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(NotAnswered, match="the model does not run"):
        a_dev_worth(a_candidate(tmp_path)).answers({TORQUE: np.zeros((2000, 1), np.float32)})


def test_a_feature_that_the_input_contract_does_not_let_be_missing_is_said_to_be_refused(tmp_path: Path) -> None:
    dev = a_dev_worth(a_candidate(tmp_path))
    inputs = [each.model_copy(update={"may_be_missing": each.name != WEAR}) for each in dev.frozen.inputs]
    dev = a_dev_worth(tmp_path, frozen=dev.frozen.model_copy(update={"inputs": inputs}))
    assert [each.is_refused for each in dev.silences(tensors(), [WEAR, TYPE])] == [True, False, True]


def test_what_was_known_is_priced_beside_what_training_saw(tmp_path: Path) -> None:
    # With all it misses nobody and flags nobody for nothing: 1,000 catches at 20 EUR
    dev, trained = a_dev_worth(a_candidate(tmp_path)), tensors()
    said = dev.instead_of(dev_worth.without(trained, [TORQUE]), trained)
    assert said.startswith("With what was known the model is worth \u221240,400 EUR a month on dev instead of +39,500 (AUC 0.")
    assert said.endswith(" instead of 1.00)")
    assert "cannot be told: the model does not run" in dev.instead_of({}, trained)
