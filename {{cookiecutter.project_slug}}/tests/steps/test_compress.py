"""The ladder of variants: what is made, what cannot be and why, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from artifacts import Run
from small_models import a_model, a_tree_that_converts_wrongly

from poc import layout
from poc.errors import Refused
from poc.problem.model import BASELINE, FAMILIES, RUNGS, Build, Family, Smaller
from poc.rules.evidence import Calibration, Confusion, Graphs, InGroups, Models, Splits, Variant, Variants
from poc.rules.thresholds import chance_of_go, confusion_at
from poc.steps.inputs import charter_of, rows_of
from poc.steps.parity import awkward_rows
from poc.steps.rungs import _chance
from poc.tools import conversion, files, quantization
from poc.tools.onnx_runtime import Scorer


def compressed(run: Run) -> dict[str, Variant]:
    run.perform("compress")
    return {variant.technique: variant for variant in run.read("variants", layout.VARIANTS_JSON, Variants).variants}


def with_thinned(monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    """Give the baseline a thinned version."""
    family = Family(build=FAMILIES[BASELINE].build, smaller={"thin": Smaller(technique="thinned", build=build)})
    monkeypatch.setitem(FAMILIES, BASELINE, family)


def with_make(monkeypatch: pytest.MonkeyPatch, model: bytes) -> None:
    """Let the optimiser write this model."""
    monkeypatch.setattr(quantization, "optimise", lambda source, target: target.write_bytes(model))


def test_a_variant_that_cannot_be_made_is_recorded_with_its_reason(exported: Run) -> None:
    # A logistic regression converts to one operator of its own, without a matrix product.
    ladder = compressed(exported)
    assert list(ladder) == ["float32", *RUNGS]
    assert {ladder[rung].parent for rung in RUNGS} == {"logistic.float32"}
    assert [(name, bool(ladder[name].reason_not_made), ladder[name].file) for name in ("fp16", "int8-dynamic", "int8-static")] == [
        ("fp16", True, None),
        ("int8-dynamic", True, None),
        ("int8-static", True, None),
    ]
    assert {path.name for path in exported.folder("variants").glob("*.onnx")} == {variant.file for variant in ladder.values() if variant.is_made}


def test_a_family_without_rungs_has_its_float32_file_alone(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, BASELINE, Family(build=FAMILIES[BASELINE].build, rungs=()))
    assert list(compressed(exported)) == ["float32"]


def test_the_float32_variant_is_the_graph_itself_judged_on_every_dev_row(exported: Run) -> None:
    plain = compressed(exported)["float32"]
    (graph,) = exported.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    assert (plain.sha256, plain.parent, plain.parity) == (graph.sha256, None, graph.parity)
    dev = rows_of(exported.folder("data"), "dev", charter_of(exported.folder("agreement")))
    answered = Scorer(exported.folder("variants") / str(plain.file)).answers(dev.tensors)
    assert plain.dev == confusion_at(answered, dev.labels, plain.threshold)


@pytest.fixture
def multiplying(exported: Run) -> Run:
    """Put a neural network where the baseline's graph lies: a model that multiplies can be quantized."""
    charter = charter_of(exported.folder("agreement"))
    train = rows_of(exported.folder("data"), "train", charter)
    network = FAMILIES["neural_network"].build(charter.features, 7).fit(train.frame(), train.labels)
    (graph,) = exported.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    conversion.export(network, Calibration(slope=1.0, intercept=0.0), charter.features, exported.folder("graphs") / graph.file)
    return exported


def test_a_variant_whose_answer_depends_on_the_rows_asked_with_it_is_not_kept(multiplying: Run) -> None:
    ladder = compressed(multiplying)
    assert [name for name, variant in ladder.items() if variant.is_made] == ["float32", "graph-optimised", "fp16", "int8-static"]
    assert "depends on the rows that are asked with it" in str(ladder["int8-dynamic"].reason_not_made)
    assert not list(multiplying.folder("variants").glob("*int8-dynamic*"))


