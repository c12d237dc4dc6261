"""Sign-offs for tests: people with real keys, the trust files that name them, and ledgers signed through; `signed_versions.py` has versions in MLflow.

Keys are made once for all tests, and so is each signature: the same bytes, signed with the same key, have the same one.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, get_args

from builders import a_charter, a_plain_charter

from poc import layout
from poc.rules.charter import Charter
from poc.rules.signoff import (
    NAMESPACE,
    Decision,
    Entry,
    Facts,
    Ledger,
    Roles,
    StageName,
    Statement,
    Trust,
    Verified,
    moment,
    next_link,
    read_entries,
    read_signers,
    shown_of_charter,
    stamp,
    statement_bytes,
    subjects,
)
from poc.rules.signoff.canonical import sha256_of
from poc.steps import vouch
from poc.tools import ssh

#: When tests ask, and when somebody first looked at the sealed rows; real programs ask the real clock, so both are reckoned from it.
NOW = datetime.now(UTC).replace(microsecond=0)
LOOKED_AT = NOW - timedelta(days=20)
#: When each stage is signed; the second who signs does so an hour later.
SIGNED_AT: Mapping[str, datetime] = {
    "charter": LOOKED_AT - timedelta(days=2),
    "shadow": NOW - timedelta(days=15),
    "pilot": NOW - timedelta(days=8),
    "production": NOW - timedelta(days=1),
}
#: Who has which role; `sid` stands in for `sam`, and `bo` builds.
ROLE_OF = {"sam": "sponsor", "olga": "owner", "uma": "user_representative", "rae": "risk"}
PEOPLE = (*ROLE_OF, "sid", "bo")
SIGNERS = {
    "charter": ["sponsor", "owner"],
    "shadow": ["owner"],
    "pilot": ["owner", "user_representative", "risk"],
    "production": ["sponsor", "owner", "risk"],
}
PROJECT = str(a_plain_charter()["project"])


def address(person: str) -> str:
    """Return a person's e-mail address; one that is given is left as it is."""
    return person if "@" in person else f"{person}@example.com"


@cache
def _keys() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def key_of(person: str) -> Path:
    """Return the private key of a person, listed or not; it is made when first asked for, and everybody's: copy it before changing anything."""
    path = _keys() / person
    ssh.make_key(path, address(person))
    return path


def public_key_of(person: str) -> str:
    """Return the public line of a person's key."""
    return key_of(person).with_suffix(".pub").read_text().strip()


@cache
def fingerprint_of(person: str) -> str:
    """Return the fingerprint of a person's key."""
    return ssh.fingerprint_of_file(key_of(person))


def signer_line(person: str, *, namespace: str = NAMESPACE, key: str = "") -> str:
    """Return a person's line of `allowed_signers`, with another's key where one is named."""
    return f'{address(person)} namespaces="{namespace}" {" ".join(public_key_of(key or person).split()[:2])}\n'


def plain_roles(**changes: Any) -> dict[str, Any]:
    """Return what `roles.yaml` says, changed."""
    return {
        "schema_version": 1,
        "people": {role: [address(person)] for person, role in ROLE_OF.items()},
        "deputies": {address("sam"): [address("sid")]},
        "builders": [{"email": address("bo"), "keys": [fingerprint_of("bo")]}],
        "passkeys": ["localhost"],
        **changes,
    }


def a_trust_folder(folder: Path, *, people: Sequence[str] = PEOPLE, revoked: Sequence[str] = (), signers: str | None = None, **roles: Any) -> Path:
    """Write trust files for these people into a folder, which is returned; `signers` in place of their lines, and changes to what `roles.yaml` says."""
    folder.mkdir(parents=True, exist_ok=True)
    said = plain_roles(**roles)
    lines = "".join(signer_line(person, namespace=said.get("namespace", NAMESPACE)) for person in people)
    (folder / layout.ALLOWED_SIGNERS).write_text(lines if signers is None else signers)
    (folder / layout.REVOKED).write_text("".join(f"{public_key_of(person)}\n" for person in revoked))
    (folder / layout.ROLES).write_text(json.dumps(said, indent=1))
    return folder


