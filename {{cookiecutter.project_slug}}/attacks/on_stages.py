"""Attacks on the stages: verdicts that do not suffice, stages left out, and aliases and tags written past every program."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from attack import Attack
from programs import ask_verifier, called, poc, promote, promoted_while, serve, verify
from worlds import BAD, GOOD, OTHER, PROJECT, UNPROVEN, World, at

from poc import layout
from poc.rules.signoff import Reason
from poc.rules.signoff.moves import DEMOTED_TAG, STAGE_TAG, Demoted

TO_PRODUCTION, TO_PILOT, TO_SHADOW = promote("production"), promote("pilot"), promote("shadow")
FROM_PRODUCTION = serve("--stage", "production")
ROLE = {"sam": "sponsor", "olga": "owner", "rae": "risk"}
SIGNERS = (("shadow", ("olga",)), ("pilot", ("olga", "rae")), ("production", ("sam", "rae")))


def _signed_through(world: World, version: str, *, without: str = "") -> None:
    """Sign every stage for a version, and ask for that one."""
    world.version = version
    for stage, signers in SIGNERS:
        for person in signers if stage != without else ():
            world.sign(stage, person, ROLE[person], version=version)


def _all_but(world: World, stage: str) -> None:
    _signed_through(world, OTHER, without=stage)


def _one_of_two(world: World, count: int) -> None:
    """Sign every stage but production for a version, which only some of those sign who have to."""
    _signed_through(world, OTHER, without="production")
    for person in ("sam", "rae")[:count]:
        world.sign("production", person, ROLE[person], version=OTHER)


def _charter_signed(world: World, days: float) -> None:
    """Start the ledger anew in both of its copies, the charter signed so many days from now, and everything else after it."""
    client = world.client()
    for name in client.get_registered_model(PROJECT).tags:
        client.delete_registered_model_tag(PROJECT, name)
    world.forget(len(world.entries()))
    for person in ("sam", "olga"):
        world.sign("charter", person, ROLE[person], issued_at=at(days=days, minutes=2))
    for stage, signers in SIGNERS:
        for person in signers:
            world.sign(stage, person, ROLE[person], issued_at=at(minutes=2))


def _same(content: bytes) -> bytes:
    return content


def _charter_here(world: World, change: Callable[[bytes], bytes]) -> None:
    """Change the charter in the repository, and leave its version."""
    path = world.root / layout.CHARTER
    path.write_bytes(change(path.read_bytes()))


def _held_by(world: World, version: str) -> None:
    """Let a version hold production that was put there in the meantime."""
    _signed_through(world, OTHER)
    world.version = GOOD
    with world.entered():
        assert not called("promote", "production", "--version", version).reasons


def _in_the_database(world: World, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(world.database)) as database:
        assert database.execute(statement, values).rowcount
        database.commit()


def _alias_written(world: World, alias: str) -> None:
    """Write an alias of a version that nobody signed into MLflow's database."""
    _in_the_database(world, "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, ?, ?)", PROJECT, alias, OTHER)


def _pointing_elsewhere(column: str) -> Callable[[World, str], None]:
    """Let the version's row in the database name another version's run or model."""

    def lay(world: World, version: str) -> None:
        value = str(world.versions[version]["run_id"]) if column == "run_id" else (world.artifacts(version) / "model").as_uri()
        _in_the_database(world, f"UPDATE model_versions SET {column} = ? WHERE name = ? AND version = ?", value, PROJECT, GOOD)

    return lay


def _alias_moved(world: World, alias: str) -> None:
    """Move one alias in the database to a version that nobody signed."""
    with world.entered():
        world.client().set_registered_model_alias(PROJECT, "champion", GOOD)
    _in_the_database(world, "UPDATE registered_model_aliases SET version = ? WHERE name = ? AND alias = ?", OTHER, PROJECT, alias)


def _alias_gone(world: World, alias: str) -> None:
    """Take one alias out of the database."""
    with world.entered():
        world.client().set_registered_model_alias(PROJECT, "champion", GOOD)
    _in_the_database(world, "DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?", PROJECT, alias)


def _gone_with_a_note(world: World, days: float) -> None:
    """Take production's alias out of the database, where a note says that it was taken off so many days from now."""
    with world.entered():
        note = Demoted(version=GOOD, by="bo@example.com", reason="it drifts", at=at(days=days))
        world.client().set_registered_model_tag(PROJECT, f"{DEMOTED_TAG}production", note.text())
    _alias_gone(world, "production")


def _tagged(world: World, tag: str) -> None:
    """Tag a version that nobody promoted."""
    with world.entered():
        world.client().set_model_version_tag(PROJECT, OTHER, tag, "signed by the sponsor")


def _holder_says(world: World, signer: str) -> None:
    """Let the holder name another signer."""
    with world.entered():
        client = world.client()
        said = client.get_model_version(PROJECT, GOOD).tags[f"{STAGE_TAG}production"]
        client.set_model_version_tag(PROJECT, GOOD, f"{STAGE_TAG}production", said.replace("rae@example.com", signer))


def _lost(world: World, name: str) -> None:
    """Lose a file of the run."""
    (world.artifacts() / name).unlink()


def _changed(world: World, name: str) -> None:
    """Change a file of the run."""
    path = world.artifacts() / name
    path.write_bytes(path.read_bytes() + b" ")


def _rejected_afterwards(world: World, version: str) -> None:
    """Promote another version, and let the sponsor take one of them back."""
    _signed_through(world, OTHER)
    with world.entered():
        assert not called("promote", "production", "--version", OTHER).reasons
    world.version = GOOD
    world.sign("production", "sam", "sponsor", version=version, decision="reject", reason="too many false alarms")


