from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import PLAIN, a_charter, a_plain_amount_charter, a_plain_charter, a_plain_multiclass_charter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poc.errors import ExitCode, InputRefused, Problem
from poc.tools.strict_yaml import load_charter, load_params, load_yaml

PARAMS = "seed: 7\nfamilies: [logistic]\n"


def refused(text: str) -> list[Problem]:
    with pytest.raises(InputRefused) as caught:
        load_yaml(text, where="x.yaml")
    return caught.value.problems


def written(folder: Path, plain: dict[str, Any]) -> Path:
    path = folder / "charter.yaml"
    path.write_text(json.dumps(plain, indent=1))  # JSON is YAML; quoted numbers become Decimals all the same
    return path


def charter_problems(folder: Path, **overrides: Any) -> list[Problem]:
    return problems_of(written(folder, a_plain_charter(**overrides)))


def problems_of(charter: Path) -> list[Problem]:
    with pytest.raises(InputRefused) as caught:
        load_charter(charter)
    assert caught.value.exit_code == ExitCode.INPUT
    return caught.value.problems


def test_plain_values_have_their_types() -> None:
    text = 'a: 1\nb: 0.45\nc: some words\nd: "1"\ne: 2026-01-15\nf: [true, false, null]\ng:\n'
    expected = {"a": 1, "b": Decimal("0.45"), "c": "some words", "d": "1", "e": "2026-01-15", "f": [True, False, None], "g": None}
    assert load_yaml(text, where="x").value == expected


def test_an_empty_text_holds_nothing() -> None:
    assert load_yaml("# only a comment\n", where="x").value is None


def test_every_entry_knows_its_line_and_column() -> None:
    document = load_yaml("a:\n  b: 1\n  c:\n    - 2\n    - d: 3\n", where="x")
    assert document.position(("a", "b")) == (2, 3)
    assert document.position(("a", "c", 0)) == (4, 7)
    assert document.position(("a", "c", 1, "d")) == (5, 7)


def test_a_missing_entry_is_where_its_section_is() -> None:
    assert load_yaml("a:\n  b: 1\n", where="x").position(("a", "missing", 3)) == (1, 1)


@pytest.mark.parametrize(
    "word", ["yes", "NO", "On", "off", "y", "N", "True", "NULL", "12:30", "1:30:00", "0o17", "017", "0x1F", "1_000", ".inf", "-.INF", ".nan"]
)
def test_what_can_be_read_in_two_ways_is_refused(word: str) -> None:
    [problem] = refused(f"a: 1\nb: {word}\n")
    assert problem.where == "x.yaml line 2, column 4"
    assert f'"{word}"' in problem.fix


@pytest.mark.parametrize("word", ["yes", "NO", "12:30", "017"])
def test_in_quotes_it_is_text(word: str) -> None:
    assert load_yaml(f'a: "{word}"\n', where="x").value == {"a": word}


def test_a_name_stands_once() -> None:
    [problem] = refused("a: 1\nb: 2\na: 3\n")
    assert (problem.what, problem.where) == ("'a' stands here a second time", "x.yaml line 3, column 1")


@pytest.mark.parametrize(
    ("text", "says"), [("a: &x 1\nb: 2\n", "anchors"), ("a: !!int 1\n", "tags"), ("a: !secret 1\n", "tags"), ("? [a, b]\n: 1\n", "a name must be text")]
)
def test_what_no_agreement_needs_is_refused(text: str, says: str) -> None:
    assert says in refused(text)[0].what


def test_a_second_document_is_refused() -> None:
    [problem] = refused("a: 1\n---\nb: 2\n")
    assert problem.where == "x.yaml line 2, column 1"


def test_all_surprises_come_at_once() -> None:
    assert [problem.where for problem in refused("a: yes\na: &x 1\nb: 12:30\n")] == [
        f"x.yaml line {n}" for n in ("1, column 4", "2, column 1", "2, column 4", "3, column 4")
    ]


