"""What may be served: wherever a candidate comes from, it is brought to a folder of the server's own and let in there, or refused."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from poc import layout
from poc.errors import InputRefused, Refused
from poc.rules import guards
from poc.rules.evidence import Candidate, Verdict
from poc.rules.observed import output_columns
from poc.rules.signoff import stop_at
from poc.steps.frozen import frozen_model
from poc.steps.judged import candidate_digest
from poc.tools import files


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What a source laid into a folder: in words, where it lay, and the digest of the candidate that was promised, None where nobody promised one."""

    source: str
    place: str
    promised_sha256: str | None = None


class Source(Protocol):
    """Where candidates come from."""

    @property
    def is_followed(self) -> bool:
        """Say whether what is new is served without being asked for."""

    def now(self) -> str:
        """Name what there is now; another name is another candidate."""

    def bring(self, name: str, into: Path) -> Brought:
        """Lay what has this name into a folder: its record, its model, and its sample request where there is one."""


@dataclass(frozen=True, kw_only=True)
class InFolder:
    """A candidate in a folder; which one, is asked each time, and `says` what to call it. It is taken up on SIGHUP only: nobody promoted it."""

    find: Callable[[], Path]
    says: Callable[[Path], str] = str
    is_followed: bool = False

    def now(self) -> str:
        """Name the folder."""
        return str(self.find())

    def bring(self, name: str, into: Path) -> Brought:
        """Copy it, so that nobody changes what workers started later will load."""
        for file in (layout.CANDIDATE_JSON, layout.CANDIDATE_MODEL):
            try:
                shutil.copyfile(Path(name) / file, into / file)
            except FileNotFoundError as error:
                raise Refused(f"{file} is missing", where=name, fix="run the step that writes it again: poc run", code="evidence_is_missing") from error
        sample = Path(name) / layout.SAMPLE_REQUEST
        if sample.is_file():
            shutil.copyfile(sample, into / layout.SAMPLE_REQUEST)
        return Brought(source=self.says(Path(name)), place=name)


@dataclass(frozen=True, kw_only=True)
class ByAlias:
    """The version that holds an alias in MLflow."""

    project: str
    alias: str
    is_followed: bool = True

    def now(self) -> str:
        """Name the version."""
        from poc.tools import tracking

        return tracking.holder_of(self.project, self.alias)

    def bring(self, name: str, into: Path) -> Brought:
        """Download it."""
        from poc.tools import tracking

        held = tracking.fetch_candidate(self.project, name, into)
        return Brought(source=f"version {name}, {self.alias}", place=held.source, promised_sha256=held.candidate_sha256)


@dataclass(frozen=True, kw_only=True)
class ByStage:
    """The version that holds a stage, and that the ledger vouches for: what is verified is what is served, byte for byte."""

    root: Path
    project: str
    stage: str
    is_followed: bool = True

    def now(self) -> str:
        """Name the version.

        Raises:
            InputRefused: none holds the stage.
        """
        from poc.tools import tracking

        holder = tracking.holders(self.project).get(self.stage)
        if holder is None:
            raise InputRefused(f"no version of {self.project} holds {self.stage}", where="MLflow", fix=f"poc promote {self.stage} --version N")
        return holder

    def bring(self, name: str, into: Path) -> Brought:
        """Download all of it once, have it verified, and keep what is served of that very copy.

        Raises:
            NotSignedOff: the ledger does not vouch for it.
        """
        from poc.steps.standing import standing
        from poc.steps.trust import load_trust

        with tempfile.TemporaryDirectory(dir=into) as folder:
            stands = standing(self.root, self.project, self.stage, name, load_trust(self.root), into=Path(folder))
            stop_at(stands.found)
            model, evaluated = Path(folder) / "model", Path(folder) / "evidence" / "evaluate"
            judged = files.read_record(Path(folder) / "evidence" / "gate" / layout.VERDICT_JSON, Verdict)  # signed, unlike the version's tags
            for file in (model / layout.CANDIDATE_MODEL, evaluated / layout.CANDIDATE_JSON, evaluated / layout.SAMPLE_REQUEST):
                if file.is_file():
                    file.replace(into / file.name)
        return Brought(source=f"version {name}, {self.stage}", place=stands.at.source, promised_sha256=judged.candidate_sha256)


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A candidate that may be served, in a folder that only the server writes to."""

    candidate: Candidate
    folder: Path
    source: str
    place: str


def admit(source: Source, name: str, into: Path) -> Admitted:
    """Bring a candidate and let it in: its bytes are those that its record names, and its record is the one that was registered.

    Everything that is served passes here, at start and at each reload.

    Raises:
        Refused: something is missing or differs.
        NotSignedOff: it comes from a stage, and the ledger does not vouch for it.
    """
    into.mkdir(parents=True)
    brought = source.bring(name, into)
    frozen, _ = frozen_model(into)
    if brought.promised_sha256 is not None:
        found = candidate_digest(into)
        guards.digests_agree([] if found == brought.promised_sha256 else [f"{layout.CANDIDATE_JSON} of {brought.source} is not the one that was registered"])
    return Admitted(candidate=frozen, folder=into, source=brought.source, place=brought.place)


def check_shadow(shadow: Candidate, holder: Candidate) -> None:
    """Check that a shadow can be asked what the holder is asked.

    Raises:
        InputRefused: it takes other inputs, or gives another kind of answer.
    """
    taken = {each.name: each.kind for each in holder.inputs}
    if lacking := [each.name for each in shadow.inputs if taken.get(each.name) != each.kind]:
        raise InputRefused(f"requests do not hold what the shadow takes: {', '.join(lacking)}", where="--shadow", fix="name a candidate with the same features")
    if output_columns(shadow) != output_columns(holder):
        raise InputRefused("the shadow gives another kind of answer than what is served", where="--shadow", fix="name a candidate of the same problem")
