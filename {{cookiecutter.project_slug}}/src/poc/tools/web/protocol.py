"""The protocol, coming in: a request to infer becomes columns; in JSON, with binary tensors behind it where it has some."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import orjson

from poc.rules.contract import Tensor, Terms
from poc.rules.oip import AGE, DATATYPE, Output

MAX_ROWS = 10_000
#: How many problems of one request are named, and how much is quoted of a name that it made up.
MAX_PROBLEMS, LONGEST = 20, 60
#: What numbers may come as; in binary they are little-endian.
NUMBERS = {
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
}  # fmt: skip
#: What Triton does with an output when asked, and this server does not.
NOT_DONE = ("classification", "shared_memory_region")
NONE: Mapping[str, Any] = {}
LENGTH = struct.Struct("<I")
FIELDS = itemgetter("name", "datatype", "shape", "data")
ONE_ROW = ([1, 1], [1])


class BadRequest(Exception):
    """A request that cannot be answered; the message names all that is wrong with it, up to a number that one still reads."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems[:MAX_PROBLEMS]) + ("; and more" if len(problems) > MAX_PROBLEMS else ""))
        self.problems = problems


class Wanted(NamedTuple):
    """An output that a request asks for, and whether as bytes behind the JSON."""

    output: Output
    is_binary: bool


class Asked(NamedTuple):
    """A request that may be answered: columns of shape (n_rows, 1), the outputs it asks for, its id, and the ages in seconds that it states."""

    columns: dict[str, Tensor]
    wanted: Sequence[Wanted]
    id: str | None
    ages: Mapping[str, float]