def test_broken_yaml_says_where() -> None:
    [problem] = refused("a: [1, 2\nb: 3\n")
    assert problem.where.startswith("x.yaml line 2")


@pytest.mark.parametrize("text", ["[" * 5000, "a: \x07", 'a: "\\UFFFFFFFF"', 'a: "\\ud800"', "%YAML " + "1" * 5000 + ".1\n--- a\n", "- " * 3000])
def test_hostile_text_is_refused_in_words(text: str) -> None:
    assert refused(text)


def test_a_character_written_as_two_json_escapes_is_one() -> None:
    assert load_yaml(json.dumps({"a": "\U0001f600"}), where="x").value == {"a": "\U0001f600"}


def test_a_charter_is_read(tmp_path: Path) -> None:
    assert load_charter(written(tmp_path, PLAIN)) == a_charter()


def test_forty_five_for_a_share_is_answered_with_what_to_write(tmp_path: Path) -> None:
    [problem] = charter_problems(tmp_path, limits={"missed_share": 45})
    assert problem.fix == "write 0.45 for 45 %"
    assert problem.where.endswith("limits.missed_share")


@pytest.mark.parametrize("share", ["12%", "12 %", 12])
def test_percent_signs_are_answered_the_same(tmp_path: Path, share: object) -> None:
    assert charter_problems(tmp_path, value={"positive_share": {"high": share}})[0].fix == "write 0.12 for 12 %"


def test_an_amount_above_a_limit_is_not_taken_for_a_percentage(tmp_path: Path) -> None:
    assert "%" not in charter_problems(tmp_path, timebox={"looks": 11})[0].fix


def test_a_typo_is_answered_with_the_nearest_field(tmp_path: Path) -> None:
    problems = charter_problems(tmp_path, limits={"mised_share": "0.12"})
    assert problems[0].fix == "did you mean missed_share?"
    people = [dict(PLAIN["people"][0], emial="x@example.com"), *PLAIN["people"][1:]]
    assert charter_problems(tmp_path, people=people)[0].fix == "did you mean email?"


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"data": {"positive": 1}}, "positive is the number 1, where text belongs"),
        ({"value": {"period": "monthly"}}, "period is 'monthly'; it must be 'month', 'quarter' or 'year'"),
        ({"baseline": {"measured_on": "15.01.2026"}}, "measured_on is '15.01.2026', not a date"),
        ({"value": {"run_cost_per_period": "cheap"}}, "run_cost_per_period is 'cheap', not a number"),
        ({"decision": {"decider": "Me"}}, "decider says too little: at least 15 characters"),
        ({"decision": {"decider": " " * 20}}, "decider says too little: at least 15 characters"),
        ({"decision": {"decider": "." * 20}}, "decider holds no letter and no digit: '....................'"),
        ({"people": [dict(PLAIN["people"][0], name="Sam\u200b")]}, "name holds a line break or an invisible character"),
        ({"people": [dict(PLAIN["people"][0], title=" ")]}, "title is empty"),
        ({"value": {"currency": "euro"}}, "currency is 'euro', not a code of three capital letters"),
        (
            {"project": "Line stop"},
            "project is 'Line stop', not 3 to 40 lower-case letters, digits and hyphens that begin with a letter and end with a letter or digit",
        ),
        ({"version": 0}, "version is 0: input should be greater than or equal to 1"),
        ({"value": {"cost_missed": 200}}, "cost_missed is 200, where a range belongs"),
        ({"limits": {"missed_share": {"1": "0.12"}}}, "missed_share holds entries of its own, where one number belongs"),
        (
            {"stages": [dict(PLAIN["stages"][0], signers=["sponser"])]},
            "entry 1 of signers is 'sponser'; it must be 'sponsor', 'owner', 'user_representative' or 'risk'",
        ),
        ({"value": {"cost_missed": {"low": 999}}}, "cost_missed: low 999, likely 200, high 350: they must not fall"),
        ({"people": [dict(PLAIN["people"][0], email="sam")]}, "email is 'sam', not an e-mail address"),
    ],
)
def test_findings_are_in_plain_words(tmp_path: Path, overrides: dict[str, Any], what: str) -> None:
    assert charter_problems(tmp_path, **overrides)[0].what == what


