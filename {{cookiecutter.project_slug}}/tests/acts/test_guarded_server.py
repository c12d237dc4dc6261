"""MLflow's server with the guard: what it lets nobody do, and beside each refusal the same done to what nobody has signed."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from guarded_servers import a_guarded_server
from installed import installed_in
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from postgres import a_postgres
from signed_versions import CHARTER, a_registered_version, facts_of

from poc import layout
from poc.errors import NotSignedOff
from poc.rules.signoff import Entry, entry_of_tag
from poc.rules.signoff.moves import Demoted
from poc.steps.copies import held_by_mlflow, push
from poc.tools.tracking.connection import connect
from poc.tools.tracking.stages import log_stage_evidence
from signoffs import PROJECT, a_ledger, a_trust_folder, followed

pytestmark = [pytest.mark.slow, pytest.mark.server]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version on the server, and where its run's artifacts lie there."""

    model: str
    number: str
    run_id: str
    experiment: str

    @property
    def path(self) -> str:
        return f"{self.experiment}/{self.run_id}/artifacts"


@dataclass(frozen=True, kw_only=True)
class World:
    """A server on which version `signed` holds pilot, and `unsigned` nothing."""

    url: str
    client: MlflowClient
    signed: Version
    unsigned: Version

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Send a request with its path exactly as it stands here."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        return reply.status, reply.read().decode(errors="replace")

    def free(self) -> Version:
        """Make a version that nobody decided about, in a model and an experiment of its own."""
        return a_version(self.client, f"free-{secrets.token_hex(4)}")


