from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import PLAIN, a_charter, a_multiclass_charter, a_plain_charter, an_amount_charter
from pydantic import ValidationError

from poc.rules.charter import BinaryCharter, Charter
from poc.rules.cross_checks import check_charter
from poc.rules.stakes import perfect_saving_per_period

ANY_KIND = pytest.mark.parametrize("a_charter_of", [a_charter, a_multiclass_charter, an_amount_charter], ids=["binary", "multiclass", "amount"])
Make = Callable[..., Charter]


def places(charter: Charter) -> list[str]:
    return [problem.where for problem in check_charter(charter)]


def with_one(section: str, number: int, **changes: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in PLAIN[section]]
    rows[number] |= changes
    return rows


def sprints(*dates: tuple[str, str]) -> dict[str, Any]:
    return {"sprints": [{"number": n, "starts": a, "review": b, "budget": 10, "bet": "It works well enough to go on."} for n, (a, b) in enumerate(dates, 1)]}


@ANY_KIND
def test_a_plain_charter_has_no_problem(a_charter_of: Make) -> None:
    assert check_charter(a_charter_of()) == []


def test_a_charter_survives_json() -> None:
    assert BinaryCharter.model_validate_json(a_charter().model_dump_json()) == a_charter()


@ANY_KIND
def test_a_charter_needs_a_sponsor(a_charter_of: Make) -> None:
    assert "people" in places(a_charter_of(people=PLAIN["people"][1:]))


def test_two_sponsors_are_one_too_many() -> None:
    assert places(a_charter(people=with_one("people", 1, role="sponsor"))) == ["people", "stages.0.signers", "stages.1.signers", "stages.2.signers"]


@ANY_KIND
def test_the_sponsor_is_no_builder_however_the_address_is_written(a_charter_of: Make) -> None:
    assert places(a_charter_of(people=with_one("people", 4, email="SAM@Example.com"))) == ["people.4.email"]


@pytest.mark.parametrize("name", ["Sam Sponsor", "sam  SPONSOR", "\uff33\uff41\uff4d Sponsor"])
@ANY_KIND
def test_the_sponsor_is_no_builder_under_another_address(a_charter_of: Make, name: str) -> None:
    [problem] = check_charter(a_charter_of(people=with_one("people", 4, name=name, email="sam@private.example")))
    assert (problem.where, "under two addresses" in problem.what) == ("people.4.name", True)


@ANY_KIND
def test_the_sponsors_deputy_is_no_builder(a_charter_of: Make) -> None:
    assert places(a_charter_of(people=with_one("people", 4, email="sid@example.com"))) == ["people.4.email"]


def test_the_sponsors_deputy_is_no_builder_under_another_address() -> None:
    people = [*with_one("people", 1, email="sid@example.com", name="Sid Second"), dict(PLAIN["people"][4], name="sid second", email="sid@private.example")]
    assert places(a_charter(people=people)) == ["people.5.name"]


@ANY_KIND
def test_every_stage_has_a_signer(a_charter_of: Make) -> None:
    with pytest.raises(ValidationError, match="signers"):
        a_charter_of(stages=with_one("stages", 2, signers=[]))


@ANY_KIND
def test_every_signer_is_a_person(a_charter_of: Make) -> None:
    without_risk = [person for person in PLAIN["people"] if person["role"] != "risk"]
    assert places(a_charter_of(people=without_risk)) == ["stages.2.signers", "stages.3.signers"]


@pytest.mark.parametrize("number", [0, 3])
@ANY_KIND
def test_the_sponsor_signs_start_and_release(a_charter_of: Make, number: int) -> None:
    assert places(a_charter_of(stages=with_one("stages", number, signers=["owner"]))) == [f"stages.{number}.signers"]


def test_stages_stand_in_order() -> None:
    assert places(a_charter(stages=[PLAIN["stages"][n] for n in (0, 2, 1, 3)])) == ["stages"]


def test_limits_may_be_looser_than_today_on_one_count() -> None:
    assert places(a_charter(limits={"missed_share": "0.12", "false_alarm_share": "0.9"})) == []


def test_limits_looser_than_today_on_both_counts_are_refused() -> None:
    assert places(a_charter(limits={"missed_share": "0.45", "false_alarm_share": "0.04"})) == ["limits.missed_share"]


def test_classes_may_be_missed_as_often_as_today_if_one_of_them_is_not() -> None:
    # today half of what needs rework and six tenths of the scrap are decided as something else
    assert places(a_multiclass_charter(limits={"missed_share": {"rework": "0.50", "scrap": "0.60"}})) == ["limits.missed_share"]
    assert places(a_multiclass_charter(limits={"missed_share": {"rework": "0.50", "scrap": "0.59"}})) == []


def test_estimates_are_to_be_off_less_often_than_todays() -> None:
    assert places(an_amount_charter(limits={"beyond_tolerance_share": "0.35"})) == ["limits.beyond_tolerance_share"]
    assert places(an_amount_charter(limits={"beyond_tolerance_share": "0.34"})) == []


