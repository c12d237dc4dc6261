"""Cross-fitting: no row is judged by a model that saw it, nor one of its group where rows share groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline

from poc.tools.estimators import cross_fit

ROWS = pd.DataFrame({"group": np.repeat(np.arange(12), 5), "row": np.arange(60)})
GROUPS = ROWS["group"].to_numpy()
YES_OR_NO = (ROWS["row"] % 2).to_numpy()


class _Remembers(BaseEstimator):
    """Answers with the share of what it saw that a row's group, or the row itself, makes up."""

    def __init__(self, column: str = "group") -> None:
        self.column = column

    def fit(self, rows: pd.DataFrame, labels: np.ndarray) -> _Remembers:
        self.seen_, self.classes_ = rows[self.column].to_numpy(), np.unique(labels)
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.array([np.mean(self.seen_ == each) for each in rows[self.column]])

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        share = self.predict(rows)
        return np.column_stack([1 - share, share])


class RemembersClasses(ClassifierMixin, _Remembers): ...


class RemembersAmounts(RegressorMixin, _Remembers): ...


def seen_before(model: _Remembers, labels: np.ndarray = YES_OR_NO, groups: np.ndarray | None = None, folds: int = 5) -> np.ndarray:
    """Return for each train row whether the model that judged it had seen what it remembers by."""
    return cross_fit(Pipeline([("model", model)]), ROWS, labels, ROWS, folds=folds, seed=3, groups=groups).raw_train > 0


@pytest.mark.parametrize("kind", [RemembersClasses, RemembersAmounts])
def test_no_row_is_judged_by_a_model_that_saw_it(kind: type[_Remembers]) -> None:
    assert not seen_before(kind("row")).any()


@pytest.mark.parametrize("kind", [RemembersClasses, RemembersAmounts])
def test_no_row_is_judged_by_a_model_that_saw_its_group(kind: type[_Remembers]) -> None:
    assert seen_before(kind()).any()  # where nobody says which rows belong together
    assert not seen_before(kind(), groups=GROUPS).any()


@pytest.mark.parametrize("kind", [RemembersClasses, RemembersAmounts])
def test_fewer_groups_than_folds_make_fewer_folds(kind: type[_Remembers]) -> None:
    assert not seen_before(kind(), groups=GROUPS, folds=20).any()
    assert not seen_before(kind(), groups=GROUPS // 4, folds=5).any()


def test_a_class_that_lies_in_few_groups_makes_fewer_folds() -> None:
    assert not seen_before(RemembersClasses(), np.where(GROUPS < 3, YES_OR_NO, 0), GROUPS).any()


def test_a_class_that_lies_in_one_group_cannot_be_held_out() -> None:
    with pytest.raises(ValueError, match="all lie in one group"):
        seen_before(RemembersClasses(), np.where(GROUPS == 3, YES_OR_NO, 0), GROUPS)


def test_amounts_of_one_group_cannot_be_held_out() -> None:
    with pytest.raises(ValueError, match="all lie in one group"):
        seen_before(RemembersAmounts(), groups=np.zeros(60))
