"""A load on the real server: what it shows, where it is written, and what is refused at the door."""

from __future__ import annotations

import math
import socket
from pathlib import Path
from typing import Any

import pytest
from artifacts import Run, a_project, a_run
from commands import poc, strictly
from small_models import a_candidate, a_model

from poc import layout
from poc.acts.load import Asked, Loaded, put_load
from poc.errors import EnvironmentRefused, ExitCode, InputRefused
from poc.rules.evidence import Load
from poc.steps.replay import server
from poc.tools import files, tracking

pytestmark = [pytest.mark.server, pytest.mark.slow]
SHORT = Asked(rate_per_s=400, seconds=0.5, connections=4)


@pytest.fixture
def root(repository: Path) -> Path:
    """Stand in a repository with a run that froze a candidate."""
    project = a_project(repository)
    run = layout.new_run(project)
    a_run(run / layout.BY_HAND)
    return project


def the_run(root: Path) -> Path:
    return layout.runs(root)[0]


def test_every_request_of_a_load_is_answered_by_the_server_that_is_started_for_it(root: Path) -> None:
    found = put_load(root, SHORT).load
    assert (found.requests, found.failed, found.reconnects) == (200, {}, 0)
    assert 0 < found.p50_ms <= found.p99_ms.middle <= found.slowest_ms < math.inf
    assert found.raw_us > 0 and found.overhead_us.low <= found.overhead_us.middle <= found.overhead_us.high


def test_numbers_and_picture_lie_beside_the_run_s_artifacts_and_spoil_none(root: Path) -> None:
    loaded = put_load(root, SHORT)
    assert loaded.folder == the_run(root) / layout.BY_HAND / "load" / "load"
    assert files.read_record(loaded.folder / layout.LOAD_JSON, Load) == loaded.load
    assert b"limit" in (loaded.folder / layout.LOAD_SVG).read_bytes()
    assert layout.artifacts_of(the_run(root)).name == layout.BY_HAND


def test_a_load_is_logged_beside_its_run(root: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    mlflow_run = tracking.open_run("stop-bad-parts", name="a run", candidate=False)
    (the_run(root) / layout.MLFLOW_RUN).write_text(f"{mlflow_run}\n")
    tracking.close_run(mlflow_run, "FINISHED")
    loaded = put_load(root, SHORT, folder=tmp_path / "elsewhere")
    client = MlflowClient(tracking.tracking_uri())
    run = client.get_run(mlflow_run)
    assert (loaded.is_in_mlflow, run.info.status, run.data.metrics["load.p50_ms"]) == (True, "FINISHED", loaded.load.p50_ms)
    assert {each.path for each in client.list_artifacts(mlflow_run, "afterwards/load")} == {"afterwards/load/load.json", "afterwards/load/load.svg"}


def test_a_run_that_mlflow_does_not_know_is_loaded_all_the_same(root: Path) -> None:
    (the_run(root) / layout.MLFLOW_RUN).write_text("0" * 32)
    assert not put_load(root, SHORT).is_in_mlflow


def test_a_server_that_runs_already_is_loaded_and_left_running(root: Path) -> None:
    candidate = Run(root=the_run(root) / layout.BY_HAND).folder("candidate")
    with server(candidate) as (port, _):
        url = f"http://127.0.0.1:{port}"
        for _ in range(2):
            assert put_load(root, SHORT, url=url).load.failed == {}


def test_nobody_at_the_address_is_said_before_anything_is_sent(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(EnvironmentRefused, match="nobody answers") as caught:
        put_load(root, SHORT, url=url)
    assert "poc serve" in caught.value.problems[0].fix


@pytest.mark.parametrize("url", ["localhost:8080", "https://localhost", "http://", "http://127.0.0.1:99999"])
def test_what_is_no_address_of_http_is_refused(root: Path, url: str) -> None:
    with pytest.raises(InputRefused, match="no address"):
        put_load(root, SHORT, url=url)


@pytest.mark.parametrize("asked", [{"rate_per_s": 0.0}, {"rate_per_s": math.nan}, {"seconds": -1.0}, {"connections": 0}, {"rate_per_s": math.inf}])
def test_what_is_no_load_is_refused(repository: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(InputRefused, match="is no load"):
        put_load(repository, Asked(**asked))


@pytest.mark.parametrize("asked", [{"seconds": 1e9}, {"connections": 1_000_000}])
def test_a_load_that_never_ends_or_opens_more_than_a_process_may_is_refused(repository: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(InputRefused, match="more than a load takes"):
        put_load(repository, Asked(**asked))


def test_a_server_of_another_model_proves_nothing_of_the_newest(root: Path, tmp_path: Path) -> None:
    other = a_candidate(tmp_path / "other", a_model(bias=-3.0))
    with server(other) as (port, _):
        found = put_load(root, SHORT, url=f"http://127.0.0.1:{port}").load
    assert [each for each in found.differences if each.startswith("model: the newest candidate is")]


def test_more_requests_than_memory_holds_are_refused(repository: Path) -> None:
    with pytest.raises(InputRefused, match="more than 5,000,000 requests"):
        put_load(repository, Asked(rate_per_s=1e6, seconds=60))


def test_all_that_is_wrong_is_said_at_once(repository: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        put_load(repository, Asked(rate_per_s=0, seconds=0, connections=0))
    assert [problem.where for problem in caught.value.problems] == ["--rate", "--seconds", "--clients"]


def test_the_command_says_in_json_what_it_measured_and_by_its_status_what_that_proves(root: Path) -> None:
    said = poc(root, "load", "--rate", "400", "--seconds", "0.5", "--clients", "2", "--json")
    found = strictly(said.stdout)
    assert (found["requests"], found["connections"], found["failed"]) == (200, 2, {})
    assert said.returncode == (7 if found["differences"] else {"PASS": 0, "FAIL": 4}.get(found["verdict"], 7))


def test_without_a_run_nothing_can_be_loaded(repository: Path) -> None:
    with pytest.raises(InputRefused, match="nothing has been run yet"):
        put_load(repository, SHORT)


@pytest.mark.parametrize(
    ("verdict", "differences", "expected"),
    [
        ("PASS", [], ExitCode.GO),
        ("FAIL", [], ExitCode.REFUSED),
        ("NOISY", [], ExitCode.NOT_PROVEN),
        ("INCONCLUSIVE", [], ExitCode.NOT_PROVEN),
        ("PASS", ["cores"], ExitCode.NOT_PROVEN),
        ("FAIL", ["cores"], ExitCode.NOT_PROVEN),
    ],
)
def test_the_exit_status_says_what_is_proven(verdict: str, differences: list[str], expected: ExitCode) -> None:
    load = Load.model_construct(verdict=verdict, differences=differences)
    assert Loaded(load=load, words=[], folder=Path(), is_in_mlflow=False).exit_code == expected
