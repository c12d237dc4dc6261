"""Tables: how cells are read, what names a row, what puts rows in order of time, and what is refused there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from poc.errors import InputRefused
from poc.tools.frames import categories_of, column_problems, lottery, numbers_of, order_of, read_table, sha256_of_rows, shared_rows, typed

PARTS = pd.DataFrame({"key": [1, 2, 3], "torque": [40.0, np.nan, 41.5], "type": ["L", "M", "L"]})


def test_rows_are_named_by_what_stands_in_them_in_any_order() -> None:
    assert sha256_of_rows(PARTS) == sha256_of_rows(PARTS[["type", "key", "torque"]].iloc[::-1].reset_index(drop=True))


@pytest.mark.parametrize("other", [PARTS.head(2), PARTS.assign(type="L"), PARTS.drop(columns="key")])
def test_other_rows_have_another_name(other: pd.DataFrame) -> None:
    assert sha256_of_rows(PARTS) != sha256_of_rows(other)


def test_a_row_that_agrees_in_every_cell_is_shared_and_one_that_differs_in_one_is_not() -> None:
    assert shared_rows(PARTS, PARTS.iloc[[1]]) == 1
    assert shared_rows(PARTS, PARTS.iloc[[1]].assign(torque=7.0)) == 0


@pytest.mark.parametrize(
    "times", [[3, 1, 2], [0.3, 0.1, 0.2], ["2026-03-01", "2025-12-31", "2026-01-01"], ["2026-01-01T09:30", "2026-01-01T08:00+01:00", "2026-01-01T09:00"]]
)
def test_numbers_and_iso_moments_are_in_order_of_time(times: list[object]) -> None:
    assert np.argsort(order_of(pd.DataFrame({"when": times}), "when")).tolist() == [1, 2, 0]


@pytest.mark.parametrize("bad", ["31.12.2025", "noon", None, ""])
def test_text_that_is_no_iso_moment_is_refused_not_sorted_as_text(bad: str | None) -> None:
    with pytest.raises(InputRefused, match="1 of 3 values of 'when' are no moment in time"):
        order_of(pd.DataFrame({"when": ["2026-03-01", bad, "2026-01-01"]}), "when")


@dataclass(frozen=True)
class Named:
    """A declared column."""

    name: str
    kind: Literal["number", "category"]


def read(folder: Path, text: str) -> pd.DataFrame:
    (folder / "rows.csv").write_text(text)
    return read_table(folder / "rows.csv")


def test_a_cell_of_a_csv_is_the_text_that_stands_there_and_only_an_empty_one_is_missing(tmp_path: Path) -> None:
    table = read(tmp_path, "code,word\n007,true\n1,NA\n,None\n1.0,\n2,nan\n")
    assert categories_of(table, "code").tolist() == ["007", "1", "", "1.0", "2"]
    assert categories_of(table, "word").tolist() == ["true", "NA", "None", "", "nan"]


def test_a_code_keeps_its_text_however_long_the_file(tmp_path: Path) -> None:
    table = read(tmp_path, "code\n" + "1\n" * 300_000 + "x1\n")
    typed(table, [Named("code", "category")]).to_parquet(tmp_path / "rows.parquet")
    assert set(categories_of(read_table(tmp_path / "rows.parquet"), "code")) == {"1", "x1"}


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="line 3 has 3 fields, the header has 2") as caught:
        read(tmp_path, "a,b\n1,2\n1,5,3\n")
    assert caught.value.problems[0].fix == "put quotes around a value that holds a comma"


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_a_csv_without_a_header_is_refused_as_empty(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"rows\.csv is empty"):
        read(tmp_path, text)


@pytest.mark.parametrize(("separator", "named"), [(";", "';'"), ("\t", "tabs")])
def test_a_csv_separated_by_something_else_is_refused_once_decimal_commas_or_not(separator: str, named: str, tmp_path: Path) -> None:
    for row in ("1.5;2", "1,5;2"):
        with pytest.raises(InputRefused) as caught:
            read(tmp_path, f"a;b\n{row}\n".replace(";", separator))
        assert [problem.what for problem in caught.value.problems] == [f"rows.csv is separated by {named}, not by commas"]


def test_a_separator_within_one_of_several_names_is_part_of_the_name(tmp_path: Path) -> None:
    assert list(read(tmp_path, "a;b,c\n1,2\n")) == ["a;b", "c"]


def test_a_csv_in_another_encoding_is_refused_with_the_first_line_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(("word,n\n" + "B,1\n" * 49 + "B\xe4nder,2\n" * 2).encode("latin-1"))
    with pytest.raises(InputRefused, match="is not UTF-8 text: line 51\n"):
        read_table(tmp_path / "rows.csv")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_csv_with_another_separator_and_encoding_is_refused_for_its_encoding_too(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("B\xe4nder;n\n1,5;2\n".encode(encoding))
    with pytest.raises(InputRefused) as caught:
        read_table(tmp_path / "rows.csv")
    assert ["not UTF-8 text: line 1" in problem.what for problem in caught.value.problems] == [False, True]


def test_columns_of_one_name_are_a_problem_where_they_are_declared(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,a,c,c\n1,2,3,4,5\n")
    assert [problem.what for problem in column_problems(table, ["a", "b", "d", "d"], "rows.csv")] == [
        "the source has 2 columns named 'a'",
        "the source has no column 'd'",
    ]


def test_a_parquet_file_with_two_columns_of_one_name_is_refused_by_that_name(tmp_path: Path) -> None:
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["torque", "torque"]), tmp_path / "rows.parquet")
    with pytest.raises(InputRefused, match="several columns named 'torque'"):
        read_table(tmp_path / "rows.parquet")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pd.Series([7.0, None, 10.0]), ["7", "", "10"]),
        (pd.Series([7, None, 10], dtype="Int64"), ["7", "", "10"]),
        (pd.Series([True, None, False]), ["true", "", "false"]),
        (pd.Series([0.5, 2.0, np.inf]), ["0.5", "2", "inf"]),
        (pd.Series([Decimal("1.50"), None, date(2026, 1, 31)]), ["1.50", "", "2026-01-31"]),
    ],
)
def test_a_category_is_written_as_the_world_writes_it(values: pd.Series, text: list[str]) -> None:
    assert categories_of(pd.DataFrame({"type": values}), "type").tolist() == text


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["1,5", "x", "3", None], "2 of 4 values of 'torque' are not numbers that float32 holds, '1,5' first"),
        (["1", "NA", "3"], "1 of 3 .*'NA' first"),
        ([1.0, np.inf, -np.inf], "2 of 3 .*'inf' first"),
        (["1", "1e39", "1e400"], "2 of 3 .*'1e39' first"),
        (pd.to_datetime(["2026-01-31", None]), "1 of 2 .*'2026-01-31 00:00:00' first"),
        (pd.to_timedelta(["90s", None]), "1 of 2 .*'0 days 00:01:30' first"),
        ([date(2026, 1, 31)], "1 of 1 .*'2026-01-31' first"),
    ],
)
def test_what_is_there_and_no_number_is_refused_with_count_column_and_first_value(values: Any, problem: str) -> None:
    table = pd.DataFrame({"torque": values})
    with pytest.raises(InputRefused, match=problem):
        numbers_of(table, "torque")
    with pytest.raises(InputRefused, match=problem):
        typed(table, [Named("torque", "number")])


def test_numbers_of_several_columns_are_refused_together() -> None:
    with pytest.raises(InputRefused) as caught:
        typed(pd.DataFrame({"a": ["x"], "b": ["1"], "c": [np.inf]}), [Named(name, "number") for name in "abc"])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("values", [["1.5", None, "1e3"], [1.5, np.nan, 1000], [Decimal("1.5"), None, Decimal(1000)]])
def test_numbers_are_numbers_however_they_are_stored(values: list[Any]) -> None:
    table = pd.DataFrame({"torque": values})
    np.testing.assert_array_equal(numbers_of(table, "torque"), np.array([1.5, np.nan, 1000], dtype=np.float32))
    assert typed(table, [Named("torque", "number")])["torque"].dtype == np.float64


@pytest.mark.parametrize(("values", "kept"), [(["9", "10"], [9, 10]), (["007", "7"], ["007", "7"]), (["a1", "2"], ["a1", "2"]), ([9, 10], [9, 10])])
def test_a_key_is_a_number_where_every_value_is_one_and_none_become_the_same(values: list[Any], kept: list[Any]) -> None:
    assert typed(pd.DataFrame({"id": values}), [], ["id"])["id"].tolist() == kept


def test_text_of_numbers_is_in_the_order_of_the_numbers() -> None:
    assert np.argsort(order_of(pd.DataFrame({"when": ["10", "9.5", "1e3"]}), "when")).tolist() == [1, 0, 2]


def test_a_row_draws_by_seed_and_content_wherever_it_stands() -> None:
    drawn = lottery(PARTS, 7)
    assert lottery(PARTS[["type", "key", "torque"]].iloc[::-1], 7).tolist() == drawn[::-1].tolist()
    assert not set(lottery(PARTS, 8)) & set(drawn)
    assert drawn[0] == int.from_bytes(hashlib.sha256(b'[7, "1", "40", "L"]').digest()[:8], "big")


def test_rows_that_say_the_same_draw_the_same_and_two_cells_are_not_one() -> None:
    table = pd.DataFrame({"a": ["x", "x", "x,y", "x"], "b": ["y", "y", "", "y,"]})
    drawn = lottery(table, 7).tolist()
    assert drawn[0] == drawn[1] and len(set(drawn)) == 3
