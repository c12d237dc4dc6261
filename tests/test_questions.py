"""What the template asks, and that every answer arrives."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from baking import CONTEXT, QUESTIONS, bake, start

OTHER = {
    "project_slug": "quiet-kiln",
    "decision": "Is this brick fired again or thrown away?",
    "scenario": "own-data",
    "sponsor_name": "Ana Kovač",
    "sponsor_title": "Head of kilns",
    "sponsor_email": "ana@kilns.example.org",
    "currency": "CHF",
    "target_architecture": "arm64",
}


def test_at_most_eight_questions_are_asked() -> None:
    assert len(QUESTIONS) <= 8


def test_every_question_is_a_sentence() -> None:
    prompts = CONTEXT["__prompts__"]
    assert list(prompts) == QUESTIONS
    assert all("?" in prompt and prompt[0].isupper() for prompt in prompts.values())


def test_no_question_asks_for_a_secret() -> None:
    asked = " ".join([*QUESTIONS, *CONTEXT["__prompts__"].values()]).lower()
    assert not [word for word in ("password", "secret", "token", "api key", "credential") if word in asked]


def test_the_test_below_changes_every_answer() -> None:
    assert set(OTHER) == set(QUESTIONS)
    assert all(OTHER[question] != CONTEXT[question] for question in QUESTIONS)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bake(tmp_path_factory.mktemp("other"), **OTHER)


def test_every_answer_of_the_charter_arrives_there(other: Path) -> None:
    charter = yaml.safe_load((other / "charter.yaml").read_text())
    sponsor = next(person for person in charter["people"] if person["role"] == "sponsor")
    found = {
        "project_slug": charter["project"],
        "decision": charter["decision"]["question"],
        "sponsor_name": sponsor["name"],
        "sponsor_title": sponsor["title"],
        "sponsor_email": sponsor["email"],
        "currency": charter["value"]["currency"],
        "target_architecture": charter["limits"]["hardware"]["architecture"],
    }
    assert found == {question: OTHER[question] for question in found}


def test_the_name_and_the_decision_arrive_in_the_readme(other: Path) -> None:
    readme = (other / "README.md").read_text()
    assert readme.startswith("# Quiet kiln\n")
    assert OTHER["decision"] in readme


def test_the_scenario_arrives(other: Path) -> None:
    assert (other / "data" / "your_data.csv").exists()
    assert not (other / "data" / "production_line.parquet").exists()


def test_the_questions_can_all_be_answered_with_the_return_key(tmp_path: Path) -> None:
    done = start(tmp_path, typed="\n" * len(QUESTIONS))
    assert done.returncode == 0, done.stderr
    assert all(prompt in done.stdout for prompt in CONTEXT["__prompts__"].values())