def a_version(client: MlflowClient, model: str) -> Version:
    experiment_id = client.create_experiment(model)
    run = client.create_run(experiment_id)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("model/model.onnx", "evidence/gate/verdict.json", "signoffs/0001.json"):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text("as it was logged")
        client.log_artifacts(run.info.run_id, folder)
    client.set_tag(run.info.run_id, "poc.trained_by", "bo@example.com")
    client.create_registered_model(model)
    number = client.create_model_version(model, f"{run.info.artifact_uri}/model", run.info.run_id, tags={"verdict": "GO", "poc.draft": "true"}).version
    return Version(model=model, number=str(number), run_id=run.info.run_id, experiment=experiment_id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[World]:
    """Start a server once, and sign a version up to pilot there."""
    folder = tmp_path_factory.mktemp("guarded")
    trust = a_trust_folder(folder / "trust")
    repository = folder / "repository"
    (repository / layout.STATE).mkdir(parents=True)
    (repository / layout.CHARTER).write_bytes(CHARTER)
    with a_guarded_server(folder / "server", empty_database, trust) as url, pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        patch.setenv("MLFLOW_TRACKING_URI", url)
        client = connect()
        number = a_registered_version(repository)
        push(PROJECT, a_ledger(facts_of(number), until="pilot"))
        for stage in ("shadow", "pilot"):
            client.set_registered_model_alias(PROJECT, stage, number)
            client.set_model_version_tag(PROJECT, number, f"poc.stage.{stage}", "{}")
        held = client.get_model_version(PROJECT, number)
        run = client.get_run(held.run_id).info
        signed = Version(model=PROJECT, number=number, run_id=run.run_id, experiment=run.experiment_id)
        other = client.get_model_version(PROJECT, a_registered_version(repository))
        unsigned = Version(model=PROJECT, number=str(other.version), run_id=str(other.run_id), experiment=run.experiment_id)
        yield World(url=url, client=client, signed=signed, unsigned=unsigned)


def refused(act: Callable[[], Any]) -> str:
    """Return the reason code that an act is refused with."""
    with pytest.raises(MlflowException) as caught:
        act()
    assert caught.value.error_code == "PERMISSION_DENIED", caught.value.message
    return code_in(caught.value.message)


def code_in(message: str) -> str:
    found = re.search(r"\[([a-z_]+)\]", message)
    assert found, message
    return found[1]


#: What people do to versions and their runs; each is refused for the signed version and done to one that nobody decided about.
ACTS: dict[str, Callable[[World, Version], Any]] = {
    "a figure": lambda w, v: w.client.log_metric(v.run_id, "missed_share", 0.001),
    "a figure in a batch": lambda w, v: w.client.log_batch(v.run_id, metrics=[Metric("load.p99", 1, 1, 0), Metric("missed_share", 0.001, 1, 0)]),
    "a parameter": lambda w, v: w.client.log_param(v.run_id, "seed", "2"),
    "a parameter in a batch": lambda w, v: w.client.log_batch(v.run_id, metrics=[Metric("load.p99", 1, 1, 0)], params=[Param("seed", "3")]),
    "a run's tag": lambda w, v: w.client.set_tag(v.run_id, "poc.trained_by", "somebody.else@example.com"),
    "a run's tag in a batch": lambda w, v: w.client.log_batch(v.run_id, tags=[RunTag("verdict", "GO")]),
    "a run's tag taken off": lambda w, v: w.client.delete_tag(v.run_id, "poc.trained_by"),
    "a run's name": lambda w, v: w.client.update_run(v.run_id, name="another"),
    "a run's end": lambda w, v: w.client.set_terminated(v.run_id, "FAILED"),
    "a run deleted": lambda w, v: w.client.delete_run(v.run_id),
    "a logged model of the run": lambda w, v: w.client.create_logged_model(v.experiment, source_run_id=v.run_id),
    "the verdict": lambda w, v: w.client.set_model_version_tag(v.model, v.number, "verdict", "NO-GO"),
    "a digest": lambda w, v: w.client.set_model_version_tag(v.model, v.number, "poc.candidate_sha256", "0" * 64),
    "a tag taken off": lambda w, v: w.client.delete_model_version_tag(v.model, v.number, "poc.draft"),
    "a version deleted": lambda w, v: w.client.delete_model_version(v.model, v.number),
    "a version deleted by another spelling": lambda w, v: w.client.delete_model_version(v.model, f"0{v.number}"),
    "the verdict by another spelling": lambda w, v: w.client.set_model_version_tag(v.model, f"0{v.number}", "verdict", "NO-GO"),
    "the model called a prompt": lambda w, v: w.client.set_registered_model_tag(v.model, "mlflow.prompt.is_prompt", "true"),
    "a version called a prompt": lambda w, v: w.client.set_model_version_tag(v.model, v.number, "mlflow.prompt.is_prompt", "true"),
    "the model renamed": lambda w, v: w.client.rename_registered_model(v.model, f"{v.model}-renamed"),
    "the model deleted": lambda w, v: w.client.delete_registered_model(v.model),
    "the experiment renamed": lambda w, v: w.client.rename_experiment(v.experiment, f"{v.model}-renamed"),
    "the experiment deleted": lambda w, v: w.client.delete_experiment(v.experiment),
    "the experiment deleted by another spelling": lambda w, v: w.client.delete_experiment(f"0{v.experiment}"),
    "an experiment among its evidence": lambda w, v: w.client.create_experiment(secrets.token_hex(4), f"mlflow-artifacts:/{v.path}/evidence"),
    "an experiment in its run's folder": lambda w, v: w.client.create_experiment(secrets.token_hex(4), f"mlflow-artifacts:{v.run_id}/artifacts"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_was_decided_about_stays_and_what_nobody_decided_about_is_its_builders_to_change(world: World, act: str) -> None:
    assert refused(lambda: ACTS[act](world, world.signed)) == "signed_is_fixed"
    ACTS[act](world, world.free())


@pytest.mark.parametrize("way", ["file://{folder}", "{folder}", ".poc/mlartifacts/{path}", "s3://bucket/{path}"])
def test_an_experiment_has_no_place_of_its_own_signed_or_not(world: World, way: str) -> None:
    for version in (world.signed, world.free()):
        place = way.format(folder=Path.cwd().parent / "server" / ".poc" / "mlartifacts" / version.path, path=version.path)
        assert refused(partial(world.client.create_experiment, secrets.token_hex(4), place)) == "signed_is_fixed"
    world.client.create_experiment(secrets.token_hex(4), f"mlflow-artifacts:/{secrets.token_hex(4)}")


def test_what_is_found_out_afterwards_is_still_logged(world: World) -> None:
    world.client.log_batch(world.signed.run_id, metrics=[Metric("load.served_p99_ms", 3.0, 1, 0)])
    assert world.client.get_run(world.signed.run_id).data.metrics["load.served_p99_ms"] == 3.0


# Aliases


@pytest.mark.parametrize("prefix", ["api", "ajax-api"])
def test_an_alias_by_rest_and_from_the_page_is_refused_with_words_for_the_dialog(world: World, prefix: str) -> None:
    wish = {"name": PROJECT, "alias": "production", "version": world.signed.number}
    status, body = world.send("POST", f"/{prefix}/2.0/mlflow/registered-models/alias", wish)
    said = json.loads(body)
    assert (status, said["error_code"]) == (403, "PERMISSION_DENIED")
    assert said["message"].startswith("Refused: production: nobody has signed as sponsor [not_signed]. To mend it: have it signed")
    assert "production" not in world.client.get_registered_model(PROJECT).aliases


def test_a_version_whose_bytes_are_not_those_that_were_signed_gets_no_stage(world: World) -> None:
    assert refused(lambda: world.client.set_registered_model_alias(PROJECT, "pilot", world.unsigned.number)) == "not_signed"
    assert world.client.get_model_version_by_alias(PROJECT, "pilot").version == world.signed.number


def test_a_stage_is_given_again_to_the_version_that_is_signed_for_it_and_an_alias_that_is_no_stage_to_any(world: World) -> None:
    world.client.set_registered_model_alias(PROJECT, "pilot", world.signed.number)
    world.client.set_registered_model_alias(PROJECT, "champion", world.unsigned.number)
    assert world.client.get_model_version_by_alias(PROJECT, "champion").version == world.unsigned.number


@pytest.mark.parametrize("alias", ["Production", "PILOT", "pi1ot", "pilot-", "sha_dow", "\uff50ilot", "pil\u043et", "prod\u00fcction"])
def test_an_alias_that_passes_for_a_stage_is_refused_even_for_the_version_that_holds_it(world: World, alias: str) -> None:
    assert refused(lambda: world.client.set_registered_model_alias(PROJECT, alias, world.signed.number)) == "alias_variant"


def test_a_stage_is_left_only_with_a_note_of_who_took_it_and_a_note_serves_once(world: World) -> None:
    client, number = world.client, world.signed.number
    leave = lambda: client.delete_registered_model_alias(PROJECT, "shadow")  # noqa: E731
    assert refused(leave) == "alias_removed_without_a_note"
    for note in (
        "{}",
        Demoted(version=world.unsigned.number, by="bo", reason="another", at="now").text(),
        Demoted(version=number, by="bo", reason=" ", at="now").text(),
    ):
        client.set_registered_model_tag(PROJECT, "poc.demoted.shadow", note)
        assert refused(leave) == "alias_removed_without_a_note"
    client.set_registered_model_tag(PROJECT, "poc.demoted.shadow", Demoted(version=number, by="bo", reason="it drifted", at="now").text())
    leave()
    client.set_registered_model_alias(PROJECT, "shadow", number)
    assert refused(leave) == "alias_removed_without_a_note"


def test_mlflows_old_stages_are_closed(world: World) -> None:
    free = world.free()
    assert refused(lambda: world.client.transition_model_version_stage(free.model, free.number, "Production")) == "alias_variant"


# Tags


def the_next(world: World, **changes: Any) -> Entry:
    return followed(held_by_mlflow(PROJECT), facts_of(world.signed.number), stage="production", role="owner", **changes)[-1]


def put(world: World, name: str, value: str) -> Callable[[], Any]:
    return lambda: world.client.set_registered_model_tag(PROJECT, name, value)


def test_the_ledger_takes_no_entry_but_the_next_that_verifies(world: World) -> None:
    name, value = the_next(world).tag
    number = int(name[-4:])
    assert refused(put(world, f"poc.ledger.{number + 1:04}", value)) == "ledger_gap"
    assert refused(put(world, f"poc.ledger.{number}", value)) == "tag_forged"
    assert refused(put(world, f"POC.ledger.{number:04}", value)) == "tag_forged"
    assert refused(put(world, name, "signed, believe me")) == "not_json"
    assert refused(put(world, name, f"{value}\n")) == "tag_forged"
    assert refused(put(world, name, value.replace('"approve"', '"reject"'))) == "signature_invalid"
    assert refused(put(world, *the_next(world, key="bo").tag)) == "key_not_trusted"
    assert refused(put(world, *the_next(world, prev="0" * 64).tag)) == "ledger_broken"
    assert refused(put(world, *the_next(world, project="another").tag)) == "other_project"
    assert name not in world.client.get_registered_model(PROJECT).tags


def test_an_entry_of_the_ledger_is_neither_changed_nor_taken_out_and_sent_twice_it_stays(world: World) -> None:
    name, value = held_by_mlflow(PROJECT)[0].tag
    assert refused(put(world, name, value.replace('"approve"', '"reject"'))) == "ledger_forked"
    assert refused(lambda: world.client.delete_registered_model_tag(PROJECT, name)) == "ledger_truncated"
    put(world, name, value)()
    assert entry_of_tag(name, world.client.get_registered_model(PROJECT).tags[name]) == held_by_mlflow(PROJECT)[0]


def test_nothing_new_brings_a_ledger_or_a_stage_along(world: World) -> None:
    free = world.free()
    assert refused(lambda: world.client.create_registered_model("a-new-one", tags={"poc.ledger.0001": "forged"})) == "tag_forged"
    source = world.client.get_model_version(free.model, free.number).source
    make = lambda tags: world.client.create_model_version(free.model, source, free.run_id, tags=tags)  # noqa: E731
    assert refused(lambda: make({"poc.stage.production": "{}"})) == "tag_forged"
    make({"verdict": "GO"})
    world.client.create_registered_model("a-new-one", tags={"team": "ours"})


def test_only_the_version_that_holds_a_stage_says_so_and_keeps_saying_so(world: World) -> None:
    client, signed, unsigned = world.client, world.signed.number, world.unsigned.number
    assert refused(lambda: client.set_model_version_tag(PROJECT, unsigned, "poc.stage.pilot", "{}")) == "tag_forged"
    assert refused(lambda: client.set_model_version_tag(PROJECT, signed, "poc.stage.production", "{}")) == "tag_forged"
    assert refused(lambda: client.delete_model_version_tag(PROJECT, signed, "poc.stage.pilot")) == "tag_forged"
    client.set_model_version_tag(PROJECT, signed, "poc.stage.pilot", '{"by":"ann"}')
    client.set_model_version_tag(PROJECT, signed, "note", "for whoever reads")


def test_the_way_to_the_sign_off_page_is_no_text_that_could_be_edited_away(world: World) -> None:
    client, number = world.client, world.signed.number
    client.update_model_version(PROJECT, number, "nothing to see here")
    shown = client.get_model_version(PROJECT, number).description
    client.update_model_version(PROJECT, number, shown)
    assert client.get_model_version(PROJECT, number).description == shown
    assert shown.startswith("nothing to see here") and shown.count(f"/signoff/{PROJECT}/{number}") == 1


# Artifacts


SPELLED = {
    "as it is": "/api/2.0/mlflow-artifacts/artifacts/{path}/{file}",
    "from the page": "/ajax-api/2.0/mlflow-artifacts/artifacts/{path}/{file}",
    "in another case": "/api/2.0/mlflow-artifacts/artifacts/{PATH}/{FILE}",
    "with a slash behind": "/api/2.0/mlflow-artifacts/artifacts/{path}/{file}/",
    "with two slashes": "/api/2.0/mlflow-artifacts/artifacts/{path}//{file}",
    "with a dot": "/api/2.0/mlflow-artifacts/artifacts/{path}/./{file}",
    "around a corner": "/api/2.0/mlflow-artifacts/artifacts/{path}/signoffs/../{file}",
    "around a coded corner": "/api/2.0/mlflow-artifacts/artifacts/{path}/signoffs/%2e%2e/{file}",
    "around a corner coded twice": "/api/2.0/mlflow-artifacts/artifacts/{path}/signoffs/%252E%252e/{file}",
    "coded": "/api/2.0/mlflow-artifacts/artifacts/{path}/{coded}",
    "coded three times": "/api/2.0/mlflow-artifacts/artifacts/{path}/{coded3}",
    "with a tab in the run": "/api/2.0/mlflow-artifacts/artifacts/{tabbed}/{file}",
    "with a tab in the run coded twice": "/api/2.0/mlflow-artifacts/artifacts/{tabbed2}/{file}",
    "as a file": "/api/2.0/mlflow-artifacts/artifacts/file:{path}/{file}",
    "with the other slash": "/api/2.0/mlflow-artifacts/artifacts/{path}\\{file}",
}


def spelled(spelling: str, version: Version, file: str) -> str:
    coded = "".join(f"%{ord(letter):02x}" for letter in file)
    path, tabbed = SPELLED[spelling], f"{version.path[:12]}%09{version.path[12:]}"
    return path.format(
        tabbed=tabbed,
        tabbed2=tabbed.replace("%", "%25"),
        path=version.path,
        PATH=version.path.upper(),
        file=file,
        FILE=file.upper(),
        coded=coded,
        coded3=coded.replace("%", "%2525"),
    )


@pytest.mark.parametrize("spelling", SPELLED)
def test_signed_artifacts_are_neither_written_nor_removed_however_their_path_is_spelled(world: World, spelling: str) -> None:
    before = facts_of(world.signed.number)
    for file in ("model/model.onnx", "evidence/gate/verdict.json", "evidence/more.json", "stages/pilot/more.csv", "notes.txt"):
        for method in ("PUT", "DELETE"):
            status, body = world.send(method, spelled(spelling, world.signed, file), b"another")
            assert (status, code_in(json.loads(body)["message"])) in [(403, "signed_is_fixed"), (403, "strange_file")]
    assert facts_of(world.signed.number) == before


@pytest.mark.parametrize("spelling", ["as it is", "from the page", "coded", "coded three times"])
def test_artifacts_that_nobody_signed_are_written_and_removed(world: World, spelling: str) -> None:
    path = spelled(spelling, world.free(), "evidence/gate/verdict.json")
    assert [world.send(method, path, b"another")[0] for method in ("PUT", "DELETE")] == [200, 200]


@pytest.mark.parametrize("above", ["", "1", "{experiment}", "{experiment}/{run}", "{experiment}/{run}/artifacts", "{experiment}/{run}/artifacts/evidence"])
def test_no_folder_is_removed_that_holds_what_was_signed(world: World, above: str) -> None:
    before = facts_of(world.signed.number)
    path = above.format(experiment=world.signed.experiment, run=world.signed.run_id)
    status, _ = world.send("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{path}")
    assert (status, facts_of(world.signed.number)) == (403, before)


def test_copies_of_decisions_later_findings_and_the_next_stages_evidence_are_still_logged(world: World) -> None:
    root = f"/api/2.0/mlflow-artifacts/artifacts/{world.signed.path}"
    assert [world.send("PUT", f"{root}/{file}", b"{}")[0] for file in ("signoffs/0001.json", "afterwards/load/load.json", "stages/production/a.csv")] == [
        200
    ] * 3
    assert world.send("PUT", f"{root}/signoffs", b"{}")[0] == 403


@pytest.mark.parametrize("more", ["", "&run_uuid={unsigned}", "&path=notes.txt"])
def test_the_browsers_own_upload_is_guarded_too(world: World, more: str) -> None:
    more = more.format(unsigned=world.unsigned.run_id)
    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={world.signed.run_id}&path=evidence%2Fgate%2Fverdict.json{more}"
    assert world.send("POST", path, b"another")[0] == 403
    assert world.send("POST", path.replace(world.signed.run_id, world.free().run_id).replace(more, ""), b"another")[0] == 200


def test_uploads_that_pass_the_server_by_are_closed(world: World) -> None:
    asked = {"run_id": world.unsigned.run_id, "path": "evidence/x"}
    assert world.send("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", asked)[0] == 403
    assert world.send("POST", f"/api/2.0/mlflow-artifacts/mpu/create/{world.unsigned.path}/evidence", {"path": "x", "num_parts": 1})[0] == 403


# Pages


def test_the_assistant_is_closed(world: World) -> None:
    assert world.send("GET", "/ajax-api/3.0/mlflow/assistant/config")[0] == 404


def test_mlflows_page_opens_for_training_models_and_what_is_downloaded_is_what_was_logged(world: World) -> None:
    page = b"<html><head><title>a report</title></head></html>"
    free = world.free()
    path = f"/api/2.0/mlflow-artifacts/artifacts/{free.path}/report.html"
    assert world.send("PUT", path, page)[0] == 200
    assert world.send("GET", path)[1].encode() == page
    status, index = world.send("GET", "/", headers={"If-None-Match": "*", "Range": "bytes=0-10"})
    assert (status, index.count('"mlflow.workflowType_v1"'), index.count("</html>")) == (200, 1, 1)


def test_a_page_elsewhere_cannot_send_a_change(world: World) -> None:
    wish = {"name": PROJECT, "alias": "champion", "version": "1"}
    assert world.send("POST", "/api/2.0/mlflow/registered-models/alias", wish, {"Origin": "https://elsewhere.example"})[0] == 403


# Whom it believes


def test_without_trust_files_the_server_starts_says_so_and_gives_no_stage(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_guarded_server(tmp_path / "server", empty_database, None) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        client = connect()
        version = a_version(client, PROJECT)
        assert refused(lambda: client.set_registered_model_alias(PROJECT, "shadow", version.number)) == "trust_not_configured"
        client.set_registered_model_alias(PROJECT, "champion", version.number)
    assert "no version will get a stage here" in (tmp_path / "server/server.log").read_text()


def test_a_key_that_is_revoked_while_the_server_runs_gives_no_stage_from_then_on(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust, repository = a_trust_folder(tmp_path / "trust"), tmp_path / "repository"
    (repository / layout.STATE).mkdir(parents=True)
    (repository / layout.CHARTER).write_bytes(CHARTER)
    monkeypatch.chdir(repository)
    with a_guarded_server(tmp_path / "server", empty_database, trust) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        client, number = connect(), a_registered_version(repository)
        push(PROJECT, a_ledger(facts_of(number), until="shadow"))
        client.set_registered_model_alias(PROJECT, "shadow", number)
        a_trust_folder(trust, revoked=["olga"])
        assert refused(lambda: client.set_registered_model_alias(PROJECT, "shadow", number)) == "key_revoked"


def test_stores_without_the_guard_do_not_start_behind_its_routes(tmp_path: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, tmp_path / "plain.db")
    code = "from poc.acts.guarded_server import create_app; create_app()"
    settings = {"_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{tmp_path}/plain.db", "_MLFLOW_SGI_NAME": "uvicorn", "PYTHONPATH": installed_in(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert (done.returncode, "nothing would guard runs, the registry" in done.stderr) == (1, True)


def test_of_two_entries_that_come_at_once_over_postgresql_one_stays_and_the_other_is_told(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust, repository = a_trust_folder(tmp_path / "trust"), tmp_path / "repository"
    (repository / layout.STATE).mkdir(parents=True)
    monkeypatch.chdir(repository)
    with a_postgres() as database, a_guarded_server(tmp_path / "server", empty_database, trust, database=database) as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        client, number = connect(), a_registered_version(repository)
        before = a_ledger(facts_of(number), until="charter")
        push(PROJECT, before)
        both = [followed(before, facts_of(number), stage="shadow", role="owner", reason=f"thread {i}")[-1].tag for i in range(8)]
        with ThreadPoolExecutor(len(both)) as pool:
            answers = list(pool.map(lambda tag: sent(client, *tag), both))
        assert sorted(answers) == ["", *["ledger_forked"] * (len(both) - 1)]
        assert held_by_mlflow(PROJECT)[-1].tag == both[answers.index("")]


def sent(client: MlflowClient, name: str, value: str) -> str:
    """Send an entry; return the reason code of a refusal."""
    try:
        client.set_registered_model_tag(PROJECT, name, value)
    except MlflowException as error:
        return code_in(error.message)
    return ""


def test_what_the_guard_says_to_an_upload_reaches_the_command_line_in_its_words(world: World, tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("day,agreed\n")
    with pytest.raises(NotSignedOff, match="belongs to what was decided about") as caught:
        log_stage_evidence(world.signed.run_id, "shadow", [tmp_path / "report.csv"])
    assert caught.value.code == "signed_is_fixed"
