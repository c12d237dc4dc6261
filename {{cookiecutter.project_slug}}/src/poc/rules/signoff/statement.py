"""A decision as an in-toto Statement: what it is about by digest, and who decided what, when, on which numbers.

The form is that of https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; the predicate is ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from poc.errors import InputRefused
from poc.rules.charter import Role
from poc.rules.charter_fields import is_printable
from poc.rules.signoff.canonical import canonical, is_canonical
from poc.rules.signoff.reasons import Finding, Reason, check

#: With its signature an entry has to fit into a registered model's tag, which MLflow cuts at 5,000 letters.
MOST_BYTES = 3600
#: A clock that is ahead of ours by no more than this is believed.
SKEW = timedelta(minutes=5)
MOST_OF_A_REASON = 400
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)

StageName = Literal["charter", "shadow", "pilot", "production"]
#: Stages that an alias in MLflow stands for; nobody is moved there without signatures.
GATED: tuple[StageName, ...] = ("shadow", "pilot", "production")
SubjectName = Literal["charter", "model", "evidence", "stage evidence"]
#: What stands behind a signature, from the strongest: a passkey or a security key is asked for a finger, a face or a PIN each time; a key may be a file
#: that somebody copied; an approval by branch is the forge's word.
Assurance = Literal["passkey", "hardware key", "key", "branch"]
Ascii = Annotated[str, Field(pattern=r"^[ -~]+$", max_length=200)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _printable(text: str) -> str:
    """Refuse what a terminal would obey, and letters that nobody sees."""
    if not is_printable(text):
        raise PydanticCustomError("unprintable", "holds a line break or an invisible character")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Digest(_Strict):
    """A digest, as in-toto writes it."""

    sha256: Sha256


class Subject(_Strict):
    """One thing that is signed: the charter's bytes, the model's folder, the evidence, or the evidence of one stage."""

    name: SubjectName
    digest: Digest


class Predicate(_Strict):
    """Who decided what about which version, when and until when, after seeing which numbers; `prev` is the digest of the decision before.

    `model` and `model_version` are empty where the charter is signed, `on_behalf_of` where nobody is represented. `shown` is what the signer saw, as
    pairs of words and a figure. `assurance` is what the signer claims to sign with; the verifier looks whether that is so.
    """

    project: Ascii
    charter_version: Annotated[int, Field(ge=1)]
    stage: StageName
    decision: Literal["approve", "reject"]
    reason: Annotated[str, Field(max_length=MOST_OF_A_REASON), AfterValidator(_printable)]
    signer: Ascii
    role: Role
    on_behalf_of: Annotated[str, Field(pattern=r"^[ -~]*$", max_length=200)]
    builders: list[Ascii]
    assurance: Assurance
    model: Annotated[str, Field(pattern=r"^[ -~]*$", max_length=200)]
    model_version: Annotated[str, Field(pattern="^([1-9][0-9]*)?$", max_length=10)]
    git_commit: Annotated[str, Field(pattern="^([0-9a-f]{40}|[0-9a-f]{64})?$")]
    seq: Annotated[int, Field(ge=1)]
    prev: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
    issued_at: str
    expires_at: str
    shown: list[tuple[str, str]]


class Statement(_Strict):
    """The whole that is signed."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type", default="https://in-toto.io/Statement/v1")
    predicate_type: Literal["https://prod-first-poc.dev/signoff/v1"] = Field(alias="predicateType", default="https://prod-first-poc.dev/signoff/v1")
    subject: list[Subject]
    predicate: Predicate

    @property
    def digests(self) -> dict[str, str]:
        """Return the sha256 of each subject by its name."""
        return {subject.name: subject.digest.sha256 for subject in self.subject}

    @property
    def issued_at(self) -> datetime:
        """Return when it was signed, by the signer's clock."""
        return moment(self.predicate.issued_at)

    @property
    def expires_at(self) -> datetime:
        """Return until when it holds."""
        return moment(self.predicate.expires_at)


def subjects(digests: Mapping[str, str]) -> list[Subject]:
    """List subjects in the order of their names."""
    return [Subject.model_validate({"name": name, "digest": {"sha256": digest}}) for name, digest in sorted(digests.items())]


def statement_bytes(statement: Statement) -> bytes:
    """Write a statement in its one form: these bytes are signed."""
    return canonical(statement.model_dump(mode="json", by_alias=True))


def stamp(at: datetime) -> str:
    """Write a moment as statements do: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read a moment.

    Raises:
        ValueError: it is not in UTC with whole seconds, or there is no such day.
    """
    if not MOMENT.fullmatch(text):
        raise ValueError(f"{text!r} is not written as 2026-01-31T12:00:00Z")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def is_a_reason(text: str) -> bool:
    """Say whether a text tells anybody why: on one line, in letters that are seen."""
    return bool(text.strip()) and len(text) <= MOST_OF_A_REASON and is_printable(text)


