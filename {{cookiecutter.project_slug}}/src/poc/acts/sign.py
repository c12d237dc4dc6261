"""Sign a stage, or say no to it: what is signed and shown is worked out first, and written down only once it is verified."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from poc.acts.signing_keys import key_of, person_of
from poc.acts.signoff_books import InRepository
from poc.errors import InputRefused
from poc.rules.charter import Role, Stage
from poc.rules.signoff import Entry, Facts, Finding, Reason, Statement, Trust, next_link, refuse_with, statement_bytes, stop_at
from poc.rules.signoff.browsing import nobody_decided_meanwhile
from poc.rules.signoff.deciding import Wish, comes_too_early, last_is_sound, speaks_against, stage_is_still_open, statement_of
from poc.rules.signoff.ledger import entry_fits
from poc.rules.signoff.moves import bytes_stayed
from poc.rules.signoff.with_keys import Key, Part, assurance_of, branch_may_approve, key_is_listed, parts_of
from poc.steps import vouch
from poc.tools import git, ssh, tracking


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to decide; who they are, as what and with which key is found out where it is not said."""

    stage: str
    version: str = ""
    decision: Literal["approve", "reject"] = "approve"
    reason: str = ""
    signer: str = ""
    role: str = ""
    on_behalf_of: str = ""
    key: Path | None = None
    attached: tuple[Path, ...] = ()
    is_by_branch: bool = False


