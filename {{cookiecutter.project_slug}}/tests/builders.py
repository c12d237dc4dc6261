"""Valid records for tests, each a plain whole that a test bends in the one place it is about."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from poc.rules.charter import AmountCharter, BinaryCharter, MulticlassCharter
from poc.rules.evidence import BreakEven, Interval, Machine, Money, Speed, Timing

PLAIN: dict[str, Any] = {
    "schema_version": 1,
    "project": "stop-bad-parts",
    "version": 1,
    "problem": "binary",
    "decision": {
        "question": "Stop this part before it leaves the cell?",
        "decider": "The line lead of the shift decides at the cell.",
        "on_alert": "The part is taken out and measured by hand.",
        "fallback": "Today's spot check goes on without the model.",
    },
    "people": [
        {"role": "sponsor", "name": "Sam Sponsor", "title": "Plant director", "email": "sam@example.com", "deputy": "sid@example.com"},
        {"role": "owner", "name": "Olga Owner", "title": "Head of quality", "email": "olga@example.com"},
        {"role": "user_representative", "name": "Uma User", "title": "Line lead", "email": "uma@example.com"},
        {"role": "risk", "name": "Rae Risk", "title": "Safety officer", "email": "rae@example.com"},
        {"role": "builder", "name": "Bo Builder", "title": "Data scientist", "email": "bo@example.com"},
    ],
    "baseline": {
        "process": "Every twentieth part is measured by hand.",
        "missed_share": "0.45",
        "false_alarm_share": "0.04",
        "measured_on": "2026-01-15",
        "evidence": "Counted over four weeks of shift books.",
    },
    "value": {
        "currency": "EUR",
        "period": "month",
        "decisions_per_period": {"low": 20000, "likely": 30000, "high": 40000},
        "positive_share": {"low": "0.025", "likely": "0.034", "high": "0.045"},
        "cost_missed": {"low": 120, "likely": 200, "high": 350},
        "cost_false_alarm": {"low": 2, "likely": 3, "high": 5},
        "cost_per_catch": {"low": 15, "likely": 25, "high": 40},
        "run_cost_per_period": 2500,
        "useful_life_periods": 24,
    },
    "limits": {
        "missed_share": "0.12",
        "false_alarm_share": "0.25",
        "confidence": "0.95",
        "latency_p99_ms": 5,
        "arrivals_per_second": 200,
        "hardware": {"architecture": "x86_64", "cores": 2, "memory_mb": 4096, "instruction_sets": [], "monthly_cost": 120},
        "memory_mb": 512,
        "model_mb": 20,
        "monthly_budget": 400,
    },
    "data": {
        "source": "data/production_line.parquet",
        "target": "Target",
        "positive": "1",
        "key": "UDI",
        "sealed_share": "0.40",
        "dev_share": "0.25",
        "split_seed": 20260105,
    },
    "features": [
        {
            "name": "Torque [Nm]",
            "kind": "number",
            "source": "Spindle drive, read at the end of the cycle.",
            "available": "at_request",
            "owner": "bo@example.com",
        },
        {
            "name": "Tool wear [min]",
            "kind": "number",
            "source": "Tool management, written every night.",
            "available": "batch",
            "delay_seconds": 3600,
            "max_age_seconds": 90000,
            "owner": "bo@example.com",
        },
        {"name": "Type", "kind": "category", "source": "Order data, known before the part starts.", "available": "at_request", "owner": "bo@example.com"},
    ],
    "stages": [
        {"name": "charter", "question": "Is this worth starting at all?", "evidence": ["charter.yaml"], "signers": ["sponsor", "owner"], "valid_days": 90},
        {"name": "shadow", "question": "May it run without anybody acting on it?", "evidence": ["verdict.json"], "signers": ["owner"], "valid_days": 60},
        {"name": "pilot", "question": "May one shift act on its alerts?", "evidence": ["shadow report"], "signers": ["owner", "risk"], "valid_days": 60},
        {"name": "production", "question": "May every shift rely on it?", "evidence": ["pilot report"], "signers": ["sponsor", "risk"], "valid_days": 180},
    ],
    "timebox": {
        "decision_date": "2026-03-02",
        "sprints": [
            {"number": 1, "starts": "2026-01-19", "review": "2026-01-30", "budget": 12000, "bet": "A plain model already beats the spot check."},
            {"number": 2, "starts": "2026-02-02", "review": "2026-02-13", "budget": 12000, "bet": "Boosted trees halve the missed share."},
        ],
        "kill_criteria": ["Lower bound of value is below zero after sprint 2."],
        "minimum_value_per_period": 5000,
        "looks": 1,
    },
}


#: What only a charter about yes or no says.
OF_BINARY = {
    "baseline": {"missed_share", "false_alarm_share"},
    "value": {"positive_share", "cost_missed", "cost_false_alarm", "cost_per_catch"},
    "limits": {"missed_share", "false_alarm_share"},
    "data": {"positive"},
}
MULTICLASS: dict[str, Any] = {
    "problem": "multiclass",
    "baseline": {
        "decided_shares": {
            "good": {"good": "0.96", "rework": "0.03", "scrap": "0.01"},
            "rework": {"good": "0.40", "rework": "0.50", "scrap": "0.10"},
            "scrap": {"good": "0.30", "rework": "0.30", "scrap": "0.40"},
        }
    },
    "value": {
        "class_shares": {
            "good": {"low": "0.88", "likely": "0.90", "high": "0.92"},
            "rework": {"low": "0.05", "likely": "0.07", "high": "0.09"},
            "scrap": {"low": "0.02", "likely": "0.03", "high": "0.04"},
        },
        "costs": {
            "good": {"good": {"low": 0, "likely": 0, "high": 0}, "rework": {"low": 2, "likely": 3, "high": 5}, "scrap": {"low": 10, "likely": 15, "high": 20}},
            "rework": {
                "good": {"low": 50, "likely": 80, "high": 120},
                "rework": {"low": 8, "likely": 10, "high": 14},
                "scrap": {"low": 5, "likely": 9, "high": 12},
            },
            "scrap": {
                "good": {"low": 120, "likely": 200, "high": 350},
                "rework": {"low": 20, "likely": 30, "high": 40},
                "scrap": {"low": 4, "likely": 5, "high": 6},
            },
        },
    },
    "limits": {"missed_share": {"rework": "0.20", "scrap": "0.10"}},
    "data": {"classes": ["good", "rework", "scrap"]},
}
AMOUNT: dict[str, Any] = {
    "problem": "count",
    "baseline": {"mean_over": "9.5", "mean_under": "7.25", "beyond_tolerance_share": "0.35"},
    "value": {
        "unit": "pieces",
        "decisions_per_period": {"low": 800, "likely": 1000, "high": 1200},
        "cost_per_unit_over": {"low": "0.4", "likely": "0.5", "high": "0.75"},
        "cost_per_unit_under": {"low": 1, "likely": 2, "high": 4},
    },
    "limits": {"tolerance": 20, "beyond_tolerance_share": "0.15"},
}


def a_plain_charter(**overrides: Any) -> dict[str, Any]:
    """Return a valid charter as plain values, with overrides merged in deeply; a list in an override replaces the whole list."""
    return _merged(deepcopy(PLAIN), overrides)


def a_charter(**overrides: Any) -> BinaryCharter:
    """Return a valid charter, with overrides merged in deeply: `a_charter(limits={"missed_share": "0.05"})`."""
    return BinaryCharter.model_validate(a_plain_charter(**overrides))


def a_plain_multiclass_charter(**overrides: Any) -> dict[str, Any]:
    """Return a valid charter about three classes of parts as plain values: good, rework and scrap."""
    return _merged(_of_another_kind(MULTICLASS), overrides)


def a_multiclass_charter(**overrides: Any) -> MulticlassCharter:
    """Return a valid charter about three classes of parts."""
    return MulticlassCharter.model_validate(a_plain_multiclass_charter(**overrides))


def a_plain_amount_charter(**overrides: Any) -> dict[str, Any]:
    """Return a valid charter about how many pieces will be asked for as plain values; `problem="regression"` makes it how much."""
    return _merged(_of_another_kind(AMOUNT), overrides)


def an_amount_charter(**overrides: Any) -> AmountCharter:
    """Return a valid charter about how many pieces will be asked for."""
    return AmountCharter.model_validate(a_plain_amount_charter(**overrides))


def sure(number: object) -> dict[str, object]:
    """Return a range of which everything is known."""
    return {"low": number, "likely": number, "high": number}


def a_money(low: float = 100, high: float = 300, **changes: Any) -> Money:
    """Return money per month within these bounds, against today's process and against both policies alike."""
    wins = Interval(low=low, middle=(low + high) / 2, high=high)
    return Money(
        **{
            "currency": "EUR",
            "period": "month",
            "per_period": wins,
            "level": 0.9,
            "chance_of_loss": 0.0,
            "minimum": 50.0,
            "chance_of_minimum": 1.0,
            "against": {"flagging everything": wins, "flagging nothing": wins},
            "expected": wins.middle,
            "tornado": [],
            "break_even": BreakEven(name="cost of a miss", value=42.0, unit="EUR"),
            "perfect_model": 900.0,
        }
        | changes
    )


