"""Attacks on the ledger: decisions taken out, put in between, dated back, or told to MLflow in another way than to git."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from attack import Attack
from programs import promote, verify
from worlds import PROJECT, World, at

from poc import layout
from poc.rules.signoff import NAMESPACE, Entry, Reason, canonical
from poc.steps.copies import push
from poc.tools import ssh, tracking

TO_PRODUCTION, TO_SHADOW = promote("production"), promote("shadow")


def _dated(world: World, days: float) -> None:
    """Sign the last decision once more, so many days from now."""
    world.sign(issued_at=at(days=days))


def _following(world: World, before: int) -> None:
    """Sign on top of the decision so far from the end."""
    said = world.entries()
    world.forget(1)
    follows = world.statement()["predicate"]["prev"] if before == 1 else "0" * 64
    assert len(world.entries()) == len(said) - 1
    world.sign(prev=follows)


def _numbered(world: World, ahead: int) -> None:
    world.sign(seq=len(world.entries()) + 1 + ahead)


def _without_entry(world: World, number: int) -> None:
    """Lose one entry, of the ledger or behind its end."""
    path = world.root / layout.SIGNOFFS / f"{number:04d}.json"
    path.unlink(missing_ok=True)
    path.with_suffix(".sig").unlink(missing_ok=True)


def _pushed(world: World) -> None:
    """Let MLflow know what git knows."""
    with world.entered():
        push(PROJECT, world.entries())


def _forgotten(world: World, count: int) -> None:
    """Say no, let MLflow know, and take so many decisions out of git."""
    world.sign(decision="reject", reason="the data drifted")
    world.sign("shadow", "olga", "owner")
    _pushed(world)
    world.forget(count)


def _no_taken_out(world: World, decision: str) -> None:
    """Decide once more, let MLflow know, and take that out of git."""
    world.sign(decision=decision)
    _pushed(world)
    world.forget(1)


def _copied_with(world: World, change: Callable[[str], str]) -> None:
    """Let MLflow hold another copy of the newest decision."""
    _pushed(world)
    entry = world.entries()[-1]
    name, value = entry.tag
    with world.entered():
        tracking.tag_model(PROJECT, {name: change(value)})


def _coming_from_mlflow(world: World, key: str) -> None:
    """Let MLflow bring a decision that git does not have, about something else than is asked for."""
    content = canonical(world.statement("shadow", "olga", "owner", version="2"))
    entry = Entry(number=len(world.entries()) + 1, statement=content, signature=ssh.sign(content, key=world.key(key), namespace=NAMESPACE))
    with world.entered():
        push(PROJECT, [entry])


def _about_another_version(world: World, days: float) -> None:
    """Let somebody whose clock is wrong by so many days decide about a version that nobody asks for here."""
    world.sign("shadow", "olga", "owner", version="2", issued_at=at(days=days), expires_at=at(days=4000))


def _same(value: str) -> str:
    return value


def _of_project(world: World, project: str) -> None:
    """Let the charter begin another version, under some project's name."""
    path = world.root / layout.CHARTER
    text = path.read_text(encoding="utf-8")
    changed = text.replace(PROJECT, project)
    assert (changed == text) == (project == PROJECT)
    path.write_text(changed, encoding="utf-8")


def _on_a_branch(world: World, decision: str) -> None:
    """Put another decision in the place of the newest on the protected branch; behind it that one again, or not."""
    shutil.copytree(world.trust, world.root / "trust")
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-C", str(world.root))
    for command in (("add", "-f", "trust", layout.SIGNOFFS.name), ("commit", "-qm", "trust"), ("update-ref", "refs/remotes/origin/main", "HEAD")):
        subprocess.run([*git, *command], check=True, capture_output=True)
    world.settings["POC_TRUST"] = "git:origin/main:trust"
    world.forget(1)
    world.sign("shadow", "olga", "owner")
    world.sign(decision=decision, reason="" if decision == "approve" else "the data drifted")


ATTACKS = (
    Attack(name="charter under another project's name, of which nothing is known", lay=_of_project, control=PROJECT, attack="another-project",
           through=verify(), reason=Reason.OTHER_PROJECT, guard="decisions_are_about"),
    Attack(name="a decision on the protected branch replaced, and not signed again", lay=_on_a_branch, control="approve", attack="reject",
           through=verify("--ledger"), reason=Reason.LEDGER_FORKED, guard="replaced_is_signed_again"),
    Attack(name="a decision that follows another than lies before it", lay=_following, control=1, attack=2,
           through=TO_PRODUCTION, reason=Reason.LEDGER_BROKEN, guard="chain_holds"),
    Attack(name="a decision that calls itself by another number", lay=_numbered, control=0, attack=1,
           through=TO_PRODUCTION, reason=Reason.LEDGER_BROKEN, guard="chain_holds"),
    Attack(name="dated back behind the decision before it", lay=_dated, control=0, attack=-20,
           through=TO_PRODUCTION, reason=Reason.LEDGER_RUNS_BACK, guard="time_runs_forward"),
    Attack(name="a decision in the middle taken out", lay=_without_entry, control=9, attack=3,
           through=TO_PRODUCTION, reason=Reason.LEDGER_GAP, guard="numbers_follow"),
    Attack(name="truncated ledger: the newest no taken out of git", lay=_no_taken_out, control="approve", attack="reject",
           through=TO_PRODUCTION, reason=Reason.REJECTED, guard="is_approved"),
    Attack(name="truncated ledger: git has fewer decisions than MLflow", lay=_forgotten, control=0, attack=2,
           through=verify(), reason=Reason.LEDGER_TRUNCATED, guard="nothing_is_missing"),
    Attack(name="forged tag: MLflow's copy of a decision edited", lay=_copied_with, control=_same, attack=lambda value: value.replace("approve", "reject"),
           through=TO_PRODUCTION, reason=Reason.LEDGER_FORKED, guard="copies_agree"),
    Attack(name="forged tag: the edited copy found afterwards", lay=_copied_with, control=_same, attack=lambda value: value.replace("approve", "reject"),
           through=verify(), reason=Reason.LEDGER_FORKED, guard="copies_agree"),
    Attack(name="forged tag: MLflow brings a decision that nobody signed", lay=_coming_from_mlflow, control="olga", attack="eve",
           through=TO_SHADOW, reason=Reason.KEY_NOT_TRUSTED, guard="what_comes_is_signed"),
    Attack(name="in the future: an entry about another version, dated years ahead", lay=_about_another_version, control=0, attack=8 * 365,
           through=TO_PRODUCTION, reason=Reason.SIGNED_IN_THE_FUTURE, guard="time_has_come"),
    Attack(name="in the future: such an entry brought to MLflow, from where nobody takes it out", lay=_about_another_version, control=0,
           attack=8 * 365, through=verify("--push"), reason=Reason.SIGNED_IN_THE_FUTURE, guard="time_has_come"),
)  # fmt: skip