class Behind:
    """The bytes behind a request's JSON, taken in the order of its inputs."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._at = content, 0

    def take(self, size: object, name: str) -> memoryview:
        """Return the next tensor's bytes.

        Raises:
            BadRequest: this is no size, or there are not so many bytes.
        """
        left = len(self._content) - self._at
        if type(size) is not int or not 0 <= size <= left:
            raise BadRequest(f"`binary_data_size` of input {_shown(name)} is {_shown(size)}, and {left} bytes are left behind the JSON")
        self._at += size
        return self._content[self._at - size : self._at]

    def end(self) -> None:
        """Refuse bytes that belong to no input."""
        if self._at < len(self._content):
            raise BadRequest(f"behind the JSON are {len(self._content) - self._at} bytes more than its inputs name")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads requests to one model: the terms of its inputs by name, and what it answers."""

    terms: Mapping[str, Terms]
    outputs: Sequence[Output]
    require_age: bool = False

    def read(self, body: bytes, json_bytes: int | None = None) -> Asked:
        """Read a body, of which the first `json_bytes` are JSON where binary tensors follow.

        Raises:
            BadRequest: it is not as the protocol, the model or the input contract has it.
        """
        behind = Behind(memoryview(b""))
        if json_bytes is not None:
            if json_bytes > len(body):
                raise BadRequest(f"Inference-Header-Content-Length is {json_bytes}, and the body has {len(body)} bytes")
            body, behind = body[:json_bytes], Behind(memoryview(body)[json_bytes:])
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"the body is not JSON: {error}") from None
        if type(request) is not dict or type(request.get("inputs")) is not list:
            raise BadRequest("the body needs a list `inputs`")
        request_id = request.get("id")
        if request_id is not None and type(request_id) is not str:
            raise BadRequest("`id` takes text")
        parameters = _parameters(request, "the request")
        wanted = self._wanted(request.get("outputs"), parameters.get("binary_data_output", False))
        is_plain = json_bytes is None and parameters is NONE and not self.require_age
        if is_plain and (columns := self.one_row(request["inputs"])) is not None:
            return Asked(columns, wanted, request_id, NONE)
        columns, ages = self.columns(request["inputs"], behind, parameters)
        return Asked(columns, wanted, request_id, ages)

    def one_row(self, tensors: Sequence[Any]) -> dict[str, Tensor] | None:
        """Read what is asked most, one row of plain values that are all allowed, at half the cost; None leaves anything else to `columns`."""
        numbers, columns = dict[str, float](), dict[str, Tensor]()
        try:
            for tensor in tensors:
                name, datatype, shape, data = FIELDS(tensor)
                terms, value = self.terms[name], data[0]
                if len(tensor) != 4 or type(data) is not list or len(data) != 1 or shape not in ONE_ROW or not terms.surely_allows(value):
                    return None
                if terms.is_number:
                    if datatype in NUMBERS:
                        numbers[name] = value
                elif datatype == "BYTES":
                    columns[name] = np.array([[value]], object)
        except (KeyError, TypeError, IndexError):
            return None
        columns.update(zip(numbers, np.array([*numbers.values()], np.float32).reshape(-1, 1, 1), strict=True))
        return columns if len(columns) == len(self.terms) == len(tensors) else None

    def _wanted(self, outputs: object, is_binary: object) -> Sequence[Wanted]:
        """Read which outputs are asked for, and as what: all, where none is named."""
        if type(is_binary) is not bool:
            raise BadRequest("`binary_data_output` takes true or false")
        if outputs is None or outputs == []:
            return self.everything[is_binary]
        if type(outputs) is not list:
            raise BadRequest("`outputs` takes a list")
        known, wanted = {output.name: output for output in self.outputs}, dict[str, Wanted]()
        for each in outputs:
            name = each.get("name") if type(each) is dict else None
            if type(name) is not str or name not in known:
                raise BadRequest(f"there is no output {_shown(name)}; the model answers {', '.join(known)}")
            if name in wanted:
                raise BadRequest(f"output {name!r} is asked for twice")
            own = _parameters(each, f"output {name!r}")
            if asked := [what for what in NOT_DONE if what in own]:
                raise BadRequest(f"output {name!r} takes no `{asked[0]}` here")
            if type(as_bytes := own.get("binary_data", is_binary)) is not bool:
                raise BadRequest(f"`binary_data` of output {name!r} takes true or false")
            wanted[name] = Wanted(known[name], as_bytes)
        return [*wanted.values()]

    @cached_property
    def everything(self) -> tuple[Sequence[Wanted], Sequence[Wanted]]:
        """List all outputs, in JSON and as bytes."""
        return [Wanted(output, False) for output in self.outputs], [Wanted(output, True) for output in self.outputs]

    def columns(self, tensors: Sequence[Any], behind: Behind, parameters: Mapping[str, Any]) -> tuple[dict[str, Tensor], Mapping[str, float]]:
        """Read all inputs and the ages that are stated of them; whatever is wrong with values is told together."""
        columns: dict[str, Tensor] = {}
        given, unknown, problems = dict[str, Mapping[str, Any]](), list[str](), list[str]()
        for tensor in tensors:
            name = tensor.get("name") if type(tensor) is dict else None
            if type(name) is not str:
                raise BadRequest("every input needs a `name`")
            if name in given:
                raise BadRequest(f"input {_shown(name)} is given twice")
            given[name] = own = _parameters(tensor, f"input {_shown(name)}") if "parameters" in tensor else NONE
            content = behind.take(own["binary_data_size"], name) if "binary_data_size" in own else None
            if (terms := self.terms.get(name)) is None:
                unknown.append(name)
                continue
            try:
                columns[name] = _column(tensor, terms, content)
            except BadRequest as error:
                problems += error.problems
        behind.end()
        if unknown:
            problems.append(f"unknown inputs: {', '.join(map(_shown, unknown[:MAX_PROBLEMS]))}; the model takes {', '.join(self.terms)}")
        if missing := [name for name in self.terms if name not in given]:
            problems.append(f"missing inputs: {', '.join(missing)}; send null where a value is not there")
        if len({len(values) for values in columns.values()}) > 1:
            problems.append("the inputs have different numbers of rows: " + ", ".join(f"{name} {len(values)}" for name, values in columns.items()))
        ages = self._ages(given, parameters, problems) if parameters or any(given.values()) else {}
        if self.require_age:
            problems += self._unstated(columns, ages)
        if problems:
            raise BadRequest(*problems)
        return columns, ages

    def _ages(self, given: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Any], problems: list[str]) -> dict[str, float]:
        """Read ages from the tensors' and the request's own parameters; stated twice, the older counts."""
        stated = [(name, own[AGE]) for name, own in given.items() if AGE in own]
        stated += [(key[len(AGE) + 1 :], seconds) for key, seconds in parameters.items() if key.startswith(f"{AGE}/")]
        ages: dict[str, float] = {}
        for name, seconds in stated:
            if name not in self.terms:
                problems.append(f"an age is stated of {_shown(name)}, which is no input")
            elif type(seconds) is not int and type(seconds) is not float:
                problems.append(f"the age of input {name!r} takes seconds, not {_shown(seconds)}")
            else:
                ages[name] = max(seconds, ages.get(name, seconds))
        problems += filter(None, (self.terms[name].age_problem(seconds) for name, seconds in ages.items()))
        return ages

    def _unstated(self, columns: Mapping[str, Tensor], ages: Mapping[str, float]) -> Iterator[str]:
        """Say of which inputs a value is there whose age matters and is not stated."""
        for name, values in columns.items():
            terms = self.terms[name]
            if terms.agreed.max_age_seconds is not None and name not in ages and not terms.is_missing(values).all():
                yield f"input {name!r} states no `{AGE}`; it may be {terms.agreed.max_age_seconds:.9g} s old"