def a_speed(timing: Timing | None = None, differences: Sequence[str] = (), not_timed: str = "", target: str = "") -> Speed:
    """Return what is known of a variant's speed on one target."""
    return Speed(target=target, timing=timing, not_timed=not_timed, differences=list(differences))


def _of_another_kind(sections: dict[str, Any]) -> dict[str, Any]:
    """Replace the fields of the binary charter that another kind of problem does not have."""
    plain = deepcopy(PLAIN)
    for section, fields in OF_BINARY.items():
        plain[section] = {name: value for name, value in plain[section].items() if name not in fields}
    return _merged(plain, sections)


def _merged(plain: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    for name, new in overrides.items():
        plain[name] = _merged(plain[name], new) if isinstance(new, dict) and isinstance(plain.get(name), dict) else deepcopy(new)
    return plain


def a_machine(**changes: Any) -> Machine:
    """Return the fingerprint of the machine that the plain charter names."""
    plain: dict[str, Any] = {
        "architecture": "x86_64",
        "cpu": "a processor",
        "instruction_sets": [],
        "cores": 2,
        "quota_cores": None,
        "memory_mb": 4096,
        "governor": None,
        "smt": None,
        "turbo": None,
        "hypervisor": False,
        "system": "Linux",
        "python": "3.11",
        "onnxruntime": "1.32",
        "digest": "0" * 64,
    }
    return Machine(**plain | changes)
