"""Valid records for tests, each a plain whole that a test bends in the one place it is about."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from poc.rules.charter import Charter

PLAIN: dict[str, Any] = {
    "schema_version": 1,
    "project": "stop-bad-parts",
    "version": 1,
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


def a_plain_charter(**overrides: Any) -> dict[str, Any]:
    """Return a valid charter as plain values, with overrides merged in deeply; a list in an override replaces the whole list."""
    return _merged(deepcopy(PLAIN), overrides)


def a_charter(**overrides: Any) -> Charter:
    """Return a valid charter, with overrides merged in deeply: `a_charter(limits={"missed_share": "0.05"})`."""
    return Charter.model_validate(a_plain_charter(**overrides))


def _merged(plain: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    for name, new in overrides.items():
        plain[name] = _merged(plain[name], new) if isinstance(new, dict) and isinstance(plain.get(name), dict) else deepcopy(new)
    return plain
