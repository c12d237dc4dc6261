"""Each check has a break and, beside it, a control that differs in one thing: taken out, the check lets its break through, and nothing else stops it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from briefs import a_judged

from poc.rules.charter import BinaryCharter
from poc.rules.signoff import (
    CHECKS,
    Entry,
    Facts,
    Finding,
    Reason,
    Trust,
    admission,
    canonical,
    consistent,
    copies_agree,
    findings_for,
    ledger,
    next_link,
    nothing_is_missing,
    read_entries,
    read_signers,
    signer_lines,
    sshsig,
    statement,
    statement_bytes,
    trust,
)
from poc.rules.signoff.reasons import FIXES
from poc.rules.signoff.sshsig import SshSignature
from poc.rules.signoff.statement import MOST_BYTES, read_statement
from signoffs import (
    LOOKED_AT,
    NAMESPACE,
    NOW,
    a_ledger,
    a_statement,
    a_trust,
    address,
    agreed,
    believed,
    digest,
    facts,
    fingerprint_of,
    followed,
    plain_agreed,
    plain_statement,
    public_key_of,
    signer_line,
)

MODULES = ("canonical", "statement", "ledger", "sshsig", "signer_lines", "trust", "holding", "admission", "consistent")
PURE = {name.removeprefix("poc.rules.signoff."): check for name, check in CHECKS.items() if name.split(".")[3] in MODULES}
#: What is judged once with the thing that breaks a check and once with the thing beside it.
Pair = tuple[Callable[[Any], list[Finding]], Any, Any]
HOUR = timedelta(hours=1)


def read(plain: Mapping[str, Any]) -> list[Finding]:
    return read_statement(canonical(plain), "here")[1]


def said(**changes: Any) -> list[Finding]:
    return read(plain_statement(**changes))


def row(entries: Sequence[Entry]) -> list[Finding]:
    return read_entries(entries)[1]


def shadow(changes: Mapping[str, Any]) -> list[Finding]:
    """Judge shadow, whose one decision is changed."""
    return stage("shadow", but={("shadow", "owner"): {"key": "", **changes}})


def stage(
    name: str, *, of: Facts | None = None, by: Trust | None = None, key: str = "", then: Mapping[str, Any] | None = None, **changes: Any
) -> list[Finding]:
    """Judge a stage with a ledger that is changed, its last decision made with somebody's key, and one decision after it."""
    entries = a_ledger(of, **{"until": name if name != "charter" else "shadow", **changes})
    entries = followed(entries, of, key="", issued_at=NOW, **then) if then else entries
    found = believed(entries)
    if key:
        found = replace(found, decisions=(*found.decisions[:-1], replace(found.decisions[-1], fingerprint=fingerprint_of(key))))
    return findings_for(name, of or facts(), found, by or a_trust(), NOW)


def charter(**changes: Any) -> BinaryCharter:
    return BinaryCharter.model_validate(plain_agreed(**changes))


def with_people(*roles: tuple[str, str]) -> Facts:
    """Return facts under the plain charter with more people in it."""
    more = [{"role": role, "name": "Another", "title": "Another", "email": address(person)} for person, role in roles]
    return facts(charter=charter(people=[*plain_agreed()["people"], *more]))


def without_stage(name: str) -> Facts:
    stages = [each for each in agreed().stages if each.name != name]
    return facts(charter=agreed().model_copy(update={"stages": stages}))


def a_signature(**changes: Any) -> SshSignature:
    plain = {"key_type": "ssh-rsa", "key": b"k", "namespace": NAMESPACE, "hash_algorithm": "sha512", "signature_type": "rsa-sha2-512"}
    return SshSignature(**plain | changes)


def a_passkey(**changes: Any) -> SshSignature:
    made = {"key_type": sshsig.SK_ECDSA, "signature_type": sshsig.WEBAUTHN, "application": "example.com", "flags": 5, "origin": "https://example.com"}
    return a_signature(**made | changes)