@pytest.mark.parametrize("role", ["target", "key", "time", "group"])
def test_a_column_with_another_role_is_no_feature(role: str) -> None:
    assert places(a_charter(data={role: "Type"})) == ["features.2.name"]


def test_a_feature_is_declared_once() -> None:
    assert places(a_charter(features=with_one("features", 2, name="Torque [Nm]"))) == ["features.2.name"]


def test_the_key_is_not_the_target() -> None:
    assert places(a_charter(data={"key": "Target"})) == ["data.key"]


@ANY_KIND
def test_what_is_known_afterwards_is_refused_by_name(a_charter_of: Make) -> None:
    [problem] = check_charter(a_charter_of(features=with_one("features", 2, name="Failure Type", available="after_the_fact")))
    assert problem.where == "features.2.available"
    assert "'Failure Type'" in problem.what


def test_a_batch_says_how_old_it_may_be() -> None:
    assert places(a_charter(features=with_one("features", 2, available="batch"))) == ["features.2.max_age_seconds"]


@pytest.mark.parametrize(("available", "delay", "said"), [("at_request", 60, "with the request"), ("streamed", 0, "without delay"), ("streamed", 60, None)])
def test_only_what_arrives_late_needs_a_reason_why_it_is_known_in_time(available: str, delay: int, said: str | None) -> None:
    why = "The historian keeps what the panel showed when the part was decided."
    found = check_charter(a_charter(features=with_one("features", 0, available=available, delay_seconds=delay, why_it_is_known_in_time=why)))
    assert [problem.where for problem in found] == (["features.0.why_it_is_known_in_time"] if said else [])
    assert all(f"comes {said}" in problem.what for problem in found)


@ANY_KIND
def test_a_batch_that_comes_later_than_it_may_be_old_is_refused(a_charter_of: Make) -> None:
    assert places(a_charter_of(features=with_one("features", 1, delay_seconds=90001))) == ["features.1.delay_seconds"]


def test_a_batch_exactly_as_late_as_it_may_be_old_is_accepted() -> None:
    assert places(a_charter(features=with_one("features", 1, delay_seconds=90000))) == []


def test_sprints_are_numbered_from_one() -> None:
    rows = [dict(row, number=row["number"] + 1) for row in PLAIN["timebox"]["sprints"]]
    assert places(a_charter(timebox={"sprints": rows})) == ["timebox.sprints.0.number", "timebox.sprints.1.number"]


def test_a_sprint_is_reviewed_after_it_starts() -> None:
    assert places(a_charter(timebox=sprints(("2026-01-19", "2026-01-19")))) == ["timebox.sprints.0.review"]


@ANY_KIND
def test_a_sprint_waits_for_the_review_before_it(a_charter_of: Make) -> None:
    assert places(a_charter_of(timebox=sprints(("2026-01-19", "2026-01-30"), ("2026-01-29", "2026-02-13")))) == ["timebox.sprints.1.starts"]


def test_a_sprint_may_start_on_the_day_of_the_review_before_it() -> None:
    assert places(a_charter(timebox=sprints(("2026-01-19", "2026-01-30"), ("2026-01-30", "2026-02-13")))) == []


@ANY_KIND
def test_the_last_review_is_no_later_than_the_decision(a_charter_of: Make) -> None:
    assert places(a_charter_of(timebox={"decision_date": "2026-02-12"})) == ["timebox.sprints.1.review"]
    assert places(a_charter_of(timebox={"decision_date": "2026-02-13"})) == []


@ANY_KIND
def test_what_is_measured_after_the_start_is_no_baseline(a_charter_of: Make) -> None:
    assert places(a_charter_of(baseline={"measured_on": "2026-01-20"})) == ["baseline.measured_on"]
    assert places(a_charter_of(baseline={"measured_on": "2026-01-19"})) == []


def test_a_machine_fits_the_monthly_budget() -> None:
    assert places(a_charter(limits={"monthly_budget": 119})) == ["limits.hardware.monthly_cost"]


EDGE, CLOUD = ({"name": name, "architecture": "x86_64", "cores": 2, "memory_mb": 4096, "monthly_cost": cost} for name, cost in (("edge", 60), ("cloud", 120)))


def test_one_machine_is_a_list_of_one() -> None:
    plain = PLAIN["limits"]["hardware"]
    assert a_charter(limits={"hardware": [plain]}) == a_charter()
    assert [target.name for target in a_charter().limits.hardware] == [None]


def test_each_of_several_machines_fits_budget_and_memory() -> None:
    assert places(a_charter(limits={"hardware": [EDGE, CLOUD]})) == []
    dear, small = EDGE | {"monthly_cost": 401}, CLOUD | {"memory_mb": 511}
    assert places(a_charter(limits={"hardware": [dear, small]})) == ["limits.hardware.0.monthly_cost", "limits.memory_mb"]


@pytest.mark.parametrize(
    ("targets", "wrong"),
    [
        ([EDGE, EDGE], "limits.hardware.1.name"),
        ([EDGE, {name: value for name, value in CLOUD.items() if name != "name"}], "limits.hardware.1"),
    ],
)
def test_several_machines_are_told_apart_by_their_names(targets: list[dict[str, Any]], wrong: str) -> None:
    assert places(a_charter(limits={"hardware": targets})) == [wrong]


