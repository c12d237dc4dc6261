"""Spoilt charters: whatever happens to their text, it is read or refused in words, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import a_plain_amount_charter, a_plain_multiclass_charter
from charters import PLACES, charter_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poc.errors import InputRefused
from poc.rules.charter import Charter
from poc.tools.strict_yaml import load_charter

#: The charters that lie here, and one of each other kind.
TEXTS = [
    *map(charter_text, PLACES),
    *(json.dumps(plain, indent=1) for plain in (a_plain_multiclass_charter(), a_plain_amount_charter(), a_plain_amount_charter(problem="regression"))),
]
Spoil = Callable[[list[str]], list[str]]
#: What may come to stand where a value stood.
VALUES = [
    "",
    "~",
    "null",
    "true",
    "no",
    "0",
    "-1",
    "45",
    "1e99",
    "0.5",
    "12:30",
    "2026-01-01",
    "text",
    '""',
    "[]",
    "{}",
    "[1, 2]",
    "{a: 1}",
    "{low: 1, likely: 2, high: 3}",
    "9" * 40,
    "'\u200b'",
    "multiclass",
    "regression",
]
BYTES = st.sampled_from(
    [
        "\x00",
        "\x07",
        "\t",
        "\u2028",
        "\ufeff",
        "\u202e",
        "\\",
        "'",
        '"',
        ":",
        "- ",
        "? ",
        "#",
        "&a",
        "*a",
        "!!int ",
        "|\n",
        ">",
        "%",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "é漢🧱",
    ]
)


def deleted(at: int, count: int) -> Spoil:
    return lambda lines: lines[: at % len(lines)] + lines[at % len(lines) + count :]


def doubled(at: int, count: int) -> Spoil:
    return lambda lines: lines[: at % len(lines) + count] + lines[at % len(lines) :]


def swapped(one: int, other: int) -> Spoil:
    def spoil(lines: list[str]) -> list[str]:
        swapped = list(lines)
        swapped[one % len(lines)], swapped[other % len(lines)] = lines[other % len(lines)], lines[one % len(lines)]
        return swapped

    return spoil


def inserted(at: int, column: int, odd: str) -> Spoil:
    def spoil(lines: list[str]) -> list[str]:
        line = lines[at % len(lines)]
        return [*lines[: at % len(lines)], line[:column] + odd + line[column:], *lines[at % len(lines) + 1 :]]

    return spoil


def exchanged(at: int, value: str) -> Spoil:
    """Put something else where a line's value stood, of another type mostly."""

    def spoil(lines: list[str]) -> list[str]:
        name, colon, _ = lines[at % len(lines)].partition(": ")
        return [*lines[: at % len(lines)], f"{name}{colon}{value}", *lines[at % len(lines) + 1 :]]

    return spoil


LINE = st.integers(0, 400)
SPOILS = st.one_of(
    st.builds(deleted, LINE, st.integers(1, 12)),
    st.builds(doubled, LINE, st.integers(1, 12)),
    st.builds(swapped, LINE, LINE),
    st.builds(inserted, LINE, st.integers(0, 60), BYTES),
    st.builds(exchanged, LINE, st.sampled_from(VALUES)),
)


def read_or_refused(folder: Path, text: str, spoils: list[Spoil]) -> None:
    lines = text.splitlines()
    for spoil in spoils:
        lines = spoil(lines) or [""]
    path = folder / "charter.yaml"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(load_charter(path), Charter)
    except InputRefused as error:
        assert error.problems
        assert [problem for problem in error.problems if not (problem.what and problem.fix and "charter.yaml" in problem.where)] == []


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_charter_that_nobody_spoilt_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "charter.yaml").write_text(text, encoding="utf-8")
    assert load_charter(tmp_path / "charter.yaml").people


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TEXTS), st.lists(SPOILS, min_size=1, max_size=4))
def test_a_spoilt_charter_is_read_or_refused_with_what_and_where(tmp_path: Path, text: str, spoils: list[Spoil]) -> None:
    read_or_refused(tmp_path, text, spoils)


@pytest.mark.slow
@settings(max_examples=800, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TEXTS), st.lists(SPOILS, min_size=1, max_size=4))
def test_a_spoilt_charter_is_read_or_refused_looked_for_longer(tmp_path: Path, text: str, spoils: list[Spoil]) -> None:
    read_or_refused(tmp_path, text, spoils)


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_charter_without_any_one_of_its_lines_is_read_or_refused(tmp_path: Path, text: str) -> None:
    for at in range(len(text.splitlines())):
        read_or_refused(tmp_path, text, [deleted(at, 1)])


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_charter_with_any_one_of_its_values_exchanged_is_read_or_refused(tmp_path: Path, text: str) -> None:
    for at in range(len(text.splitlines())):
        read_or_refused(tmp_path, text, [exchanged(at, VALUES[at % len(VALUES)])])