def reason_on_one_line(text: str, *, is_needed: bool) -> str:
    """Return a reason as it is kept.

    Raises:
        InputRefused: it tells nobody why; where none is needed, there may be none.
    """
    line = " ".join(text.split())
    if is_a_reason(line) or not (line or is_needed):
        return line
    what = "the reason holds a letter that nobody sees" if not is_printable(line) else f"the reason has {len(line):,} letters" if line else "there is no reason"
    raise InputRefused(what, where="reason", fix=f"say why in 1 to {MOST_OF_A_REASON} letters, such as --reason 'Too many false alarms'")


def read_statement(content: bytes, where: str) -> tuple[Statement | None, list[Finding]]:
    """Read a statement; None together with everything that is wrong with its form."""
    if found := is_short_enough(content, where) or is_canonical(content, where):
        return None, found
    try:
        statement = Statement.model_validate_json(content)
    except ValidationError as error:
        return None, fields_are_right(error, where)
    found = [
        *type_is_written(content, where),
        *moments_are_read(statement.predicate, where),
        *subjects_stand_once(statement, where),
        *version_fits_stage(statement.predicate, where),
    ]
    return (None, found) if found else (statement, [])


@check
def is_short_enough(content: bytes, where: str) -> list[Finding]:
    """Refuse a statement that MLflow's tag would cut."""
    if len(content) <= MOST_BYTES:
        return []
    return [Finding(reason=Reason.TOO_LONG, what=f"the statement has {len(content):,} bytes, of {MOST_BYTES:,} that fit", where=where)]


def fields_are_right(error: ValidationError, where: str) -> list[Finding]:
    """Say what is wrong with fields: unknown, missing, of another type of statement, in letters that only look like others, or not as they must be."""
    return [_of_field(".".join(map(_name, each["loc"])), each["type"], each["msg"], each["input"], where) for each in error.errors(include_url=False)]


def _name(part: int | str) -> str:
    """Return a part of a field's place in letters that no terminal obeys."""
    return str(part) if isinstance(part, int) else ascii(part)[1:-1]


def _of_field(name: str, kind: str, message: str, value: object, where: str) -> Finding:
    if name in ("_type", "predicateType"):
        return Finding(reason=Reason.WRONG_TYPE, what=f"{name} is {ascii(value)[:80]}: this is no sign-off of ours", where=where)
    if kind == "extra_forbidden":
        return Finding(reason=Reason.FIELD_UNKNOWN, what=f"{name} is no field of a sign-off", where=where)
    if kind == "missing":
        return Finding(reason=Reason.FIELD_MISSING, what=f"{name} is missing", where=where)
    if isinstance(value, str) and not value.isascii():
        return Finding(reason=Reason.NOT_ASCII, what=f"{name} is {ascii(value)[:80]}: letters that look like others name somebody else", where=where)
    return Finding(reason=Reason.FIELD_INVALID, what=f"{name}: {message}", where=where)


@check
def type_is_written(content: bytes, where: str) -> list[Finding]:
    """Refuse bytes that leave out what a statement of ours has by itself, its types: they say less than is read into them."""
    return [
        Finding(reason=Reason.WRONG_TYPE, what=f"{name} is missing: this is no sign-off of ours", where=where)
        for name in ("_type", "predicateType")
        if name not in json.loads(content)
    ]


@check
def version_fits_stage(predicate: Predicate, where: str) -> list[Finding]:
    """Refuse a decision about a stage that names no version, and one about the charter that names one: neither would ever be found."""
    if bool(predicate.model_version) == bool(predicate.model) == (predicate.stage != "charter"):
        return []
    what = f"it is about {predicate.stage}, model {predicate.model or 'none'}, version {predicate.model_version or 'none'}"
    return [Finding(reason=Reason.FIELD_INVALID, what=what, where=where)]


@check
def moments_are_read(predicate: Predicate, where: str) -> list[Finding]:
    """Refuse times without a zone, or in any form but one."""
    found = []
    for name in ("issued_at", "expires_at"):
        try:
            moment(getattr(predicate, name))
        except ValueError as error:
            found.append(Finding(reason=Reason.TIME_FORM, what=f"{name}: {error}", where=where))
    return found


@check
def subjects_stand_once(statement: Statement, where: str) -> list[Finding]:
    """Refuse a statement that names a subject twice, lacks one, or names one that its stage has not."""
    names = [subject.name for subject in statement.subject]
    needed = {"charter"} if statement.predicate.stage == "charter" else {"charter", "model", "evidence"}
    if len(names) == len(set(names)) and needed <= set(names) <= needed | ({"stage evidence"} if len(needed) > 1 else set()):
        return []
    return [
        Finding(
            reason=Reason.FIELD_INVALID, what=f"subjects are {', '.join(names) or 'none'}; a decision about {statement.predicate.stage} has others", where=where
        )
    ]
