"""Serving a stage: what the ledger does not vouch for is not served, at start and at each reload, and what is verified is what is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import poc
from services import a_service, wait_until
from signed_versions import a_registered_version, facts_of

from poc import layout
from poc.acts.admit import ByAlias, ByStage, admit
from poc.acts.following import Follower
from poc.acts.sources import by_alias, in_folder_or_by_alias
from poc.errors import InputRefused, NotSignedOff
from poc.steps.vouch import ledger_in
from poc.tools import files, tracking
from poc.tools.tracking.connection import connect
from signoffs import NOW, PROJECT, followed, lay_down

#: Each fetches a version from a real MLflow, and several do it often.
pytestmark = pytest.mark.slow


def shadow(root: Path) -> ByStage:
    return ByStage(root=root, project=PROJECT, stage="shadow")


def model_file() -> Path:
    return next(tracking.artifact_root().rglob("model.onnx"))


def code_of(root: Path, into: Path) -> str:
    with pytest.raises(NotSignedOff) as caught:
        admit(shadow(root), "1", into)
    return caught.value.code


def test_what_is_signed_for_is_let_in_with_nothing_else_beside_it(root: Path, tmp_path: Path) -> None:
    admitted = admit(shadow(root), "1", tmp_path / "in")
    assert admitted.source == "version 1, shadow"
    assert files.sha256_of_file(tmp_path / "in" / layout.CANDIDATE_MODEL) == admitted.candidate.model_sha256
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted([layout.CANDIDATE_JSON, layout.CANDIDATE_MODEL, layout.SAMPLE_REQUEST])


def test_a_changed_byte_is_not_let_in(root: Path, tmp_path: Path) -> None:
    model_file().write_bytes(model_file().read_bytes() + b"\0")
    assert code_of(root, tmp_path / "in") == "model_changed"


def test_a_record_and_a_model_that_were_swapped_together_are_not_let_in(root: Path, tmp_path: Path) -> None:
    record = next(tracking.artifact_root().rglob(layout.CANDIDATE_JSON))
    model_file().write_bytes(model_file().read_bytes() + b"\0")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"model_sha256": files.sha256_of_file(model_file())}))
    assert code_of(root, tmp_path / "in") == "model_changed"


def test_bytes_that_are_swapped_once_verified_are_not_the_ones_that_are_served(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = tracking.fetch_version

    def and_swap(*arguments: Any) -> tracking.VersionFacts:
        found = fetch(*arguments)
        model_file().write_bytes(b"swapped")
        return found

    monkeypatch.setattr(tracking, "fetch_version", and_swap)
    admitted = admit(shadow(root), "1", tmp_path / "in")
    assert files.sha256_of_file(tmp_path / "in" / layout.CANDIDATE_MODEL) == admitted.candidate.model_sha256


def test_without_the_ledger_in_git_a_server_reads_mlflows_copy(root: Path, tmp_path: Path) -> None:
    for path in (root / layout.SIGNOFFS).iterdir():
        path.unlink()
    assert admit(shadow(root), "1", tmp_path / "in").source == "version 1, shadow"


def test_without_trust_files_nothing_is_let_in(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POC_TRUST")
    assert code_of(root, tmp_path / "in") == "trust_not_configured"


def test_a_stage_that_nobody_holds_is_not_served(root: Path) -> None:
    with pytest.raises(InputRefused, match="no version of stop-bad-parts holds pilot"):
        ByStage(root=root, project=PROJECT, stage="pilot").now()


def test_a_reload_that_is_refused_says_so_once_and_brings_nothing(root: Path, tmp_path: Path) -> None:
    follower = Follower({"holder": shadow(root)}, tmp_path / "served", every_s=None)
    follower.first("holder")
    connect().set_registered_model_alias(PROJECT, "shadow", a_registered_version(root))
    for _ in range(2):
        follower.look("holder", is_asked=False)
    found = follower.found.get()
    assert (found.admitted, found.outcome, "not_signed" in found.why) == (None, "refused", True)
    assert follower.found.empty()
    assert [path.name for path in (tmp_path / "served").iterdir()] == ["holder-1"]


@pytest.mark.parametrize(("alias", "stage"), [("shadow", "shadow"), ("Production", "production"), ("pil0t", "pilot")])
def test_a_stages_alias_is_that_stage_however_it_is_typed(repository: Path, trust: Path, alias: str, stage: str) -> None:
    a_registered_version(repository)
    for source in (by_alias(repository, alias), in_folder_or_by_alias(alias)):
        assert isinstance(source, ByStage) and source.stage == stage
    assert isinstance(by_alias(repository, "candidate"), ByAlias)


@pytest.mark.server
def test_a_server_goes_on_with_what_it_has_when_an_unsigned_version_takes_the_stage(root: Path, trust: Path, tmp_path: Path) -> None:
    with a_service(tmp_path / "server", "--stage", "shadow", "--poll-seconds", "0.2", cwd=root, POC_TRUST=str(trust)) as service:
        assert service.health()["holder"]["source"] == "version 1, shadow"
        connect().set_registered_model_alias(PROJECT, "shadow", a_registered_version(root))
        wait_until(lambda: service.health()["holder"]["last_refusal"] is not None)
        assert "[not_signed]" in service.said()
        assert service.health()["holder"]["source"] == "version 1, shadow"
        lay_down(followed(ledger_in(root), facts_of("2"), stage="shadow", role="owner", issued_at=NOW), root)
        service.reload()
        wait_until(lambda: service.health()["holder"]["source"] == "version 2, shadow")


def test_a_server_does_not_start_on_what_nobody_signed(root: Path, trust: Path) -> None:
    connect().set_registered_model_alias(PROJECT, "production", "1")
    for named in ("--stage", "--alias"):
        refused = poc(root, "serve", named, "production", "--port", "0", "--json", POC_TRUST=str(trust))
        assert (refused.returncode, json.loads(refused.stdout)["error"]) == (6, "not_signed")
    assert poc(root, "serve", "--stage", "production", "--alias", "candidate").returncode == 2
