"""What a worker tells of a request once its reply is out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from small_models import TORQUE, TYPE, WEAR, a_candidate

from poc import layout
from poc.acts.worker import Telling, Work
from poc.rules.evidence import Candidate
from poc.rules.observed import Observation
from poc.tools import files, mailbox
from poc.tools.web import Answered, Seen


def seen(rows: int = 1) -> Seen:
    columns = {TORQUE: np.full((rows, 1), 40, np.float32), WEAR: np.full((rows, 1), np.nan, np.float32), TYPE: np.full((rows, 1), "L", object)}
    return Seen(200, 0.001, Answered(columns, np.full(rows, 0.75, np.float32), np.full(rows, True)))


def told(folder: Path, requests: int, *, rows: int = 1, share: float = 0.0, is_shadowed: bool = False) -> list[Observation]:
    """Let a worker tell of requests; return what arrives in the mailbox."""
    a_candidate(folder)
    into, out_of = mailbox.open_mailbox()
    with into, out_of:
        work = Work(folder=folder, shared=folder, buckets_s=[1.0], into=into, log_share=share, is_shadowed=is_shadowed)
        tell = Telling(work, files.read_record(folder / layout.CANDIDATE_JSON, Candidate), Counter())
        found = list[Observation]()
        for _ in range(requests):
            tell(seen(rows))
            while (arrived := mailbox.take(out_of, patience_s=0)) is not None:
                found.append(arrived)
        return found


def test_a_share_of_requests_is_logged(tmp_path: Path) -> None:
    found = told(tmp_path, 400, share=0.25)
    assert 60 <= len(found) <= 140  # 100 on average; outside of this by chance less than once in 100,000
    assert all(each.is_logged for each in found)


def test_a_shadow_hears_of_every_request_of_which_a_share_is_logged_too(tmp_path: Path) -> None:
    found = told(tmp_path, 400, share=0.25, is_shadowed=True)
    assert len(found) == 400 and 60 <= sum(each.is_logged for each in found) <= 140


def test_nothing_is_told_where_nobody_asked_for_it(tmp_path: Path) -> None:
    assert told(tmp_path, 10) == []


def test_a_long_request_is_told_in_pieces_and_whole(tmp_path: Path) -> None:
    found = told(tmp_path, 1, rows=5000, share=1.0)
    assert len(found) > 1 and sum(len(each.answers) for each in found) == 5000
    assert found[0].columns[TYPE][0] == "L" and found[0].answers[0] == 0.75 and found[0].decisions is not None and found[0].decisions[0] is True


def test_long_texts_are_told_in_smaller_pieces(tmp_path: Path) -> None:
    a_candidate(tmp_path)
    into, out_of = mailbox.open_mailbox()
    rows = 1000
    texts = np.array([[f"{row:->200}"] for row in range(rows)], object)
    numbers = np.zeros((rows, 1), np.float32)
    answered = Answered({TORQUE: numbers, WEAR: numbers, TYPE: texts}, np.zeros(rows, np.float32), np.zeros(rows, bool))
    with into, out_of:
        work = Work(folder=tmp_path, shared=tmp_path, buckets_s=[1.0], into=into, log_share=1.0)
        Telling(work, files.read_record(tmp_path / layout.CANDIDATE_JSON, Candidate), Counter())(Seen(200, 0.001, answered))
        found = list[Observation]()
        while (arrived := mailbox.take(out_of, patience_s=0)) is not None:
            found.append(arrived)
    assert [text for each in found for text in each.columns[TYPE]] == texts.ravel().tolist() and len(found) > 1
