"""Where the sign-off page finds versions and trust, and where decisions go: this repository, or the MLflow server that the page is part of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poc import layout
from poc.acts.signoff_desk import Look
from poc.errors import InputRefused, NotSignedOff, PocError
from poc.rules.charter import Charter
from poc.rules.signoff import NAMESPACE, Entry, Facts, Trust, stop_at
from poc.rules.signoff.browsing import model_is_the_charters
from poc.rules.signoff.trust import PERSON
from poc.steps import vouch
from poc.steps.copies import Copies, both_copies, held_by_mlflow, pull, push, tell_within_a_turn
from poc.tools import files, strict_yaml, tracking

PROPOSALS = layout.SIGNOFFS / "proposals"


@dataclass(frozen=True, kw_only=True)
class InRepository:
    """A repository: decisions are files in `signoffs/`, to be committed."""

    root: Path

    @property
    def project(self) -> str:
        """Return the project's name."""
        return self._charter().project

    def trust(self) -> Trust:
        """Read the trust files."""
        return vouch.load_trust(self.root)

    def facts(self, project: str, version: str, into: Path) -> Facts:
        """Bring a version of this project, or without one read the charter as it lies here."""
        if project not in ((self.project,) if version else ("", self.project)):
            raise InputRefused(f"this repository is about {self.project}, not about {project}", where=str(self.root))
        return _fetched(project, version, into) if version else vouch.charter_facts(self.root)

    def entries(self, project: str) -> Sequence[Entry]:
        """Return git's entries, and after them what MLflow has beyond."""
        return self._copies(project).entries

    def append(self, project: str, entry: Entry, look: Look) -> str:
        """Write an entry into `signoffs/`, after what was signed on MLflow's page, which learns of it at once: there it is the next number too."""
        with tracking.moving(project):
            copies = self._copies(project)
            look(copies.entries)
            pull(self.root, [*copies.git_lacks, entry])
            is_known = self._told(project)
        return f"{entry.where}, which is yours to commit" + ("" if is_known else "; MLflow learns of it by poc promote")

    def _copies(self, project: str) -> Copies:
        copies = both_copies(self.root, project)
        stop_at(copies.found)
        return copies

    def _told(self, project: str) -> bool:
        """Tell MLflow what it lacks, so that nobody signs on its page as the same number; say whether it knows that now.

        A database of this machine that knows no version is nobody's page. MLflow may refuse, as it does an approval by branch that is not merged yet: the
        decision stands all the same, in git.
        """
        if tracking.is_on_this_machine() and not tracking.is_registered(project):
            return False
        try:
            tell_within_a_turn(self.root, project)
        except NotSignedOff:
            return False
        return True

    def people(self) -> dict[str, str]:
        """Return whom the charter asks for signatures, and their deputies."""
        charter = self._charter()
        roles = {role for stage in charter.stages for role in stage.signers}
        signing = [person for person in charter.people if person.role in roles]
        return {person.deputy: person.deputy for person in signing if person.deputy} | {person.email: person.name for person in signing}

    def namespace(self) -> str:
        """Return for what a key signs here; before there are trust files, for the real thing."""
        try:
            return self.trust().roles.namespace
        except PocError:
            return NAMESPACE

    def propose(self, email: str, line: str) -> str:
        """Write the proposal beside the ledger."""
        if not PERSON.fullmatch(email) or re.search(r"\.\.|/", email):
            raise InputRefused(f"{email} is no address that a file can be named after", where=layout.CHARTER.name)
        path = PROPOSALS / f"{email}.pub-line"
        files.write_atomically(self.root / path, f"{line}\n".encode())
        return f"It lies in {path}. {MERGED}"

    def _charter(self) -> Charter:
        return strict_yaml.load_charter(self.root / layout.CHARTER)


@dataclass(frozen=True, kw_only=True)
class InMLflow:
    """The server that this process is: decisions are tags of the registered model; `poc verify --pull` brings them into git."""

    root: Path
    project: str = "this MLflow"

    def trust(self) -> Trust:
        """Read the trust files that the server was given."""
        return vouch.load_trust(self.root)

    def facts(self, project: str, version: str, into: Path) -> Facts:
        """Bring a version, or without one the charter of the project's newest run: the repository is somewhere else."""
        if not project:
            raise InputRefused("this MLflow may hold many charters", where="the address", fix="/signoff/PROJECT/charter shows that of a project")
        return _fetched(project, version, into) if version else _newest_charter(project, into)

    def entries(self, project: str) -> Sequence[Entry]:
        """Return MLflow's copy of the ledger."""
        return held_by_mlflow(project)

    def append(self, project: str, entry: Entry, look: Look) -> str:
        """Write an entry as a tag of the registered model."""
        with tracking.moving(project):
            look(self.entries(project))
            tracking.make_registered(project)  # a charter may be signed before there is any version
            push(project, [entry])
        return f"decision {entry.number} in MLflow; poc verify --pull brings it into git"

    def people(self) -> dict[str, str]:
        """Return who may sign by the trust files."""
        roles = self.trust().roles
        signing = {email for role, emails in roles.people.items() if role != "builder" for email in emails}
        return {email: email for email in sorted(signing | {deputy for deputies in roles.deputies.values() for deputy in deputies})}

    def namespace(self) -> str:
        """Return for what a key signs by the trust files."""
        return self.trust().roles.namespace

    def propose(self, email: str, line: str) -> str:
        """Leave it to the person: a server must not write into trust files, and this one has no others."""
        return f"Send this line to whoever keeps the trust files. {MERGED}"


MERGED = "It counts once somebody else has added it to allowed_signers, and this site to passkeys in roles.yaml where it is not there yet."


def _fetched(project: str, version: str, into: Path) -> Facts:
    at = tracking.fetch_version(project, version, into)
    return _of_this_project(project, vouch.facts_of(into, version=at.version, trained_by=at.trained_by))


def _newest_charter(project: str, into: Path) -> Facts:
    into.mkdir(parents=True, exist_ok=True)
    run = tracking.fetch_newest_charter(project, into)
    facts = replace(vouch.charter_facts(into), came_from=f"the run {run.name}, which began on {run.began:%Y-%m-%d %H:%M} UTC (in MLflow {run.run_id})")
    return _of_this_project(project, facts)


def _of_this_project(project: str, facts: Facts) -> Facts:
    stop_at(model_is_the_charters(project, facts.charter.project))
    return facts
