"""What the hooks refuse, and what they leave in place."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from baking import BAD_ANSWERS, CONTEXT, QUESTIONS, TEMPLATE, bake, files_of, start
from cookiecutter.environment import StrictEnvironment
from poc.errors import InputRefused
from poc.tools.strict_yaml import load_charter

DEFAULTS = {question: CONTEXT[question] for question in QUESTIONS}


def render(name: str, folder: Path, **answers: str) -> dict[str, Any]:
    """Render a hook as cookiecutter does, load it without running it, and return what it defines."""
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text()
    rendered = StrictEnvironment(context={}).from_string(source).render(cookiecutter=DEFAULTS | answers)
    program = folder / f"{name}.py"
    program.write_text(rendered)
    return runpy.run_path(str(program))


@pytest.fixture
def refusals(tmp_path: Path) -> Callable[..., list[str]]:
    def ask(**answers: str) -> list[str]:
        hook = render("pre_gen_project", tmp_path, **answers)
        found: list[str] = hook["refusals"](hook["ANSWERS"])
        return found

    return ask


def test_the_default_answers_are_accepted(refusals: Callable[..., list[str]]) -> None:
    assert refusals() == []


@pytest.mark.parametrize("slug", ["", "ab", "Line-stop", "1-line", "line_stop", "line stop", "line-", "../line", "/etc", "línea", "a" * 41, "line-stop\n"])
def test_a_bad_slug_is_refused(slug: str, refusals: Callable[..., list[str]]) -> None:
    assert any(sentence.startswith("project_slug ") and "3 to 40 lower-case letters" in sentence for sentence in refusals(project_slug=slug))


@pytest.mark.parametrize("slug", ["abc", "line-stop", "r2d2", "a" * 40])
def test_a_good_slug_is_accepted(slug: str, refusals: Callable[..., list[str]]) -> None:
    assert refusals(project_slug=slug) == []


@pytest.mark.parametrize("email", ["", "alex", "alex@", "alex@example", "a b@example.com", "alex@@example.com", "alex@example.", f"{'a' * 200}@example.com"])
def test_a_bad_email_is_refused(email: str, refusals: Callable[..., list[str]]) -> None:
    assert [sentence for sentence in refusals(sponsor_email=email) if "is not an e-mail address" in sentence]


@pytest.mark.parametrize(
    ("question", "answer", "sentence"),
    [
        ("sponsor_name", "", "sponsor_name is empty; without it nobody knows what is decided, or by whom."),
        ("sponsor_name", "   ", "sponsor_name is empty; without it nobody knows what is decided, or by whom."),
        ("sponsor_name", "x" * 121, "sponsor_name has 121 characters; 120 are allowed."),
        ("sponsor_name", "---", "sponsor_name '---' holds no letter and no digit; write it in words."),
        ("sponsor_title", "", "sponsor_title is empty; without it nobody knows what is decided, or by whom."),
        ("decision", "Stop it?", "decision has 8 characters; say it in at least 15, so that a stranger understands it."),
        ("decision", "x" * 601, "decision has 601 characters; 600 are allowed."),
        ("currency", "eur", "currency 'eur' is not a code of three capital letters such as EUR."),
        ("scenario", "warehouse", "scenario 'warehouse' is unknown; choose production-line or own-data."),
        ("target_architecture", "sparc", "target_architecture 'sparc' is unknown; choose x86_64 or arm64."),
    ],
)
def test_a_bad_answer_is_refused_in_its_sentence(question: str, answer: str, sentence: str, refusals: Callable[..., list[str]]) -> None:
    assert refusals(**{question: answer}) == [sentence]


UNSEEN = ["\n", "\r", "\t", "\0", "\x1b", "\x85", "\u2028", "\u202e", "\u2067", "\u200b", "\u00ad", "\ufeff", "\u200d ", "\u200d\u200d", "\u3164"]


@pytest.mark.parametrize("letter", UNSEEN)
def test_line_breaks_and_what_cannot_be_seen_are_refused(letter: str, refusals: Callable[..., list[str]]) -> None:
    assert refusals(sponsor_name=f"Alex{letter}Example") == ["sponsor_name holds a line break or an invisible character; write it in one plain line."]


#: Where the charter keeps an answer.
PLACES: dict[str, tuple[str | int, ...]] = {
    "project_slug": ("project",),
    "decision": ("decision", "question"),
    "sponsor_name": ("people", 0, "name"),
    "sponsor_title": ("people", 0, "title"),
    "sponsor_email": ("people", 0, "email"),
    "currency": ("value", "currency"),
    "target_architecture": ("limits", "hardware", "architecture"),
}


@pytest.fixture(scope="module")
def plain_charter(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bake a charter and write it as JSON, in which any answer can be put anywhere; JSON is YAML."""
    charter = yaml.safe_load((bake(tmp_path_factory.mktemp("plain")) / "charter.yaml").read_text(encoding="utf-8"))
    return json.dumps(charter, default=str)


