"""Attacks on what was signed: other bytes than the signers had before them, more of them, fewer, or elsewhere."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from attack import Attack
from programs import promote, promoted_while
from reports import write_reports
from worlds import GOOD, OTHER, PROJECT, UNPROVEN, World

from poc.rules.signoff import Reason, tree_digest
from poc.rules.signoff.canonical import sha256_of
from poc.steps.vouch import facts_of
from poc.tools import tracking

TO_PRODUCTION = promote("production")
#: A folder of the run that nobody signs.
BESIDE = "afterwards"
CHARTER = ("evidence/charter/charter.yaml", "evidence/charter/charter.json")
Change = Callable[[bytes], bytes]


def _as_it_was(content: bytes) -> bytes:
    return content


def _loosened(content: bytes) -> bytes:
    return content.replace(b'"missed_share": "0.12"', b'"missed_share": "0.20"').replace(b'"missed_share":"0.12"', b'"missed_share":"0.20"')


def _flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _rewriting(*names: str) -> Callable[[World, Change], None]:
    """Change files of the version's run."""

    def lay(world: World, change: Change) -> None:
        for name in names:
            path = world.artifacts() / name
            before = path.read_bytes()
            path.write_bytes(change(before))
            assert change is _as_it_was or path.read_bytes() != before

    return lay


def _adding(content: bytes = b"1") -> Callable[[World, str], None]:
    """Put a file among the run's artifacts, at the path that is handed in."""

    def lay(world: World, name: str) -> None:
        path = world.artifacts() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return lay


def _linking(world: World, name: str) -> None:
    path = world.artifacts() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/etc/hostname")


def _piping(world: World, name: str) -> None:
    path = world.artifacts() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def _moving_away(world: World, name: str) -> None:
    """Keep a folder elsewhere, and a link to it in its place."""
    path = world.artifacts() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    elsewhere = world.folder / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _renaming(world: World, name: str) -> None:
    path = world.artifacts() / "evidence/benchmark/timings.json"
    path.rename(path.with_name(name))


def _signing_what_was_gathered(world: World, content: bytes) -> None:
    """Gather something for production, have it signed, and leave other content there."""
    path = world.artifacts() / "stages/production/pilot_report.json"
    path.parent.mkdir(parents=True)
    digest = tree_digest({path.name: sha256_of(b"as signed")})
    for person, role in (("sam", "sponsor"), ("rae", "risk")):
        said = world.statement("production", person, role)
        said["subject"] = [*said["subject"], {"name": "stage evidence", "digest": {"sha256": digest}}]
        world.sign_record(said, key=person)
    path.write_bytes(content)


def _swap(world: World) -> None:
    """Write other bytes over what `world.aim` names."""
    path = Path(world.aim)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"swapped")


def _aiming(world: World, name: str) -> None:
    world.aim = str(world.artifacts() / name)


def _about(world: World, digests: dict[str, str]) -> None:
    """Sign over these digests of another version's."""
    said = world.statement()
    for subject in said["subject"]:
        if subject["name"] in digests:
            subject["digest"] = {"sha256": world.versions[digests[subject["name"]]][subject["name"]]}
    world.sign_record(said)


def _over_the_charter(world: World, digest: str) -> None:
    said = world.statement()
    said["subject"] = [{"name": each["name"], "digest": {"sha256": digest}} if each["name"] == "charter" and digest else each for each in said["subject"]]
    world.sign_record(said)


def _judged_to_be(world: World, outcome: str) -> None:
    """Write a verdict into the evidence of a version whose limits do not show that it holds, and have it signed as it lies there."""
    world.version, path = UNPROVEN, world.artifacts(UNPROVEN) / "evidence/gate/verdict.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"overall": outcome}), encoding="utf-8")
    write_reports(world.artifacts(UNPROVEN) / "evidence")
    with world.entered(), tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(PROJECT, UNPROVEN, Path(folder))
        facts = facts_of(Path(folder), version=UNPROVEN, trained_by=at.trained_by)
    world.versions[UNPROVEN] |= {**facts.digests("shadow"), "shown": facts.shown("shadow")}
    world.sign("shadow", "olga", "owner", version=UNPROVEN)


