"""Attacks on `poc sign`: what would be worth nothing is not signed to begin with."""

from __future__ import annotations

import subprocess
from typing import Any

from attack import Attack, Outcome, Program
from programs import poc
from worlds import BAD, GOOD, OTHER, World

from poc import layout
from poc.rules.signoff import Reason

SHADOW = ("sign", "shadow", "--version", "VERSION", "--yes")
CHARTER = ("sign", "charter", "--yes")


def _owner_of(world: World, version: str) -> None:
    """Let the owner decide about a version."""
    world.version, world.aim = version, "olga"


def _with_key(stage: tuple[str, ...], person: str = "") -> Program:
    """Sign with the key that the world aims at, as somebody or as the key's owner."""

    def through(world: World) -> Outcome:
        return poc(*stage, "--key", str(world.key(world.aim)), *(("--as", f"{person}@example.com") if person else ()))(world)

    return through


def _aiming(world: World, person: Any) -> None:
    world.aim = person


def _known_as_builder(world: World, address: str) -> None:
    world.change_roles(builders=[{"email": address}])
    world.aim = "sam"


def _approving_by_branch(world: World, people: list[str]) -> None:
    world.change_roles(approvals_on_branch={"ref": "origin/main", "stages": ["charter"], "people": people})


def _with_a_long_key(world: World, builders: int) -> None:
    """List a long key of the sponsor's, and so many builders, who are all named in what is signed."""
    key = world.key("long")
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "4096", "-N", "", "-f", str(key)], check=True)
    signers = world.trust / layout.ALLOWED_SIGNERS
    signers.write_text(signers.read_text(encoding="utf-8") + world.line("long", name="sam@example.com"), encoding="utf-8")
    world.change_roles(builders=[{"email": f"{'b' * 60}{number:02d}@{'c' * 40}.example.com"} for number in range(builders)])
    world.aim = "long"


def _attaching(world: World) -> Outcome:
    """Sign for shadow, with a file attached."""
    report = world.folder / "report.csv"
    report.write_text("day,agreed", encoding="utf-8")
    return poc(*SHADOW, "--key", str(world.key(world.aim)), "--attach", str(report))(world)


ATTACKS = (
    Attack(name="sign: a builder", lay=_known_as_builder, control="bo@example.com", attack="sam@example.com",
           through=_with_key(CHARTER), reason=Reason.SIGNED_BY_BUILDER, guard="signer_is_no_builder"),
    Attack(name="sign: with a stranger's key", lay=_aiming, control="sam", attack="eve",
           through=_with_key(CHARTER, "sam"), reason=Reason.KEY_NOT_TRUSTED, guard="key_is_listed"),
    Attack(name="sign: NO-GO", lay=_owner_of, control=OTHER, attack=BAD,
           through=_with_key(SHADOW), reason=Reason.NO_GO, guard="verdict_suffices"),
    Attack(name="sign: approval by branch that the trust files do not take", lay=_approving_by_branch, control=["sam@example.com"], attack=["uma@example.com"],
           through=poc(*CHARTER, "--by-branch", "--as", "sam@example.com"), reason=Reason.BRANCH_NOT_APPROVED, guard="branch_may_approve"),
    Attack(name="sign: something attached to what was decided about", lay=_owner_of, control=OTHER, attack=GOOD,
           through=_attaching, reason=Reason.SIGNED_IS_FIXED, guard="stage_is_still_open"),
    Attack(name="sign: so long that MLflow would cut the signature", lay=_with_a_long_key, control=2, attack=15,
           through=_with_key(CHARTER, "sam"), reason=Reason.TOO_LONG, guard="entry_fits"),
)  # fmt: skip
