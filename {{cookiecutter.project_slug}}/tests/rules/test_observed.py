"""What is kept of served requests: rows in pieces, differences from a shadow, the oldest files, and buckets that end at the limit."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from poc.rules.evidence import ByCost, Deciding
from poc.rules.observed import (
    VALUES_AT_ONCE,
    LogFile,
    Observation,
    difference,
    latency_buckets,
    output_columns,
    surplus,
    tally,
    ways_to_decide,
)
from poc.tools.mailbox import LONGEST_BYTES

BINARY = Deciding(threshold=0.5)
CLASSES = Deciding(by_cost=ByCost(classes=["good", "scrap"], costs=[[0, 1], [9, 0]]))


def an_observation(*answers: float, decisions: list[bool] | None = None) -> Observation:
    decided = [each >= 0.5 for each in answers] if decisions is None else decisions
    return Observation(0.0, "ab" * 32, True, {"x": [1.0] * len(answers), "y": ["L"] * len(answers)}, ["probability"], list(answers), decided)


def test_a_short_observation_is_one_piece() -> None:
    assert list(an_observation(0.1, 0.9).pieces()) == [an_observation(0.1, 0.9)]


def test_a_long_observation_is_parted_between_rows_and_loses_none() -> None:
    answers = [i / 10_000 for i in range(5000)]
    pieces = list(an_observation(*answers).pieces())
    assert [answer for piece in pieces for answer in piece.answers] == answers
    assert all(len(piece.columns["x"]) == len(piece.columns["y"]) == len(piece.answers) == len(piece.decisions or ()) for piece in pieces)
    assert max(len(piece.answers) * 4 for piece in pieces) == VALUES_AT_ONCE  # two features, an answer and a decision in each row


def test_pieces_of_many_answers_and_few_features_fit_the_mailbox_too() -> None:
    classes = [f"class {i}" for i in range(20)]
    answers = np.random.default_rng(0).random((3000, 20)).tolist()
    many = an_observation()._replace(columns={"x": [row[0] for row in answers]}, outputs=classes, answers=answers, decisions=["class 0"] * 3000)
    assert max(len(pickle.dumps(tuple(piece))) for piece in many.pieces()) < LONGEST_BYTES


def test_a_shadow_is_decided_by_its_own_threshold() -> None:
    found, decisions = difference(an_observation(0.4, 0.6), Deciding(threshold=0.3), np.array([0.4, 0.7], np.float32))
    assert (found.rows, found.decisions, decisions) == (2, 1, [True, True])
    assert found.largest == pytest.approx(0.1, abs=1e-6)


def test_a_shadow_that_has_no_answer_differs_without_limit() -> None:
    assert difference(an_observation(0.4), BINARY, np.array([math.nan], np.float32))[0].largest == math.inf


@pytest.mark.parametrize(
    ("deciding", "columns", "ways"),
    [
        (BINARY, ["probability"], ["no alert", "alert"]),
        (CLASSES, ["probability of good", "probability of scrap"], ["good", "scrap"]),
        (Deciding(), ["estimate"], []),
    ],
)
def test_each_kind_of_problem_has_its_columns_and_its_decisions(deciding: Deciding, columns: list[str], ways: list[str]) -> None:
    assert (output_columns(deciding), ways_to_decide(deciding)) == (columns, ways)


def test_decisions_are_counted_one_by_one_as_among_many() -> None:
    decided = np.array([True, False, True])
    assert tally(["no alert", "alert"], decided) == {"no alert": 1, "alert": 2}
    assert [tally(["no alert", "alert"], decided[i : i + 1]) for i in range(3)] == [{"alert": 1}, {"no alert": 1}, {"alert": 1}]
    assert tally(["good", "scrap"], np.array([1, 1])) == {"scrap": 2}
    assert tally([], np.array([7.5])) == {}


FILES = [LogFile(path=f"{i}", written=f"2026010{i}", rows=10, size_bytes=100) for i in (3, 1, 2)]


@pytest.mark.parametrize(("rows", "size", "gone"), [(30, 300, []), (29, 300, ["1"]), (30, 299, ["1"]), (10, 300, ["1", "2"]), (9, 300, ["1", "2", "3"])])
def test_the_oldest_files_go_until_the_rest_keeps_within_both_bounds(rows: int, size: int, gone: list[str]) -> None:
    assert [each.path for each in surplus(FILES, max_rows=rows, max_bytes=size)] == gone


def test_a_bucket_of_latency_ends_at_the_charters_limit() -> None:
    assert {0.006, 0.012, 0.024} <= set(latency_buckets(12.0))
    assert latency_buckets(12.0) == sorted(set(latency_buckets(12.0)))
    assert latency_buckets(None)[:4] == [0.0001, 0.00025, 0.0005, 0.001]
