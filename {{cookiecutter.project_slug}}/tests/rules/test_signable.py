"""Charters that could never be signed are refused before anybody builds."""

from __future__ import annotations

from typing import Any

import pytest
from builders import PLAIN, a_charter

from poc.rules.cross_checks import check_charter


def places(**changes: Any) -> list[str]:
    return [problem.where for problem in check_charter(a_charter(**changes))]


def people(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**person, **(changes if at == number else {})} for at, person in enumerate(PLAIN["people"])]


def stages(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**stage, **(changes if at == number else {})} for at, stage in enumerate(PLAIN["stages"])]


def test_somebody_builds() -> None:
    assert places(people=PLAIN["people"][:4]) == ["people"]


@pytest.mark.parametrize("address", ["olga@example.com", "OLGA@example.com"])
def test_an_owner_who_builds_alone_signs_nothing(address: str) -> None:
    assert places(people=people(4, email=address)) == ["people.1.email"]


def test_an_owner_may_build_where_another_owner_signs() -> None:
    another = {"role": "owner", "name": "Otto Other", "title": "Head of planning", "email": "otto@example.com"}
    assert places(people=[*people(4, email="olga@example.com"), another]) == []


def test_a_role_that_signs_nothing_may_build() -> None:
    assert places(people=people(4, email="uma@example.com")) == []


def test_a_builder_stands_in_for_nobody() -> None:
    assert places(people=people(1, deputy="Bo@example.com")) == ["people.1.deputy"]
    assert places(people=people(1, deputy="otto@example.com")) == []


def test_nobody_stands_in_for_themselves() -> None:
    assert places(people=people(0, deputy="Sam@example.com")) == ["people.0.deputy"]


def test_a_role_signs_a_stage_once() -> None:
    assert places(stages=stages(2, signers=["owner", "risk", "owner"])) == ["stages.2.signers"]


@pytest.mark.parametrize("kept", [[1, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 1, 2, 3], [0, 1, 3, 2]])
def test_each_stage_stands_there_once_and_in_order(kept: list[int]) -> None:
    assert places(stages=[PLAIN["stages"][number] for number in kept]) == ["stages"]
