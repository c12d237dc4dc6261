"""Tables: the only part of the tools that knows pandas."""

from poc.tools.frames.cells import Column, amounts_of, categories_of, columns, model_frame, not_numbers, number_problems, numbers_of, typed
from poc.tools.frames.identity import cell_hashes, lottery, sha256_of_rows, shared_rows
from poc.tools.frames.joining import Joined, join_as_of_arrival, side_by_side
from poc.tools.frames.moments import order_of, time_problems
from poc.tools.frames.reading import column_problems, read_table, write_table
from poc.tools.frames.streams import clock, keys, keys_as_text, taken

__all__ = [
    "Column",
    "Joined",
    "amounts_of",
    "categories_of",
    "cell_hashes",
    "clock",
    "column_problems",
    "columns",
    "join_as_of_arrival",
    "keys",
    "keys_as_text",
    "lottery",
    "model_frame",
    "not_numbers",
    "number_problems",
    "numbers_of",
    "order_of",
    "read_table",
    "sha256_of_rows",
    "shared_rows",
    "side_by_side",
    "taken",
    "time_problems",
    "typed",
    "write_table",
]
