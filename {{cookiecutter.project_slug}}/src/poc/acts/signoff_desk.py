"""What stands behind the sign-off page: it shows what a version is, prepares statements, and takes signatures into the ledger."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from poc import layout
from poc.errors import InputRefused, PocError
from poc.rules.charter_page import charter_page
from poc.rules.signoff import Entry, Facts, Finding, Trust, next_link, refuse_with, statement_bytes, stop_at
from poc.rules.signoff.browsing import (
    answers_the_statement,
    key_is_known,
    nobody_decided_meanwhile,
    passkey_asks_who,
    passkey_is_new_here,
    passkeys_work_here,
    person_has_a_passkey,
)
from poc.rules.signoff.deciding import Wish, comes_too_early, last_is_sound, speaks_against, statement_of
from poc.rules.signoff.page import EnrolPage, in_words, page_of
from poc.rules.signoff.signers import passkeys_of, site_of
from poc.rules.signoff.sshsig import fingerprint, to_be_signed
from poc.rules.signoff.statement import Statement
from poc.rules.signoff.words import worth_of
from poc.steps import vouch
from poc.tools import pages, passkeys
from poc.tools.signoff_page import Answer, Choice, Enrolment, NewPasskey, Prepared, View

#: A reader who knows what the ledger holds decides whether it is still so.
Look = Callable[[Sequence[Entry]], None]


class Books(Protocol):
    """Where the page finds versions and trust, and where decisions go: a repository, or MLflow's server."""

    def trust(self) -> Trust:
        """Return whom to believe, as it is now."""

    def facts(self, project: str, version: str, into: Path) -> Facts:
        """Bring a version's bytes into a folder and work out what they are; without a version, what the charter is."""

    def entries(self, project: str) -> Sequence[Entry]:
        """Return the ledger."""

    def append(self, project: str, entry: Entry, look: Look) -> str:
        """Let `look` see the ledger as it is, then append an entry while nobody else can, and say where it lies."""

    def people(self) -> dict[str, str]:
        """Return who may want a passkey: names by address."""

    def propose(self, email: str, line: str) -> str:
        """Keep the proposal of a passkey, where it can be kept, and say what to do with it."""

    def namespace(self) -> str:
        """Return for what a key of these trust files signs."""

    @property
    def project(self) -> str:
        """Return what these books are about, in a word or two."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A statement that waits for its signature, with everything that it was made from."""

    statement: Statement
    facts: Facts
    keys: tuple[bytes, ...]
    namespace: str

    @property
    def content(self) -> bytes:
        """Return the bytes that are signed."""
        return statement_bytes(self.statement)

    @property
    def challenge(self) -> bytes:
        """Return what the passkey is asked to sign."""
        return to_be_signed(self.content, self.namespace)


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A passkey that is about to be made."""

    email: str
    site: str
    challenge: bytes


@dataclass(frozen=True, kw_only=True)
class SignoffDesk:
    """The desk behind the page; `stage` was asked for, `chosen` is to make a passkey, and `on_signed` and `on_enrolled` tell whoever waits for it."""

    books: Books
    stage: str = ""
    chosen: str = ""
    on_signed: Callable[[Entry], None] = lambda _: None
    on_enrolled: Callable[[str, str, str], None] = lambda *_: None

    def page(self, project: str, version: str, view: View) -> bytes:
        """Show a version, or without one the charter."""
        now, trust = datetime.now(UTC), self.books.trust()
        with tempfile.TemporaryDirectory() as folder:
            facts = self.books.facts(project, version, Path(folder))
        ledger = vouch.verified(self.books.entries(facts.charter.project), trust)
        shown = page_of(
            facts,
            ledger,
            trust,
            now,
            worth=worth_of(trust),
            site=site_of(view.origin, trust.roles.passkeys),
            origin=view.origin,
            against={stage.name: vouch.findings(stage.name, facts, ledger, trust, now) for stage in facts.charter.stages},
            agreement="" if version else charter_page(facts.charter),
            asked=self.stage,
        )
        return pages.signoff_page(shown, prefix=view.prefix, token=view.token)

    def brief(self, project: str, version: str) -> bytes:
        """Return the brief among the evidence that is signed."""
        with tempfile.TemporaryDirectory() as folder:
            self.books.facts(project, version, Path(folder))
            path = Path(folder) / vouch.EVIDENCE / "register" / layout.BRIEF_HTML
            if not path.is_file():
                raise InputRefused("this version has no brief among its evidence", where=f"version {version}", fix="poc run --candidate registers one that has")
            return path.read_bytes()

    def prepare(self, choice: Choice, origin: str) -> Prepared:
        """Write down what would be signed, unless the signature would be worth nothing."""
        now, trust = datetime.now(UTC), self.books.trust()
        site = site_of(origin, trust.roles.passkeys)
        stop_at([*trust.found, *passkeys_work_here(site, origin, trust.roles.passkeys)])
        keys = passkeys_of(choice.signer, trust, site or "")
        stop_at(person_has_a_passkey(keys, choice.signer, site or ""))
        with tempfile.TemporaryDirectory() as folder:
            facts = self.books.facts(choice.project, choice.version, Path(folder))
        entries = self.books.entries(facts.charter.project)
        wish = Wish(**choice.model_dump(exclude={"project", "version"}), assurance="passkey")
        statement, found = statement_of(wish, facts, trust, entries, now)
        if statement is None:
            refuse_with(found)
        stop_at(self._against(statement, keys, facts, trust, entries, now))
        asked = Asked(statement=statement, facts=facts, keys=keys, namespace=trust.roles.namespace)
        told = {
            "words": in_words(statement),
            "statement": asked.content.decode(),
            "challenge": passkeys.to_base64url(asked.challenge),
            "site": site,
        }
        return Prepared(told=told, kept=asked)

    def _against(self, statement: Statement, keys: Sequence[bytes], facts: Facts, trust: Trust, entries: Sequence[Entry], now: datetime) -> list[Finding]:
        """List what would keep a signature from counting, whichever of the person's passkeys gives it: the first that would count is enough."""
        ledger = vouch.verified(entries, trust)
        by_key = [speaks_against(statement, fingerprint(key), facts, trust, now) for key in keys]
        return [*ledger.found, *min(by_key, key=len), *comes_too_early(statement.predicate, facts, ledger, trust, now)]

    def sign(self, asked: Asked, answer: Answer, origin: str) -> dict[str, Any]:
        """Verify a passkey's answer as the ledger's next entry, and append it."""
        assertion = passkeys.Assertion(authenticator_data=answer.authenticator_data, client_data=answer.client_data, signature=answer.signature)
        stop_at(answers_the_statement(passkeys.noted(assertion.client_data), challenge=asked.challenge, origin=origin))
        said, key = asked.statement.predicate, passkeys.key_that_signed(assertion, asked.keys)
        stop_at(key_is_known(key, said.signer))
        signature = passkeys.sshsig(assertion, key or b"", asked.namespace)
        entry = Entry(number=said.seq, statement=asked.content, signature=signature)

        def look(entries: Sequence[Entry]) -> None:
            trust = self.books.trust()
            stop_at(nobody_decided_meanwhile((said.seq, said.prev), next_link(entries)))
            ledger = vouch.verified([*entries, entry], trust)
            stop_at(last_is_sound(entry, asked.facts, ledger, trust, datetime.now(UTC)))

        where = self.books.append(said.project, entry, look)
        self.on_signed(entry)
        return {"words": f"Recorded as {where}.\n{self._what_follows(asked.facts, said.stage, said.project)}"}

    def _what_follows(self, facts: Facts, stage: str, project: str) -> str:
        trust = self.books.trust()
        found = vouch.findings(stage, facts, vouch.verified(self.books.entries(project), trust), trust)
        if found:
            return "\n".join([f"{stage} is not passed yet:", *dict.fromkeys(finding.what for finding in found)])
        return f"{stage} is passed." if stage == "charter" else f"{stage} is passed. Whoever runs it may now: poc promote {stage} --version {facts.version}"

    def enrol_page(self, view: View) -> bytes:
        """Show the page on which a passkey is made."""
        people = self.books.people()
        site = self._site(view.origin)
        shown = EnrolPage(project=self.books.project, site=site, notices=(), people=tuple(sorted(people.items(), key=lambda each: each[1])), chosen=self.chosen)
        return pages.enrol_page(shown, prefix=view.prefix, token=view.token)

    def prepare_enrolment(self, enrolment: Enrolment, origin: str) -> Prepared:
        """Say what a browser has to ask an authenticator for."""
        email, people = enrolment.email, self.books.people()
        if email not in people:
            raise InputRefused(
                f"{email} has no role that signs", where="the trust files, and the charter", fix=f"one of {', '.join(sorted(people)) or 'nobody'}"
            )
        new = NewKey(email=email, site=self._site(origin), challenge=secrets.token_bytes(32))
        told = {
            "challenge": passkeys.to_base64url(new.challenge),
            "site": new.site,
            "site_name": f"Sign-offs of {self.books.project}",
            "user": passkeys.to_base64url(secrets.token_bytes(32)),  # a new one each time, so that a new passkey does not take the place of one in use
            "email": email,
            "display_name": f"{people[email]}, sign-offs since {datetime.now(UTC):%Y-%m-%d}",
        }
        return Prepared(told=told, kept=new)

    def enrol(self, new: NewKey, made: NewPasskey, origin: str) -> dict[str, Any]:
        """Return the line that whoever keeps the trust files may add: by itself it gives nobody any right."""
        created = passkeys.Created(authenticator_data=made.authenticator_data, client_data=made.client_data, public_key=made.public_key)
        facts = passkeys.created_facts(created)
        stop_at([*passkey_is_new_here(facts, challenge=new.challenge, origin=origin, rp_id=new.site), *passkey_asks_who(facts)])
        key = passkeys.public_key(created.public_key, new.site)
        line = f'{new.email} namespaces="{self.books.namespace()}" {passkeys.public_line(key)}'
        words = self.books.propose(new.email, line)
        self.on_enrolled(line, fingerprint(key), words)
        return {"line": line, "fingerprint": fingerprint(key), "words": words}

    def _site(self, origin: str) -> str:
        """Return for which site a passkey is made here: one of the trusted ones, or else this host, which then has to be added."""
        try:
            trusted = self.books.trust().roles.passkeys
        except PocError:  # the first passkey of all is made before there are trust files
            trusted = []
        return site_of(origin, trusted) or origin.partition("://")[2].partition(":")[0]
