"""The two copies of the ledger brought together: git is the truth, and MLflow what server and page know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from poc import layout
from poc.rules.signoff import Entry, Finding, copies_agree, entry_of_tag, stop_at
from poc.rules.signoff.ledger import TAG
from poc.rules.signoff.moves import what_comes_is_signed
from poc.steps.vouch import ledger_in, load_trust, verified
from poc.tools import files, git, tracking


@dataclass(frozen=True, kw_only=True)
class Copies:
    """All entries of both copies, what each lacks, and where they contradict each other."""

    entries: tuple[Entry, ...]
    git_lacks: tuple[Entry, ...]
    mlflow_lacks: tuple[Entry, ...]
    found: tuple[Finding, ...]


def both_copies(root: Path, project: str) -> Copies:
    """Read the ledger in git and in MLflow; where they differ, git's entry stands, and the difference is told."""
    here = {entry.number: entry for entry in ledger_in(root)}
    there = {entry.number: entry for entry in held_by_mlflow(project)}
    shared = sorted(here.keys() & there.keys())
    entries = there | here
    return Copies(
        entries=tuple(entries[number] for number in sorted(entries)),
        git_lacks=tuple(there[number] for number in sorted(there.keys() - here.keys())),
        mlflow_lacks=tuple(here[number] for number in sorted(here.keys() - there.keys())),
        found=tuple(copies_agree([here[number] for number in shared], [there[number] for number in shared])),
    )


def held_by_mlflow(project: str) -> list[Entry]:
    """Read the entries that MLflow holds, in the order of their numbers."""
    read = [entry_of_tag(f"{TAG}{number:04d}", value) for number, value in sorted(tracking.ledger_held(project).items())]
    return [entry for entry in read if entry]


def held_by_branch(root: Path, ref: str) -> list[Entry]:
    """Read the entries that lie at a ref of git, in the order of their numbers."""
    top = git.top_of(root)
    folder = PurePosixPath(root.resolve().relative_to(top.resolve()) if top else ".") / layout.SIGNOFFS
    held = {PurePosixPath(path): content for path, content in git.list_at(root, ref, str(folder)).items()}
    statements = sorted(path for path in held if path.parent == folder and path.match("[0-9][0-9][0-9][0-9].json"))
    return [Entry(number=int(path.stem), statement=held[path], signature=held.get(path.with_suffix(".sig"), b"")) for path in statements]


def pull(root: Path, entries: Sequence[Entry]) -> None:
    """Write entries into git's copy, the oldest first and each statement behind its signature: cut off anywhere, what lies there is whole."""
    for entry in entries:
        path = root / entry.where
        if entry.signature:
            files.write_atomically(path.with_suffix(".sig"), entry.signature)
        files.write_atomically(path, entry.statement)


def sound_copies(root: Path, project: str, moving: Callable[[Copies], Sequence[Entry]]) -> Copies:
    """Read both copies of the ledger, before some of their entries move from one to the other.

    Raises:
        NotSignedOff: they contradict each other, or what would move is not signed.
    """
    trust, copies = load_trust(root), both_copies(root, project)
    ledger = verified(copies.entries, trust)
    on_the_move = [each for each in ledger.decisions if each.decision.entry in moving(copies)]
    stop_at([*trust.found, *copies.found, *ledger.found, *what_comes_is_signed(on_the_move)])
    return copies


def tell_mlflow(root: Path, project: str) -> tuple[Entry, ...]:
    """Bring to MLflow, and so to its page, what it lacks of the ledger in git; return that.

    Raises:
        NotSignedOff: the two contradict each other, something is not signed, or a guarded server does not take it.
    """
    with tracking.moving(project):
        return tell_within_a_turn(root, project)


def tell_within_a_turn(root: Path, project: str) -> tuple[Entry, ...]:
    """Do so where nobody else can write meanwhile.

    Raises:
        NotSignedOff: as there.
    """
    copies = sound_copies(root, project, lambda copies: copies.mlflow_lacks)
    if copies.mlflow_lacks:
        tracking.make_registered(project)  # a charter is signed before there is any version
        push(project, copies.mlflow_lacks)
    return copies.mlflow_lacks


def push(project: str, entries: Sequence[Entry]) -> None:
    """Write entries into MLflow's copy, within a turn."""
    tracking.push_ledger(project, {entry.number: entry.tag[1] for entry in entries})


def log_beside_evidence(run_id: str, entries: Sequence[Entry], folder: Path) -> None:
    """Log entries as artifacts of the run that made the version; they pass through a folder of the caller's."""
    pull(folder, entries)
    tracking.log_signoffs(run_id, folder / layout.SIGNOFFS)
