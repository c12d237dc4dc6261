"""Stages on a real MLflow: a version's bytes, its aliases, and the copy of the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tracking_server import a_tracking_server

from poc.errors import InputRefused, NotSignedOff
from poc.tools import tracking

PROJECT = "stop-bad-parts"
FILES = {"model/model.onnx": b"weights\r\n", "model/.hidden": b"\0", "evidence/charter/charter.yaml": b"agreed", "stages/pilot/table.csv": b"1,2\n"}


@pytest.fixture(params=["SQLite", pytest.param("server", marks=[pytest.mark.slow, pytest.mark.server])])
def mlflow_at(request: pytest.FixtureRequest, repository: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand before each of the two ways to reach MLflow in turn."""
    with nullcontext() if request.param == "SQLite" else a_tracking_server(repository.parent / "server", empty_database) as address:
        if address:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield


def client() -> MlflowClient:
    return MlflowClient(tracking.tracking_uri(), tracking.tracking_uri())


def a_version(folder: Path, files: dict[str, bytes]) -> str:
    """Register these files as a version."""
    run_id = tracking.open_run(PROJECT, name="a run", candidate=True)
    client().set_tag(run_id, "poc.trained_by", "ann@example.com")
    for name, content in files.items():
        path = folder / "logged" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    client().log_artifacts(run_id, str(folder / "logged"))
    source = f"{client().get_run(run_id).info.artifact_uri}/model"
    return tracking.create_version(PROJECT, run_id, source, tags={"verdict": "GO"}, description="a version").version


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def model_folder() -> Path:
    """Find where MLflow on this machine keeps the model."""
    return next(tracking.artifact_root().rglob("model.onnx")).parent


@pytest.mark.usefixtures("mlflow_at")
def test_a_version_comes_back_whole_and_byte_for_byte(tmp_path: Path) -> None:
    version = a_version(tmp_path, FILES)
    found = tracking.fetch_version(PROJECT, version, tmp_path / "fetched")
    assert files_in(tmp_path / "fetched") == FILES
    assert (found.version, found.trained_by, found.aliases, found.tags) == ("1", "ann@example.com", (), {"verdict": "GO"})


@pytest.mark.usefixtures("repository")
def test_folders_that_mlflow_lacks_are_left_out(tmp_path: Path) -> None:
    version = a_version(tmp_path, {"model/model.onnx": b"weights"})
    tracking.fetch_version(PROJECT, version, tmp_path / "fetched")
    assert sorted(path.name for path in (tmp_path / "fetched").iterdir()) == ["model"]


@pytest.mark.usefixtures("repository")
def test_a_link_to_a_file_or_a_folder_stays_a_link(tmp_path: Path) -> None:
    version = a_version(tmp_path, FILES)
    (model_folder() / "link").symlink_to("/etc/hostname")
    (model_folder() / "links").symlink_to("/etc")
    tracking.fetch_version(PROJECT, version, tmp_path / "fetched")
    assert (tmp_path / "fetched/model/link").is_symlink() and (tmp_path / "fetched/model/links").is_symlink()


@pytest.mark.usefixtures("repository")
def test_a_model_folder_that_is_a_link_stays_one(tmp_path: Path) -> None:
    version = a_version(tmp_path, FILES)
    folder = model_folder()
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    tracking.fetch_version(PROJECT, version, tmp_path / "fetched")
    assert (tmp_path / "fetched/model").is_symlink()


@pytest.mark.usefixtures("repository")
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    version = a_version(tmp_path, FILES)
    os.mkfifo(model_folder() / "pipe")
    with pytest.raises(NotSignedOff) as caught:
        tracking.fetch_version(PROJECT, version, tmp_path / "fetched")
    assert caught.value.code == "strange_file"


@pytest.mark.usefixtures("repository")
def test_a_version_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for version in ("7", "seven"):
        with pytest.raises(InputRefused, match=f"no version {version} "):
            tracking.fetch_version(PROJECT, version, tmp_path / "fetched")


