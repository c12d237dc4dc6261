"""The data that the scenarios bring is what its cards say."""

from __future__ import annotations

import pandas as pd
from baking import GENERATED
from make_bundled_data import OWN_DATA, PRODUCTION_LINE, customers


def test_the_example_to_be_replaced_can_be_made_again() -> None:
    pd.testing.assert_frame_equal(pd.read_csv(OWN_DATA), customers(), check_dtype=False)


def test_the_example_to_be_replaced_is_as_its_card_says() -> None:
    rows = pd.read_csv(OWN_DATA)
    assert len(rows) == 3_000
    assert (rows["outcome"] == "yes").sum() == 253
    assert set(rows.columns[rows.isna().any()]) == {"amount", "channel"}


def test_the_production_line_is_as_its_card_says() -> None:
    rows = pd.read_parquet(PRODUCTION_LINE)
    failed = rows["Target"] == 1
    assert rows.shape == (10_000, 10)
    assert failed.sum() == 339
    assert (failed & (rows["Failure Type"] == "No Failure")).sum() == 9
    assert (~failed & (rows["Failure Type"] == "Random Failures")).sum() == 18
    assert not rows.isna().any(axis=None)


def test_made_up_data_is_called_made_up() -> None:
    assert "**Synthetic data.**" in (GENERATED / "data/DATA_CARD.md").read_text()
    assert "**Made up" in (GENERATED / "scenarios/own-data/data/DATA_CARD.md").read_text()
