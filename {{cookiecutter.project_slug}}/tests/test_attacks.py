"""The list of attacks: nothing of it is missing, each is stopped by what has to stop it, and its control is not; `make attack` tries all of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from poc.rules.signoff import Reason

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "attacks"))

import mutants  # noqa: E402 - these lie beside the tests
import on_people  # noqa: E402
import on_signatures  # noqa: E402
import on_statements  # noqa: E402
import on_trust  # noqa: E402
from attack import Attack  # noqa: E402
from listed import ATTACKS  # noqa: E402
from preparing import prepare  # noqa: E402
from programs import ask_verifier  # noqa: E402
from trying import one  # noqa: E402

#: What the sign-off was agreed to withstand, by words in the names of attacks.
AGREED = (
    "charter loosened", "CRLF", "model byte", "external data", "extra file", "hidden file", "linked file", "evidence edited", "evidence added",
    "numbers shown unlike the evidence", "replay over the stage", "replay over the project", "replay over the charter", "replay over the model", "expired",
    "in the future", "longer than the charter allows", "time without a zone", "builder as himself", "builder as sponsor", "builder under an alias",
    "sponsor who trained", "emptied builder list", "wildcard", "without a namespace", "certificate authority", "git commit's namespace", "revoked key",
    "revocation list missing", "rejected", "old approval", "duplicate key", "float", "unknown field", "missing field", "re-serialised", "homoglyph", "empty",
    "wrong predicate type", "truncated ledger", "forged tag", "alias by hand over the client", "alias by hand over REST", "alias by hand in MLflow's pages",
    "alias by hand in the database", "alias moved after sign-off", "alias variant, in capitals", "trust file changed in the same change", "skip flags",
    "presence-only passkey", "verify, then swap", "private key committed", "NO-GO but signed", "NOT PROVEN for production",
)  # fmt: skip
#: Reasons that no attack expects, each with why.
UNEXPECTED: Mapping[Reason, str] = {}
#: What refuses as it reads, so that there is no function to take out: without it nothing would be read.
READERS = {"fields_are_right", "signature_is_read", "strict_yaml"}
#: Attacks that the one verifier stops, whichever program asks it.
ON_THE_VERIFIER = [
    replace(attack, through=ask_verifier("production"))
    for each in (on_statements, on_signatures, on_people, on_trust)
    for attack in each.ATTACKS
    if attack.through is each.TO_PRODUCTION
]


@pytest.mark.parametrize("words", AGREED)
def test_what_was_agreed_to_be_withstood_is_on_the_list(words: str) -> None:
    assert [attack.name for attack in ATTACKS if words in attack.name]


def test_every_reason_stops_an_attack() -> None:
    expected = {attack.reason for attack in ATTACKS}
    assert sorted(set(Reason) - expected) == sorted(UNEXPECTED)


def test_every_guard_is_named_by_an_attack_and_no_other_is() -> None:
    there = [guard.name for guard in mutants.guards(ROOT / "src")]
    assert [name for name, count in Counter(there).items() if count > 1] == []
    assert {attack.guard for attack in ATTACKS} == {*there, *READERS}


def test_no_attack_is_its_own_control_and_no_two_have_one_name() -> None:
    assert [attack.name for attack in ATTACKS if attack.control == attack.attack] == []
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 55


A_GUARD = '''@check
def holds(n: int) -> list[str]:
    """Refuse what is not nothing."""
    if n:
        return ["no"]
    return []


AFTER = 1
'''


def test_a_guard_that_is_taken_out_finds_nothing_and_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(A_GUARD)
    (guard,) = mutants.guards(tmp_path)
    guard.empty(tmp_path)
    assert (tmp_path / "a.py").read_text() == A_GUARD.replace('    if n:\n        return ["no"]\n    return []\n', "    return []\n")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attacks")
    prepare(folder / "signed")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("attack", ON_THE_VERIFIER, ids=lambda attack: attack.name)
def test_an_attack_is_stopped_by_what_has_to_stop_it_and_its_control_is_not(prepared: Path, attack: Attack) -> None:
    assert str(attack.reason) in one(attack, attack.attack, prepared).reasons
    assert one(attack, attack.control, prepared).reasons == ()