FOUR = "binary, multiclass, regression or count"


@pytest.mark.parametrize(("word", "fix"), [("binray", "did you mean binary?"), ("multi-class", "did you mean multiclass?"), ("ranking", "choose one of these")])
def test_an_unknown_kind_of_problem_is_answered_with_the_four_and_the_nearest(tmp_path: Path, word: str, fix: str) -> None:
    problem = charter_problems(tmp_path, problem=word)[0]
    assert (problem.what, problem.fix) == (f"problem is {word!r}; it must be {FOUR}", fix)
    assert problem.where == "charter.yaml line 5, column 2, problem"


@pytest.mark.parametrize(
    ("plain", "fitting"), [(a_plain_charter(), "binary"), (a_plain_multiclass_charter(), "multiclass"), (a_plain_amount_charter(), "regression")]
)
def test_a_charter_that_does_not_say_its_kind_is_told_which_its_fields_are_of(tmp_path: Path, plain: dict[str, Any], fitting: str) -> None:
    del plain["problem"]
    [problem] = problems_of(written(tmp_path, plain))
    assert problem.what == f"problem is missing: the charter is about one of {FOUR}"
    assert problem.fix == f"add problem: {fitting}, whose fields it has"


def test_a_charter_of_a_misspelt_kind_is_checked_for_the_rest_at_once(tmp_path: Path) -> None:
    plain = a_plain_multiclass_charter(problem="multiclas", limits={"missed_share": {"scrap": 10}}, timebox={"minimum_value_per_period": 10**6})
    problems = problems_of(written(tmp_path, plain))
    assert [problem.where.rpartition(", ")[2] for problem in problems] == ["problem", "limits.missed_share.scrap", "timebox.minimum_value_per_period"]


def test_a_field_of_another_kind_is_said_to_be_of_it(tmp_path: Path) -> None:
    plain = a_plain_amount_charter(value={"cost_missed": {"low": 1, "likely": 1, "high": 1}})
    [problem] = problems_of(written(tmp_path, plain))
    assert problem.what == "cost_missed in value belongs to a binary problem, and this one is count"
    assert problem.fix == "take it out, or say problem: binary"
    assert problem.where.endswith(", value.cost_missed")


def test_another_word_for_the_kind_alone_gives_one_problem_a_section(tmp_path: Path) -> None:
    problems = charter_problems(tmp_path, problem="regression")
    assert [problem.where.rpartition(", ")[2] for problem in problems] == [
        "baseline.missed_share",
        "value.positive_share",
        "limits.missed_share",
        "data.positive",
    ]
    assert problems[0].what == "missed_share, false_alarm_share in baseline belong to a binary problem, and this one is regression"
    assert problems[0].fix == "write mean_over, mean_under, beyond_tolerance_share instead, or say problem: binary"


def test_what_is_not_measured_yet_is_to_be_counted(tmp_path: Path) -> None:
    plain = a_plain_amount_charter()
    del plain["baseline"]["beyond_tolerance_share"]
    assert problems_of(written(tmp_path, plain))[0].fix.startswith("count how many of today's estimates are off by more than limits.tolerance")


