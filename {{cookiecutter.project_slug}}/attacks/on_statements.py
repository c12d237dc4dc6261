"""Attacks on the statement and its form: another stage, project or time than it is used for, and JSON that says two things at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attack import Attack
from programs import promote
from worlds import GOOD, OTHER, PROJECT, UNPROVEN, World, at

from poc.rules.signoff import NAMESPACE, Reason, canonical
from poc.tools import ssh

TO_PRODUCTION = promote("production")


def _saying(name: str) -> Callable[[World, Any], None]:
    """Sign the last decision once more, with another value of one field."""

    def lay(world: World, value: Any) -> None:
        world.sign(**{name: value})

    return lay


def _for_the_stage(world: World, stage: str) -> None:
    """Take production's decisions away, and let the last of them be about a stage."""
    world.forget(2)
    world.sign("production", "sam", "sponsor")
    world.sign(stage)


def _with_its_stage_rewritten(world: World, stage: str) -> None:
    """Sign about one stage, and write another into the statement that lies there."""
    world.forget(1)
    content = canonical(world.statement(stage))
    world.append(content.replace(f'"stage":"{stage}"'.encode(), b'"stage":"production"'), ssh.sign(content, key=world.key("rae"), namespace=NAMESPACE))


def _for_the_version(world: World, version: str) -> None:
    """Sign every stage for a version, and ask for another one."""
    world.version = OTHER
    for stage, signers in (("shadow", ("olga",)), ("pilot", ("olga", "rae")), ("production", ("sam", "rae"))):
        for person in signers:
            world.sign(stage, person, {"olga": "owner", "rae": "risk", "sam": "sponsor"}[person], version=version)


def _as_bytes(world: World, change: Callable[[bytes], bytes]) -> None:
    """Sign the last decision once more, its bytes changed before they are signed."""
    world.sign_bytes(change(canonical(world.statement())))


