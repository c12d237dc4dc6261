"""What a field of the charter may hold: text that can be read, money, shares, dates, ranges."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

#: Line breaks and control characters change the files they land in, format characters (direction marks, zero-width spaces) how these read.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: They shape letters of many scripts, and emoji: invisible anywhere else.
JOINERS = "\u200c\u200d"
JOINED = {"L", "M", "S"}
#: Letters and a symbol by category, blank on paper: fillers of Hangul, and the empty pattern of Braille.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"

EMAIL = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"
SLUG = "^[a-z][a-z0-9-]{1,38}[a-z0-9]$"
CURRENCY = "^[A-Z]{3}$"
#: Short enough for a row of the brief, and good for the label of a node pool.
TARGET = "^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$"
#: What each form is in words, and an example.
FORMS = {
    EMAIL: ("an e-mail address", "name@company.example"),
    SLUG: ("3 to 40 lower-case letters, digits and hyphens that begin with a letter and end with a letter or digit", "line-stop"),
    CURRENCY: ("a code of three capital letters", "EUR"),
    TARGET: ("at most 24 lower-case letters, digits and hyphens that begin and end with a letter or digit", "edge-box"),
}


def is_printable(text: str) -> bool:
    """Say whether all of a text can be seen, on one line; the template's first hook asks the same of the answers."""
    kinds = ["", *map(unicodedata.category, text), ""]
    return not any(
        letter in BLANKS or (kind in UNPRINTABLE and not (letter in JOINERS and before[:1] in JOINED and after[:1] in JOINED))
        for letter, before, kind, after in zip(text, kinds, kinds[1:], kinds[2:], strict=False)
    )


def _readable(text: str) -> str:
    """Refuse text that is not what it seems to be, or says nothing."""
    if not is_printable(text):
        raise PydanticCustomError("unprintable", "holds a line break or an invisible character")
    if not any(map(str.isalnum, text)):
        raise PydanticCustomError("wordless", "holds no letter and no digit")
    return text


def _not_a_number(value: object) -> object:
    """Refuse a number where a date belongs: pydantic would read it as seconds since 1970."""
    if isinstance(value, bool | int | float | Decimal):
        raise ValueError("a date is written YYYY-MM-DD")
    return value


Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Day = Annotated[date, BeforeValidator(_not_a_number)]
Count = Annotated[int, Field(strict=True)]  # strict: else `true` would be read as 1
#: Of things that are counted or weighed, in the unit of the target; and of what one such unit costs.
Quantity = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
OpenShare = Annotated[Decimal, Field(gt=0, lt=1)]
# Blanks around it are not part of a text, and count for no length.
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=15, max_length=600), AfterValidator(_readable)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_readable)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=EMAIL), AfterValidator(_readable)]


class Section(BaseModel):
    """A part of the charter; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(Section):
    """What a person knows of a number: likely, and how low or high it may be."""

    low: Decimal
    likely: Decimal
    high: Decimal

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low {self.low}, likely {self.likely}, high {self.high}: they must not fall")
        return self


class Range(Known):
    """What a person knows of an amount of money, or of how many."""

    low: Money
    likely: Money
    high: Money


class UnitRange(Known):
    """What a person knows of the cost of one unit, which may be a small part of a cent."""

    low: Quantity
    likely: Quantity
    high: Quantity


class ShareRange(Known):
    """What a person knows of a share between 0 and 1."""

    low: Share
    likely: Share
    high: Share
