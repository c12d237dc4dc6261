"""The ledger: decisions in a row, each naming the one before by its digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from poc.rules.signoff.canonical import sha256_of
from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.statement import SKEW, Statement, read_statement

#: What the tag of an entry in MLflow is called, before its number.
TAG = "poc.ledger."
#: How long such a tag's value may be.
MOST_LETTERS = 5_000
#: What to do about an entry that is ahead of its time.
OUT_OF_THE_FUTURE = (
    "set the clock that is wrong. Until MLflow holds the entry, take it and what follows it out of git (git revert) and sign again; "
    "once MLflow holds it, wait until then, bring back a backup of MLflow from before it, or go on under another project name"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry as it lies there: its number, the statement's bytes, and the armoured signature, empty for an approval by branch."""

    number: int
    statement: bytes
    signature: bytes

    @property
    def where(self) -> str:
        """Say where it lies in git."""
        return f"signoffs/{self.number:04d}.json"

    @property
    def tag(self) -> tuple[str, str]:
        """Return it as MLflow keeps it: the name of a tag, and in it the statement's one line with the signature behind it."""
        return f"{TAG}{self.number:04d}", f"{self.statement.decode('ascii', 'replace')}\n{self.signature.decode('ascii', 'replace')}"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An entry that could be read."""

    entry: Entry
    statement: Statement


def entry_of_tag(name: str, value: str) -> Entry | None:
    """Read an entry back from MLflow's tag; None where the tag is none."""
    number = name.removeprefix(TAG)
    if not (number.isascii() and number.isdecimal() and name == f"{TAG}{int(number):04d}"):
        return None
    statement, _, signature = value.partition("\n")
    return Entry(number=int(number), statement=statement.encode(errors="replace"), signature=signature.encode(errors="replace"))


def next_link(entries: Sequence[Entry]) -> tuple[int, str]:
    """Return the number of the next entry, and the digest that it has to name."""
    return (len(entries) + 1, sha256_of(entries[-1].statement)) if entries else (1, "")


def read_entries(entries: Sequence[Entry]) -> tuple[list[Decision], list[Finding]]:
    """Read all entries, with everything that breaks the row."""
    decisions, found = [], numbers_follow(entries)
    for entry in entries:
        statement, wrong = read_statement(entry.statement, entry.where)
        found += wrong
        decisions += [Decision(entry=entry, statement=statement)] if statement else []
    return decisions, [*found, *chain_holds(decisions), *time_runs_forward(decisions)]


@check
def numbers_follow(entries: Sequence[Entry]) -> list[Finding]:
    """Refuse gaps: entries are numbered from 1."""
    numbers = [entry.number for entry in entries]
    if numbers == list(range(1, len(numbers) + 1)):
        return []
    missing = next(number for number in range(1, len(numbers) + 2) if number not in numbers)
    what = f"entry {missing} is missing" if missing <= len(numbers) else f"entries stand in the order {', '.join(map(str, numbers))}"
    return [Finding(reason=Reason.LEDGER_GAP, what=what, where="signoffs/")]


@check
def chain_holds(decisions: Sequence[Decision]) -> list[Finding]:
    """Refuse a decision that names another number than its own, or another decision before it than lies there."""
    found, before = [], ""
    for decision in decisions:
        said, entry = decision.statement.predicate, decision.entry
        if said.seq != entry.number:
            found.append(Finding(reason=Reason.LEDGER_BROKEN, what=f"entry {entry.number} calls itself {said.seq}", where=entry.where))
        if said.prev != before:
            found.append(Finding(reason=Reason.LEDGER_BROKEN, what=f"entry {entry.number} follows another decision than lies before it", where=entry.where))
        before = sha256_of(entry.statement)
    return found


@check
def time_runs_forward(decisions: Sequence[Decision]) -> list[Finding]:
    """Refuse a decision that claims to be older than any before it: a key that is no longer trusted would sign as of when it was."""
    moments = [decision.statement.issued_at for decision in decisions]
    return [
        Finding(reason=Reason.LEDGER_RUNS_BACK, what=f"entry {decision.entry.number} claims to be older than one before it", where=decision.entry.where)
        for latest, moment, decision in zip(accumulate(moments, max), moments, decisions, strict=True)
        if latest - moment > SKEW
    ]