def test_what_promises_the_same_answers_is_not_kept_when_they_differ(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with_make(monkeypatch, a_model())
    optimised = compressed(exported)["graph-optimised"]
    assert "it promises the same answers, and they differ by up to" in str(optimised.reason_not_made)
    assert not list(exported.folder("variants").glob("*graph-optimised*"))


@pytest.mark.parametrize(("model", "reason"), [(a_model(bias=np.nan), "are not finite"), (b"no model", "ONNX Runtime cannot run what it made")])
def test_a_variant_that_cannot_answer_costs_itself_not_the_run(model: bytes, reason: str, exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with_make(monkeypatch, model)
    ladder = compressed(exported)
    assert (ladder["float32"].is_made, ladder["graph-optimised"].is_made) == (True, False)
    assert reason in str(ladder["graph-optimised"].reason_not_made)


def test_a_variant_that_misses_more_on_dev_than_its_parent_has_a_smaller_chance_of_go(exported: Run) -> None:
    charter, splits = charter_of(exported.folder("agreement")), exported.read("data", layout.SPLITS_JSON, Splits)
    (model,) = exported.read("models", layout.MODELS_JSON, Models).models
    as_parent, worse = Confusion(positives=15, missed=0, negatives=45, false_alarms=3), Confusion(positives=15, missed=2, negatives=45, false_alarms=3)
    assert _chance(model, as_parent, as_parent, charter, splits) == model.predicted_chance_of_go
    missed = model.limited["missed_share"]
    two_more = model.limited | {"missed_share": missed.model_copy(update={"errors": missed.errors + 2})}
    expected = chance_of_go(charter, two_more, splits.sealed.counts)
    assert _chance(model, worse, as_parent, charter, splits) == expected < model.predicted_chance_of_go
    in_few_groups = splits.sealed.model_copy(update={"in_groups": {"positives": InGroups(groups=5, count_as=4)}})
    assert _chance(model, worse, as_parent, charter, splits.model_copy(update={"sealed": in_few_groups})) == 0.0


def test_a_thinned_model_is_fitted_exported_and_named_beside_its_parent(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with_thinned(monkeypatch, FAMILIES[BASELINE].build)
    thinned = compressed(exported)["thinned"]
    assert (thinned.name, thinned.family, thinned.parent, thinned.is_made) == ("thin.thinned", BASELINE, f"{BASELINE}.float32", True)
    assert thinned.parity is not None and (thinned.parity.largest_difference, thinned.parity.decisions_flipped) == (0.0, 0)  # it is the same model again


def test_a_smaller_model_decides_by_a_threshold_of_its_own_and_its_rungs_are_compared_with_it(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = Smaller(
        technique="pruned",
        build=lambda features, seed: FAMILIES[BASELINE].build(features, seed).set_params(logisticregression__C=1e-3),
        rungs=("graph-optimised",),
    )
    monkeypatch.setitem(FAMILIES, BASELINE, Family(build=FAMILIES[BASELINE].build, rungs=(), smaller={"weak": weak}))
    exported.perform("compress")
    whole, small, optimised = exported.read("variants", layout.VARIANTS_JSON, Variants).variants
    assert [each.parent for each in (whole, small, optimised)] == [None, "logistic.float32", "weak.pruned"]
    assert whole.threshold != small.threshold == optimised.threshold
    charter, data = charter_of(exported.folder("agreement")), exported.folder("data")
    rows = awkward_rows(rows_of(data, "train", charter), rows_of(data, "dev", charter))
    alerts = [Scorer(exported.folder("variants") / each.file).answers(rows) >= np.float32(each.threshold) for each in (whole, small)]
    assert small.parity.decisions_flipped == (alerts[0] != alerts[1]).sum() > 0 == optimised.parity.decisions_flipped


def test_a_thinned_model_that_cannot_be_fitted_is_recorded_and_the_rest_is_made(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with_thinned(monkeypatch, lambda features, seed: FAMILIES[BASELINE].build(features, seed).set_params(logisticregression__C=-1.0))
    ladder = compressed(exported)
    assert (ladder["thinned"].is_made, ladder["float32"].is_made) == (False, True)
    assert "could not be fitted" in str(ladder["thinned"].reason_not_made)


def test_a_thinned_graph_that_differs_from_its_estimator_is_refused(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with_thinned(monkeypatch, a_tree_that_converts_wrongly)
    with pytest.raises(Refused) as caught:
        exported.perform("compress")
    assert caught.value.code == "graph_equals_estimator"


def test_a_variant_that_answers_with_no_number_is_refused_and_none_is_kept(exported: Run) -> None:
    (graph,) = exported.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    (exported.folder("graphs") / graph.file).write_bytes(a_model(bias=np.nan))
    with pytest.raises(Refused) as caught:
        exported.perform("compress")
    assert caught.value.code == "answers_are_valid"
    assert files.sha256_of_files(exported.folder("variants")).keys() == {layout.REPORT}