def a_trust(*, people: Sequence[str] = PEOPLE, revoked: Sequence[str] = (), signers: str | None = None, **roles: Any) -> Trust:
    """Return what the same trust files say, without a folder."""
    read = Roles.model_validate(plain_roles(**roles))
    content = ("".join(signer_line(person, namespace=read.namespace) for person in people) if signers is None else signers).encode()
    lines, found = read_signers(content, read.namespace, layout.ALLOWED_SIGNERS)
    keys = "".join(f"{public_key_of(person)}\n" for person in revoked).encode()
    return Trust(where="trust", roles=read, lines=tuple(lines), signers=content, revoked=keys, is_protected=True, found=tuple(found))


def plain_agreed(**changes: Any) -> dict[str, Any]:
    """Return the plain charter, its stages signed by the roles of `SIGNERS`, with changes merged in deeply."""
    stages = [{**stage, "signers": SIGNERS[stage["name"]]} for stage in a_plain_charter()["stages"]]
    return a_plain_charter(**{"stages": stages, **changes})


def agreed(**changes: Any) -> Charter:
    """Return that charter, read."""
    return a_charter(**plain_agreed(**changes))


def facts(**changes: Any) -> Facts:
    """Return what version 7 is, a GO whose digests are made up, changed; with `charter` changed, its figures follow."""
    charter = changes.get("charter", agreed())
    plain: dict[str, Any] = {
        "charter": charter,
        "charter_sha256": "c" * 64,
        "shown_of_charter": shown_of_charter(charter),
        "version": "7",
        "model_sha256": "d" * 64,
        "evidence_sha256": "e" * 64,
        "verdict": "GO",
        "looked_at": LOOKED_AT,
        "shown_of_verdict": (("verdict", "GO"), ("money", "+200 EUR a month")),
        "trained_by": address("bo"),
    }
    return Facts(**plain | changes)


def plain_statement(of: Facts | None = None, *, seq: int = 1, prev: str = "", digests: Mapping[str, str] | None = None, **said: Any) -> dict[str, Any]:
    """Return a decision as plain values, right in everything but what is changed: without `stage` and `role`, it is the owner's about shadow."""
    of = of or facts()
    stage, role = said.get("stage", "shadow"), said.get("role", "owner")
    known = of.stage(stage)
    issued_at = said.get("issued_at", SIGNED_AT.get(stage, NOW))
    if isinstance(issued_at, datetime):
        days = timedelta(days=known.valid_days if known else 30)
        said = {"expires_at": stamp(issued_at + days), **said, "issued_at": stamp(issued_at)}
    builders = {person.email for person in of.charter.people if person.role == "builder"} | ({of.trained_by} if of.trained_by and stage != "charter" else set())
    predicate = {
        "expires_at": stamp(NOW + timedelta(days=30)),
        "project": of.charter.project,
        "charter_version": of.charter.version,
        "stage": stage,
        "decision": "approve",
        "reason": "",
        "signer": next((address(person) for person, held in ROLE_OF.items() if held == role), address("bo")),
        "role": role,
        "on_behalf_of": "",
        "builders": sorted(builders),
        "assurance": "key",
        "model": "" if stage == "charter" else of.charter.project,
        "model_version": "" if stage == "charter" else of.version,
        "git_commit": "",
        "seq": seq,
        "prev": prev,
        "shown": [list(pair) for pair in of.shown(stage)],
        **said,
    }
    subject = [each.model_dump(mode="json") for each in subjects(of.digests(stage) if digests is None else digests)]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://prod-first-poc.dev/signoff/v1",
        "subject": subject,
        "predicate": predicate,
    }


def a_statement(of: Facts | None = None, **changes: Any) -> Statement:
    """Return a decision, changed in these fields; `digests` are its subjects, and `issued_at` may be a moment, from which `expires_at` follows."""
    return Statement.model_validate_json(json.dumps(plain_statement(of, **changes)))


