from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import a_charter, a_multiclass_charter, a_plain_charter, an_amount_charter
from charter_draws import KINDS, charters
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from poc.rules.charter import BinaryCharter, Charter
from poc.rules.charter_page import WIDTH, charter_page, people_of_the_example

PAGES = Path(__file__).parent / "pages"
ANY_KIND = pytest.mark.parametrize(
    ("kind", "a_charter_of"),
    [("binary", a_charter), ("multiclass", a_multiclass_charter), ("count", an_amount_charter)],
    ids=["binary", "multiclass", "count"],
)


def read(charter: Charter) -> str:
    """Read a page as if it were aloud: without line breaks."""
    return " ".join(charter_page(charter).split())


@ANY_KIND
def test_the_page_reads_as_it_was_agreed_to_read(kind: str, a_charter_of: Callable[[], Charter]) -> None:
    assert charter_page(a_charter_of()) + "\n" == (PAGES / f"{kind}.txt").read_text()


def numbers_of(value: Any, name: str = "") -> Iterator[tuple[str, Decimal | int | date]]:
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from numbers_of(getattr(value, field), field)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers_of(each, name)
    elif isinstance(value, Decimal | int | date) and name != "schema_version":
        yield name, value


def spoken(name: str, number: Decimal | int | date) -> Iterator[str]:
    """List the ways to say a number without losing a digit of it."""
    if isinstance(number, date):
        yield number.isoformat()
        return
    if name.endswith("_seconds"):
        yield from (f"{number // size:,} {unit}" for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")) if number % size == 0)
        return
    for said in (number, number * 100, *(number * 10**power for power in range(3, 7))):
        text = f"{said:,f}"
        yield text.rstrip("0").rstrip(".") if "." in text else text
    yield str(number)
    if name == "looks" and number == 1:
        yield "once"


@settings(max_examples=40)
@given(st.sampled_from(KINDS).flatmap(charters))
def test_every_number_that_a_sponsor_agrees_to_stands_on_the_page(charter: Charter) -> None:
    page = read(charter)
    for name, number in numbers_of(charter):
        if name in ("delay_seconds", "number") and not number:
            continue  # what is not late is not said to be
        said = any(re.search(rf"(?<![\d.,]){re.escape(way)}(?![\d]|[.,]\d)", page) for way in spoken(name, number))
        assert said, f"{name} {number} is not on the page:\n{charter_page(charter)}"


@settings(max_examples=20)
@given(st.sampled_from(KINDS).flatmap(charters))
def test_no_line_is_wider_than_a_page(charter: Charter) -> None:
    assert max(map(len, charter_page(charter).splitlines())) <= WIDTH


def test_today_and_the_limits_are_told_in_people() -> None:
    page = read(a_charter())
    assert "Of 1,000 cases to catch 450 are missed today. Of 1,000 other cases 40 are flagged for nothing." in page
    assert "At most 120 of 1,000 cases to catch missed. To show it takes 24, 38, 51 or 63 sealed cases to catch, if 0, 1, 2 or 3 go wrong." in page


def test_people_are_called_what_the_charter_calls_them() -> None:
    page = read(a_charter(data={"positives_are_called": "faulty parts", "others_are_called": "good parts"}))
    assert "Of 1,000 faulty parts 450 are missed today. Of 1,000 good parts 40" in page and "63 sealed faulty parts" in page


def test_several_machines_are_told_one_by_one() -> None:
    plain = {"architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": 120}
    edge = {"name": "edge-box", "architecture": "arm64", "cores": 1, "memory_mb": 1024, "monthly_cost": 35}
    page = read(a_charter(limits={"hardware": [plain | {"name": "cloud"}, edge]}))
    assert "while 200 a second arrive, on each of 2 machines. The model is" in page
    assert "Of each kind, as many as the rate needs may cost 400 EUR a month. - cloud: 2 cores (x86_64) and 4,096 MB of memory; 120 EUR a month." in page
    assert "- edge-box: 1 core (arm64) and 1,024 MB of memory; 35 EUR a month." in page
    assert "on a machine (edge-box) with 1 core" in read(a_charter(limits={"hardware": [edge]}))


def test_a_small_share_is_told_of_so_many_that_people_stay_whole() -> None:
    assert "At most 5 of 10,000 cases to catch missed." in read(a_charter(limits={"missed_share": "0.0005"}))


def test_what_a_perfect_model_is_worth_is_held_against_all_that_it_may_cost() -> None:
    # 83,802.60 a month, 24 months: 2,011,262; of 24,000 + 24 * 2,500 = 84,000 it is 23.94 times as much
    page = read(a_charter())
    assert "would save 83,803 EUR a month against today" in page
    assert "It may cost 84,000 in all: 24,000 for the sprints, and running it 2,500 a month for 24 months. At best it repays itself 23.9 times." in page


def test_what_costs_nothing_is_not_divided_by() -> None:
    sprints = [dict(sprint, budget=0) for sprint in a_plain_charter()["timebox"]["sprints"]]
    assert "repays" not in read(a_charter(value={"run_cost_per_period": 0}, timebox={"sprints": sprints}))


def test_more_looks_are_said_to_share_the_error_and_need_more_rows() -> None:
    # 0.88**29 = 0.0245 and 0.88**28 = 0.0279: each of two looks is held to 97.5 %
    page = read(a_charter(timebox={"looks": 2}))
    assert "the allowed error shared out among 2 looks" in page and "To show it takes 29, " in page and "may be looked at 2 times" in page


def test_how_rows_are_split_is_said() -> None:
    by_both = "The 'line' that end last by 'day' are sealed whole, their old rows too; seed 20260105 only orders them."
    assert by_both in read(a_charter(data={"time": "day", "group": "line"}))
    assert "Rows that share 'line' stay together." in read(a_charter(data={"group": "line"}))


def test_where_rows_share_groups_the_page_says_that_groups_are_what_is_counted() -> None:
    assert "Rows that share 'line' count together" in read(a_charter(data={"group": "line"}))
    assert "count together" not in read(a_charter())
    assert "Chance decides which: seed 20260105 draws them, once." in read(a_charter())


def test_readings_that_are_joined_are_said_to_be_used_once_they_had_arrived() -> None:
    join = {"source": "data/readings.csv", "by": ["cell", "tool"], "event_time": "measured_at", "arrived_time": "stored_at"}
    page = read(a_charter(data={"time": "day", "joins": [join]}))
    assert "Readings from data/readings.csv are joined by cell and tool: true at 'measured_at', used from 'stored_at' on, when they had arrived." in page


def test_why_a_late_feature_is_known_in_time_is_read_aloud() -> None:
    features = a_plain_charter()["features"]
    features[1]["why_it_is_known_in_time"] = "The historian keeps what the panel showed when the part was decided"
    assert "looks after it. Known in time: The historian keeps what the panel showed when the part was decided." in read(a_charter(features=features))


def test_addresses_that_nobody_can_sign_from_are_noted() -> None:
    assert "Note: 5 of 5 addresses are made up (sam@example.com" in read(a_charter())


@pytest.mark.parametrize(
    ("address", "made_up"),
    [
        ("a@example.com", True),
        ("a@mail.EXAMPLE.org", True),
        ("a@plant.example", True),
        ("a@x.test", True),
        ("a@notexample.com", False),
        ("a@example.com.eu", False),
    ],
)
def test_a_made_up_address_is_told_by_its_domain(address: str, made_up: bool) -> None:
    people = [dict(person, email="somebody@company.eu") for person in a_plain_charter()["people"]]
    people[1]["email"] = address
    assert people_of_the_example(BinaryCharter.model_validate(a_plain_charter(people=people))) == ([address] if made_up else [])


def test_with_real_addresses_there_is_nothing_to_note() -> None:
    people = [dict(person, email=f"somebody{number}@company.eu") for number, person in enumerate(a_plain_charter()["people"])]
    assert "Note" not in read(a_charter(people=people))