@pytest.mark.usefixtures("mlflow_at")
def test_an_alias_moves_only_from_the_version_that_was_expected_to_hold_it(tmp_path: Path) -> None:
    for name in ("one", "two"):
        a_version(tmp_path / name, FILES)
    with tracking.moving(PROJECT) as is_still_ours:
        assert tracking.move_alias(PROJECT, "pilot", "1", instead_of=None, is_still_ours=is_still_ours) == "1"
        assert tracking.move_alias(PROJECT, "pilot", "2", instead_of=None, is_still_ours=is_still_ours) == "1"
        assert tracking.move_alias(PROJECT, "pilot", "2", instead_of="1", is_still_ours=lambda: False) == "1"
        assert tracking.holders(PROJECT) == {"pilot": "1"}
        assert tracking.move_alias(PROJECT, "pilot", "2", instead_of="1", is_still_ours=is_still_ours) == "2"
        assert tracking.move_alias(PROJECT, "pilot", None, instead_of="2", is_still_ours=is_still_ours) is None
    assert tracking.holders(PROJECT) == {}
    assert [each.name for each in client().search_registered_models()] == [PROJECT]


@pytest.mark.usefixtures("repository")
def test_nothing_is_held_where_nothing_is_registered() -> None:
    assert (tracking.holders(PROJECT), tracking.ledger_held(PROJECT), tracking.model_tags(PROJECT)) == ({}, {}, {})


@pytest.mark.usefixtures("mlflow_at")
def test_the_ledger_is_appended_to_and_never_rewritten(tmp_path: Path) -> None:
    a_version(tmp_path, FILES)
    entry = '{"a":"statement"}\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'
    tracking.push_ledger(PROJECT, {1: entry})
    tracking.push_ledger(PROJECT, {1: entry, 2: "x" * 5_000})
    with pytest.raises(NotSignedOff) as caught:
        tracking.push_ledger(PROJECT, {1: "another", 3: "y"})
    assert caught.value.code == "ledger_forked"
    assert tracking.ledger_held(PROJECT) == {1: entry, 2: "x" * 5_000}


@pytest.mark.usefixtures("repository")
def test_a_tag_that_only_looks_like_a_decision_is_none(tmp_path: Path) -> None:
    a_version(tmp_path, FILES)
    tracking.tag_model(PROJECT, {"poc.ledger.1": "x", "poc.ledger.0001.old": "y", "poc.ledger.0002": "z"})
    assert tracking.ledger_held(PROJECT) == {2: "z"}


@pytest.mark.usefixtures("repository")
def test_one_version_at_most_carries_a_stages_tag(tmp_path: Path) -> None:
    for name in ("one", "two"):
        a_version(tmp_path / name, FILES)
    tracking.tag_holder(PROJECT, "poc.stage.pilot", "1", "signed")
    tracking.tag_holder(PROJECT, "poc.stage.pilot", "2", "signed too")
    assert tracking.versions_with_tag(PROJECT, "poc.stage.pilot") == {"2": "signed too"}
    tracking.tag_holder(PROJECT, "poc.stage.pilot", None)
    assert tracking.versions_with_tag(PROJECT, "poc.stage.pilot") == {}


@pytest.mark.usefixtures("repository")
def test_decisions_are_logged_beside_the_evidence(tmp_path: Path) -> None:
    version = a_version(tmp_path, FILES)
    (tmp_path / "signed").mkdir()
    (tmp_path / "signed" / "0001.json").write_bytes(b"{}")
    run_id = tracking.fetch_version(PROJECT, version, tmp_path / "fetched").run_id
    tracking.log_signoffs(run_id, tmp_path / "signed")
    assert [each.path for each in client().list_artifacts(run_id, "signoffs")] == ["signoffs/0001.json"]
    assert files_in(tmp_path / "fetched" / "evidence") == {"charter/charter.yaml": b"agreed"}
