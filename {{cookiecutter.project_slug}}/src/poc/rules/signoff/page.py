"""The sign-off page as a record: everything that it says, as words and rows; the page is made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from poc.rules.charter import Role, Stage
from poc.rules.evidence import Outcome
from poc.rules.signoff.browsing import passkeys_work_here
from poc.rules.signoff.facts import Facts, Ledger, newest
from poc.rules.signoff.holding import decision_holds
from poc.rules.signoff.reasons import Finding, Reason
from poc.rules.signoff.shown import Shown
from poc.rules.signoff.signers import Signer, signers_of
from poc.rules.signoff.statement import StageName, Statement
from poc.rules.signoff.trust import Trust
from poc.rules.signoff.words import MADE_WITH
from poc.rules.words import SIGNS

State = Literal["signed", "refused", "open", "void"]
#: A colour is not seen by everybody, and not on every printer.
MARKS: Mapping[State, str] = {"signed": "✓", "refused": "✕", "open": "·", "void": "?"}


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a stage needs of one role, and how far it is."""

    role: str
    who: str
    state: State
    words: str

    @property
    def mark(self) -> str:
        """Return the state as a sign."""
        return MARKS[self.state]


@dataclass(frozen=True, kw_only=True)
class StageOnPage:
    """A stage: what it asks, what it needs, and what else speaks against it."""

    name: StageName
    question: str
    needs: tuple[Need, ...]
    against: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Say whether nothing speaks against it."""
        return not self.against


@dataclass(frozen=True, kw_only=True)
class SignoffPage:
    """What the page says of a version, or, without one, of the charter; `worth` says what a signature here is worth, where no notice says so."""

    project: str
    version: str
    audience: str
    question: str
    verdict: Outcome | None
    meaning: str
    notices: tuple[tuple[str, str], ...]
    shown: Shown
    agreement: str
    stages: tuple[StageOnPage, ...]
    worth: str
    signers: tuple[Signer, ...]
    others: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]
    came_from: str = ""
    asked: str = ""

    @property
    def sign(self) -> str:
        """Return the verdict as a sign."""
        return SIGNS[self.verdict] if self.verdict else ""

    @property
    def path(self) -> str:
        """Return where the page lies, below the sign-off pages."""
        return f"{self.project}/{self.version}" if self.version else "charter"

    @property
    def names(self) -> tuple[StageName, ...]:
        """List the stages that somebody can sign here."""
        return tuple(stage.name for stage in self.stages if any(signer.stage == stage.name for signer in self.signers))

    @property
    def next_stage(self) -> StageName | None:
        """Name the stage that was asked for, else the first that waits for signatures, or the last."""
        asked = [name for name in self.names if name == self.asked]
        waiting = [stage.name for stage in self.stages if not stage.is_open and stage.name in self.names]
        return next(iter(asked or waiting or self.names[::-1]), None)


@dataclass(frozen=True, kw_only=True)
class EnrolPage:
    """What the page says on which somebody makes a passkey: for which site, and who they may be, by address and name."""

    project: str
    site: str
    notices: tuple[tuple[str, str], ...]
    people: tuple[tuple[str, str], ...]
    chosen: str = ""


#: What a verdict means to whoever signs, in one sentence.
MEANINGS: Mapping[Outcome, str] = {
    "GO": "Every limit that was agreed is shown to be kept, on rows that nobody had seen.",
    "NO-GO": "At least one limit that was agreed is shown to be broken.",
    "NOT PROVEN": "The evidence neither shows nor refutes that every limit is kept.",
}


def page_of(
    facts: Facts,
    ledger: Ledger,
    trust: Trust,
    now: datetime,
    *,
    worth: str,
    site: str | None,
    origin: str,
    against: Mapping[str, Sequence[Finding]],
    agreement: str = "",
    asked: str = "",
) -> SignoffPage:
    """Put the page together.

    `against` is what the verifier finds of each stage, `worth` says what a signature here is worth, `site` whose passkeys work; `asked` is the stage that
    somebody came for.
    """
    of_charter = not facts.version
    stages = [stage for stage in facts.charter.stages if (stage.name == "charter") == of_charter]
    possible = signers_of(stages, facts, trust, site or "")
    broken = tuple(
        ("Nothing can be signed here:", f"{finding.what} ({finding.where})")
        for finding in (*trust.found, *ledger.found, *passkeys_work_here(site, origin, trust.roles.passkeys))
    )
    without = sorted({f"{signer.name} ({_plain(signer.role)})" for signer in possible if not signer.keys})
    return SignoffPage(
        project=facts.charter.project,
        version=facts.version,
        audience=" and ".join(f"{person.name}, {person.title}" for person in facts.charter.people if person.role == "sponsor"),
        question=facts.charter.decision.question,
        verdict=facts.verdict,
        meaning=MEANINGS[facts.verdict] if facts.verdict else "",
        notices=(*broken, ("To try things out.", worth)) if trust.roles.is_demo else broken,
        worth="" if trust.roles.is_demo else worth,
        shown=facts.shown("charter" if of_charter else "shadow"),
        agreement=agreement,
        stages=tuple(
            stage_on_page(stage, against.get(stage.name, ()), facts, ledger, trust, now) for stage in (facts.charter.stages if not of_charter else stages)
        ),
        signers=() if broken else tuple(signer for signer in possible if signer.keys),
        others=(f"Without a passkey for this site: {', '.join(without)}. They can sign in a terminal with a key: poc sign.",) if without else (),
        digests=tuple(facts.digests("charter" if of_charter else "shadow").items()),
        came_from=facts.came_from,
        asked=asked,
    )


def in_words(statement: Statement) -> list[tuple[str, str]]:
    """Say what a statement says, in the order in which a person asks."""
    said = statement.predicate
    about = f"{said.stage} of {said.model}, version {said.model_version}" if said.model else f"the charter of {said.project}, version {said.charter_version}"
    return [
        ("decision", f"{'I approve' if said.decision == 'approve' else 'I say no to'} {about}"),
        ("as", f"{said.signer}, {_plain(said.role)}{f', for {said.on_behalf_of}' if said.on_behalf_of else ''}"),
        ("reason", said.reason or "none given"),
        *said.shown,
        *([("holds until", _day(said.expires_at))] if said.decision == "approve" else []),
        ("built by", ", ".join(said.builders) or "nobody named"),
        ("entry in the ledger", str(said.seq)),
        *((f"digest of the {name}", digest) for name, digest in statement.digests.items()),
    ]


def stage_on_page(stage: Stage, against: Sequence[Finding], facts: Facts, ledger: Ledger, trust: Trust, now: datetime) -> StageOnPage:
    """Say how far a stage is; `against` is what the verifier found."""
    return StageOnPage(
        name=stage.name,
        question=stage.question,
        needs=tuple(_need(stage, role, facts, ledger, trust, now) for role in stage.signers),
        against=tuple(dict.fromkeys(finding.what for finding in against)),
    )


def _need(stage: Stage, role: Role, facts: Facts, ledger: Ledger, trust: Trust, now: datetime) -> Need:
    who = ", ".join(person.name for person in facts.charter.people if person.role == role) or "nobody"
    verified = newest(stage.name, role, facts.version, ledger)
    if verified is None:
        return Need(role=_plain(role), who=who, state="open", words="not signed yet")
    said = verified.decision.statement.predicate
    by = f"{said.signer}{f' for {said.on_behalf_of}' if said.on_behalf_of else ''}"
    wrong = decision_holds(verified, stage, facts, trust, now)
    if not wrong:
        words = f"signed by {by} on {_day(said.issued_at)}, {MADE_WITH[said.assurance]}; holds until {_day(said.expires_at)}"
        return Need(role=_plain(role), who=who, state="signed", words=words)
    if [finding.reason for finding in wrong] == [Reason.REJECTED]:
        return Need(role=_plain(role), who=who, state="refused", words=f"{by} said no on {_day(said.issued_at)}: {said.reason or 'without a reason'}")
    return Need(role=_plain(role), who=who, state="void", words=f"signed by {by} on {_day(said.issued_at)}, and it does not hold: {wrong[0].what}")


def _plain(role: str) -> str:
    return role.replace("_", " ")


def _day(moment: str) -> str:
    return moment.partition("T")[0]
