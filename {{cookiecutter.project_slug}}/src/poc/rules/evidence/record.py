"""What every file of evidence is: a record, and the report that a step leaves."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["GO", "NO-GO", "NOT PROVEN"]
#: What a model is fitted as: whole, with fewer trees or leaves, or without its weakest hidden units.
FittedAs = Literal["float32", "thinned", "pruned"]
#: What is made of a fitted model's float32 graph.
Rung = Literal["graph-optimised", "fp16", "int8-dynamic", "int8-static"]
Technique = Literal[FittedAs, Rung]


class Record(BaseModel):
    """A file of evidence; unknown fields are refused, NaN survives so that a gate can see it."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Number(Record):
    """A measured or computed figure and its unit."""

    name: str
    value: float
    unit: str


class Issue(Record):
    """A problem as a report keeps it."""

    what: str
    where: str = ""
    fix: str = ""


class Report(Record):
    """What a step did: written last, so that an artifact with a report is a complete one."""

    step: str
    status: Literal["done", "refused", "failed", "decided"]
    headline: str
    seconds: float
    started_at: str
    numbers: list[Number]
    inputs: dict[str, str]
    outputs: dict[str, str]
    problems: list[Issue]
    refusal_code: str
    exit_code: int
    machine: str
