"""The real server with workers, as an operator runs it: killed, reloaded, shadowed, logged and counted."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import half_a_reload
import pandas as pd
import pytest
from charters import charter_text
from commands import environment
from services import Service, a_service, clients, labelled, wait_until
from small_models import INPUTS, TORQUE, TYPE, WEAR, a_candidate, a_model, some_rows

from poc import layout
from poc.rules.oip import infer_request
from poc.steps.frozen import frozen_model
from poc.steps.judged import candidate_digest
from poc.tools import files, frames, tracking

pytestmark = [pytest.mark.server, pytest.mark.slow]
BODY = infer_request(frames.columns(some_rows(2).tail(1), INPUTS), INPUTS)
REFUSED = 'poc_reloads_total{outcome="refused",role="holder"}'
ROWS = infer_request(frames.columns(some_rows(), INPUTS), INPUTS)


def versions(answered: list[tuple[int, bytes]]) -> list[str]:
    """Name the models that answered, without what repeats."""
    found = [json.loads(body)["model_version"] for _, body in answered]
    return [one for one, before in zip(found, [None, *found], strict=False) if one != before]


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    return a_candidate(tmp_path / "candidate")


def test_a_killed_worker_costs_at_most_what_it_was_answering_and_is_replaced(candidate: Path, tmp_path: Path) -> None:
    with a_service(tmp_path, "--candidate", str(candidate), "--workers", "2") as service:
        with clients(service, BODY, count=6) as asking:
            killed = service.health()["answered_by"]
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda: service.metrics()["poc_worker_restarts_total"] == 1)
        assert {status for each in asking for status, _ in each.answered} == {200}
        assert all(len(each.lost) <= 1 for each in asking)  # one request is under way on a connection, never more
        assert killed not in {service.health()["answered_by"] for _ in range(10)}


def test_all_workers_killed_at_once_are_replaced_and_who_connects_meanwhile_waits(candidate: Path, tmp_path: Path) -> None:
    with a_service(tmp_path, "--candidate", str(candidate)) as service:
        os.kill(service.health()["answered_by"], signal.SIGKILL)
        assert service.infer(BODY)[0] == 200  # the socket is the parent's, and so is its queue


def test_a_reload_under_load_loses_nothing_and_no_client_sees_the_old_model_after_the_new(candidate: Path, tmp_path: Path) -> None:
    with a_service(tmp_path, "--candidate", str(candidate), "--workers", "2") as service:
        old = service.health()["holder"]["sha256"]
        with clients(service, BODY, count=6) as asking:
            a_candidate(candidate, a_model(bias=-3.0))
            service.reload()
            wait_until(lambda: service.health()["holder"]["sha256"] != old)
            wait_until(lambda: all(versions(each.answered)[-1] != old[:12] for each in asking))
        new = service.health()["holder"]["sha256"]
    assert [each.lost for each in asking] == [[]] * 6
    assert {status for each in asking for status, _ in each.answered} == {200}
    assert {tuple(versions(each.answered)) for each in asking} == {(old[:12], new[:12])}


@pytest.mark.parametrize("breaks", ["edited", "no model at all"])
def test_a_candidate_that_does_not_verify_or_load_is_refused_and_the_old_one_goes_on(candidate: Path, tmp_path: Path, breaks: str) -> None:
    with a_service(tmp_path, "--candidate", str(candidate)) as service:
        before = service.infer(BODY)
        with clients(service, BODY, count=2) as asking:
            if breaks == "edited":
                (candidate / layout.CANDIDATE_MODEL).write_bytes(a_model(bias=-3.0))
            else:
                a_candidate(candidate, b"no model")
            service.reload()
            wait_until(lambda: service.health()["holder"]["last_refusal"] is not None)
        assert {answer for each in asking for answer in each.answered} == {before}
        assert service.metrics()[REFUSED] == 1
        refused = service.health()["holder"]["last_refusal"]["why"]
        assert ("digest differs" in refused) == (breaks == "edited")
        wait_until(lambda: refused in service.said())


def test_a_worker_that_can_no_longer_load_says_why_and_one_that_can_again_answers(candidate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with a_service(tmp_path, "--candidate", str(candidate)) as service:
        worker, (copy,) = service.health()["answered_by"], tmp_path.glob("poc-serve-*/holder-*")
        model = (copy / layout.CANDIDATE_MODEL).rename(tmp_path / "elsewhere")  # as those do who tidy up temporary folders
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: service.said().count("a worker did not load: Refused: ") >= 2)
        model.rename(copy / layout.CANDIDATE_MODEL)
        assert service.infer(BODY)[0] == 200


def test_a_model_that_only_one_of_two_workers_loads_answers_nobody_and_loses_nothing(candidate: Path, tmp_path: Path) -> None:
    other = a_candidate(tmp_path / "other", a_model(bias=-3.0))
    script = [sys.executable, str(Path(half_a_reload.__file__)), str(candidate), str(other)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=True, env=environment())
    present = frozen_model(candidate)[0].model_sha256[:12]
    assert json.loads(done.stdout) == {"is_replaced": False, "seen": [present], "lost": []}


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_service_ends_quietly_and_leaves_nobody(candidate: Path, tmp_path: Path, stop: signal.Signals) -> None:
    with a_service(tmp_path, "--candidate", str(candidate), "--workers", "2", "--log-requests", str(tmp_path / "log")) as service:
        workers = {service.health()["answered_by"] for _ in range(20)}
        service.process.send_signal(stop)
        assert service.process.wait(30) == 0
        assert service.said() == ""
        assert not [each for each in workers if Path(f"/proc/{each}").exists()]


def test_workers_end_with_a_parent_that_is_killed(candidate: Path, tmp_path: Path) -> None:
    with a_service(tmp_path, "--candidate", str(candidate)) as service:
        worker = service.health()["answered_by"]
        service.process.kill()
        wait_until(lambda: not is_alive(worker))


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return not (Path(f"/proc/{process}/stat").exists() and ") Z " in Path(f"/proc/{process}/stat").read_text())


def test_a_model_that_does_not_load_says_why_and_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="InvalidProtobuf"), a_service(tmp_path, "--candidate", str(a_candidate(tmp_path / "bad", b"no model"))):
        pytest.fail("it was served")


@pytest.fixture
def shadowed(candidate: Path, tmp_path: Path) -> Iterator[Service]:
    shadow = a_candidate(tmp_path / "shadow", a_model(bias=-3.0))
    log = ["--log-requests", str(tmp_path / "log"), "--log-share", "1", "--log-seconds", "0.2"]
    with a_service(tmp_path, "--candidate", str(candidate), "--workers", "2", "--shadow", str(shadow), *log) as service:
        yield service


def logged(tmp_path: Path, rows: int) -> pd.DataFrame:
    """Wait until so many rows are in the log; return them in the order in which they were answered."""

    def read() -> pd.DataFrame:
        parts = [pd.read_parquet(path) for path in (tmp_path / "log").glob("*/[0-9]*.parquet")]
        return pd.concat(parts) if parts else pd.DataFrame()

    wait_until(lambda: len(read()) >= rows)
    return read().sort_values("poc.time", kind="stable")


def test_a_shadow_changes_no_byte_of_a_reply_and_its_difference_is_logged_and_counted(shadowed: Service, tmp_path: Path) -> None:
    alone = json.loads(shadowed.infer(ROWS)[1])
    with a_service(tmp_path / "alone", "--candidate", str(tmp_path / "candidate")) as service:
        assert json.loads(service.infer(ROWS)[1]) == alone
        assert service.infer(ROWS) == shadowed.infer(ROWS)
    rows = logged(tmp_path, 80).head(40)
    probabilities, decisions = (output["data"] for output in alone["outputs"])
    assert (rows["poc.probability"] == pd.Series(probabilities, rows.index, dtype="float32")).all() and list(rows["poc.decision"]) == decisions
    assert (rows["poc.shadow_probability"] > rows["poc.probability"]).all()
    differing = int((rows["poc.shadow_decision"] != rows["poc.decision"]).sum())
    assert 0 < differing == shadowed.of_shadow("decisions_differing_total") / 2
    assert shadowed.of_shadow("rows_total") == 80
    largest = float((rows["poc.shadow_probability"] - rows["poc.probability"]).abs().max())
    assert shadowed.of_shadow("largest_difference") == pytest.approx(largest, abs=1e-6)


def test_another_shadow_is_taken_up_on_a_reload(shadowed: Service, tmp_path: Path) -> None:
    a_candidate(tmp_path / "shadow")
    shadowed.reload()
    wait_until(lambda: shadowed.health()["shadow"]["sha256"] == shadowed.health()["holder"]["sha256"])
    # who leaves may take one more observation before it hears of it
    wait_until(lambda: shadowed.infer(ROWS)[0] == 200 and shadowed.of_shadow("rows_total") >= 40)
    assert shadowed.of_shadow("largest_difference") < 1e-6


def test_what_is_logged_is_what_training_reads(shadowed: Service, tmp_path: Path) -> None:
    shadowed.infer(ROWS)
    rows, asked = logged(tmp_path, 40), some_rows()
    pd.testing.assert_frame_equal(rows[[TORQUE, WEAR]].reset_index(drop=True), asked[[TORQUE, WEAR]])
    assert [each if isinstance(each, str) else None for each in rows[TYPE]] == [each if isinstance(each, str) else None for each in asked[TYPE]]
    assert set(rows["poc.model_sha256"]) == {shadowed.health()["holder"]["sha256"]}


def test_what_two_workers_counted_adds_up(shadowed: Service) -> None:
    with clients(shadowed, BODY, count=8) as asking:
        pass
    bad, answered = shadowed.infer(b"{"), sum(len(each.answered) for each in asking)
    assert bad[0] == 400
    # a request is counted once its reply is out, and the other worker may be asked for the numbers before that
    wait_until(lambda: (now := shadowed.metrics())["poc_request_seconds_count"] == answered + 1 and decided(now) == answered)
    counted = shadowed.metrics()
    assert (counted['poc_requests_total{status="200"}'], counted['poc_requests_total{status="400"}']) == (answered, 1)
    assert counted["poc_request_seconds_count"] == counted['poc_request_seconds_bucket{le="+Inf"}'] == answered + 1
    assert counted["poc_rows_total"] == answered


def decided(counted: Mapping[str, float]) -> float:
    """Add up the rows that were decided; nothing of a request is counted after them."""
    return sum(counted[labelled("poc_decisions_total", decision=each)] for each in ("alert", "no alert"))


def test_missing_values_are_counted_by_feature(shadowed: Service) -> None:
    shadowed.infer(ROWS)
    asked = some_rows()
    missing = asked[TORQUE].isna().sum()
    assert missing > 0
    wait_until(lambda: shadowed.metrics()[labelled("poc_missing_values_total", feature=TORQUE)] == missing)


@pytest.mark.parametrize("module", ["worker", "observer"])
def test_what_answers_and_what_watches_load_nothing_that_only_training_needs(module: str) -> None:
    heavy = f"import sys, poc.acts.{module}; print([name for name in ('pandas', 'sklearn', 'scipy', 'mlflow', 'kfp', 'rich') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, env=environment()).stdout.strip() == "[]"


def test_a_shadow_that_breaks_hurts_nobody_and_is_counted(candidate: Path, tmp_path: Path) -> None:
    shadow = a_candidate(tmp_path / "shadow", a_model(breaks_on_wear_from=1))
    with a_service(tmp_path, "--candidate", str(candidate), "--shadow", str(shadow)) as service:
        assert service.infer(BODY)[0] == 200
        wait_until(lambda: service.of_shadow("failures_total") == 1)
        assert service.infer(BODY)[0] == 200


def test_a_shadow_that_hangs_hurts_nobody_and_what_it_misses_is_counted(shadowed: Service) -> None:
    os.kill(shadowed.health()["observer"], signal.SIGSTOP)
    many = infer_request(frames.columns(some_rows(1300), INPUTS), INPUTS)
    assert {shadowed.infer(many)[0] for _ in range(300)} == {200}
    assert shadowed.metrics()['poc_observations_dropped_total{reason="full"}'] > 0
    os.kill(shadowed.health()["observer"], signal.SIGCONT)


def test_an_observer_that_is_killed_is_replaced(shadowed: Service) -> None:
    killed = shadowed.health()["observer"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: shadowed.health()["observer"] != killed)
    assert shadowed.infer(BODY)[0] == 200
    wait_until(lambda: shadowed.of_shadow("rows_total") == 1)


def test_a_shadow_that_takes_what_requests_do_not_hold_is_refused_at_once(candidate: Path, tmp_path: Path) -> None:
    shadow = a_candidate(tmp_path / "shadow")
    record = json.loads((shadow / layout.CANDIDATE_JSON).read_text())
    record["inputs"][0]["name"] = "Pressure [bar]"
    (shadow / layout.CANDIDATE_JSON).write_text(json.dumps(record))
    refused = pytest.raises(AssertionError, match=r"requests do not hold what the shadow takes: Pressure \[bar\]")
    with refused, a_service(tmp_path, "--candidate", str(candidate), "--shadow", str(shadow)):
        pytest.fail("it was served")


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(candidate: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = pytest.raises(AssertionError, match="requests cannot be logged")
    with refused, a_service(tmp_path, "--candidate", str(candidate), "--log-requests", str(tmp_path / "file" / "log")):
        pytest.fail("it was served")


def test_a_log_that_can_no_longer_be_written_costs_no_reply(shadowed: Service, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "log").touch()
    assert shadowed.infer(BODY)[0] == 200
    wait_until(lambda: shadowed.metrics()["poc_log_rows_lost_total"] == 1)
    assert shadowed.infer(BODY)[0] == 200


def promote(repository: Path, model: bytes, *, registered_as: str | None = None, kept: bytes | None = None) -> str:
    """Register a candidate as a run does, and let it hold the alias `candidate`; return its model's digest."""
    folder = a_candidate(repository / "frozen", model)
    run = tracking.open_run("stop-bad-parts", name="a run", candidate=True)
    tracking.log_evidence(run, "evaluate", folder)
    file = repository / "kept.onnx"
    file.write_bytes(kept or model)
    source = tracking.log_model(run, file, features=[(each.name, each.kind) for each in INPUTS])
    tags = {"poc.candidate_sha256": candidate_digest(folder) if registered_as is None else registered_as}
    version = tracking.create_version("stop-bad-parts", run, source, tags=tags, description="")
    tracking.close_run(run, "FINISHED")
    tracking.set_alias("stop-bad-parts", "candidate", version.version)
    return files.sha256_of(model)