def _take_over(world: World) -> None:
    """Give another version the alias that `world.aim` names, in the database: so it is when a promotion has lost its turn."""
    _alias_written(world, world.aim)


def _aiming(world: World, alias: str) -> None:
    world.aim = alias


ATTACKS = (
    Attack(name="NO-GO but signed", lay=_signed_through, control=GOOD, attack=BAD,
           through=TO_SHADOW, reason=Reason.NO_GO, guard="verdict_suffices"),
    Attack(name="NOT PROVEN for pilot", lay=_signed_through, control=GOOD, attack=UNPROVEN,
           through=TO_PILOT, reason=Reason.NOT_PROVEN, guard="verdict_suffices"),
    Attack(name="NOT PROVEN for production", lay=_signed_through, control=GOOD, attack=UNPROVEN,
           through=TO_PRODUCTION, reason=Reason.NOT_PROVEN, guard="verdict_suffices"),
    Attack(name="a stage left out on the way", lay=_all_but, control="", attack="pilot",
           through=TO_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="one signature of two", lay=_one_of_two, control=2, attack=1,
           through=TO_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="charter signed when the result was known", lay=_charter_signed, control=-1, attack=0,
           through=TO_PRODUCTION, reason=Reason.CHARTER_SIGNED_AFTER_THE_LOOK, guard="charter_came_first"),
    Attack(name="a stage that the charter does not have, so that nobody has to sign it", lay=_aiming, control="production", attack="preview",
           through=ask_verifier(), reason=Reason.STAGE_UNKNOWN, guard="stage_is_agreed"),
    Attack(name="charter loosened in the repository, under the version that was signed", lay=_charter_here, control=_same,
           attack=lambda content: content.replace(b'"0.12"', b'"0.20"'),
           through=verify("--ledger"), reason=Reason.CHARTER_CHANGED, guard="signed_charter_stays"),
    Attack(name="two promotions at once: another holds it by now", lay=_held_by, control=GOOD, attack=OTHER,
           through=promote("production", "--instead-of", "none"), reason=Reason.ANOTHER_WAS_PROMOTED, guard="nobody_was_faster"),
    Attack(name="two promotions at once: another takes it while this one does", lay=_aiming, control="champion", attack="production",
           through=promoted_while(_take_over), reason=Reason.ANOTHER_WAS_PROMOTED, guard="move_took_hold"),
    Attack(name="alias by hand in the database", lay=_alias_written, control="champion", attack="production",
           through=verify(), reason=Reason.NOT_SIGNED, guard="is_decided"),
    Attack(name="alias by hand in the database, in capitals", lay=_alias_written, control="champion", attack="Production",
           through=verify(), reason=Reason.ALIAS_VARIANT, guard="alias_is_plain"),
    Attack(name="alias by hand in the database, with a figure for a letter", lay=_alias_written, control="champion", attack="pr0duction",
           through=verify(), reason=Reason.ALIAS_VARIANT, guard="alias_is_plain"),
    Attack(name="alias moved after sign-off", lay=_alias_moved, control="champion", attack="production",
           through=verify(), reason=Reason.NOT_SIGNED, guard="is_decided", begins="promoted"),
    Attack(name="model of a holder exchanged in the database", lay=_pointing_elsewhere("storage_location"), control=GOOD, attack=OTHER,
           through=verify(), reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same", begins="promoted"),
    Attack(name="run of a holder exchanged in the database", lay=_pointing_elsewhere("run_id"), control=GOOD, attack=OTHER,
           through=verify(), reason=Reason.EVIDENCE_CHANGED, guard="bytes_are_the_same", begins="promoted"),
    Attack(name="alias removed in the database, without a note", lay=_alias_gone, control="champion", attack="production",
           through=verify(), reason=Reason.ALIAS_REMOVED_WITHOUT_A_NOTE, guard="tags_are_backed", begins="promoted"),
    Attack(name="forged tag: a version says that it holds a stage", lay=_tagged, control="stage", attack=f"{STAGE_TAG}production",
           through=verify(), reason=Reason.TAG_FORGED, guard="tags_are_backed"),
    Attack(name="forged tag: the holder names another signer", lay=_holder_says, control="rae@example.com", attack="ceo@example.com",
           through=verify(), reason=Reason.TAG_FORGED, guard="tag_says_who_signed", begins="promoted"),
    Attack(name="evidence of a holder lost", lay=_lost, control="signoffs/0001.json", attack="evidence/gate/verdict.json",
           through=verify(), reason=Reason.ALIAS_NOT_VOUCHED_FOR, guard="_cannot_be_read", begins="promoted"),
    Attack(name="rollback to a version that was taken back since", lay=_rejected_afterwards, control=OTHER, attack=GOOD,
           through=poc("rollback", "production"), reason=Reason.REJECTED, guard="is_approved", begins="promoted"),
    Attack(name="serve: alias moved after sign-off", lay=_alias_moved, control="champion", attack="production",
           through=FROM_PRODUCTION, reason=Reason.NOT_SIGNED, guard="is_decided", begins="promoted"),
    Attack(name="serve: model changed after it was promoted", lay=_changed, control="signoffs/0001.json", attack="model/model.onnx",
           through=FROM_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same", begins="promoted"),
    Attack(name="alias removed in the database, beside the note of an earlier demotion", lay=_gone_with_a_note, control=1, attack=-1,
           through=verify(), reason=Reason.ALIAS_REMOVED_WITHOUT_A_NOTE, guard="tags_are_backed", begins="promoted"),
)  # fmt: skip