@pytest.mark.parametrize("name", ["", "Edge", "edge box", "-edge", "x" * 25])
def test_the_name_of_a_machine_is_short_and_plain(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        a_charter(limits={"hardware": [EDGE | {"name": name}]})


def test_a_charter_names_at_least_one_machine() -> None:
    with pytest.raises(ValidationError, match="hardware"):
        a_charter(limits={"hardware": []})


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
    # 24 * 82,800 + 24,000 = 2,011,200
    assert check_charter(a_charter(value={"run_cost_per_period": 82800}, timebox={"minimum_value_per_period": 1000})) == []


@pytest.mark.parametrize(
    ("a_charter_of", "saves"),
    [
        # of each class what today's decisions cost more than the cheapest: good 0.9 * (0.03 * 3 + 0.01 * 15), rework 0.07 * (0.4 * 71 + 0.5 * 1),
        # which is cheaper as scrap, scrap 0.03 * (0.3 * 195 + 0.3 * 25); together 4.219 a decision
        (a_multiclass_charter, "3,037,680"),
        (an_amount_charter, "462,000"),  # 24 * 1,000 * (9.5 * 0.5 + 7.25 * 2)
    ],
)
def test_no_kind_is_started_that_even_a_perfect_model_cannot_repay(a_charter_of: Make, saves: str) -> None:
    [problem] = check_charter(a_charter_of(value={"run_cost_per_period": 140000}))
    assert f"saves {saves} EUR over its useful life and costs 3,384,000: do not start" in problem.what


@pytest.mark.parametrize(("a_charter_of", "gains"), [(a_charter, 81303), (a_multiclass_charter, 124070), (an_amount_charter, 16750)])
def test_a_minimum_that_even_a_perfect_model_does_not_reach_is_refused_with_the_sum(a_charter_of: Make, gains: int) -> None:
    [problem] = check_charter(a_charter_of(timebox={"minimum_value_per_period": gains + 1}))
    assert problem.where == "timebox.minimum_value_per_period" and f"gains {gains:,} EUR a month, and {gains + 1:,} is the minimum" in problem.what
    assert check_charter(a_charter_of(timebox={"minimum_value_per_period": gains - 1})) == []


def test_a_catch_that_costs_as_much_as_a_miss_is_refused_with_the_sum() -> None:
    [problem] = check_charter(a_charter(value={"cost_per_catch": {"low": 150, "likely": 220, "high": 300}}))
    assert problem.where == "value.cost_per_catch"
    assert "a catch costs (150 + 220 + 300) / 3 = 223.33 on average, a miss (120 + 200 + 350) / 3 = 223.33: no alert can ever pay" in problem.what
    assert check_charter(a_charter(value={"cost_per_catch": {"low": 150, "likely": 150, "high": 150}})) == []


def test_false_alarms_that_cost_next_to_nothing_leave_nothing_to_a_model() -> None:
    # 30,000 decisions, 1 - 0.104/3 of them about no positive, at 0.08 each: 2,316.80, and running a model costs 2,500
    [problem] = check_charter(a_charter(value={"cost_false_alarm": {"low": "0.08", "likely": "0.08", "high": "0.08"}}))
    assert "flagging everything needs no model and costs, on average, 2,317 EUR a month more than a perfect model, which costs 2,500" in problem.what
    assert check_charter(a_charter(value={"cost_false_alarm": {"low": "0.09", "likely": "0.09", "high": "0.09"}})) == []


def test_one_decision_that_is_the_cheapest_for_every_class_leaves_nothing_to_a_model() -> None:
    scrap = {true: {"scrap": {"low": 0, "likely": 0, "high": 0}} for true in ("good", "rework", "scrap")}
    assert any("deciding 'scrap' every time needs no model" in problem.what for problem in check_charter(a_multiclass_charter(value={"costs": scrap})))


def test_all_problems_come_at_once() -> None:
    charter = a_charter(
        people=[*PLAIN["people"], PLAIN["people"][0]], limits={"monthly_budget": 1}, value={"useful_life_periods": 1, "run_cost_per_period": 90000}
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


SENSORS = {"source": "data/sensors.csv", "by": ["line"], "event_time": "read_at", "arrived_time": "stored_at"}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"time": "at"}, []),
        ({"time": None}, ["data.joins"]),
        ({"time": "at", "joins": [SENSORS, SENSORS | {"arrived_time": "read_at"}]}, ["data.joins.1.arrived_time"]),
        ({"time": "at", "joins": [SENSORS | {"by": ["line", "line"]}]}, ["data.joins.0.by"]),
        ({"time": "at", "joins": [SENSORS | {"by": ["Target", "at", "read_at", "stored_at", "line"]}]}, ["data.joins.0.by"] * 4),
    ],
)
def test_readings_are_joined_as_of_the_decision_by_what_both_share(data: dict[str, Any], wrong: list[str]) -> None:
    assert places(a_charter(data={"joins": [SENSORS]} | data)) == wrong
