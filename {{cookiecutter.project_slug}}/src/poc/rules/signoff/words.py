"""How a signature is said, wherever one is shown: who, as what, with what, from when until when; and what the whole is worth."""

from __future__ import annotations

from collections.abc import Mapping

from poc.rules.signoff.statement import Assurance, Predicate
from poc.rules.signoff.trust import Trust

#: What stands behind a signature, for somebody who does not know what a key is.
MADE_WITH: Mapping[Assurance, str] = {
    "passkey": "with a passkey, which asked who is there",
    "hardware key": "with a security key, which asked who is there",
    "key": "with a key in a file, which says nothing of who held it",
    "branch": "by an approval on a protected branch: the forge's word, no signature",
}
#: In place of it all: what keys for trying things out are worth.
DEMO = "DEMO: these keys lie where anybody here can take them. What they sign counts nowhere else, and shows nothing but how signing works."
#: What a folder or a SQLite file that its reader can write is worth; and what it takes to be worth more.
TAMPER_EVIDENT = (
    "Tamper-evident, not tamper-proof: a decision that was changed, taken out or forged is found by `poc verify`, but whoever runs this can also write "
    "the trust files, the ledger and a local MLflow, and nothing here stops them. Tamper-proof takes trust files that builders cannot write, a protected "
    "branch, and MLflow behind its guarded server."
)
TAMPER_PROOF = (
    "The trust files lie where whoever runs this cannot write: nobody here can name other signers. What was signed stays as it was on a protected branch and "
    "behind a guarded MLflow server; a clone or a local MLflow is tamper-evident only, and `poc verify` says where it differs."
)


def worth_of(trust: Trust) -> str:
    """Say what signatures are worth by these trust files: a demo, tamper-evident, or more; and where the files lie."""
    said = DEMO if trust.roles.is_demo else TAMPER_PROOF if trust.is_protected else TAMPER_EVIDENT
    return f"{said} (Trust files: {trust.where}.)"


def signed_in_words(said: Predicate) -> str:
    """Say one decision: who decided what about what, with what, when and until when; a no with its reason."""
    about = f"version {said.charter_version} of the charter" if said.stage == "charter" else f"version {said.model_version} for {said.stage}"
    did = "signed" if said.decision == "approve" else "refused"
    why = f": {said.reason}" if said.reason else ""
    until = f"; it holds until {at(said.expires_at)}" if said.decision == "approve" else ""  # a no does not lapse
    return f"{who(said)} {did} {about} on {at(said.issued_at)}, {MADE_WITH[said.assurance]}{why}{until}"


def who(said: Predicate) -> str:
    """Say who decided, in which role, and for whom."""
    deputy = f", for {said.on_behalf_of}" if said.on_behalf_of else ""
    return f"{said.signer} as {said.role.replace('_', ' ')}{deputy}"


def at(moment: str) -> str:
    """Write a statement's moment as people read it."""
    day, _, time = moment.partition("T")
    return f"{day} {time[:5]} UTC"


def lower_assurance(assurance: Assurance) -> str:
    """Say what an approval lacks that is no signature; nothing where it is one."""
    if assurance != "branch":
        return ""
    return (
        "Lower assurance: this is no signature. It counts once these very bytes lie on the protected branch: whoever may merge there, "
        "or change the forge's rules, approves in this person's name."
    )