def test_the_server_follows_an_alias_and_refuses_versions_that_are_not_what_was_registered(repository: Path) -> None:
    (repository / "charter.yaml").write_text(re.sub("(?m)^project: .*", "project: stop-bad-parts", charter_text("charter.yaml")))
    first = promote(repository, a_model())
    with a_service(repository, "--alias", "candidate", "--poll-seconds", "0.2") as service, clients(service, BODY, count=2) as asking:
        assert service.health()["holder"]["source"] == "version 1, candidate"
        promote(repository, a_model(bias=-3.5), kept=a_model(bias=-2.0))
        wait_until(lambda: service.metrics()[REFUSED] == 1)
        promote(repository, a_model(bias=-3.5), registered_as="0" * 64)
        wait_until(lambda: service.metrics()[REFUSED] == 2)
        promote(repository, a_model(bias=-3.5), registered_as="")  # nobody said what was registered
        wait_until(lambda: service.metrics()[REFUSED] == 3)
        wait_until(lambda: "not the one that was registered" in service.health()["holder"]["last_refusal"]["why"])
        second = promote(repository, a_model(bias=-3.0))
        wait_until(lambda: service.health()["holder"]["sha256"] == second)
        wait_until(lambda: all(versions(each.answered)[-1] == second[:12] for each in asking))
        tracking.withdraw_alias("stop-bad-parts", "candidate", candidate_digest(repository / "frozen"))
        wait_until(lambda: "no version of stop-bad-parts holds the alias" in str(service.health()["holder"]["last_refusal"]))
    assert {tuple(versions(each.answered)) for each in asking} == {(first[:12], second[:12])}
    assert [each.lost for each in asking] == [[], []]


def test_an_alias_that_nobody_holds_is_refused_at_once(repository: Path) -> None:
    (repository / "charter.yaml").write_text(charter_text("charter.yaml"))
    with pytest.raises(AssertionError, match=r"no version of .* holds the alias candidate"), a_service(repository, "--alias", "candidate"):
        pytest.fail("it was served")