def _column(tensor: Mapping[str, Any], terms: Terms, content: memoryview | None) -> Tensor:
    """Read one tensor as shape (n_rows, 1); null, NaN and empty text are missing values."""
    name, is_number = terms.agreed.name, terms.is_number
    datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
    if type(datatype) is not str or (datatype not in NUMBERS if is_number else datatype != "BYTES"):
        raise BadRequest(f"input {name!r} takes {DATATYPE[terms.agreed.kind]}, not {_shown(datatype)}")
    if content is not None:
        if data is not None:
            raise BadRequest(f"input {name!r} has both `data` and `binary_data_size`")
        values = _of_bytes(content, datatype, name)
        _check_rows(len(values), shape, name)
    elif type(data) is not list:
        raise BadRequest(f"input {name!r} needs a list `data`")
    else:
        _check_rows(len(data), shape, name)
        if len(data) == 1 and terms.surely_allows(value := _unnested(data[0])):  # one row at a time is what is asked most, and what must be fast
            return np.array([[value]], np.float32 if is_number else object)
        values = _of_list([_unnested(value) for value in data], is_number, name)
    if problems := [*islice(terms.problems(values), MAX_PROBLEMS + 1)]:
        raise BadRequest(*problems)
    return values


def _check_rows(rows: int, shape: object, name: str) -> None:
    if shape not in ([rows, 1], [rows]):
        said = shape if type(shape) is list and len(shape) < 5 and all(type(size) is int for size in shape) else _shown(shape)
        raise BadRequest(f"input {name!r} has {rows} values and shape {said}; it takes [{rows}, 1]")
    if not 0 < rows <= MAX_ROWS:
        raise BadRequest(f"input {name!r} has {rows} rows; a request may have 1 to {MAX_ROWS}")


def _unnested(value: object) -> object:
    return value[0] if type(value) is list and len(value) == 1 else value


def _of_list(values: list[Any], is_number: bool, name: str) -> Tensor:
    """Turn values of JSON into a column, all of them numbers or all of them text."""
    allowed, what = ((int, float, type(None)), "number") if is_number else ((str, type(None)), "text")
    if not {*map(type, values)} <= {*allowed}:
        row = next(row for row, value in enumerate(values) if type(value) not in allowed)
        raise BadRequest(f"input {name!r}, row {row}: {_shown(values[row])} is no {what}")
    if not is_number:
        text: Tensor = np.array([value or "" for value in values], dtype=object)
        return text.reshape(-1, 1)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which no contract allows
        numbers: Tensor = np.array(values, dtype=np.float64).astype(np.float32)  # None becomes NaN
    return numbers.reshape(-1, 1)


def _of_bytes(content: memoryview, datatype: str, name: str) -> Tensor:
    """Turn a binary tensor into a column: numbers one after the other, texts in UTF-8 with their length in four bytes before each."""
    if datatype == "BYTES":
        text: Tensor = np.array([*_texts(content, name)], dtype=object)
        return text.reshape(-1, 1)
    dtype = np.dtype(NUMBERS[datatype])
    if len(content) % dtype.itemsize:
        raise BadRequest(f"input {name!r} has {len(content)} bytes, which hold no whole number of {datatype}")
    with np.errstate(over="ignore"):
        numbers: Tensor = np.frombuffer(content, dtype).astype(np.float32)
    return numbers.reshape(-1, 1)


def _texts(content: memoryview, name: str) -> Iterator[str]:
    at = 0
    while at < len(content):
        start = at + LENGTH.size
        at = start + (LENGTH.unpack_from(content, at)[0] if start <= len(content) else 0)
        if at > len(content) or start > len(content):
            raise BadRequest(f"input {name!r} ends within a text")
        try:
            yield str(content[start:at], "utf-8")
        except UnicodeDecodeError:
            raise BadRequest(f"input {name!r} holds text that is not UTF-8") from None


def _parameters(part: Mapping[str, Any], whose: str) -> Mapping[str, Any]:
    """Return the parameters of a request, an input or an output: none where there are none."""
    parameters = part.get("parameters")
    if parameters is None:
        return NONE
    if type(parameters) is not dict:
        raise BadRequest(f"`parameters` of {whose} takes names and values")
    return parameters


def _shown(value: object) -> str:
    """Quote what a request said, not longer than can be read: a list may be nested deeper than `repr` can follow."""
    if type(value) is list or type(value) is dict:
        return "a list" if type(value) is list else "an object"
    return repr(value if not isinstance(value, str) or len(value) <= LONGEST else f"{value[:LONGEST]}...")