@pytest.fixture
def refused_by_the_charter(plain_charter: str, tmp_path: Path) -> Callable[[str, str], list[str]]:
    def load(question: str, answer: str) -> list[str]:
        *way, last = PLACES[question]
        charter = json.loads(plain_charter)
        section = charter
        for part in way:
            section = section[part]
        section[last] = answer
        (tmp_path / "charter.yaml").write_text(json.dumps(charter))
        try:
            load_charter(tmp_path / "charter.yaml")
        except InputRefused as error:
            return [problem.where.rpartition(", ")[2] for problem in error.problems]
        return []

    return load


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        *(("sponsor_name", f"Alex{letter}Example") for letter in UNSEEN),
        *((question, blank) for question in ("decision", "sponsor_name", "sponsor_title") for blank in ("", " " * 20, "\u3000" * 20, "\u200b" * 20, "." * 20)),
        *(("sponsor_name", name) for name in ("x" * 121, "\u2800", "\u0301")),
        *(("decision", decision) for decision in ("Stop it?", f"Stop it?{' ' * 20}", f"Is this \u202ebrick{' fired' * 3}?", "x" * 601)),
        *(("sponsor_email", email) for email in ("", "alex", "a b@example.com", "alex@example", "al\u200bex@example.com", "!@!.!", f"{'a' * 200}@example.com")),
        *(("project_slug", slug) for slug in ("", "ab", "Line-stop", "line_stop", "../line", "a" * 41)),
        *(("currency", currency) for currency in ("", "eur", "EURO", "E\u200bR")),
        *(("target_architecture", architecture) for architecture in ("", "sparc")),
    ],
)
def test_what_the_hook_refuses_the_charter_refuses_too(
    question: str, answer: str, refusals: Callable[..., list[str]], refused_by_the_charter: Callable[[str, str], list[str]]
) -> None:
    assert any(sentence.startswith(f"{question} ") for sentence in refusals(**{question: answer}))
    assert refused_by_the_charter(question, answer) == [".".join(map(str, PLACES[question]))]


@pytest.mark.parametrize("name", ["Ana Kovač", "O'Neil-Śmith (2nd)", "山田太郎", "Auf\u200clage", "क्\u200dष", "Ada 👩\u200d🚀", "7"])
def test_names_of_the_world_are_accepted_by_both(
    name: str, refusals: Callable[..., list[str]], refused_by_the_charter: Callable[[str, str], list[str]]
) -> None:
    assert (refusals(sponsor_name=name), refused_by_the_charter("sponsor_name", name)) == ([], [])


@pytest.mark.parametrize(
    "text", ["'", '"', '"""', "\\", "\\n", "{{ 7*7 }}", "{% raw %}", "$(rm -rf .)", "`id`", "</script>", "# no", "a: b", "É 漢 𠮷 🧱", "%s"]
)
def test_hostile_text_reaches_the_hook_as_it_was_typed(text: str, tmp_path: Path) -> None:
    answers: dict[str, str] = render("pre_gen_project", tmp_path, sponsor_name=text)["ANSWERS"]
    assert answers["sponsor_name"] == text


def test_all_bad_answers_are_refused_together_before_a_file_exists(tmp_path: Path) -> None:
    output = tmp_path / "output"
    done = start(output, "--no-input", *(f"{question}={answer}" for question, answer in BAD_ANSWERS.items()))
    assert done.returncode != 0
    assert [question for question in QUESTIONS if f"error: {question} " in done.stderr] == QUESTIONS
    assert list(output.iterdir()) == []


#: What belongs to no scenario stays.
KEPT = ("src/poc/problem/parts.py", "src/poc/cli/__init__.py", "tests/problem/test_parts.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as it stands before the last hook: the default in place, another scenario beside it."""
    project = tmp_path / "project"
    for path in (
        "charter.yaml",
        "params.yaml",
        "data/parts.parquet",
        "docs/exercises/parts.md",
        "src/poc/problem/parts.py",
        "src/poc/cli/__init__.py",
        "tests/problem/test_parts.py",
    ):
        place = project / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("default")
    for path in ("charter.yaml", "params.yaml", "data/yours.csv", "src/poc/problem/yours.py"):
        place = project / "scenarios" / "own-data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("own")
    return project


def test_the_default_scenario_stays_and_the_others_go(project: Path, tmp_path: Path) -> None:
    before = {path for path in files_of(project) if not path.startswith("scenarios/")}
    render("post_gen_project", tmp_path)["choose"](project, "production-line")
    assert files_of(project) == before
    assert (project / "charter.yaml").read_text() == "default"


def test_another_scenario_moves_in_and_none_of_the_default_data_survives(project: Path, tmp_path: Path) -> None:
    render("post_gen_project", tmp_path)["choose"](project, "own-data")
    assert files_of(project) == {*KEPT, "charter.yaml", "params.yaml", "data/yours.csv", "src/poc/problem/yours.py"}
    assert (project / "charter.yaml").read_text() == "own"
    assert not (project / "scenarios").exists()


def test_the_next_commands_work_from_anywhere_and_with_spaces(tmp_path: Path) -> None:
    commands = render("post_gen_project", tmp_path)["next_commands"](Path("/some where/line-stop"), "production-line")
    assert commands == ["cd '/some where/line-stop'", "make setup", "make candidate"]


def test_the_hooks_know_the_scenarios_that_exist(tmp_path: Path) -> None:
    known = render("pre_gen_project", tmp_path)["SCENARIOS"]
    default = render("post_gen_project", tmp_path)["DEFAULT"]
    folders = {path.name for path in (TEMPLATE / "{{cookiecutter.project_slug}}" / "scenarios").iterdir()}
    assert set(known) == {default} | folders


def test_each_hook_holds_one_line_of_jinja() -> None:
    for hook in (TEMPLATE / "hooks").glob("*.py"):
        assert sum("{{" in line or "{%" in line for line in hook.read_text().splitlines()) == 1, hook.name


def test_hooks_import_only_small_parts_of_the_standard_library() -> None:
    source = "".join(hook.read_text() for hook in (TEMPLATE / "hooks").glob("*.py"))
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", source, flags=re.MULTILINE))
    assert imported == {"json", "pathlib", "re", "shlex", "shutil", "sys", "unicodedata"}


def test_answers_are_plain_text() -> None:
    assert all(isinstance(answer, str) for answer in DEFAULTS.values()), json.dumps(DEFAULTS)
