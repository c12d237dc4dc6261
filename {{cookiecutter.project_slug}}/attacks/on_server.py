"""Attacks on the guarded MLflow server: whoever can reach it moves aliases, rewrites tags, and changes or deletes what was signed."""

from __future__ import annotations

from typing import Any

from attack import Attack
from server import by_client, by_request, held
from worlds import BAD, GOOD, OTHER, PROJECT, UNPROVEN, World, at

from poc.rules.signoff import NAMESPACE, Reason, canonical, next_link
from poc.rules.signoff.guarded import PROMPT_TAG
from poc.rules.signoff.moves import DEMOTED_TAG, STAGE_TAG, Demoted
from poc.tools import ssh

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
ALIAS = "mlflow/registered-models/alias"


def _aiming(world: World, aim: Any) -> None:
    world.aim = aim


def _alias(version: str) -> dict[str, str]:
    return {"name": PROJECT, "alias": "production", "version": version}


def _next(world: World, *, key: str = "olga") -> tuple[str, str]:
    """Sign what would be the next entry of the ledger in MLflow, about a version that nobody asks for."""
    number, before = next_link(held(world))
    content = canonical(world.statement("shadow", "olga", "owner", version=OTHER, seq=number, prev=before))
    return f"poc.ledger.{number:04d}", f"{content.decode()}\n{ssh.sign(content, key=world.key(key), namespace=NAMESPACE).decode()}"


def _append(client: Any, world: World, key: str) -> None:
    client.set_registered_model_tag(PROJECT, *_next(world, key=key))


def _append_with(client: Any, world: World, more: str) -> None:
    name, value = _next(world)
    client.set_registered_model_tag(PROJECT, name, value + more)


def _write_over(client: Any, world: World, decision: str) -> None:
    name, value = held(world)[0].tag
    client.set_registered_model_tag(PROJECT, name, value.replace('"approve"', f'"{decision}"'))


def _take_tag(client: Any, world: World, name: str) -> None:
    client.set_registered_model_tag(PROJECT, "note", "for whoever reads")
    client.delete_registered_model_tag(PROJECT, name)


def _take_tag_of_version(client: Any, world: World, name: str) -> None:
    client.set_model_version_tag(PROJECT, GOOD, "note", "for whoever reads")
    client.delete_model_version_tag(PROJECT, GOOD, name)


def _take_alias(client: Any, world: World, alias: str) -> None:
    client.set_registered_model_alias(PROJECT, "champion", GOOD)
    client.delete_registered_model_alias(PROJECT, alias)


def _leave_with_a_note(client: Any, _: World, days: float) -> None:
    note = Demoted(version=GOOD, by="bo@example.com", reason="it drifts", at=at(days=days))
    client.set_registered_model_tag(PROJECT, f"{DEMOTED_TAG}shadow", note.text())
    client.delete_registered_model_alias(PROJECT, "shadow")


def _run(world: World, version: str) -> str:
    return str(world.versions[version]["run_id"])


def _store(world: World, version: str, *names: str) -> str:
    """Say where something of a version's run lies in the store."""
    return "/".join([ARTIFACTS, "1", _run(world, version), "artifacts", *names])


#: What MLflow asks to be told of an upload in parts.
_PARTS = {"path": "notes", "num_parts": 1}


def _coded(text: str) -> str:
    return "".join(f"%{ord(letter):02x}" for letter in text)


