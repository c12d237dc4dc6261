"""The charter's JSON Schema, by which an editor completes, explains and checks `charter.yaml` as it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from poc.rules.charter import CHARTERS, Charter

#: What an editor shows beside a field; a name stands for it in every section, `Section.name` in that one alone.
HINTS: Mapping[str, str] = {
    "beyond_tolerance_share": "A share between 0 and 1: of 1,000 estimates, how many are off by more than limits.tolerance, divided by 1,000.",
    "class_shares": "How often each class occurs in production, as shares between 0 and 1; the likely ones add up to 1.",
    "classes": 'Every value that the target has, in quotes: ["0", "1", "2"].',
    "confidence": "Of each bound, between 0.5 and 0.999; 0.95 is usual. What the sealed rows show is shared out among the looks.",
    "cost_false_alarm": "What it costs to act where nothing was wrong.",
    "cost_missed": "What a positive costs on which nobody acts.",
    "cost_per_catch": "What it costs to act where it was right; less than a miss.",
    "cost_per_unit_over": "What each unit of the target costs that is estimated too many.",
    "cost_per_unit_under": "What each unit of the target costs that is estimated too few.",
    "costs": "For the rows of each class, what it costs to decide them as each class.",
    "decided_shares": "For the rows of each class, which share is decided as each class today; each row adds up to 1.",
    "decision_date": "It ends on this day, ship or stop. Written YYYY-MM-DD, without quotes.",
    "delay_seconds": "How old the value usually is when it arrives.",
    "deputy": "The e-mail address of who may sign instead; no builder's.",
    "dev_share": "Of the rows that are not sealed, between 0.05 and 0.5: those to choose by.",
    "false_alarm_share": "A share between 0 and 1: of the negatives, how many are flagged. 4 % is 0.04.",
    "group": "The column that says which rows belong together, such as a customer's: they stay in one split and count together.",
    "hardware": "The machine that production will have; or a list of several, each with a name, on every one of which each limit must hold.",
    "Hardware.name": "Needed where there are several: short, such as edge-box; reports and limits are named after it.",
    "key": "The column that names a row; leave it out if there is none.",
    "latency_p99_ms": "99 of 100 calls are answered within so many milliseconds, at the rate below.",
    "looks": "How often the sealed rows may be looked at; each further look widens every bound.",
    "max_age_seconds": "How old the value may be when it is used; no less than delay_seconds.",
    "mean_over": "Today's units too many per decision, on average over all decisions.",
    "mean_under": "Today's units too few per decision, on average over all decisions.",
    "measured_on": "When today's process was measured: before the first sprint. Written YYYY-MM-DD, without quotes.",
    "missed_share": "A share between 0 and 1: of the positives, how many are missed. 12 % is 0.12.",
    "MulticlassLimits.missed_share": "For each class that matters, a share between 0 and 1: of its rows, how many are decided as another class.",
    "monthly_budget": "For as many such machines as the rate needs.",
    "positive": 'The value of the target that means yes, in quotes: "1", "yes". It is compared as text.',
    "positive_share": "A share between 0 and 1: positives among all decisions in production, not in the file.",
    "problem": "binary: yes or no. multiclass: one of several classes. regression: how much. count: how many. "
    "It decides what baseline, value, limits and data hold.",
    "run_cost_per_period": "Machines, licences, and the hours of whoever looks after it.",
    "sealed_share": "Of all rows, between 0.05 and 0.8: those that nobody looks at before the verdict. `poc charter` says how many the limits need.",
    "time": "The column that says when a row was decided; the latest are sealed.",
    "tolerance": "How far off an estimate may be, in the unit of the target.",
    "why_it_is_known_in_time": "Only where the rows already hold what had arrived when each was decided: how that was made sure, in a sentence.",
    "version": "Raise it with every change that is signed anew.",
}


class _Plain(GenerateJsonSchema):
    """Write a Decimal as the number that it is in YAML, without the text that JSON may hold in its place."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
        return {"type": "number", **{word: float(schema[bound]) for bound, word in bounds.items() if schema.get(bound) is not None}}  # type: ignore[literal-required]


def charter_schema() -> dict[str, Any]:
    """Return the schema of a charter of any kind: `problem` chooses, so that an editor complains about the fields of that kind alone."""
    kinds = list(dict.fromkeys(CHARTERS.values()))
    references, defined = models_json_schema([(kind, "validation") for kind in kinds], schema_generator=_Plain)
    sections: dict[str, Any] = TypeAdapter(Charter).json_schema(schema_generator=_Plain)
    for name, section in defined["$defs"].items():
        _explain(name, section)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "charter.yaml",
        "description": "What the sponsor agreed: who, why, money, limits, hardware, features, stages, sprints.",
        "type": "object",
        "properties": {"problem": {**sections["properties"]["problem"], "title": "problem", "description": HINTS["problem"]}},
        "required": ["problem"],
        "allOf": [
            {"if": {"properties": {"problem": {"enum": _problems_of(kind)}}, "required": ["problem"]}, "then": references[kind, "validation"]} for kind in kinds
        ],
        **defined,
    }


def _problems_of(kind: type[BaseModel]) -> list[str]:
    return [problem for problem, each in CHARTERS.items() if each is kind]


def _explain(name: str, section: dict[str, Any]) -> None:
    """Call a section's fields what the charter calls them, and say of those that people get wrong what they hold."""
    for field, said in section.get("properties", {}).items():
        said["title"] = field
        if hint := HINTS.get(f"{name}.{field}", HINTS.get(field)):
            said["description"] = hint