def lines(text: str) -> list[Finding]:
    return read_signers(text.encode(), NAMESPACE, "here")[1]


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in plain_statement().items() if field != name}


def long(letters: int) -> dict[str, Any]:
    plain = plain_statement(shown=[["", ""]])
    plain["predicate"]["shown"][0][1] = "n" * (letters - len(canonical(plain)))
    return plain


def digests(**changes: str) -> dict[str, str]:
    return facts().digests("shadow") | changes


def of_branch(**changes: Any) -> Entry:
    return Entry(number=1, statement=statement_bytes(a_statement(**changes)), signature=b"")


ROW = [replace(entry, signature=b"") for entry in a_ledger(until="shadow")]
KEY = " ".join(public_key_of("bo").split()[:2])
OURS = f'namespaces="{NAMESPACE}"'
SAM = address("sam")
SIGNED_BARE = {("shadow", "owner"): {"digests": digests()}}
JUDGED = a_judged()
LIMITS, LOOKS = JUDGED.verdict.limits, JUDGED.charter.timebox.looks
PAIRS: dict[str, list[Pair]] = {
    "canonical.is_canonical": [(lambda content: read_statement(content, "here")[1], b" " + ROW[0].statement, ROW[0].statement)],
    "statement.is_short_enough": [(read, long(MOST_BYTES + 1), long(MOST_BYTES))],
    "statement.type_is_written": [(read, without("_type"), plain_statement()), (read, without("predicateType"), plain_statement())],
    "statement.version_fits_stage": [
        (lambda version: said(model_version=version), "", "7"),
        (lambda version: said(stage="charter", model_version=version), "7", ""),
        (lambda model: said(stage="charter", model=model), "stop-bad-parts", ""),
    ],
    "statement.moments_are_read": [(lambda at: said(issued_at=at), "2026-01-31T12:00:00", "2026-01-31T12:00:00Z")],
    "statement.subjects_stand_once": [
        (lambda named: said(digests=named), {"charter": "c" * 64, "model": "d" * 64}, digests()),
        (lambda named: said(stage="charter", digests=named), digests(), {"charter": "c" * 64}),
    ],
    "ledger.numbers_follow": [(lambda number: row([replace(followed([], key="", seq=number)[0], number=number)]), 2, 1)],
    "ledger.chain_holds": [
        (lambda prev: row(followed(ROW, key="", prev=prev, issued_at=NOW)), digest("another"), next_link(ROW)[1]),
        (lambda seq: row(followed([], key="", seq=seq) and [replace(followed([], key="", seq=seq)[0], number=1)]), 2, 1),
    ],
    "ledger.time_runs_forward": [(lambda at: row(followed(ROW, key="", issued_at=at)), LOOKED_AT, NOW)],
    "ledger.time_has_come": [
        (lambda at: ledger.time_has_come(read_entries(followed(ROW, key="", issued_at=at))[0], NOW), NOW + timedelta(minutes=6), NOW + timedelta(minutes=5)),
    ],
    "ledger.entry_fits": [(lambda length: ledger.entry_fits(replace(ROW[0], signature=b"s" * (4_999 - len(ROW[0].statement) + length))), 1, 0)],
    "ledger.copies_agree": [(lambda other: copies_agree(ROW, [*ROW[:2], other]), replace(ROW[2], signature=b"other"), ROW[2])],
    "ledger.decisions_are_about": [(lambda project: ledger.decisions_are_about(project, read_entries(ROW)[0]), "another", facts().charter.project)],
    "ledger.replaced_is_signed_again": [
        (
            lambda decision: ledger.replaced_is_signed_again(
                followed(followed(ROW[:2], key="", decision="reject", reason="wait"), key="", decision=decision, reason="wait"), ROW, theirs="main"
            ),
            "reject",
            "approve",
        )
    ],
    "ledger.nothing_is_missing": [(lambda here: nothing_is_missing(here, ROW), ROW[:2], ROW)],
    "sshsig.signature_is_there": [(lambda content: sshsig.signature_is_there(content, "here"), b"\n", b"something")],
    "sshsig.algorithm_is_sound": [
        (lambda kind: sshsig.algorithm_is_sound(a_signature(signature_type=kind), "here"), "ssh-rsa", "rsa-sha2-256"),
        (lambda name: sshsig.algorithm_is_sound(a_signature(hash_algorithm=name), "here"), "sha1", "sha256"),
        (lambda kind: sshsig.algorithm_is_sound(a_signature(key_type=kind), "here"), "ssh-rsa-cert-v01@openssh.com", "ssh-rsa"),
    ],
    "sshsig.namespace_is_ours": [(lambda name: sshsig.namespace_is_ours(a_signature(namespace=name), NAMESPACE, "here"), "git", NAMESPACE)],
    "sshsig.person_was_verified": [(lambda flags: sshsig.person_was_verified(a_passkey(flags=flags), "here"), 1, 5)],
    "sshsig.passkey_is_at_home": [
        (lambda origin: sshsig.passkey_is_at_home(a_passkey(origin=origin), ["example.com"], "here"), "http://example.com", "https://a.example.com"),
        (lambda homes: sshsig.passkey_is_at_home(a_passkey(), homes, "here"), [], ["example.com"]),
    ],
    "sshsig.assurance_is_true": [(lambda claimed: sshsig.assurance_is_true(claimed, a_signature(), "here"), "passkey", "key")],
    "signer_lines.line_is_plain": [(lambda end: lines(f"bo@example.com {OURS} {KEY} {end}"), "of\x0bBo", "of Bo")],
    "signer_lines.line_names_one_person": [(lambda person: signer_lines.line_names_one_person(f"{person} {OURS} {KEY}", "here"), "*@example.com", SAM)],
    "signer_lines.line_is_no_authority": [
        (lambda more: signer_lines.line_is_no_authority(f"{SAM} {more}{OURS} {KEY}", "here"), "cert-authority,", ""),
    ],
    "signer_lines.line_is_read": [(lambda more: lines(f"{SAM} {more}{OURS} {KEY}"), "no-touch-required,", 'valid-before="20300101",')],
    "signer_lines.line_is_for_us": [(lambda names: lines(f'{SAM} namespaces="{names}" {KEY}'), "*", "git")],
    "signer_lines.key_is_readable": [(lambda kind: lines(f"{SAM} {OURS} {kind} {KEY.split()[1]}"), "ssh-rsa", "ssh-ed25519")],
    "signer_lines.keys_have_one_owner": [(lambda person: lines(signer_line("bo") + signer_line(person, key="bo")), "sam", "bo")],
    "trust.key_is_of_the_signer": [
        (lambda person: trust.key_is_of_the_signer(person, a_trust().lines[0].key, a_trust(), "here"), address("olga"), SAM),
        (lambda given: trust.key_is_of_the_signer(SAM, given.lines[0].key, given, "here"), a_trust(signers=signer_line("sam", namespace="git")), a_trust()),
    ],
    "trust.ssh_agrees": [(lambda complaint: trust.ssh_agrees(complaint, "here"), "incorrect signature", "")],
    "holding.is_approved": [(lambda decision: shadow({"decision": decision}), "reject", "approve")],
    "holding.project_is_ours": [
        (lambda name: shadow({"project": name}), "stop-bad-paint", "stop-bad-parts"),
        (lambda name: shadow({"model": name}), "stop-bad-paint", "stop-bad-parts"),
    ],
    "holding.charter_is_the_same": [
        (lambda version: shadow({"charter_version": version}), 2, 1),
        (lambda sha256: shadow({"digests": digests(charter=sha256)}), "0" * 64, "c" * 64),
    ],
    "holding.bytes_are_the_same": [
        (lambda sha256: shadow({"digests": digests(model=sha256)}), "0" * 64, "d" * 64),
        (lambda sha256: shadow({"digests": digests(evidence=sha256)}), "0" * 64, "e" * 64),
        (lambda more: shadow({"digests": digests(**more)}), {"stage evidence": "0" * 64}, {}),
        (lambda gathered: stage("shadow", of=facts(stage_evidence=gathered), but=SIGNED_BARE), {"shadow": "0" * 64}, {"pilot": "0" * 64}),
    ],
    "holding.numbers_are_the_same": [
        (lambda shown: shadow({"shown": shown}), [["verdict", "NO-GO"], ["money", "+200 EUR a month"]], facts().shown_of_verdict),
        (lambda shown: shadow({"shown": shown}), [*facts().shown_of_verdict, ("money", "+200 EUR a month")], facts().shown_of_verdict),
        (lambda shown: shadow({"shown": shown}), [], facts().shown_of_verdict),
    ],
    "holding.signer_holds_the_role": [
        (lambda person: shadow({"signer": address(person)}), "uma", "olga"),
        (lambda people: stage("shadow", by=a_trust_with(owner=people)), [address("uma")], [address("olga")]),
        (lambda of: stage("shadow", of=of, but={("shadow", "owner"): {"signer": address("uma")}}, by=a_trust_with(owner=[address("olga"), address("uma")])),
         facts(), with_people(("uma", "owner"))),
        (lambda of: stage("charter", of=of, but={("charter", "sponsor"): {"signer": address("sid"), "on_behalf_of": SAM}}),
         facts(charter=charter(people=[{**plain_agreed()["people"][0], "deputy": None}, *plain_agreed()["people"][1:]])), facts()),
    ],
    "holding.signer_is_no_builder": [
        # without a line in the trust files nothing is known of the builder's key
        (lambda more: stage("shadow", of=with_people(more), by=a_trust(people=["sam", "bo"])), ("olga", "builder"), ("eve", "builder")),
        (lambda more: shadow({"builders": [address("bo"), address(more)]}), "olga", "eve"),
    ],
    "holding.key_is_no_builders": [(lambda person: stage("shadow", key=person), "bo", "eve")],
    "holding.builders_are_named": [
        (lambda named: shadow({"builders": named}), [], [address("bo")]),
        (lambda named: shadow({"builders": named}), [address("al")], [address("bo"), address("al")]),
        (lambda who: stage("shadow", of=facts(trained_by=who), but={("shadow", "owner"): {"builders": [address("bo")]}}), address("al"), address("bo")),
    ],
    "holding.is_in_time": [
        (lambda at: shadow({"issued_at": at}), NOW + HOUR, NOW),
        (lambda hours: stage("shadow", of=facts(), but={("shadow", "owner"): {"expires_at": statement.stamp(NOW + hours)}}), timedelta(0), HOUR),
    ],
    "holding.is_not_for_ever": [
        (lambda until: shadow({"issued_at": NOW, "expires_at": statement.stamp(NOW + until)}), timedelta(days=60, seconds=1), timedelta(days=60)),
    ],
    "admission.stage_is_agreed": [(lambda of: stage("production", of=of), without_stage("production"), facts())],
    "admission.files_are_plain": [(lambda strange: stage("shadow", of=facts(strange=strange)), ("model/link",), ())],
    "admission.judged_by_what_is_signed": [(lambda judged_by: admission.judged_by_what_is_signed(agreed(), judged_by), agreed(version=2), agreed())],
    "admission.verdict_follows_from_limits": [(lambda verdict: admission.verdict_follows_from_limits(verdict, "NOT PROVEN"), "GO", "NOT PROVEN")],
    "consistent.model_is_the_candidate": [(lambda digest: consistent.model_is_the_candidate(digest, JUDGED.candidate), "", "b" * 64)],
    "consistent.candidate_was_judged": [(lambda digest: consistent.candidate_was_judged(digest, JUDGED.verdict), "d" * 64, "c" * 64)],
    "consistent.candidate_was_frozen_under": [(lambda digest: consistent.candidate_was_frozen_under(digest, JUDGED.candidate), "b" * 64, "a" * 64)],
    "consistent.files_are_as_reported": [(consistent.files_are_as_reported, ["gate/verdict.json"], [])],
    "consistent.limits_follow_from_figures": [
        (lambda written: consistent.limits_follow_from_figures(written, LIMITS), LIMITS[1:], LIMITS),
        (lambda written: consistent.limits_follow_from_figures(written, LIMITS), LIMITS[::-1], LIMITS),
        (lambda said: consistent.limits_follow_from_figures([LIMITS[0].model_copy(update={"verdict": said}), *LIMITS[1:]], LIMITS), "NO-GO", "GO"),
        (lambda by: consistent.limits_follow_from_figures([LIMITS[0].model_copy(update={"high": LIMITS[0].high * by}), *LIMITS[1:]], LIMITS), 0.99, 1 + 1e-9),
    ],
    "consistent.looks_are_agreed": [
        (lambda look: consistent.looks_are_agreed(JUDGED.charter, JUDGED.verdict.model_copy(update={"looks_allowed": LOOKS, "look": look})), LOOKS + 1, LOOKS),
        (lambda look: consistent.looks_are_agreed(JUDGED.charter, JUDGED.verdict.model_copy(update={"looks_allowed": LOOKS, "look": look})), 0, 1),
        (lambda allowed: consistent.looks_are_agreed(JUDGED.charter, JUDGED.verdict.model_copy(update={"looks_allowed": allowed})), LOOKS + 1, LOOKS),
    ],
    "admission.is_decided": [
        (lambda left_out: stage("pilot", without=left_out), [("pilot", "risk")], []),
        (lambda left_out: stage("pilot", without=left_out), [("shadow", "owner")], []),
    ],
    "admission.nothing_was_taken_back": [
        (lambda decision: stage("pilot", then={"stage": "shadow", "role": "owner", "decision": decision}), "reject", "approve"),
        (lambda decision: stage("pilot", then={"stage": "charter", "role": "sponsor", "decision": decision}), "reject", "approve"),
    ],
    "admission.verdict_suffices": [
        (lambda verdict: stage("pilot", of=facts(verdict=verdict)), "NOT PROVEN", "GO"),
        (lambda verdict: stage("shadow", of=facts(verdict=verdict)), "NO-GO", "NOT PROVEN"),
        (lambda verdict: stage("production", of=facts(verdict=verdict)), None, "GO"),
    ],
    "admission.charter_came_first": [
        (lambda at: stage("production", of=facts(looked_at=at)), LOOKED_AT - timedelta(days=3), LOOKED_AT),
        (lambda at: stage("production", of=facts(looked_at=at)), None, LOOKED_AT),
    ],
}  # fmt: skip


