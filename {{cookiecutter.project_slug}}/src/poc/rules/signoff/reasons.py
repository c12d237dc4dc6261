"""Why something is refused: one code for each reason, what to do about it, and the checks that find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import NoReturn, ParamSpec

from poc.errors import NotSignedOff, Problem

P = ParamSpec("P")


class Reason(StrEnum):
    """What stops a sign-off, a promotion, an alias or a server; people and programs know it by this word."""

    # the statement's form
    NOT_JSON = "not_json"
    NOT_CANONICAL = "not_canonical"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER_FORM = "number_form"
    WRONG_TYPE = "wrong_type"
    FIELD_UNKNOWN = "field_unknown"
    FIELD_MISSING = "field_missing"
    FIELD_INVALID = "field_invalid"
    NOT_ASCII = "not_ascii"
    TOO_LONG = "too_long"
    TIME_FORM = "time_form"
    # the ledger
    LEDGER_GAP = "ledger_gap"
    LEDGER_BROKEN = "ledger_broken"
    LEDGER_RUNS_BACK = "ledger_runs_back"
    LEDGER_TRUNCATED = "ledger_truncated"
    LEDGER_FORKED = "ledger_forked"
    # the signature
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_INVALID = "signature_invalid"
    OTHER_NAMESPACE = "other_namespace"
    KEY_NOT_TRUSTED = "key_not_trusted"
    KEY_REVOKED = "key_revoked"
    PRESENCE_ONLY = "presence_only"
    PASSKEY_ELSEWHERE = "passkey_elsewhere"
    ASSURANCE_OVERSTATED = "assurance_overstated"
    BRANCH_NOT_APPROVED = "branch_not_approved"
    # the trust files
    TRUST_NOT_CONFIGURED = "trust_not_configured"
    TRUST_IN_THE_CHANGE = "trust_in_the_change"
    DEMO_TRUST_ELSEWHERE = "demo_trust_elsewhere"
    TRUST_UNREADABLE = "trust_unreadable"
    REVOCATION_LIST_MISSING = "revocation_list_missing"
    SIGNER_LINE_MALFORMED = "signer_line_malformed"
    WILDCARD_SIGNER = "wildcard_signer"
    NAMESPACE_MISSING = "namespace_missing"
    CERTIFICATE_AUTHORITY = "certificate_authority"
    ONE_KEY_TWO_PEOPLE = "one_key_two_people"
    PRIVATE_KEY_COMMITTED = "private_key_committed"
    # who signs
    ROLE_NOT_HELD = "role_not_held"
    NOT_THE_DEPUTY = "not_the_deputy"
    SIGNED_BY_BUILDER = "signed_by_builder"
    SIGNED_WITH_BUILDERS_KEY = "signed_with_builders_key"
    BUILDERS_DIFFER = "builders_differ"
    # what is signed
    OTHER_PROJECT = "other_project"
    OTHER_CHARTER_VERSION = "other_charter_version"
    CHARTER_CHANGED = "charter_changed"
    JUDGED_BY_ANOTHER_CHARTER = "judged_by_another_charter"
    MODEL_IS_NOT_THE_CANDIDATE = "model_is_not_the_candidate"
    ANOTHER_CANDIDATE_WAS_JUDGED = "another_candidate_was_judged"
    EVIDENCE_CONTRADICTS_ITSELF = "evidence_contradicts_itself"
    MODEL_CHANGED = "model_changed"
    EVIDENCE_CHANGED = "evidence_changed"
    STAGE_EVIDENCE_CHANGED = "stage_evidence_changed"
    NUMBERS_DIFFER = "numbers_differ"
    STRANGE_FILE = "strange_file"
    # when
    EXPIRED = "expired"
    SIGNED_IN_THE_FUTURE = "signed_in_the_future"
    VALID_TOO_LONG = "valid_too_long"
    # the stage
    STAGE_UNKNOWN = "stage_unknown"
    NOT_SIGNED = "not_signed"
    REJECTED = "rejected"
    NO_GO = "no_go"
    NOT_PROVEN = "not_proven"
    CHARTER_SIGNED_AFTER_THE_LOOK = "charter_signed_after_the_look"
    # MLflow
    ANOTHER_WAS_PROMOTED = "another_was_promoted"
    BYTES_CHANGED_MEANWHILE = "bytes_changed_meanwhile"
    ALIAS_NOT_VOUCHED_FOR = "alias_not_vouched_for"
    ALIAS_VARIANT = "alias_variant"
    ALIAS_REMOVED_WITHOUT_A_NOTE = "alias_removed_without_a_note"
    TAG_FORGED = "tag_forged"
    SIGNED_IS_FIXED = "signed_is_fixed"
    # the sign-off page
    OTHER_HOST = "other_host"
    OTHER_ORIGIN = "other_origin"
    NOT_FROM_THIS_PAGE = "not_from_this_page"
    LINK_USED = "link_used"
    NOT_PREPARED = "not_prepared"


#: What to do, for every reason, where the finding itself does not say.
FIXES: Mapping[Reason, str] = {
    **dict.fromkeys(
        (Reason.NOT_CANONICAL, Reason.DUPLICATE_KEY, Reason.NUMBER_FORM, Reason.FIELD_UNKNOWN, Reason.FIELD_MISSING, Reason.FIELD_INVALID),
        "bring the file back from git as it was signed, or delete it and sign again: poc sign; nobody writes a decision by hand",
    ),
    **dict.fromkeys((Reason.NOT_JSON, Reason.WRONG_TYPE, Reason.TIME_FORM, Reason.OTHER_NAMESPACE), "sign with poc sign, or on the page"),
    Reason.NOT_ASCII: "write names and addresses in ASCII, in charter.yaml and in roles.yaml",
    Reason.TOO_LONG: "give a shorter reason",
    Reason.LEDGER_BROKEN: "take signoffs/ from the commit where it was whole; a decision is withdrawn by a new one, never by editing an old one",
    Reason.LEDGER_GAP: "bring the missing files back from git; entries are numbered without gaps",
    Reason.LEDGER_RUNS_BACK: "set the clock that is wrong, then sign again: poc sign",
    Reason.LEDGER_TRUNCATED: "bring the missing entries back: poc verify --pull, or from git",
    Reason.LEDGER_FORKED: "two decisions took the same number, and MLflow keeps its own: delete those in signoffs/ from that number on, poc verify --pull, and "
    "have what was deleted signed again, all in one change",
    **dict.fromkeys(
        (Reason.SIGNATURE_MISSING, Reason.SIGNATURE_MALFORMED, Reason.SIGNATURE_INVALID, Reason.ASSURANCE_OVERSTATED, Reason.BUILDERS_DIFFER),
        "sign again: poc sign",
    ),
    Reason.KEY_REVOKED: "sign again with a key that is not revoked",
    Reason.KEY_NOT_TRUSTED: "have whoever keeps the trust files add the key: poc enrol writes the proposal",
    Reason.PRESENCE_ONLY: "use a passkey or security key that asks for a finger, a face or a PIN",
    Reason.PASSKEY_ELSEWHERE: "open the page at an address that roles.yaml lists under passkeys, and sign there",
    Reason.BRANCH_NOT_APPROVED: "merge the decision into the protected branch, or sign it: poc sign",
    Reason.TRUST_NOT_CONFIGURED: "export POC_TRUST=git:origin/main:trust, or a folder outside of this repository; to try things out: poc demo-trust",
    Reason.TRUST_IN_THE_CHANGE: "name a protected ref, POC_TRUST=git:origin/main:trust, or a folder outside of this repository",
    Reason.DEMO_TRUST_ELSEWHERE: "make trust files of your own: docs/platform.md, Trust files; for demos, poc demo-trust in this very repository",
    Reason.TRUST_UNREADABLE: "have whoever keeps the trust files mend it: docs/platform.md, Trust files",
    Reason.REVOCATION_LIST_MISSING: "an empty file says that nothing is revoked; no file says nothing",
    Reason.SIGNER_LINE_MALFORMED: "mend the line, or take it out: address, options, kind of key, key",
    Reason.WILDCARD_SIGNER: "write one address a line, whole",
    Reason.NAMESPACE_MISSING: 'write namespaces="signoff@prod-first-poc", without a pattern',
    Reason.CERTIFICATE_AUTHORITY: "list the people's own keys",
    Reason.ONE_KEY_TWO_PEOPLE: "give each person a key of their own",
    Reason.PRIVATE_KEY_COMMITTED: "revoke that key now, make another, and take the file out of the history",
    Reason.ROLE_NOT_HELD: "have it signed by who holds the role, or agree the change in charter.yaml and in roles.yaml",
    Reason.NOT_THE_DEPUTY: "have it signed by the person or their deputy, or name this one in charter.yaml and in roles.yaml",
    **dict.fromkeys((Reason.SIGNED_BY_BUILDER, Reason.SIGNED_WITH_BUILDERS_KEY), "have it signed by somebody who did not build it, with a key of their own"),
    Reason.OTHER_PROJECT: "sign for this project: poc sign",
    Reason.OTHER_CHARTER_VERSION: "have it signed under this version of the charter: poc sign",
    Reason.CHARTER_CHANGED: "bring back the charter that was signed, or raise its version and have it signed",
    Reason.JUDGED_BY_ANOTHER_CHARTER: "register anew with poc run --candidate; nobody edits what a run wrote",
    **dict.fromkeys(
        (Reason.MODEL_IS_NOT_THE_CANDIDATE, Reason.ANOTHER_CANDIDATE_WAS_JUDGED, Reason.EVIDENCE_CONTRADICTS_ITSELF),
        "find out who wrote into this run after it ended; then register anew with poc run --candidate, and have that version signed",
    ),
    Reason.MODEL_CHANGED: "register the model anew with poc run --candidate, and have that version signed",
    Reason.EVIDENCE_CHANGED: "register anew with poc run --candidate, and have that version signed",
    Reason.STAGE_EVIDENCE_CHANGED: "have it signed as it is now: poc sign",
    Reason.NUMBERS_DIFFER: "sign again, and ask who showed the other numbers",
    Reason.STRANGE_FILE: "take it out, register anew with poc run --candidate, and have that version signed",
    Reason.EXPIRED: "have it signed again: poc sign",
    Reason.SIGNED_IN_THE_FUTURE: "set the clock that is wrong, then sign again: poc sign",
    Reason.VALID_TOO_LONG: "sign again: poc sign takes the days that the charter gives the stage",
    Reason.STAGE_UNKNOWN: "add the stage to a new version of the charter, with who signs it, and have that signed",
    Reason.NOT_SIGNED: "have it signed: poc sign",
    Reason.REJECTED: "mend what the reason names, then ask for a new decision",
    Reason.NO_GO: "improve the model, or agree another charter before another look",
    Reason.NOT_PROVEN: "gather what the brief lists as not proven; shadow is the place for it",
    Reason.CHARTER_SIGNED_AFTER_THE_LOOK: "raise the charter's version, have it signed, and look at rows that nobody has seen: poc run --candidate",
    Reason.ANOTHER_WAS_PROMOTED: "see who was: poc verify; then decide again",
    Reason.BYTES_CHANGED_MEANWHILE: "find out who can write to the artifacts",
    Reason.ALIAS_NOT_VOUCHED_FOR: "have it signed: poc sign; or take it off: poc demote",
    Reason.ALIAS_VARIANT: "take that alias out in MLflow; stages are shadow, pilot and production",
    Reason.ALIAS_REMOVED_WITHOUT_A_NOTE: "take it off with its reason: poc demote",
    Reason.TAG_FORGED: "poc promote writes what is true",
    Reason.SIGNED_IS_FIXED: "register a new version instead",
    **dict.fromkeys((Reason.OTHER_HOST, Reason.OTHER_ORIGIN, Reason.NOT_FROM_THIS_PAGE, Reason.LINK_USED, Reason.NOT_PREPARED), "open the page anew"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that does not hold: its code, and in words what and where."""

    reason: Reason
    what: str
    where: str = ""
    fix: str = ""

    @property
    def problem(self) -> Problem:
        """Return it as people read it, its code at the end."""
        return Problem(what=f"{self.what} [{self.reason}]", where=self.where, fix=self.fix or FIXES[self.reason])


Check = Callable[..., list[Finding]]
CHECKS: dict[str, Check] = {}


def check(function: Callable[P, list[Finding]]) -> Callable[P, list[Finding]]:
    """Enlist a check, and ask it through the list, so that each can be taken out in turn and an attack be seen to come through."""
    name = f"{function.__module__}.{function.__qualname__}"
    CHECKS[name] = function

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> list[Finding]:
        return CHECKS[name](*args, **kwargs)

    return ask


def refuse_with(findings: Sequence[Finding]) -> NoReturn:
    """Refuse, with everything that was found; the code is that of the first.

    Raises:
        NotSignedOff: always.
    """
    raise NotSignedOff([finding.problem for finding in findings], code=findings[0].reason)


def stop_at(findings: Sequence[Finding]) -> None:
    """Refuse where anything was found, each thing once.

    Raises:
        NotSignedOff: something was.
    """
    if findings:
        refuse_with(list(dict.fromkeys(findings)))
