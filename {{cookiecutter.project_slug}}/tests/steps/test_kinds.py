"""Several classes, amounts and counts: what the steps make of each, performed for real on a drawn table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from artifacts import Run
from kinds import TORQUE, WEAR, a_plain_charter_of, a_project_of, a_table

from poc import layout
from poc.acts.draft_expectations import draft
from poc.errors import InputRefused, Refused
from poc.problem.model import families_for
from poc.rules.answers import OUTPUTS, decide
from poc.rules.counts import limited_shares
from poc.rules.evidence import Candidate, ClassCounts, Deviations, Evaluation, Graphs, Models, Rehearsal, Splits, Validation, Variants
from poc.rules.guards import PARITY_DIFFERENCE
from poc.steps.inputs import charter_of, rows_of
from poc.tools.onnx_runtime import Scorer

Change = Callable[[pd.DataFrame], pd.DataFrame]
KINDS = ["multiclass", "regression", "count"]


@pytest.fixture(scope="module", params=KINDS)
def compressed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Perform every step up to compress, with every family of the kind."""
    families = tuple(families_for(request.param))
    root = a_project_of(request.param, tmp_path_factory.mktemp(request.param), families=families)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run = Run(root=root / "run")
        for step in ("charter", "ingest", "validate", "train", "export", "compress"):
            run.perform(step)
    return run


@pytest.mark.slow
def test_every_family_of_the_kind_is_fitted_and_its_graph_answers_as_it_does(compressed: Run) -> None:
    problem = charter_of(compressed.folder("agreement")).problem
    graphs = compressed.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    assert [graph.model for graph in graphs] == list(families_for(problem))
    assert all(graph.parity.largest_difference <= PARITY_DIFFERENCE and graph.parity.decisions_flipped == 0 for graph in graphs)
    for graph in graphs:
        (answer,) = onnx.load(compressed.folder("graphs") / graph.file).graph.output
        columns = [dimension.dim_value for dimension in answer.type.tensor_type.shape.dim][1:]
        assert (answer.name, columns) == (OUTPUTS[problem], [3] if problem == "multiclass" else [1])


@pytest.mark.slow
def test_what_was_counted_out_of_sample_is_every_open_row_once(compressed: Run) -> None:
    charter, splits = charter_of(compressed.folder("agreement")), compressed.read("data", layout.SPLITS_JSON, Splits)
    for model in compressed.read("models", layout.MODELS_JSON, Models).models:
        for limit in limited_shares(charter):
            assert model.limited[limit.name].rows == splits.train.counts[limit.among] + splits.dev.counts[limit.among]
        assert model.skill.value > 0.75
        assert 0 <= model.predicted_chance_of_go <= 1


@pytest.mark.slow
def test_a_variants_counts_on_dev_are_those_of_its_own_answers(compressed: Run) -> None:
    charter = charter_of(compressed.folder("agreement"))
    dev = rows_of(compressed.folder("data"), "dev", charter)
    made = [variant for variant in compressed.read("variants", layout.VARIANTS_JSON, Variants).variants if variant.is_made]
    assert {variant.technique for variant in made} >= {"float32", "graph-optimised", "fp16", "int8-static", "thinned", "pruned"}
    assert {variant.parent for variant in made} <= {None, *(variant.name for variant in made)}
    for variant in made:
        answers = Scorer(compressed.folder("variants") / str(variant.file)).answers(dev.tensors)
        if isinstance(variant.dev, ClassCounts):
            assert sum(variant.dev.counts[at][at] for at in range(3)) == int((decide(variant, answers) == dev.labels).sum())
        else:
            assert isinstance(variant.dev, Deviations)
            assert sum(variant.dev.over) - sum(variant.dev.under) == pytest.approx(float(np.sum(answers.astype(float) - dev.labels)), rel=1e-4, abs=0.01)