def signed(statement: Statement | bytes, key: str | None = None, *, namespace: str = NAMESPACE, number: int | None = None) -> Entry:
    """Sign a statement with a person's key, the signer's own where none is named, or bytes as they are; an empty `key` leaves it unsigned."""
    content = statement if isinstance(statement, bytes) else statement_bytes(statement)
    if isinstance(statement, Statement):
        said = statement.predicate
        key, number = said.signer.partition("@")[0] if key is None else key, said.seq if number is None else number
    return Entry(number=number or 1, statement=content, signature=_signature(content, key, namespace) if key else b"")


@cache
def _signature(content: bytes, key: str, namespace: str) -> bytes:
    return ssh.sign(content, key=key_of(key), namespace=namespace)


def followed(entries: Sequence[Entry], of: Facts | None = None, *, key: str | None = None, namespace: str = NAMESPACE, **changes: Any) -> list[Entry]:
    """Return these entries and one more, signed and linked to the last; `changes` as for `a_statement`."""
    seq, prev = next_link(entries)
    return [*entries, signed(a_statement(of, **{"seq": seq, "prev": prev, **changes}), key, namespace=namespace)]


def a_ledger(
    of: Facts | None = None,
    *,
    until: StageName = "production",
    since: StageName = "charter",
    after: Sequence[Entry] = (),
    but: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
    without: Sequence[tuple[str, str]] = (),
    namespace: str = NAMESPACE,
) -> list[Entry]:
    """Sign every stage from one up to another, each role of the charter in turn; a ledger that is there already goes on.

    `but` changes decisions by stage and role, as in `but={("pilot", "risk"): {"decision": "reject"}}`, where `key` names whose key signs; `without` leaves
    some out.
    """
    of = of or facts()
    entries, stages = list(after), get_args(StageName)
    for stage in stages[stages.index(since) : stages.index(until) + 1]:
        known = of.stage(stage)
        for place, role in enumerate(known.signers if known else ()):
            if (stage, role) not in without:
                changes = {"issued_at": _not_before(entries, SIGNED_AT[stage] + timedelta(hours=place)), **(but or {}).get((stage, role), {})}
                entries = followed(entries, of, **{"namespace": namespace, "stage": stage, "role": role, **changes})
    return entries


def _not_before(entries: Sequence[Entry], at: datetime) -> datetime:
    """Return a moment, or that of the last entry where it is later: a ledger does not run back."""
    return max([at, *(moment(json.loads(entry.statement)["predicate"]["issued_at"]) for entry in entries[-1:])])


def verified(entries: Sequence[Entry], trust: Trust | None = None) -> Ledger:
    """Verify entries as the programs do, with the real `ssh-keygen`, at the moment that these tests take for now, however long they run."""
    return vouch.verified(entries, trust or a_trust(), NOW)


def believed(entries: Sequence[Entry]) -> Ledger:
    """Take every signature for the signer's own, without looking: for rules that come after it."""
    decisions, found = read_entries(entries)
    return Ledger(decisions=tuple(map(_believed, decisions)), found=tuple(found))


def _believed(decision: Decision) -> Verified:
    return Verified(decision=decision, fingerprint=fingerprint_of(decision.statement.predicate.signer.partition("@")[0]), found=())


def lay_down(entries: Sequence[Entry], root: Path) -> None:
    """Write entries into a repository's ledger."""
    for entry in entries:
        path = root / entry.where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.statement)
        if entry.signature:
            path.with_suffix(".sig").write_bytes(entry.signature)


def a_signed_charter(root: Path, *, without: Sequence[tuple[str, str]] = (), **trust: Any) -> Path:
    """Sign the charter that lies in a repository, long before anybody looked, and return the folder of trust files beside it by which that holds."""
    known = vouch.charter_facts(root)
    of = facts(charter=known.charter, charter_sha256=known.charter_sha256)
    lay_down(a_ledger(of, until="charter", without=without), root)
    return a_trust_folder(root.parent / "trust", **trust)


def digest(text: str) -> str:
    """Digest a text, for a statement about something else."""
    return sha256_of(text.encode())
