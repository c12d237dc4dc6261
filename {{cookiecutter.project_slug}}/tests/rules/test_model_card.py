"""The model card: what whoever runs or replaces the model asks of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from briefs import ATTACK, a_judged, an_attack

from poc.rules.model_card import model_card
from poc.rules.write_brief import brief_of


def a_card(**changes: Any) -> str:
    judged = a_judged(**changes)
    return " ".join(model_card(judged, brief_of(judged)).split())


def test_the_card_has_the_sections_of_a_model_card_in_order() -> None:
    titles = ["# Model card", "## Details", "## Intended use", "## Features", "## Data", "## Evaluation", "## Caveats", "## Digests"]
    places = [a_card().index(title) for title in titles]
    assert places == sorted(places)


def test_it_says_what_the_model_is_and_when_it_raises_an_alert() -> None:
    card = a_card()
    for said in ("| family | logistic |", "logistic.float32 (float32), one ONNX file", "sigmoid(1 &#42; logit(raw) + 0)", "from probability 0.02 on"):
        assert said in card


def test_it_says_who_decides_and_what_happens_without_an_answer() -> None:
    card = a_card()
    assert "**Who decides:** The line lead of the shift" in card and "**Without an answer:** Today's spot check goes on" in card and "**Out of scope:**" in card


def test_every_variant_has_what_speaks_against_it_its_cost_and_its_worth() -> None:
    judged = a_judged()
    [one] = judged.evaluation.assessments
    out = one.model_copy(update={"variant": "forest.int8", "why_not": "missed share"})
    evaluation = judged.evaluation.model_copy(update={"assessments": [one, out]})
    card = " ".join(model_card(dataclasses.replace(judged, evaluation=evaluation), brief_of(judged)).split())
    assert "| logistic.float32 | | 0.0046 (0.0045 to 0.0048) | +65,700 (+31,900 to +117,000) |" in card
    assert "| forest.int8 | missed share | 0.0046 (0.0045 to 0.0048) |" in card


def test_every_feature_has_source_arrival_and_owner() -> None:
    assert "| Tool wear &#91;min&#93; | number | Tool management, written every night. | batch, 3,600 s later | bo@example.com |" in a_card()
    assert "Columns that are not listed were not used: Failure Type." in a_card()


def test_dev_and_sealed_errors_are_counted_with_bounds() -> None:
    card = a_card()
    assert "| dev | cases to catch missed | 2 of 100 | 2 % | 0.4 to 6.2 % |" in card
    assert "| sealed | cases to catch missed | 8 of 400 | 2 % | 1 to 3.6 % |" in card


def test_markup_in_the_charter_stays_text() -> None:
    card = a_card(data_card=ATTACK, **an_attack())
    assert "<script" not in card and "](http" not in card