@check
def time_has_come(decisions: Sequence[Decision], now: datetime) -> list[Finding]:
    """Refuse a decision that claims a time yet to come, whatever it is about: none after it could be written before then."""
    return [
        Finding(
            reason=Reason.SIGNED_IN_THE_FUTURE,
            what=f"entry {decision.entry.number} was signed at {decision.statement.predicate.issued_at}, which is yet to come",
            where=decision.entry.where,
            fix=OUT_OF_THE_FUTURE,
        )
        for decision in decisions
        if decision.statement.issued_at - now > SKEW
    ]


@check
def entry_fits(entry: Entry) -> list[Finding]:
    """Refuse a statement whose signature makes it longer than a tag in MLflow may be: large RSA keys do."""
    length = len(entry.tag[1])
    if length <= MOST_LETTERS:
        return []
    what, fix = f"statement and signature have {length:,} letters, of {MOST_LETTERS:,} that fit", "sign with an ed25519 key, or give a shorter reason"
    return [Finding(reason=Reason.TOO_LONG, what=what, where=entry.where, fix=fix)]


@check
def copies_agree(here: Sequence[Entry], there: Sequence[Entry], *, mine: str = "git", theirs: str = "MLflow") -> list[Finding]:
    """Refuse two copies of which none is the beginning of the other."""
    return [
        Finding(reason=Reason.LEDGER_FORKED, what=f"entry {a.number} in {mine} is another than in {theirs}", where=a.where)
        for a, b in zip(here, there, strict=False)
        if a != b
    ][:1]


@check
def nothing_is_missing(here: Sequence[Entry], there: Iterable[Entry], *, mine: str = "git", theirs: str = "MLflow") -> list[Finding]:
    """Refuse a copy that is shorter than another: what was decided last is not in it."""
    known = {entry.number for entry in here}
    lost = [entry for entry in there if entry.number not in known]
    if not lost:
        return []
    what = f"what {theirs} has from entry {lost[0].number} on is not in {mine} ({len(lost)} of them)"
    return [Finding(reason=Reason.LEDGER_TRUNCATED, what=what, where=lost[0].where)]


@check
def decisions_are_about(project: str, decisions: Sequence[Decision]) -> list[Finding]:
    """Refuse decisions about another project than the charter's: under its name nobody would look for them, nor for what they let happen."""
    fix = "bring back the project's name in charter.yaml; another project has a repository and a ledger of its own"
    return [
        Finding(
            reason=Reason.OTHER_PROJECT, what=f"it is about {each.statement.predicate.project}; charter.yaml says {project}", where=each.entry.where, fix=fix
        )
        for each in decisions
        if each.statement.predicate.project != project
    ]


def replaced(here: Sequence[Entry], there: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of a row whose place others have taken: from the first on that is another here."""
    first = next((place for place, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
    return there[first:] if first is not None else []


@check
def replaced_is_signed_again(here: Sequence[Entry], there: Sequence[Entry], *, theirs: str) -> list[Finding]:
    """Refuse a row in which others took the place of decisions, unless those are decided again behind them: by the same people, in the same order, alike."""
    lost = read_entries(replaced(here, there))[0]
    again = iter([_decided(each) for each in read_entries(here[len(there) - len(replaced(here, there)) :])[0]])
    missing = [each for each in lost if _decided(each) not in again]  # an iterator: each is looked for behind the one before
    fix = f"bring it back from {theirs}; where MLflow has the other decision, which stays, have this one signed again behind it, in the same change"
    return [
        Finding(
            reason=Reason.LEDGER_FORKED, what=f"entry {each.entry.number} of {theirs} is another here, and not signed again", where=each.entry.where, fix=fix
        )
        for each in missing[:1]
    ]


def _decided(decision: Decision) -> Mapping[str, Any]:
    """Return what was decided, without when, on top of what and why in other words."""
    said = decision.statement.predicate.model_dump(exclude={"seq", "prev", "issued_at", "expires_at", "git_commit", "assurance", "reason"})
    return said | decision.statement.digests