def test_each_cell_of_a_matrix_has_its_own_problem_and_place(tmp_path: Path) -> None:
    costs = {"rework": {"good": {"low": 500}, "scrap": 7}}
    plain = a_plain_multiclass_charter(value={"costs": costs}, baseline={"decided_shares": {"scrap": {"scrap": 40}}})
    path = written(tmp_path, plain)
    found = {problem.where.rpartition(", ")[2]: problem for problem in problems_of(path)}
    assert {place: problem.what for place, problem in found.items()} == {
        "baseline.decided_shares.scrap.scrap": "scrap is 40, but a share lies between 0 and 1",
        "value.costs.rework.good": "good: low 500, likely 80, high 120: they must not fall",
        "value.costs.rework.scrap": "scrap is 7, where a range belongs",
    }
    for place, problem in found.items():
        line = path.read_text().splitlines()[int(problem.where.split("line ")[1].split(",")[0]) - 1]
        assert f'"{place.rsplit(".")[-1]}"' in line


@pytest.mark.parametrize("names", [("0", "1", "2"), ("a.b", "a", "b"), ("true", "x.0", "0")])
def test_classes_may_be_called_by_figures_and_points_if_they_stand_in_quotes(tmp_path: Path, names: tuple[str, ...]) -> None:
    text = json.dumps(a_plain_multiclass_charter(baseline={"decided_shares": {"rework": {"good": "0.3"}}}), indent=1)
    for old, new in zip(("good", "rework", "scrap"), names, strict=True):
        text = text.replace(f'"{old}"', json.dumps(new))
    path = tmp_path / "charter.yaml"
    path.write_text(text)
    [problem] = problems_of(path)  # the shares of the second class add up to 0.9
    line = text.splitlines()[int(problem.where.split("line ")[1].split(",")[0]) - 1]
    assert line.strip() == json.dumps(names[1]) + ": {"
    path.write_text(text.replace('"0.3"', '"0.4"', 1))
    assert load_charter(path).data.classes == list(names)  # type: ignore[attr-defined]


def test_classes_without_quotes_are_to_be_put_into_quotes(tmp_path: Path) -> None:
    text = json.dumps(a_plain_multiclass_charter(), indent=1).replace('"good"', "0")
    (tmp_path / "charter.yaml").write_text(text)
    [problem] = problems_of(tmp_path / "charter.yaml")
    assert (problem.what, problem.fix) == ("entry 1 of classes is the number 0, where text belongs", 'put it in quotes: "0"')


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    path = tmp_path / "charter.yaml"
    path.write_text(json.dumps({name: part for name, part in PLAIN.items() if name != "limits"}))
    with pytest.raises(InputRefused, match="limits is missing"):
        load_charter(path)


def test_all_problems_of_the_fields_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    problems = charter_problems(tmp_path, limits={"missed_share": 45, "speed": 1}, version=0, data={"positive": 1})
    lines = written(tmp_path, a_plain_charter(limits={"missed_share": 45, "speed": 1}, version=0, data={"positive": 1})).read_text().splitlines()
    assert len(problems) == 4
    for problem in problems:
        line = int(problem.where.split("line ")[1].split(",")[0])
        assert f'"{problem.where.rsplit(".")[-1].rsplit(" ")[-1]}"' in lines[line - 1]


def test_cross_checks_have_lines_too(tmp_path: Path) -> None:
    path = written(tmp_path, a_plain_charter(limits={"monthly_budget": 1}))
    with pytest.raises(InputRefused) as caught:
        load_charter(path)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"monthly_cost"' in text)
    assert caught.value.problems[0].where == f"charter.yaml line {line}, column 4, limits.hardware.monthly_cost"


def line_of(path: Path, word: str) -> int:
    return next(n for n, text in enumerate(path.read_text().splitlines(), 1) if word in text)


def test_a_wrong_field_of_one_machine_is_where_it_is_written(tmp_path: Path) -> None:
    [problem] = charter_problems(tmp_path, limits={"hardware": {"cores": 0}})
    assert problem.where == f"charter.yaml line {line_of(tmp_path / 'charter.yaml', 'cores')}, column 4, limits.hardware.cores"
    [problem] = charter_problems(tmp_path, limits={"hardware": "big"})
    assert problem.what == "hardware holds no fields"