@pytest.mark.slow
def test_what_is_frozen_says_how_it_decides_and_has_no_threshold_to_draw(compressed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(root=Path(shutil.copytree(compressed.root, tmp_path / "run")))
    charter = charter_of(run.folder("agreement"))
    for step in ("benchmark", "evaluate", "replay"):
        run.perform(step)
    frozen, found = run.read("candidate", layout.CANDIDATE_JSON, Candidate), run.read("candidate", layout.EVALUATION_JSON, Evaluation)
    seen = run.read("rehearsal", layout.REHEARSAL_JSON, Rehearsal)
    assert seen.money == next(each.money.per_period for each in found.assessments if each.variant == frozen.variant)
    assert [(each.features, each.money is not None and each.money.middle < seen.money.middle) for each in seen.silences] == [([WEAR], True)]
    assert (frozen.threshold, found.at_half, found.curve, found.threshold_by_costs) == (None, None, [], None)
    assert (frozen.by_cost.classes if frozen.by_cost else []) == (charter.data.classes if charter.problem == "multiclass" else [])  # type: ignore[attr-defined]
    assert {number.name for number in run.report("evaluate").numbers} >= {f"dev_{limit.name}" for limit in limited_shares(charter)}


def begun(problem: str, root: Path, monkeypatch: pytest.MonkeyPatch, change: Change = lambda table: table, **charter: Any) -> Run:
    """Perform charter and ingest on the drawn table, changed."""
    project = a_project_of(problem, root, rows=400, **charter)
    change(a_table(problem, 400)).to_csv(project / "data/parts.csv", index=False)
    monkeypatch.chdir(project)
    run = Run(root=project / "run")
    run.perform("charter")
    run.perform("ingest")
    return run


def test_classes_are_numbered_in_the_charters_order_and_each_split_holds_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun("multiclass", tmp_path, monkeypatch)
    train = pd.read_parquet(run.folder("data") / layout.SPLIT_FILES["train"])
    names = a_table("multiclass", 400).set_index("UDI")["Target"]
    assert train["Target"].tolist() == [["good", "rework", "scrap"].index(name) for name in names[train["UDI"]]]
    splits = run.read("data", layout.SPLITS_JSON, Splits)
    assert splits.sealed.counts == {f"rows of {name!r}": pytest.approx(0.4 * n, abs=1) for name, n in names.value_counts().items()}


def test_amounts_are_kept_as_they_are_and_the_usual_one_is_the_train_rows_median(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun("regression", tmp_path, monkeypatch)
    train = pd.read_parquet(run.folder("data") / layout.SPLIT_FILES["train"])
    assert train["Target"].tolist() == a_table("regression", 400).set_index("UDI")["Target"][train["UDI"]].tolist()
    splits = run.read("data", layout.SPLITS_JSON, Splits)
    assert (splits.usual_amount, splits.how) == (float(np.median(train["Target"])), "drawn by lottery")
    assert splits.train.counts == {"rows": splits.train.rows}


@pytest.mark.parametrize(
    ("problem", "change", "refused"),
    [
        ("multiclass", lambda t: t.assign(Target=t["Target"].replace("scrap", "waste")), ["is 'waste' in some rows", "is never 'scrap'"]),
        ("multiclass", lambda t: t.assign(Target=t["Target"].where(t["UDI"] > 2)), ["3 rows have no 'Target'"]),
        ("regression", lambda t: t.assign(Target=t["Target"].astype(str).where(t["UDI"] > 1, "warm")), ["2 of 400 values of 'Target' are not numbers"]),
        ("regression", lambda t: t.assign(Target=t["Target"].where(t["UDI"] > 1)), ["2 rows have no 'Target'"]),
        ("regression", lambda t: t.assign(Target=t["Target"].where(t["UDI"] > 0, 1e39)), ["1 of 400 values of 'Target' are not numbers that float32 holds"]),
        ("count", lambda t: t.assign(Target=t["Target"].where(t["UDI"] > 0, -1)), ["1 of 400 values of 'Target' are no counts, -1 first"]),
        ("count", lambda t: t.assign(Target=t["Target"] + 0.5), ["400 of 400 values of 'Target' are no counts"]),
    ],
)
def test_a_target_that_is_none_is_refused_with_all_that_is_wrong_and_no_contract_is_drafted_on_it(
    problem: str, change: Change, refused: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputRefused) as caught:
        begun(problem, tmp_path, monkeypatch, change)
    assert [part for part in refused if part not in str(caught.value)] == []
    assert len(caught.value.problems) == len(refused)
    with pytest.raises(InputRefused, match="Target"):
        draft(tmp_path, force=True)


@pytest.mark.parametrize(
    ("problem", "change"),
    [
        ("multiclass", lambda t: t.assign(Target=np.where(t["UDI"] == 0, "scrap", np.where(t["UDI"] % 2, "good", "rework")))),
        ("count", lambda t: t.assign(Target=7)),
    ],
)
def test_a_split_that_lacks_a_class_or_whose_amounts_are_all_the_same_is_refused(
    problem: str, change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused) as caught:
        begun(problem, tmp_path, monkeypatch, change)
    assert caught.value.code == "split_can_be_judged"


@pytest.mark.parametrize("problem", KINDS)
def test_a_column_that_is_the_target_in_disguise_is_refused(problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = [{key: value for key, value in each.items() if key != "why_it_may_decide_alone"} for each in a_plain_charter_of(problem)["features"]]

    def leak(table: pd.DataFrame) -> pd.DataFrame:
        answer = table["Target"].map({"good": 0, "rework": 1, "scrap": 2}) if problem == "multiclass" else table["Target"]
        return table.assign(**{WEAR: 3.0 * answer + 1})

    run = begun(problem, tmp_path, monkeypatch, leak, features=features)
    with pytest.raises(Refused, match="Tool wear") as caught:
        run.perform("validate")
    assert caught.value.code == "no_column_gives_the_answer_away"


def test_an_amount_that_follows_from_the_columns_without_a_rest_is_too_good_to_be_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = [{key: value for key, value in each.items() if key != "why_it_may_decide_alone"} for each in a_plain_charter_of("regression")["features"]]
    run = begun("regression", tmp_path, monkeypatch, lambda t: t.assign(Target=t[TORQUE] + t[WEAR].fillna(100)).dropna(), features=features)
    run.write("validate", {layout.VALIDATION_JSON: Validation(declared=1, evaluated=1, warnings=[], drift={}, auc_alone={})})
    with pytest.raises(Refused, match=r"linear predicts unseen rows with R2 0\.9999") as caught:
        run.perform("train")
    assert caught.value.code == "result_is_believable"


@pytest.mark.parametrize(("problem", "kind"), [("multiclass", "in_set"), ("regression", "between"), ("count", "between")])
def test_the_contract_of_a_target_is_drafted_by_what_it_is(problem: str, kind: str, tmp_path: Path) -> None:
    suite = json.loads(draft(a_project_of(problem, tmp_path, rows=200), force=True).read_text())
    of_target = [each["type"] for each in suite["expectations"] if each["kwargs"].get("column") == "Target"]
    assert any(kind in each for each in of_target) and not any(other in each for each in of_target for other in {"in_set", "between"} - {kind})
