"""Prepare the project that is attacked: versions by the steps that make every version, people with keys, and all stages signed for the good version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from artifacts import WRONG, a_project, a_run
from programs import promote
from worlds import BAD, GOOD, OTHER, PEOPLE, PROJECT, UNPROVEN, World

from poc import layout
from poc.rules.evidence import Version
from poc.steps import vouch
from poc.tools import files, ssh, tracking

#: Who signs what, by the charter of `tests/builders.py`.
SIGNERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "charter": (("sam", "sponsor"), ("olga", "owner")),
    "shadow": (("olga", "owner"),),
    "pilot": (("olga", "owner"), ("rae", "risk")),
    "production": (("sam", "sponsor"), ("rae", "risk")),
}
ROLES: Mapping[str, Any] = {
    "schema_version": 1,
    "people": {"sponsor": ["sam@example.com"], "owner": ["olga@example.com"], "user_representative": ["uma@example.com"], "risk": ["rae@example.com"]},
    "deputies": {"sam@example.com": ["sid@example.com"]},
    "builders": [{"email": "bo@example.com"}],
    "passkeys": ["localhost"],
}
#: How each version comes to its verdict.
MAKING: Mapping[str, Mapping[str, Any]] = {GOOD: {}, OTHER: {"threshold": 0.45}, UNPROVEN: {"replayed_on": "aarch64"}, BAD: {"slope": WRONG}}


def prepare_all(folder: Path) -> None:
    """Make every world that an attack may begin with."""
    signed = prepare(folder / "signed")
    _promoted(signed, folder / "promoted", ("shadow", "pilot", "production"))
    _with_logged_models(_promoted(signed, folder / "served", ("shadow", "pilot")))


def prepare(folder: Path) -> World:
    """Make the world that attacks are made on copies of."""
    world = World(folder)
    world.root.mkdir(parents=True)
    _people(world)
    a_project(world.root)
    _agree_to_looks(world.root / layout.CHARTER)
    (world.root / layout.SIGNOFFS).mkdir()
    _commit(world)
    with world.entered():
        of_charter = vouch.charter_facts(world.root)
        known: dict[str, Any] = {GOOD: {"charter": of_charter.charter_sha256, "shown of charter": of_charter.shown_of_charter}}
        _remember(world, known)
        _sign(world, "charter")  # before anybody looks
        for version, making in MAKING.items():
            known[version] = _a_version(world, making)
    _remember(world, known)
    for stage in ("shadow", "pilot", "production"):
        _sign(World(folder), stage)
    _commit(world)
    return World(folder)


def _promoted(signed: World, folder: Path, stages: Sequence[str]) -> World:
    world = signed.copied(folder)
    for stage in stages:
        assert not promote(stage)(world).reasons
    return world


def _with_logged_models(world: World) -> None:
    """Let runs have models that MLflow logged, as older clients leave them beside a version's own."""
    with world.entered():
        client, known = world.client(), world.versions
        for version in (GOOD, BAD):
            run = client.get_run(known[version]["run_id"]).info
            known[version]["logged_model"] = client.create_logged_model(run.experiment_id, source_run_id=run.run_id).model_id
        _remember(world, known)


def _people(world: World) -> None:
    (world.folder / "keys").mkdir()
    world.trust.mkdir()
    for person in PEOPLE:
        ssh.make_key(world.key(person), f"{person}@example.com")
    trusted = [person for person in PEOPLE if person != "eve"]
    (world.trust / layout.ALLOWED_SIGNERS).write_text("".join(map(world.line, trusted)), encoding="utf-8")
    (world.trust / layout.REVOKED).touch()
    (world.trust / layout.ROLES).write_text(json.dumps(ROLES, indent=1), encoding="utf-8")


def _agree_to_looks(charter: Path) -> None:
    agreed = json.loads(charter.read_text(encoding="utf-8"))
    agreed["timebox"]["looks"] = len(MAKING)
    charter.write_text(json.dumps(agreed, indent=1), encoding="utf-8")


def _a_version(world: World, making: Mapping[str, Any]) -> dict[str, Any]:
    """Judge a candidate, register it, and say what it is."""
    os.environ["MLFLOW_RUN_ID"] = run_id = tracking.open_run(PROJECT, name="a candidate", candidate=True)
    run = a_run(world.root / "run", timebox={"looks": len(MAKING)}, **making)
    run.perform("gate")
    run.perform("register")
    tracking.close_run(os.environ.pop("MLFLOW_RUN_ID"), "FINISHED")
    version = run.read("version", layout.VERSION_JSON, Version).version
    shutil.rmtree(run.root)
    with tempfile.TemporaryDirectory() as folder:
        found = tracking.fetch_version(PROJECT, version, Path(folder))
        facts = vouch.facts_of(Path(folder), version=version, trained_by=found.trained_by)
    return {
        "run_id": run_id,
        "verdict": facts.verdict,
        **facts.digests("production"),
        "shown": facts.shown("production"),
        "shown of charter": facts.shown("charter"),
    }


def _remember(world: World, known: Mapping[str, Any]) -> None:
    files.write_atomically(world.folder / "versions.json", json.dumps(known, indent=1).encode())


def _sign(world: World, stage: str) -> None:
    for person, role in SIGNERS[stage]:
        world.sign(stage, person, role)


def _commit(world: World) -> None:
    """Keep everything in git, as whoever trained it."""
    (world.root / ".gitignore").write_text(".poc/\nrun/\n", encoding="utf-8")
    who = ("-c", "user.name=Bo Builder", "-c", "user.email=bo@example.com")
    begun = () if (world.root / ".git").is_dir() else (("init", "-q", "-b", "main"), ("config", "user.email", "bo@example.com"))
    for command in (*begun, ("add", "."), (*who, "commit", "-q", "-m", "A project")):
        subprocess.run(["git", *command], cwd=world.root, check=True)
