"""The input contract: what a request may say of each input, so that no row is served that the data contract would have refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import Feature
from poc.rules.evidence import CandidateInput

Tensor = NDArray[np.float32] | NDArray[np.object_]
LARGEST = float(np.finfo(np.float32).max)
#: Expectations with bounds that every single value has to keep: of a column whose largest value is at most 9 each is.
BOUNDS = {
    "expect_column_values_to_be_between": ("min", "max"),
    "expect_column_min_to_be_between": ("min",),
    "expect_column_max_to_be_between": ("max",),
}
SETS = ("expect_column_values_to_be_in_set", "expect_column_distinct_values_to_be_in_set")
NOT_NULL = "expect_column_values_to_not_be_null"
#: How many of the allowed categories a sentence names, and how much of a text it quotes.
SHOWN, LONGEST = 12, 40


def agreed_inputs(features: Sequence[Feature], expectations: Sequence[Mapping[str, Any]], passed: Sequence[Mapping[str, Tensor]] = ()) -> list[CandidateInput]:
    """Return each feature with what the data contract and the charter say of every single value of it.

    Only a critical expectation that no row may break refuses a row: one with `mostly` below 1 lets some pass, a warning all. `passed` are rows that kept
    the contract: where one of them, as float32, lies on a bound that the contract keeps out, that bound is let in.
    """
    return [_let_in(_agreed(feature, expectations), [np.ravel(rows[feature.name]) for rows in passed]) for feature in features]


def _agreed(feature: Feature, expectations: Sequence[Mapping[str, Any]]) -> CandidateInput:
    said = [{"type": each["type"], **each["kwargs"]} for each in expectations if _binds(each, feature.name)]
    minimum, above = max(_bounds(said, "min"), default=(None, False))
    maximum, below = min(_bounds(said, "max"), key=lambda bound: (bound[0], not bound[1]), default=(None, False))
    sets = [set(each["value_set"]) for each in said if each["type"] in SETS and _is_set_of(feature.kind, each.get("value_set"))]
    is_number = feature.kind == "number"
    return CandidateInput(
        name=feature.name,
        kind=feature.kind,
        minimum=minimum if is_number else None,
        maximum=maximum if is_number else None,
        minimum_is_strict=above and is_number,
        maximum_is_strict=below and is_number,
        one_of=sorted(set.intersection(*sets)) if sets else None,
        may_be_missing=not any(each["type"] == NOT_NULL for each in said),
        max_age_seconds=feature.max_age_seconds,
    )


def _binds(expectation: Mapping[str, Any], column: str) -> bool:
    """Say whether an expectation refuses data as soon as one value of this column breaks it."""
    said = expectation["kwargs"]
    is_critical = expectation.get("severity", "critical") == "critical"
    return said.get("column") == column and is_critical and said.get("mostly", 1) >= 1 and not said.get("row_condition")


def _bounds(said: Sequence[Mapping[str, Any]], end: str) -> list[tuple[float, bool]]:
    """List the bounds at one end, and whether each is itself kept out."""
    name = f"{end}_value"
    return [(float(each[name]), bool(each.get(f"strict_{end}"))) for each in said if end in BOUNDS.get(each["type"], ()) and _is_number(each.get(name))]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_set_of(kind: str, values: object) -> bool:
    return isinstance(values, list) and all(_is_number(each) if kind == "number" else isinstance(each, str) for each in values)


def _let_in(agreed: CandidateInput, passed: Sequence[NDArray[Any]]) -> CandidateInput:
    """Let in a bound that float32 rounds a value to which kept it: 0.99999999 is below 1, and 1 as float32."""

    def lies_on(bound: float | None) -> bool:
        return bound is not None and any(bool((values == np.float32(bound)).any()) for values in passed)

    strict = {"minimum_is_strict": agreed.minimum, "maximum_is_strict": agreed.maximum}
    return agreed.model_copy(update={name: False for name, bound in strict.items() if getattr(agreed, name) and lies_on(bound)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is agreed of one input, ready to be asked often: numbers from `low` to `high`, both float32 and both allowed; `one_of` of None is any."""

    agreed: CandidateInput
    is_number: bool
    low: float
    high: float
    one_of: frozenset[float | str] | None

    @classmethod
    def of(cls, agreed: CandidateInput) -> Self:
        """Round what is agreed as a model's inputs are rounded; what is strict begins at the next float32."""
        low = np.float32(-LARGEST if agreed.minimum is None else np.clip(agreed.minimum, -LARGEST, LARGEST))
        high = np.float32(LARGEST if agreed.maximum is None else np.clip(agreed.maximum, -LARGEST, LARGEST))
        one_of = frozenset(float(np.float32(each)) if isinstance(each, float) else each for each in agreed.one_of or ())
        return cls(
            agreed=agreed,
            is_number=agreed.kind == "number",
            low=float(np.nextafter(low, np.float32(np.inf)) if agreed.minimum_is_strict else low),
            high=float(np.nextafter(high, np.float32(-np.inf)) if agreed.maximum_is_strict else high),
            one_of=None if agreed.one_of is None else one_of,
        )

    def surely_allows(self, value: object) -> bool:
        """Say yes to a value that is there and allowed, without the cost of an array; a no is a question for `problems`."""
        kind = type(value)
        if not self.is_number:
            return kind is str and (value != "" if self.one_of is None else value in self.one_of)
        # What lies between two float32 also does when it is rounded to one.
        return (kind is float or kind is int) and self.low <= value <= self.high and (self.one_of is None or value in self.one_of)  # type: ignore[operator]

    def is_missing(self, values: Tensor) -> NDArray[np.bool_]:
        """Say which values are not there."""
        return np.isnan(values) if self.is_number else np.asarray(values == "")

    def problems(self, values: Tensor) -> Iterator[str]:
        """Say of each value that is not allowed what it is, and in which row, counted from 0; `values` have shape (n_rows, 1)."""
        flat = values.ravel()
        missing = self.is_missing(flat)
        refused = ~(missing | self._holds(flat)) if self.agreed.may_be_missing else missing | ~self._holds(flat)
        for row in np.flatnonzero(refused):
            what = "the value is missing and has to be there" if missing[row] else f"{_shown(flat[row])} is not allowed; it takes {self.in_words()}"
            yield f"input {self.agreed.name!r}, row {row}: {what}"

    def _holds(self, flat: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which values are in range and in the set, shape (n_rows,)."""
        one_of = self.one_of
        in_set = np.ones(len(flat), bool) if one_of is None else np.fromiter((each in one_of for each in flat.tolist()), bool, len(flat))
        return in_set & (flat >= np.float32(self.low)) & (flat <= np.float32(self.high)) if self.is_number else in_set

    def in_words(self) -> str:
        """Say what is allowed."""
        agreed, parts = self.agreed, list[str]()
        if agreed.one_of is not None:
            shown = ", ".join(_shown(each) for each in agreed.one_of[:SHOWN])
            parts.append(f"one of {shown}" + (f" and {len(agreed.one_of) - SHOWN} more" if len(agreed.one_of) > SHOWN else ""))
        if agreed.minimum is not None:
            parts.append(f"{'more than' if agreed.minimum_is_strict else 'at least'} {_shown(agreed.minimum)}")
        if agreed.maximum is not None:
            parts.append(f"{'less than' if agreed.maximum_is_strict else 'at most'} {_shown(agreed.maximum)}")
        return ", ".join(parts) or ("numbers that float32 holds" if agreed.kind == "number" else "any text")

    def age_problem(self, seconds: float) -> str | None:
        """Say what is wrong with an age; nothing is where the charter allows any."""
        name, allowed = self.agreed.name, self.agreed.max_age_seconds
        if not 0 <= seconds < math.inf:
            return f"input {name!r} is {seconds:.9g} s old; an age is 0 or more"
        return f"input {name!r} is {seconds:.9g} s old; it may be {allowed:.9g} s" if allowed is not None and seconds > allowed else None


def _shown(value: object) -> str:
    """Write a value as one would, not longer than can be read."""
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}...")
    number = float(str(value))  # the shortest that float32 reads as the same
    return f"{number:.9g}" if math.isfinite(number) else "a number too large for float32"