def test_a_wrong_field_of_one_of_several_machines_is_where_it_is_written(tmp_path: Path) -> None:
    plain = PLAIN["limits"]["hardware"]
    [problem] = charter_problems(tmp_path, limits={"hardware": [plain | {"name": "cloud"}, plain | {"name": "Edge Box"}]})
    assert problem.where == f"charter.yaml line {line_of(tmp_path / 'charter.yaml', 'Edge Box')}, column 5, limits.hardware.1.name"
    assert (problem.what.partition(",")[0], problem.fix) == ("name is 'Edge Box'", "write it like edge-box")


def test_a_typo_in_one_section_does_not_hide_a_contradiction_in_another(tmp_path: Path) -> None:
    problems = charter_problems(tmp_path, version=0, people=PLAIN["people"][1:], limits={"monthly_budget": 1}, baseline={"process": "By eye"})
    # limits are compared with the baseline, which says too little: that check waits
    places = ["version", "baseline.process", "people", "limits.hardware.monthly_cost", "stages.0.signers", "stages.3.signers"]
    assert [problem.where.rpartition(", ")[2] for problem in problems] == places


@pytest.mark.parametrize("content", [b"", b"just words", b"- 1\n- 2", b"\xff\xfe\x00", b"\xef\xbb\xbf"])
def test_a_file_that_is_no_charter_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "charter.yaml"
    path.write_bytes(content)
    with pytest.raises(InputRefused):
        load_charter(path)


@pytest.mark.parametrize("written", ["true", "false"])
def test_a_truth_value_where_text_belongs_is_echoed_as_it_was_written(written: str, tmp_path: Path) -> None:
    path = tmp_path / "charter.yaml"
    path.write_text(json.dumps(a_plain_charter()).replace('"positive": "1"', f'"positive": {written}'))
    with pytest.raises(InputRefused) as caught:
        load_charter(path)
    assert [(problem.what, problem.fix) for problem in caught.value.problems] == [
        (f"positive is the truth value {written}, where text belongs", f'put it in quotes, as the file spells it: "{written}"')
    ]


def test_an_empty_file_is_said_to_hold_nothing(tmp_path: Path) -> None:
    path = tmp_path / "charter.yaml"
    path.write_text("# nothing yet\n")
    with pytest.raises(InputRefused, match="the file holds no fields"):
        load_charter(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be read"):
        load_charter(tmp_path / "charter.yaml")


def test_parameters_are_read_and_checked_alike(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS + "benchmark_seconds_per_variant: 2.5\n")
    assert load_params(path).benchmark_seconds_per_variant == 2.5
    path.write_text(PARAMS + "fold: 5\n")
    with pytest.raises(InputRefused, match=r"params\.yaml line 3, column 1, fold") as caught:
        load_params(path)
    assert caught.value.problems[0].fix == "did you mean folds?"


LINES = json.dumps(PLAIN, indent=1).splitlines(keepends=True)
ODD = st.sampled_from(
    [
        "&a ",
        "*a",
        "!t ",
        "? ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "|",
        "---\n",
        "\t",
        "yes",
        "12:30",
        "1e99",
        "-1",
        "1e-99",
        "\u2028",
        "\\",
        "#",
        "9" * 400,
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=200), st.lists(ODD, max_size=30).map("".join)))
def test_no_text_at_all_ends_in_anything_but_a_refusal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "charter.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputRefused) as caught:
        load_charter(path)
    assert all(problem.what and "charter.yaml" in problem.where for problem in caught.value.problems)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(LINES) - 1), st.integers(0, 60), ODD)
def test_a_spoilt_charter_is_read_or_refused_but_never_fails(tmp_path: Path, line: int, column: int, odd: str) -> None:
    spoilt = list(LINES)
    spoilt[line] = spoilt[line][:column] + odd + spoilt[line][column:]
    path = tmp_path / "charter.yaml"
    path.write_text("".join(spoilt))
    try:
        load_charter(path)
    except InputRefused as error:
        assert error.problems
