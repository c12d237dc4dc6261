from __future__ import annotations

from typing import Any

import pytest
from builders import PLAIN, a_charter, a_plain_charter
from pydantic import ValidationError

from poc.rules.charter import BinaryCharter
from poc.rules.cross_checks import check_charter
from poc.rules.stakes import perfect_saving_per_period


def places(charter: BinaryCharter) -> list[str]:
    return [problem.where for problem in check_charter(charter)]


def with_one(section: str, number: int, **changes: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in PLAIN[section]]
    rows[number] |= changes
    return rows


def sprints(*dates: tuple[str, str]) -> dict[str, Any]:
    return {"sprints": [{"number": n, "starts": a, "review": b, "budget": 10, "bet": "It works well enough to go on."} for n, (a, b) in enumerate(dates, 1)]}


def test_a_plain_charter_has_no_problem() -> None:
    assert check_charter(a_charter()) == []


def test_a_charter_survives_json() -> None:
    assert BinaryCharter.model_validate_json(a_charter().model_dump_json()) == a_charter()


def test_a_charter_needs_a_sponsor() -> None:
    assert "people" in places(a_charter(people=PLAIN["people"][1:]))


def test_two_sponsors_are_one_too_many() -> None:
    assert places(a_charter(people=with_one("people", 1, role="sponsor"))) == ["people", "stages.0.signers", "stages.1.signers", "stages.2.signers"]


def test_the_sponsor_is_no_builder_however_the_address_is_written() -> None:
    assert places(a_charter(people=with_one("people", 4, email="SAM@Example.com"))) == ["people.4.email"]


def test_the_sponsors_deputy_is_no_builder() -> None:
    assert places(a_charter(people=with_one("people", 4, email="sid@example.com"))) == ["people.4.email"]


def test_every_signer_is_a_person() -> None:
    without_risk = [person for person in PLAIN["people"] if person["role"] != "risk"]
    assert places(a_charter(people=without_risk)) == ["stages.2.signers", "stages.3.signers"]


@pytest.mark.parametrize("number", [0, 3])
def test_the_sponsor_signs_start_and_release(number: int) -> None:
    assert places(a_charter(stages=with_one("stages", number, signers=["owner"]))) == [f"stages.{number}.signers"]


def test_stages_stand_in_order() -> None:
    assert places(a_charter(stages=[PLAIN["stages"][n] for n in (0, 2, 1, 3)])) == ["stages"]


def test_limits_may_be_looser_than_today_on_one_count() -> None:
    assert places(a_charter(limits={"missed_share": "0.12", "false_alarm_share": "0.9"})) == []


def test_limits_looser_than_today_on_both_counts_are_refused() -> None:
    assert places(a_charter(limits={"missed_share": "0.45", "false_alarm_share": "0.04"})) == ["limits.missed_share"]


@pytest.mark.parametrize("role", ["target", "key", "time", "group"])
def test_a_column_with_another_role_is_no_feature(role: str) -> None:
    assert places(a_charter(data={role: "Type"})) == ["features.2.name"]


def test_a_feature_is_declared_once() -> None:
    assert places(a_charter(features=with_one("features", 2, name="Torque [Nm]"))) == ["features.2.name"]


def test_the_key_is_not_the_target() -> None:
    assert places(a_charter(data={"key": "Target"})) == ["data.key"]


def test_what_is_known_afterwards_is_refused_by_name() -> None:
    [problem] = check_charter(a_charter(features=with_one("features", 2, name="Failure Type", available="after_the_fact")))
    assert problem.where == "features.2.available"
    assert "'Failure Type'" in problem.what


def test_a_batch_says_how_old_it_may_be() -> None:
    assert places(a_charter(features=with_one("features", 2, available="batch"))) == ["features.2.max_age_seconds"]


def test_a_batch_that_comes_later_than_it_may_be_old_is_refused() -> None:
    assert places(a_charter(features=with_one("features", 1, delay_seconds=90001))) == ["features.1.delay_seconds"]


def test_a_batch_exactly_as_late_as_it_may_be_old_is_accepted() -> None:
    assert places(a_charter(features=with_one("features", 1, delay_seconds=90000))) == []


def test_sprints_are_numbered_from_one() -> None:
    rows = [dict(row, number=row["number"] + 1) for row in PLAIN["timebox"]["sprints"]]
    assert places(a_charter(timebox={"sprints": rows})) == ["timebox.sprints.0.number", "timebox.sprints.1.number"]


def test_a_sprint_is_reviewed_after_it_starts() -> None:
    assert places(a_charter(timebox=sprints(("2026-01-19", "2026-01-19")))) == ["timebox.sprints.0.review"]