def a_trust_with(**people: list[str]) -> Trust:
    """Return the plain trust with other people in some roles."""
    plain = a_trust()
    return replace(plain, roles=plain.roles.model_copy(update={"people": {**plain.roles.people, **people}}))


def reasons(found: Sequence[Finding]) -> set[Reason]:
    return {each.reason for each in found}


EACH = [pytest.param(name, *pair, id=f"{name}-{number}") for name, pairs in PAIRS.items() for number, pair in enumerate(pairs)]


def test_every_check_has_a_break_and_a_control() -> None:
    assert set(PAIRS) == set(PURE) and all(PAIRS.values())


@pytest.mark.parametrize(("name", "judge", "broken", "control"), EACH)
def test_a_break_is_refused_and_what_lies_beside_it_is_not(name: str, judge: Callable[[Any], list[Finding]], broken: Any, control: Any) -> None:
    assert judge(broken) and judge(control) == []


@pytest.mark.parametrize(("name", "judge", "broken", "control"), EACH)
def test_without_its_check_a_break_comes_through(
    name: str, judge: Callable[[Any], list[Finding]], broken: Any, control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHECKS, f"poc.rules.signoff.{name}", lambda *_, **__: [])
    assert judge(broken) == []


def test_every_reason_says_what_to_do() -> None:
    assert set(FIXES) == set(Reason) and all(FIXES.values())
