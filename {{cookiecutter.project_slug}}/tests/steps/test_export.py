"""From a fitted model to a graph: the same answers, or none."""

from __future__ import annotations

import pytest
from artifacts import Run
from small_models import a_tree_that_converts_wrongly

from poc import layout
from poc.errors import Refused
from poc.rules.evidence import Graphs, Models, Splits
from poc.rules.guards import PARITY_DIFFERENCE
from poc.steps.inputs import charter_of, rows_of
from poc.tools import estimators, files


def test_a_graph_answers_every_open_row_and_the_awkward_ones_as_its_estimator_does(exported: Run) -> None:
    (graph,) = exported.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    splits = exported.read("data", layout.SPLITS_JSON, Splits)
    assert graph.parity.rows > splits.train.rows + splits.dev.rows
    assert graph.parity.largest_difference <= PARITY_DIFFERENCE
    assert graph.parity.decisions_flipped == 0


def test_a_graph_that_differs_from_its_estimator_is_refused_and_not_kept(exported: Run) -> None:
    rows = rows_of(exported.folder("data"), "train", charter_of(exported.folder("agreement")))
    (model,) = exported.read("models", layout.MODELS_JSON, Models).models
    estimators.save(a_tree_that_converts_wrongly().fit(rows.frame(), rows.labels), exported.folder("models") / model.file)
    with pytest.raises(Refused) as caught:
        exported.perform("export")
    assert caught.value.code == exported.report("export").refusal_code == "graph_equals_estimator"
    assert files.sha256_of_files(exported.folder("graphs")).keys() == {layout.REPORT}


def test_a_graph_takes_each_declared_column_by_its_own_name(exported: Run) -> None:
    import onnx

    graph = onnx.load(exported.folder("graphs") / exported.read("graphs", layout.GRAPHS_JSON, Graphs).graphs[0].file).graph
    assert [each.name for each in graph.input] == ["Torque [Nm]", "Tool wear [min]", "Type"]
    assert [each.name for each in graph.output] == ["probability"]


def a_pipeline(model: object, *, of: Run) -> None:
    """Put another fitted estimator, which sees torque alone, in the place of the one that train left."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    rows = rows_of(of.folder("data"), "train", charter_of(of.folder("agreement")))
    fitted = make_pipeline(make_column_transformer(("passthrough", ["Torque [Nm]"])), model).fit(rows.frame(), rows.labels)
    estimators.save(fitted, of.folder("models") / of.read("models", layout.MODELS_JSON, Models).models[0].file)


def test_an_estimator_that_cannot_answer_a_row_with_a_missing_number_is_refused_in_a_sentence(exported: Run) -> None:
    from sklearn.linear_model import LogisticRegression

    a_pipeline(LogisticRegression(), of=exported)
    with pytest.raises(Refused, match="cannot answer every row") as caught:
        exported.perform("export")
    assert caught.value.code == "every_row_is_answered"


def test_an_estimator_that_has_no_form_in_onnx_is_refused_in_a_sentence(exported: Run) -> None:
    from sklearn.dummy import DummyClassifier

    a_pipeline(DummyClassifier(), of=exported)
    with pytest.raises(Refused, match="does not convert to ONNX") as caught:
        exported.perform("export")
    assert caught.value.code == "model_converts"
