"""Replay through the real server: equal answers pass, anything else is refused, and no server is left behind."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from builders import a_charter
from small_models import INPUTS, TORQUE, TYPE, WEAR, a_candidate, a_model, an_agreement, dev_data, some_rows, start_server

from poc import layout
from poc.errors import EnvironmentRefused, Refused
from poc.rules import guards
from poc.rules.evidence import Candidate, Rehearsal
from poc.rules.oip import infer_request
from poc.steps import replay as step
from poc.steps.perform import Result
from poc.steps.replay import replay
from poc.tools import files, frames, machine, onnx_runtime

pytestmark = [pytest.mark.server, pytest.mark.slow]


def rehearse(tmp_path: Path, *, model: bytes | None = None, **changed: Path) -> Result:
    folders = {"agreement": an_agreement(tmp_path / "agreement"), "data": dev_data(tmp_path / "data"), "candidate": a_candidate(tmp_path / "candidate", model)}
    return replay(**{**folders, **changed}, rehearsal=tmp_path)


def test_served_answers_equal_the_batch_path(tmp_path: Path) -> None:
    rehearse(tmp_path)
    found = files.read_record(tmp_path / layout.REHEARSAL_JSON, Rehearsal)
    assert (found.rows, found.decisions_differing) == (40, 0)
    assert found.largest_difference <= guards.REPLAY_DIFFERENCE  # a batch may add up in another order than a row
    assert 0 < found.request_p50_ms <= found.request_p99_ms
    assert 20 < found.server_memory_mb < 500  # uvicorn, ONNX Runtime and numpy
    assert found.machine == machine.fingerprint(onnx_runtime.version())
    assert {each.name: each.known for each in found.live} == {TORQUE: "with the request", WEAR: "on its owner's word", TYPE: "with the request"}
    assert (found.late_features, [each.features for each in found.silences]) == ([WEAR], [[WEAR]])


def test_a_model_that_looks_at_its_neighbours_is_refused(tmp_path: Path) -> None:
    # In a batch it subtracts the batch's mean; one row at a time there is nothing left.
    with pytest.raises(Refused) as caught:
        rehearse(tmp_path, model=a_model(looks_at_its_neighbours=True))
    assert caught.value.code == "served_equals_batch"
    assert not (tmp_path / layout.REHEARSAL_JSON).exists()


def test_a_tampered_model_is_refused(tmp_path: Path) -> None:
    candidate = a_candidate(tmp_path / "tampered")
    (candidate / layout.CANDIDATE_MODEL).write_bytes(a_model(bias=-3.9))
    with pytest.raises(Refused) as caught:
        rehearse(tmp_path, candidate=candidate)
    assert caught.value.code == "digests_agree"


def test_rows_go_in_order_of_arrival_as_many_as_were_asked_for(tmp_path: Path) -> None:
    # UDI counts down, so the first of the file is the last to arrive; the model could not answer its wear.
    rows = some_rows()
    rows.loc[0, WEAR] = 400.0
    agreement, model = an_agreement(tmp_path / "short", replay_rows=39), a_model(breaks_on_wear_from=300)
    assert "39 dev rows" in rehearse(tmp_path, model=model, agreement=agreement, data=dev_data(tmp_path / "rows", rows)).headline


def test_a_row_that_the_server_does_not_take_is_a_mismatch(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the server answered 400 to a dev row") as caught:
        rehearse(tmp_path, model=a_model(bias=np.nan))
    assert caught.value.code == "every_row_is_served"


def test_a_feature_that_comes_too_late_is_refused_before_a_server_starts(tmp_path: Path) -> None:
    charter = a_charter()
    late = charter.features[1].model_copy(update={"available": "after_the_fact"})
    agreement = an_agreement(tmp_path / "late", charter.model_copy(update={"features": [charter.features[0], late, charter.features[2]]}))
    with pytest.raises(Refused, match=WEAR.replace("[", r"\[").replace("]", r"\]")) as caught:
        rehearse(tmp_path, agreement=agreement)
    assert caught.value.code == "features_arrive_in_time"


def a_stale(wear: Path) -> Path:
    """Agree to wear that arrives an hour late, without a word on how old it may be."""
    charter = a_charter()
    late = charter.features[1].model_copy(update={"available": "streamed", "max_age_seconds": None})
    return an_agreement(wear, charter.model_copy(update={"features": [charter.features[0], late, charter.features[2]]}))


def test_a_feature_that_nothing_shows_to_have_been_known_is_refused_with_its_price(tmp_path: Path) -> None:
    with pytest.raises(
        Refused, match=r"(?s)was not known as training saw it in 40 of 40 dev rows.*\(UDI 1, UDI 2, UDI 3 first\).*EUR a month on dev instead"
    ) as caught:
        rehearse(tmp_path, agreement=a_stale(tmp_path / "stale"))
    assert caught.value.code == "live_features_equal_batch"


def test_the_server_is_sent_what_was_known_and_not_what_training_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards.GUARDS, "live_features_equal_batch", lambda compared: [])
    with pytest.raises(Refused) as caught:
        rehearse(tmp_path, agreement=a_stale(tmp_path / "stale"))
    assert caught.value.code == "served_equals_batch"


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match=r"candidate\.json is missing"), step.server(tmp_path):
        pytest.fail("it started without a candidate")


def test_a_server_that_never_listens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "START_SECONDS", 0.0)
    with pytest.raises(EnvironmentRefused, match="the server did not start"), step.server(a_candidate(tmp_path)):
        pytest.fail("it cannot have started in no time")


def test_no_server_is_left_when_what_uses_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), step.server(a_candidate(tmp_path)) as (port, _):
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_server_killed_on_the_way_is_an_environment_problem(tmp_path: Path) -> None:
    candidate = a_candidate(tmp_path / "candidate")
    frozen, (process, port) = files.read_record(candidate / layout.CANDIDATE_JSON, Candidate), start_server(candidate, tmp_path)
    body = infer_request(frames.columns(some_rows(1), INPUTS), INPUTS)
    step._ask_each(port, frozen, [body])
    process.kill()
    process.communicate()
    with pytest.raises(EnvironmentRefused, match="the server went away"):
        step._ask_each(port, frozen, [body])