ATTACKS = (
    Attack(name="charter loosened where it is signed, not where it judged", lay=_rewriting(CHARTER[0]), control=_as_it_was, attack=_loosened,
           through=TO_PRODUCTION, reason=Reason.JUDGED_BY_ANOTHER_CHARTER, guard="judged_by_what_is_signed"),
    Attack(name="charter loosened in every copy", lay=_rewriting(*CHARTER), control=_as_it_was, attack=_loosened,
           through=TO_PRODUCTION, reason=Reason.CHARTER_CHANGED, guard="charter_is_the_same"),
    Attack(name="charter with CRLF", lay=_rewriting(CHARTER[0]), control=_as_it_was, attack=lambda content: content.replace(b"\n", b"\r\n"),
           through=TO_PRODUCTION, reason=Reason.CHARTER_CHANGED, guard="charter_is_the_same"),
    Attack(name="signed over another charter's bytes", lay=_over_the_charter, control="", attack="0" * 64,
           through=TO_PRODUCTION, reason=Reason.CHARTER_CHANGED, guard="charter_is_the_same"),
    Attack(name="model byte flipped", lay=_rewriting("model/model.onnx"), control=_as_it_was, attack=_flipped,
           through=TO_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same"),
    Attack(name="external data file laid beside the model", lay=_adding(), control=f"{BESIDE}/model.onnx.data", attack="model/model.onnx.data",
           through=TO_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same"),
    Attack(name="extra file in the model's folder", lay=_adding(), control=f"{BESIDE}/extension.so", attack="model/extension.so",
           through=TO_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same"),
    Attack(name="hidden file in the model's folder", lay=_adding(), control=f"{BESIDE}/.gitattributes", attack="model/.gitattributes",
           through=TO_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same"),
    Attack(name="linked file in the model's folder", lay=_linking, control=f"{BESIDE}/linked", attack="model/linked",
           through=TO_PRODUCTION, reason=Reason.STRANGE_FILE, guard="files_are_plain"),
    Attack(name="linked file in the evidence", lay=_linking, control=f"{BESIDE}/linked", attack="evidence/gate/linked",
           through=TO_PRODUCTION, reason=Reason.STRANGE_FILE, guard="files_are_plain"),
    Attack(name="the model's whole folder behind a link", lay=_moving_away, control=BESIDE, attack="model",
           through=TO_PRODUCTION, reason=Reason.STRANGE_FILE, guard="files_are_plain"),
    Attack(name="evidence edited", lay=_rewriting("evidence/benchmark/timings.json"), control=_as_it_was,
           attack=lambda content: content.replace(b"0.3", b"0.2"),
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="evidence added", lay=_adding(), control=f"{BESIDE}/second_opinion.json", attack="evidence/gate/second_opinion.json",
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="evidence renamed", lay=_renaming, control="timings.json", attack="timings_.json",
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="verdict's own figures edited", lay=_rewriting("evidence/gate/verdict.json"), control=_as_it_was,
           attack=lambda content: content.replace(b'"look": 1', b'"look": 2'),
           through=TO_PRODUCTION, reason=Reason.NUMBERS_DIFFER, guard="numbers_are_the_same"),
    Attack(name="verdict rewritten before it was signed", lay=_judged_to_be, control="NOT PROVEN", attack="GO",
           through=promote("shadow"), reason=Reason.EVIDENCE_CHANGED, guard="verdict_follows_from_limits"),
    Attack(name="evidence for the stage added after it was signed", lay=_adding(), control=f"{BESIDE}/report.json", attack="stages/production/report.json",
           through=TO_PRODUCTION, reason=Reason.STAGE_EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="evidence for the stage edited after it was signed", lay=_signing_what_was_gathered, control=b"as signed", attack=b"another",
           through=TO_PRODUCTION, reason=Reason.STAGE_EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="replay over the model: signed over another version's bytes", lay=_about, control={"model": GOOD}, attack={"model": OTHER},
           through=TO_PRODUCTION, reason=Reason.MODEL_CHANGED, guard="bytes_are_the_same"),
    Attack(name="signed over another version's evidence", lay=_about, control={"evidence": GOOD}, attack={"evidence": OTHER},
           through=TO_PRODUCTION, reason=Reason.EVIDENCE_CHANGED, guard="bytes_are_the_same"),
    Attack(name="verify, then swap: other bytes while the alias moves", lay=_aiming, control=f"{BESIDE}/model.onnx", attack="model/model.onnx",
           through=promoted_while(_swap), reason=Reason.BYTES_CHANGED_MEANWHILE, guard="bytes_stayed"),
)  # fmt: skip