ATTACKS = (
    Attack(name="alias by hand over the client", lay=_aiming, control=GOOD, attack=OTHER,
           through=by_client(lambda client, _, version: client.set_registered_model_alias(PROJECT, "production", version)),
           reason=Reason.NOT_SIGNED, guard="alias_is_vouched_for", begins="served"),
    Attack(name="alias by hand over REST", lay=_aiming, control=GOOD, attack=OTHER,
           through=by_request(lambda _, version: ("POST", f"/api/2.0/{ALIAS}", _alias(version))),
           reason=Reason.NOT_SIGNED, guard="alias_is_vouched_for", begins="served"),
    Attack(name="alias by hand in MLflow's pages", lay=_aiming, control=GOOD, attack=OTHER,
           through=by_request(lambda _, version: ("POST", f"/ajax-api/2.0/{ALIAS}", _alias(version)), as_page=True),
           reason=Reason.NOT_SIGNED, guard="alias_is_vouched_for", begins="served"),
    Attack(name="server: a holder's alias moved to another version", lay=_aiming, control=GOOD, attack=OTHER,
           through=by_client(lambda client, _, version: client.set_registered_model_alias(PROJECT, "pilot", version)),
           reason=Reason.NOT_SIGNED, guard="alias_is_vouched_for", begins="served"),
    *(Attack(name=f"alias variant, {how}", lay=_aiming, control="champion", attack=alias,
             through=by_client(lambda client, _, alias: client.set_registered_model_alias(PROJECT, alias, GOOD)),
             reason=Reason.ALIAS_VARIANT, guard="alias_is_written_plainly", begins="served")
      for how, alias in (("in capitals", "PRODUCTION"), ("with a figure for a letter", "pr0duction"), ("with a hyphen", "pilot-"),
                         ("with a letter of another alphabet", "pil\u043et"))),
    Attack(name="alias removed without a note", lay=_aiming, control="champion", attack="pilot",
           through=by_client(_take_alias), reason=Reason.ALIAS_REMOVED_WITHOUT_A_NOTE, guard="demotion_is_noted", begins="served"),
    Attack(name="MLflow's own stages, past the aliases", lay=_aiming, control="set-tag", attack="transition-stage",
           through=by_request(lambda _, way: ("POST", f"/api/2.0/mlflow/model-versions/{way}", {
               "name": PROJECT, "version": BAD, "stage": "Production", "archive_existing_versions": False, "key": "stage", "value": "Production"})),
           reason=Reason.ALIAS_VARIANT, guard="stages_are_aliases", begins="served"),
    Attack(name="ledger's tag written over", lay=_aiming, control="approve", attack="reject",
           through=by_client(_write_over), reason=Reason.LEDGER_FORKED, guard="entry_is_next", begins="served"),
    Attack(name="forged tag: an entry that a stranger signed", lay=_aiming, control="olga", attack="eve",
           through=by_client(_append), reason=Reason.KEY_NOT_TRUSTED, guard="entry_is_next", begins="served"),
    Attack(name="forged tag: an entry with something behind its end", lay=_aiming, control="", attack="\n",
           through=by_client(_append_with), reason=Reason.TAG_FORGED, guard="entry_is_whole", begins="served"),
    Attack(name="ledger's tag taken away", lay=_aiming, control="note", attack="poc.ledger.0007",
           through=by_client(_take_tag), reason=Reason.LEDGER_TRUNCATED, guard="ledger_only_grows", begins="served"),
    Attack(name="a new model that brings a ledger along", lay=_aiming, control="team", attack="poc.ledger.0001",
           through=by_client(lambda client, _, tag: client.create_registered_model(f"new-by-{tag}", tags={tag: "ours"})),
           reason=Reason.TAG_FORGED, guard="nothing_is_claimed", begins="served"),
    Attack(name="forged tag: server, a version says that it holds a stage", lay=_aiming, control="note", attack=f"{STAGE_TAG}production",
           through=by_client(lambda client, _, tag: client.set_model_version_tag(PROJECT, OTHER, tag, "{}")),
           reason=Reason.TAG_FORGED, guard="only_a_holder_says_so", begins="served"),
    Attack(name="a holder's tag taken away", lay=_aiming, control="note", attack=f"{STAGE_TAG}pilot",
           through=by_client(_take_tag_of_version), reason=Reason.TAG_FORGED, guard="a_holder_keeps_saying_so", begins="served"),
    Attack(name="verdict of a signed version written over", lay=_aiming, control="note", attack="verdict",
           through=by_client(lambda client, _, tag: client.set_model_version_tag(PROJECT, GOOD, tag, "GO")),
           reason=Reason.SIGNED_IS_FIXED, guard="tag_is_free", begins="served"),
    Attack(name="figure appended to a signed run", lay=_aiming, control="load.p99_ms", attack="missed_share",
           through=by_client(lambda client, world, name: client.log_metric(_run(world, GOOD), name, 0.001)),
           reason=Reason.SIGNED_IS_FIXED, guard="metrics_came_afterwards", begins="served"),
    Attack(name="who trained a signed version, rewritten", lay=_aiming, control=UNPROVEN, attack=GOOD,
           through=by_client(lambda client, world, version: client.set_tag(_run(world, version), "poc.trained_by", "al@example.com")),
           reason=Reason.SIGNED_IS_FIXED, guard="is_undecided", begins="served"),
    Attack(name="logged model of a signed run deleted", lay=_aiming, control=BAD, attack=GOOD,
           through=by_client(lambda client, world, version: client.delete_logged_model(world.versions[version]["logged_model"])),
           reason=Reason.SIGNED_IS_FIXED, guard="is_undecided", begins="served"),
    Attack(name="signed version deleted", lay=_aiming, control=BAD, attack=GOOD,
           through=by_client(lambda client, _, version: client.delete_model_version(PROJECT, version)),
           reason=Reason.SIGNED_IS_FIXED, guard="is_undecided", begins="served"),
    Attack(name="signed run deleted", lay=_aiming, control=BAD, attack=GOOD,
           through=by_client(lambda client, world, version: client.delete_run(_run(world, version))),
           reason=Reason.SIGNED_IS_FIXED, guard="is_undecided", begins="served"),
    Attack(name="signed model overwritten", lay=_aiming, control="afterwards/model.onnx", attack="model/model.onnx",
           through=by_request(lambda world, path: ("PUT", _store(world, GOOD, path), b"another")),
           reason=Reason.SIGNED_IS_FIXED, guard="artifact_is_free", begins="served"),
    Attack(name="signed model overwritten, its path coded", lay=_aiming, control=UNPROVEN, attack=GOOD,
           through=by_request(lambda world, version: ("PUT", _store(world, version, _coded("model"), _coded("model.onnx")), b"another")),
           reason=Reason.SIGNED_IS_FIXED, guard="artifact_is_free", begins="served"),
    Attack(name="signed model overwritten around a coded corner", lay=_aiming, control="", attack="%252e%252e/",
           through=by_request(lambda world, corner: ("PUT", _store(world, UNPROVEN, f"{corner}{_run(world, UNPROVEN)}/model.onnx"), b"another")),
           reason=Reason.STRANGE_FILE, guard="path_leads_down", begins="served"),
    Attack(name="the whole folder of artifacts removed", lay=_aiming, control=UNPROVEN, attack="",
           through=by_request(lambda world, version: ("DELETE", _store(world, version) if version else f"{ARTIFACTS}/1", b"")),
           reason=Reason.SIGNED_IS_FIXED, guard="removal_names_a_run", begins="served"),
    Attack(name="an experiment with a folder of its own, past the guard", lay=_aiming, control="mlflow-artifacts:/own", attack="",
           through=by_client(lambda client, world, root: client.create_experiment("beside", f"{root or world.root}/beside")),
           reason=Reason.SIGNED_IS_FIXED, guard="artifacts_go_through_the_server", begins="served"),
    Attack(name="an upload that passes the server by", lay=_aiming, control="artifacts", attack="mpu/create",
           through=by_request(lambda world, way: (
               "POST" if "mpu" in way else "PUT", f"/api/2.0/mlflow-artifacts/{way}/1/{_run(world, UNPROVEN)}/artifacts/notes", _PARTS)),
           reason=Reason.SIGNED_IS_FIXED, guard="upload_can_be_seen", begins="served"),
    Attack(name="signed version called a prompt, which MLflow leaves out", lay=_aiming, control="note", attack=PROMPT_TAG,
           through=by_client(lambda client, _, tag: client.set_model_version_tag(PROJECT, GOOD, tag, "true")),
           reason=Reason.SIGNED_IS_FIXED, guard="stays_a_model", begins="served"),
    Attack(name="alias removed with the note of an earlier demotion", lay=_aiming, control=1, attack=-1,
           through=by_client(_leave_with_a_note), reason=Reason.ALIAS_REMOVED_WITHOUT_A_NOTE, guard="demotion_is_noted", begins="served"),
)  # fmt: skip