def _as_a_record(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    """Sign the last decision once more, changed before it is signed."""
    said = world.statement()
    change(said)
    world.sign_record(said)


def _plain(content: bytes) -> bytes:
    return content


def _with_shown(world: World, look: str) -> None:
    shown = [[name, look if name == "look" and look else value] for name, value in world.versions[GOOD]["shown"]]
    world.sign(shown=shown)


def _and_then(world: World, decision: str) -> None:
    """Let the one who signed last decide again; both decisions stay in the ledger."""
    world.sign(decision=decision, reason="the data drifted" if decision == "reject" else "")


def _rejected_then_replayed(world: World, keeps_the_no: bool) -> None:
    """Decide no, or not, and lay the old yes behind it, as it was signed."""
    old = world.entries()[-1]
    if keeps_the_no:
        world.sign(decision="reject", reason="the data drifted")
        world.append(old.statement, old.signature)


def _named_twice(said: dict[str, Any]) -> None:
    said["subject"] = [*said["subject"], said["subject"][0]]


def _without_model(said: dict[str, Any]) -> None:
    said["subject"] = [each for each in said["subject"] if each["name"] != "model"]


def _same(said: dict[str, Any]) -> None:
    del said


BUILDERS = ["bo@example.com", "al@example.com"]

ATTACKS = (
    Attack(name="replay over the stage: pilot's decision for production", lay=_for_the_stage, control="production", attack="pilot",
           through=TO_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="stage rewritten in a signed statement", lay=_with_its_stage_rewritten, control="production", attack="pilot",
           through=TO_PRODUCTION, reason=Reason.SIGNATURE_INVALID, guard="ssh_agrees"),
    Attack(name="replay over the project", lay=_saying("project"), control=PROJECT, attack="stop-bad-paint",
           through=TO_PRODUCTION, reason=Reason.OTHER_PROJECT, guard="project_is_ours"),
    Attack(name="replay over the registered model", lay=_saying("model"), control=PROJECT, attack="stop-bad-paint",
           through=TO_PRODUCTION, reason=Reason.OTHER_PROJECT, guard="project_is_ours"),
    Attack(name="replay over the charter's version", lay=_saying("charter_version"), control=1, attack=2,
           through=TO_PRODUCTION, reason=Reason.OTHER_CHARTER_VERSION, guard="charter_is_the_same"),
    Attack(name="replay over the version: every stage signed for another one", lay=_for_the_version, control=OTHER, attack=UNPROVEN,
           through=TO_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="expired", lay=lambda world, minutes: world.sign(issued_at=at(minutes=-4), expires_at=at(minutes=minutes)), control=60, attack=-1,
           through=TO_PRODUCTION, reason=Reason.EXPIRED, guard="is_in_time"),
    Attack(name="signed in the future", lay=lambda world, days: world.sign(issued_at=at(days=days), expires_at=at(days=60)), control=0, attack=3,
           through=TO_PRODUCTION, reason=Reason.SIGNED_IN_THE_FUTURE, guard="is_in_time"),
    Attack(name="valid for longer than the charter allows", lay=_saying("expires_at"), control=at(days=179), attack=at(days=3650),
           through=TO_PRODUCTION, reason=Reason.VALID_TOO_LONG, guard="is_not_for_ever"),
    Attack(name="time without a zone", lay=_saying("expires_at"), control=at(days=30), attack=at(days=30).removesuffix("Z"),
           through=TO_PRODUCTION, reason=Reason.TIME_FORM, guard="moments_are_read"),
    Attack(name="numbers shown unlike the evidence", lay=_with_shown, control="", attack="1 of 1",
           through=TO_PRODUCTION, reason=Reason.NUMBERS_DIFFER, guard="numbers_are_the_same"),
    Attack(name="rejected", lay=_and_then, control="approve", attack="reject",
           through=TO_PRODUCTION, reason=Reason.REJECTED, guard="is_approved"),
    Attack(name="a stage before it rejected since", lay=lambda world, said: world.sign("pilot", "rae", "risk", decision=said, reason="it drifted"),
           control="approve", attack="reject", through=TO_PRODUCTION, reason=Reason.REJECTED, guard="nothing_was_taken_back"),
    Attack(name="old approval laid behind a rejection", lay=_rejected_then_replayed, control=False, attack=True,
           through=TO_PRODUCTION, reason=Reason.LEDGER_BROKEN, guard="chain_holds"),
    Attack(name="emptied builder list", lay=_saying("builders"), control=["bo@example.com"], attack=[],
           through=TO_PRODUCTION, reason=Reason.BUILDERS_DIFFER, guard="builders_are_named"),
    Attack(name="duplicate key", lay=_as_bytes, control=_plain, attack=lambda content: content.replace(b'"decision"', b'"decision":"reject","decision"'),
           through=TO_PRODUCTION, reason=Reason.DUPLICATE_KEY, guard="is_canonical"),
    Attack(name="float", lay=_as_a_record, control=_same, attack=lambda said: said["predicate"].update(charter_version=1.0),
           through=TO_PRODUCTION, reason=Reason.NUMBER_FORM, guard="is_canonical"),
    Attack(name="re-serialised with blanks", lay=_as_bytes, control=_plain,
           attack=lambda content: json.dumps(json.loads(content), sort_keys=True).encode(),
           through=TO_PRODUCTION, reason=Reason.NOT_CANONICAL, guard="is_canonical"),
    Attack(name="letters beyond ASCII as they are", lay=_as_bytes, control=_plain,
           attack=lambda content: content.replace(b'"reason":""', '"reason":"\u00e4"'.encode()),
           through=TO_PRODUCTION, reason=Reason.NOT_CANONICAL, guard="is_canonical"),
    Attack(name="empty statement", lay=_as_bytes, control=_plain, attack=lambda content: content[:0],
           through=TO_PRODUCTION, reason=Reason.NOT_JSON, guard="is_canonical"),
    Attack(name="a list in place of a statement", lay=_as_bytes, control=_plain, attack=lambda content: b"[" + content + b"]",
           through=TO_PRODUCTION, reason=Reason.NOT_JSON, guard="is_canonical"),
    Attack(name="unknown field", lay=_as_a_record, control=_same, attack=lambda said: said["predicate"].update(waives="all gates"),
           through=TO_PRODUCTION, reason=Reason.FIELD_UNKNOWN, guard="fields_are_right"),
    Attack(name="missing field", lay=_as_a_record, control=_same, attack=lambda said: said["predicate"].pop("expires_at"),
           through=TO_PRODUCTION, reason=Reason.FIELD_MISSING, guard="fields_are_right"),
    Attack(name="a decision that is neither yes nor no", lay=_saying("decision"), control="approve", attack="approve_once",
           through=TO_PRODUCTION, reason=Reason.FIELD_INVALID, guard="fields_are_right"),
    Attack(name="wrong predicate type", lay=_as_a_record, control=_same, attack=lambda said: said.update(predicateType="https://slsa.dev/provenance/v1"),
           through=TO_PRODUCTION, reason=Reason.WRONG_TYPE, guard="fields_are_right"),
    Attack(name="wrong type of statement", lay=_as_a_record, control=_same, attack=lambda said: said.update(_type="https://in-toto.io/Statement/v0.1"),
           through=TO_PRODUCTION, reason=Reason.WRONG_TYPE, guard="fields_are_right"),
    Attack(name="no type of statement, which a reader might take for granted", lay=_as_a_record, control=_same, attack=lambda said: said.pop("_type"),
           through=TO_PRODUCTION, reason=Reason.WRONG_TYPE, guard="type_is_written"),
    Attack(name="a version that is left open", lay=_saying("model_version"), control=GOOD, attack="",
           through=TO_PRODUCTION, reason=Reason.FIELD_INVALID, guard="version_fits_stage"),
    Attack(name="homoglyph: a signer's address with a letter of another alphabet", lay=_saying("signer"), control="rae@example.com",
           attack="r\u0430e@example.com",
           through=TO_PRODUCTION, reason=Reason.NOT_ASCII, guard="fields_are_right"),
    Attack(name="too long for MLflow's tag, which would cut it", lay=_saying("builders"), control=BUILDERS,
           attack=[*BUILDERS, *(f"{'x' * 100}{number}@example.com" for number in range(30))],
           through=TO_PRODUCTION, reason=Reason.TOO_LONG, guard="is_short_enough"),
    Attack(name="a subject named twice", lay=_as_a_record, control=_same, attack=_named_twice,
           through=TO_PRODUCTION, reason=Reason.FIELD_INVALID, guard="subjects_stand_once"),
    Attack(name="the model not among the subjects", lay=_as_a_record, control=_same, attack=_without_model,
           through=TO_PRODUCTION, reason=Reason.FIELD_INVALID, guard="subjects_stand_once"),
)  # fmt: skip
