from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import PLAIN, a_charter
from samples import CHARTER, EMPTY, ONLY_TORQUE, TORQUE, WEAR, a_sample, drafted, validated

from poc import layout
from poc.errors import InputRefused, Refused
from poc.rules.drift import LIMIT
from poc.rules.evidence import Validation
from poc.rules.guards import GUARDS
from poc.tools import files

AT_LEAST = ONLY_TORQUE.replace(
    '"expectations": [', '"expectations": [{"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 900}, "severity": "critical"}, '
)

pytestmark = pytest.mark.slow


def refusal(folder: Path, table: pd.DataFrame, **how: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        validated(folder, table, **how)
    return caught.value


def test_a_drafted_contract_accepts_the_sample_it_was_drafted_from(tmp_path: Path) -> None:
    validated(tmp_path, a_sample())
    found = files.read_record(tmp_path / "validation" / layout.VALIDATION_JSON, Validation)
    assert found.evaluated == found.declared > 20
    assert set(found.drift) == set(found.auc_alone) == set(CHARTER.feature_names())


def test_a_column_of_the_contract_that_the_charter_no_longer_declares_is_named_once_and_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    contract = drafted(a_sample().assign(**{"Failure Type": "none"}))
    refused = refusal(tmp_path, a_sample().assign(Type=None), suite=contract)
    first, *others = refused.problems
    assert first.what == "the contract speaks of column 'Failure Type', which the charter does not declare"
    assert "poc draft-expectations --force" in first.fix
    assert others and all("rows: Type:" in problem.what for problem in others)


def test_an_expectation_on_a_column_that_the_charter_does_not_declare_never_passes_for_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GUARDS, "contract_is_kept", lambda failures: [])
    assert refusal(tmp_path, a_sample(), suite=drafted(a_sample().assign(extra=1.0))).code == "contract_was_checked"


def test_a_missing_column_is_refused_by_name(tmp_path: Path) -> None:
    refused = refusal(tmp_path, a_sample().drop(columns=WEAR))
    assert refused.code == "contract_is_kept" and WEAR in str(refused)


def test_a_column_moved_by_three_standard_deviations_is_refused_by_name(tmp_path: Path) -> None:
    refused = refusal(tmp_path, a_sample().assign(**{TORQUE: lambda table: table[TORQUE] + 30}))
    assert refused.code == "contract_is_kept"
    assert all(TORQUE in problem.what for problem in refused.problems)


def test_a_column_that_moves_between_train_and_the_sealed_rows_is_refused_even_if_the_contract_allows_it(tmp_path: Path) -> None:
    table = a_sample()
    table.loc[600:, TORQUE] += 30
    refused = refusal(tmp_path, table, suite=ONLY_TORQUE)
    assert refused.code == "splits_look_alike" and f"column {TORQUE}" in str(refused)


def test_few_rows_of_one_distribution_are_not_refused_for_what_chance_does_to_them(tmp_path: Path) -> None:
    validated(tmp_path, a_sample(90), suite=ONLY_TORQUE)
    found = files.read_record(tmp_path / "validation" / layout.VALIDATION_JSON, Validation)
    assert max(found.drift.values()) > LIMIT  # reported as it is


def test_the_contract_counts_all_rows_and_not_the_sealed_ones_alone(tmp_path: Path) -> None:
    validated(tmp_path / "enough", a_sample(), suite=AT_LEAST.replace("900", "899"))
    refused = refusal(tmp_path / "too few", a_sample(), suite=AT_LEAST.replace("900", "901"))
    assert refused.code == "contract_is_kept" and "observed 900" in str(refused)


def test_a_contract_that_is_not_in_utf_8_is_refused_as_none(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no Great Expectations suite"):
        validated(tmp_path, a_sample(), suite=b'{"name": "B\xe4nder", "expectations": []}')


def test_a_column_of_which_three_in_ten_are_missing_is_refused(tmp_path: Path) -> None:
    table = a_sample()
    table.loc[table.index % 10 < 3, WEAR] = np.nan
    refused = refusal(tmp_path, table)
    assert refused.code == "contract_is_kept" and "30.00 % of values do not" in str(refused)


@pytest.mark.parametrize("column", [TORQUE, "Type"])
def test_a_column_without_any_value_is_refused(column: str, tmp_path: Path) -> None:
    refused = refusal(tmp_path, a_sample().assign(**{column: None}))
    assert refused.code == "contract_is_kept" and column in str(refused)


def test_an_empty_contract_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, a_sample(), suite=EMPTY).code == "contract_was_checked"


def test_an_expectation_that_nobody_knows_is_not_counted_as_kept(tmp_path: Path) -> None:
    assert refusal(tmp_path, a_sample(), suite=ONLY_TORQUE.replace("to_exist", "to_please")).code in ("contract_was_checked", "contract_is_kept")


def test_one_changed_target_value_is_refused(tmp_path: Path) -> None:
    table = a_sample()
    table.loc[5, "Target"] = 2
    assert refusal(tmp_path, table).code == "contract_is_kept"


def leaking() -> pd.DataFrame:
    return a_sample().assign(**{WEAR: lambda table: table["Target"] * 100 + table[TORQUE] / 10})


def test_a_column_that_gives_the_answer_away_is_refused_by_name(tmp_path: Path) -> None:
    refused = refusal(tmp_path, leaking(), suite=ONLY_TORQUE)
    assert refused.code == "no_column_gives_the_answer_away"
    assert [repr(WEAR) in problem.what for problem in refused.problems] == [True]


def test_it_goes_through_once_the_charter_says_why_it_may_decide_alone(tmp_path: Path) -> None:
    why = {"why_it_may_decide_alone": "The gauge is read before the decision, every time."}
    excused = a_charter(features=[{**feature, **(why if feature["name"] == WEAR else {})} for feature in PLAIN["features"]])
    assert "AUC 1.00" in validated(tmp_path, leaking(), suite=ONLY_TORQUE, charter=excused).headline
