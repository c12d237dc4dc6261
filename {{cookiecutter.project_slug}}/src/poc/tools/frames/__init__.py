"""Tables: the only part of the tools that knows pandas."""

from poc.tools.frames.cells import Column, categories_of, columns, model_frame, number_problems, numbers_of, typed
from poc.tools.frames.identity import lottery, sha256_of_rows, shared_rows
from poc.tools.frames.moments import order_of, time_problems
from poc.tools.frames.reading import column_problems, read_table, write_table

__all__ = [
    "Column",
    "categories_of",
    "column_problems",
    "columns",
    "lottery",
    "model_frame",
    "number_problems",
    "numbers_of",
    "order_of",
    "read_table",
    "sha256_of_rows",
    "shared_rows",
    "time_problems",
    "typed",
    "write_table",
]
