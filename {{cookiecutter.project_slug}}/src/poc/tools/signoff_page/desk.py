"""What the page hands to whoever composes it, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from poc.rules.signoff.browsing import from_base64url

Name = Annotated[str, Field(min_length=1, max_length=200)]
OneTimeName = Annotated[str, Field(min_length=1, max_length=100)]


#: Bytes that a script sends as the web writes them: base64 with two other letters and no padding.
Base64Url = Annotated[bytes, BeforeValidator(from_base64url)]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Sent):
    """What somebody wants to decide; without a version it is about the charter."""

    project: Annotated[str, Field(max_length=200)]
    stage: Name
    version: Annotated[str, Field(pattern="^([1-9][0-9]{0,9})?$")]
    signer: Name
    role: Name
    on_behalf_of: Annotated[str, Field(max_length=200)]
    decision: Literal["approve", "reject"]
    reason: Annotated[str, Field(max_length=400)]


class Answer(_Sent):
    """A passkey's answer to a statement that was prepared."""

    name: OneTimeName
    authenticator_data: Base64Url
    client_data: Base64Url
    signature: Base64Url


class Enrolment(_Sent):
    """Who wants to make a passkey."""

    email: Name


class NewPasskey(_Sent):
    """What a browser says of a passkey that was made."""

    name: OneTimeName
    authenticator_data: Base64Url
    client_data: Base64Url
    public_key: Base64Url


@dataclass(frozen=True, kw_only=True)
class View:
    """How a page is seen: from which origin, under which path, and with which token in it."""

    origin: str
    prefix: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What waits for an answer: what is told of it to the browser, and what is kept to be held against the answer."""

    told: dict[str, Any]
    kept: Any


class Desk(Protocol):
    """What stands behind the page. Each method may refuse with a `PocError`, whose words are what the person reads."""

    def page(self, project: str, version: str, view: View) -> bytes:
        """Return the page of a version, or without one of the charter."""

    def brief(self, project: str, version: str) -> bytes:
        """Return the brief of a version as it lies in the evidence."""

    def enrol_page(self, view: View) -> bytes:
        """Return the page on which a passkey is made."""

    def prepare(self, choice: Choice, origin: str) -> Prepared:
        """Prepare a statement to be signed."""

    def sign(self, kept: Any, answer: Answer, origin: str) -> dict[str, Any]:
        """Take a signature into the ledger and say what that did."""

    def prepare_enrolment(self, enrolment: Enrolment, origin: str) -> Prepared:
        """Prepare the making of a passkey."""

    def enrol(self, kept: Any, passkey: NewPasskey, origin: str) -> dict[str, Any]:
        """Return the proposal for the trust files."""
