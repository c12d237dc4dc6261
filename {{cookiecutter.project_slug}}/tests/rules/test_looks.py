from __future__ import annotations

from dataclasses import dataclass, replace

from poc.rules.looks import NONE_BEFORE, breaks_in, digest_of_look


@dataclass(frozen=True)
class Look:
    number: int
    candidate_sha256: str
    sealed_sha256: str
    previous: str
    digest: str


def looks(count: int) -> list[Look]:
    """A whole chain, each look at another candidate."""
    chain: list[Look] = []
    for number in range(1, count + 1):
        previous = chain[-1].digest if chain else NONE_BEFORE
        chain.append(Look(number, f"candidate {number}", "sealed", previous, digest_of_look(number, f"candidate {number}", "sealed", previous)))
    return chain


def test_a_whole_chain_has_no_breaks() -> None:
    chain = looks(3)
    assert breaks_in(chain, chain[-1].digest) == breaks_in([]) == []


def test_a_look_removed_from_the_middle_shows() -> None:
    first, _, third = looks(3)
    assert breaks_in([first, third], third.digest) == ["look 2 is missing"]


def test_a_removed_first_look_shows() -> None:
    assert breaks_in(looks(2)[1:]) == ["look 1 is missing"]


def test_a_look_removed_from_the_middle_and_the_rest_renumbered_shows() -> None:
    first, _, third = looks(3)
    renumbered = replace(third, number=2, digest=digest_of_look(2, third.candidate_sha256, third.sealed_sha256, third.previous))
    assert breaks_in([first, renumbered]) == ["look 2 does not follow the look before it"]


def test_a_changed_look_shows() -> None:
    first, second = looks(2)
    assert breaks_in([first, replace(second, candidate_sha256="a better one")]) == ["look 2 was changed"]


def test_a_changed_look_with_a_new_digest_shows_at_the_look_after_it() -> None:
    first, second = looks(2)
    forged = replace(first, sealed_sha256="other rows", digest=digest_of_look(1, first.candidate_sha256, "other rows", NONE_BEFORE))
    assert breaks_in([forged, second]) == ["look 2 does not follow the look before it"]


def test_a_removed_newest_look_shows_by_the_note_beside_the_chain() -> None:
    chain = looks(3)
    assert breaks_in(chain[:2], chain[-1].digest) == ["the newest look is missing"]
    assert breaks_in([], chain[-1].digest) == ["the newest look is missing"]


def test_a_crash_between_a_look_and_its_note_is_no_break() -> None:
    chain = looks(3)
    assert breaks_in(chain, chain[1].digest) == []


def test_a_note_two_looks_behind_is_a_break() -> None:
    chain = looks(3)
    assert breaks_in(chain, chain[0].digest) == ["the newest look is missing"]