def test_a_sprint_waits_for_the_review_before_it() -> None:
    assert places(a_charter(timebox=sprints(("2026-01-19", "2026-01-30"), ("2026-01-29", "2026-02-13")))) == ["timebox.sprints.1.starts"]


def test_a_sprint_may_start_on_the_day_of_the_review_before_it() -> None:
    assert places(a_charter(timebox=sprints(("2026-01-19", "2026-01-30"), ("2026-01-30", "2026-02-13")))) == []


def test_the_last_review_is_no_later_than_the_decision() -> None:
    assert places(a_charter(timebox={"decision_date": "2026-02-12"})) == ["timebox.sprints.1.review"]
    assert places(a_charter(timebox={"decision_date": "2026-02-13"})) == []


def test_a_machine_fits_the_monthly_budget() -> None:
    assert places(a_charter(limits={"monthly_budget": 119})) == ["limits.hardware.monthly_cost"]


def test_memory_allowed_fits_the_machine() -> None:
    assert places(a_charter(limits={"memory_mb": 4097})) == ["limits.memory_mb"]


def test_a_perfect_model_saves_what_today_loses() -> None:
    # 30,000 * (0.034 * 0.45 * (200 - 25) + 0.966 * 0.04 * 3) = 30,000 * (2.6775 + 0.11592)
    assert perfect_saving_per_period(a_charter()) == pytest.approx(83802.6)


def test_what_even_a_perfect_model_cannot_repay_is_not_started() -> None:
    # it saves 83,802.60 a month; 24 months cost 24,000 for sprints and 24 * 83,000
    [problem] = check_charter(a_charter(value={"run_cost_per_period": 83000}))
    assert problem.where == "value"
    assert "saves 2,011,262 EUR over its useful life and costs 2,016,000: do not start" in problem.what


def test_what_a_perfect_model_just_repays_may_start() -> None:
    assert check_charter(a_charter(value={"run_cost_per_period": 82800})) == []  # 24 * 82,800 + 24,000 = 2,011,200


def test_all_problems_come_at_once() -> None:
    charter = a_charter(
        people=[*PLAIN["people"][:4], PLAIN["people"][0]], limits={"monthly_budget": 1}, value={"useful_life_periods": 1, "run_cost_per_period": 90000}
    )
    assert places(charter) == ["people", "limits.hardware.monthly_cost", "value"]


@pytest.mark.parametrize(
    "overrides",
    [
        {"value": {"cost_missed": {"low": 300, "likely": 200, "high": 350}}},
        {"value": {"positive_share": {"low": "0.02", "likely": "0.05", "high": "0.04"}}},
        {"value": {"run_cost_per_period": -1}},
        {"limits": {"missed_share": 0}},
        {"limits": {"confidence": 1}},
        {"limits": {"speed": 1}},
        {"baseline": {"measured_on": 20260115}},
        {"version": True},
        {"data": {"positive": 1}},
    ],
)
def test_a_field_that_cannot_be_meant_is_refused(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BinaryCharter.model_validate(a_plain_charter(**overrides))


@pytest.mark.parametrize(
    "text", ["", "   ", "\u3000", "\u200b", "\u202eoga", "Olga\u200bOwner", "Olga \u200d", "Olga\nOwner", "\u3164", "\u2800", "-", "x" * 121]
)
def test_a_name_can_be_seen_and_says_something(text: str) -> None:
    with pytest.raises(ValidationError):
        BinaryCharter.model_validate(a_plain_charter(people=with_one("people", 1, name=text)))


@pytest.mark.parametrize("text", [" " * 15, f"Stop it?{' ' * 10}", "." * 15, "\u200b" * 15, "Stop this part,\nor let it pass?", "Stop \u2067this\u2069 part?"])
def test_a_sentence_can_be_seen_and_says_something(text: str) -> None:
    with pytest.raises(ValidationError):
        BinaryCharter.model_validate(a_plain_charter(decision={"question": text}))


@pytest.mark.parametrize("name", ["7", "O'Neil (2nd)", "\u5c71\u7530", "\u0915\u094d\u200d\u0937", "Auf\u200clage", "Ada \U0001f469\u200d\U0001f680"])
def test_names_of_the_world_are_names(name: str) -> None:
    assert a_charter(people=with_one("people", 1, name=name)).people[1].name == name


def test_blanks_around_a_text_are_no_part_of_it() -> None:
    assert a_charter(decision={"question": " Stop this part now?\n"}).decision.question == "Stop this part now?"


def test_evidence_for_a_stage_is_named() -> None:
    with pytest.raises(ValidationError):
        BinaryCharter.model_validate(a_plain_charter(stages=with_one("stages", 1, evidence=[" "])))