@dataclass(frozen=True, kw_only=True)
class ToSign:
    """A statement that nothing speaks against, with what its signer reads before saying yes; `key` is None for an approval by branch."""

    statement: Statement
    question: str
    facts: Facts
    trust: Trust
    key: Key | None
    run_id: str
    attached: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision as it was written down: where, and what the stage still lacks."""

    entry: Entry
    statement: Statement
    trust: Trust
    lacks: tuple[Finding, ...]

    @property
    def files(self) -> list[str]:
        """List the files that are to be committed."""
        return [self.entry.where, *([self.entry.where.replace(".json", ".sig")] if self.entry.signature else [])]


def to_sign(root: Path, asked: Asked) -> ToSign:
    """Work out what would be signed, and refuse what would be worth nothing, before anybody is asked.

    Raises:
        NotSignedOff: the signature would not count: by the trust files, the ledger, the verdict, or who signs with what.
        InputRefused: there is no such version, it is not clear who signs as what, or a no says nothing of why.
    """
    books, trust, now = InRepository(root=root), vouch.load_trust(root), datetime.now(UTC)
    stop_at(trust.found)
    facts, run_id, attached = _facts(root, books, asked)
    stage = facts.stage(asked.stage)
    person = person_of(root, asked.signer, asked.key, trust)
    part = _part(asked, person, stage, facts) if stage else Part(role="sponsor")
    key = None if asked.is_by_branch else key_of(root, person, asked.key, trust)
    wish = Wish(
        stage=asked.stage,
        decision=asked.decision,
        reason=asked.reason,
        signer=person,
        role=part.role,
        on_behalf_of=part.on_behalf_of,
        assurance=assurance_of(key.fingerprint, trust) if key else "branch",
    )
    entries = books.entries(facts.charter.project)
    statement, found = statement_of(wish, facts, trust, entries, now, git_commit=git.commit(root))
    if statement is None or stage is None:
        refuse_with(found)
    ledger = vouch.verified(entries, trust)
    of_key = key_is_listed(person, key.fingerprint, trust) if key else branch_may_approve(person, asked.stage, trust)
    stop_at(
        [
            *ledger.found,
            *of_key,
            *stage_is_still_open(statement.predicate, [path.name for path in attached], ledger),
            *speaks_against(statement, key.fingerprint if key else "", facts, trust, now),
            *comes_too_early(statement.predicate, facts, ledger, trust, now),
        ]
    )
    return ToSign(statement=statement, question=stage.question, facts=facts, trust=trust, key=key, run_id=run_id, attached=attached)


def _facts(root: Path, books: InRepository, asked: Asked) -> tuple[Facts, str, tuple[Path, ...]]:
    """Work out what is signed, attached files with it, from which run it comes, and which of those files do not lie there yet."""
    if asked.stage == "charter":
        return vouch.charter_facts(root), "", ()
    with tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(books.project, asked.version, Path(folder))
        new = _attach(asked.attached, Path(folder) / vouch.STAGES / asked.stage)
        return vouch.facts_of(Path(folder), version=at.version, trained_by=at.trained_by), at.run_id, new


def _attach(attached: Sequence[Path], stage: Path) -> tuple[Path, ...]:
    """Put files beside what was gathered for a stage, as they will lie in MLflow, and return those that are new there.

    Raises:
        InputRefused: another file of that name lies there, or one of them is no plain file.
    """
    new = tuple(path for path in attached if not (stage / path.name).exists())
    for path in attached:
        lies_there = stage / path.name
        if not path.is_file() or path.is_symlink():
            raise InputRefused("this is no plain file", where=str(path), fix="attach the file itself; a folder has to be packed first")
        if lies_there.exists() and lies_there.read_bytes() != path.read_bytes():
            raise InputRefused(f"another {path.name} was gathered for {stage.name} already", where=str(path), fix="give it another name")
        stage.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, lies_there)
    return new


def _part(asked: Asked, person: str, stage: Stage, facts: Facts) -> Part:
    """Find in which role somebody signs; where they have none, the verifier says so of the one that they name.

    Raises:
        InputRefused: there are several.
    """
    parts = parts_of(person, stage, facts.charter, asked.on_behalf_of)
    chosen = [part for part in parts if asked.role in ("", part.role)]
    if len(chosen) > 1:
        listed = ", ".join(f"{part.role}{f' for {part.on_behalf_of}' if part.on_behalf_of else ''}" for part in chosen)
        raise InputRefused(f"{person} may sign {stage.name} as {listed}", where="charter.yaml, people", fix="say which, with --role or --on-behalf-of")
    role: Role = asked.role or stage.signers[0]  # type: ignore[assignment]  # another word is refused as the statement is read
    return chosen[0] if chosen else Part(role=role, on_behalf_of=asked.on_behalf_of)


def sign(root: Path, prepared: ToSign) -> Decided:
    """Sign, verify the signature as everybody else will, and only then write it down: statement and signature, or neither.

    Raises:
        NotSignedOff: it was not signed, or does not verify, or somebody else decided meanwhile.
    """
    said, content = prepared.statement.predicate, statement_bytes(prepared.statement)
    signature = ssh.sign(content, key=prepared.key.place, namespace=prepared.trust.roles.namespace) if prepared.key else b""
    entry = Entry(number=said.seq, statement=content, signature=signature)
    stop_at(entry_fits(entry))
    if prepared.attached:
        _upload(prepared)

    def look(entries: Sequence[Entry]) -> None:
        trust = vouch.load_trust(root)
        stop_at(nobody_decided_meanwhile((said.seq, said.prev), next_link(entries)))
        found = last_is_sound(entry, prepared.facts, vouch.verified([*entries, entry], trust), trust, datetime.now(UTC))
        stop_at([each for each in found if not (said.assurance == "branch" and each.reason is Reason.BRANCH_NOT_APPROVED)])  # that takes the merge

    books = InRepository(root=root)
    books.append(said.project, entry, look)
    ledger = vouch.verified(books.entries(said.project), prepared.trust)
    lacks = vouch.findings(said.stage, prepared.facts, ledger, prepared.trust)
    return Decided(entry=entry, statement=prepared.statement, trust=prepared.trust, lacks=tuple(lacks))


def _upload(prepared: ToSign) -> None:
    """Bring attached files to MLflow, and see that what lies there then is what was signed."""
    said = prepared.statement.predicate
    tracking.log_stage_evidence(prepared.run_id, said.stage, prepared.attached)
    with tempfile.TemporaryDirectory() as folder:
        at = tracking.fetch_version(said.project, said.model_version, Path(folder))
        stop_at(bytes_stayed(said.stage, prepared.facts, vouch.facts_of(Path(folder), version=at.version, trained_by=at.trained_by)))
