from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from poc.rules.looks import NONE_BEFORE, breaks_in, digest_of_look, is_as_written, shares_seen


@dataclass(frozen=True)
class Look:
    number: int
    candidate_sha256: str
    sealed_sha256: str
    previous: str
    digest: str
    sketch: Sequence[str] = ()


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


def a_look(sealed: str, sketch: Sequence[str] = ()) -> Look:
    return Look(1, "a candidate", sealed, NONE_BEFORE, digest_of_look(1, "a candidate", sealed, NONE_BEFORE, sketch), sketch)


def a_sketch(*rows: int) -> list[str]:
    return [base64.b64encode(np.array(sorted(rows), dtype="<u8").tobytes()).decode()]


def test_a_sketch_is_part_of_a_looks_digest() -> None:
    look = a_look("sealed", ["a view"])
    assert is_as_written(look)
    assert not is_as_written(replace(look, sketch=["another view"])) and not is_as_written(replace(look, sketch=[]))


def test_a_look_at_the_very_set_saw_it_whole_with_a_sketch_or_without() -> None:
    assert shares_seen([a_look("sealed"), a_look("sealed", a_sketch(5))], "sealed", a_sketch(1, 2)) == [(0, 1.0), (1, 1.0)]


def test_a_look_counts_by_the_rows_that_its_run_had() -> None:
    looks = [a_look("other", a_sketch(1, 2, 3)), a_look("other", a_sketch(8, 9)), a_look("other")]
    assert shares_seen(looks, "sealed", a_sketch(1, 2, 3, 4)) == [(0, 0.75)]


def test_a_look_that_was_changed_counts_whatever_it_says() -> None:
    changed = replace(a_look("other", a_sketch(1, 2)), sketch=a_sketch(8, 9))
    assert shares_seen([changed], "sealed", a_sketch(1, 2)) == [(0, 1.0)]
