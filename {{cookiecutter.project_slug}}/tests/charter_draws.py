"""Charters of every kind for Hypothesis: plain ones whose numbers vary within what the fields allow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from builders import a_plain_amount_charter, a_plain_charter, a_plain_multiclass_charter
from hypothesis import strategies as st

from poc.rules.charter import CHARTERS, Charter

KINDS = tuple(CHARTERS)
CLASSES = ("good", "rework", "scrap")


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    """Draw numbers with so many places behind the point, small and large ones alike."""
    return st.decimals(Decimal(low), Decimal(high), places=places)


def money(high: str = "999999999999.99") -> st.SearchStrategy[Decimal]:
    """Draw amounts of money as the charter allows them, or smaller ones, as they usually are."""
    return decimals("0", high, 2) | decimals("0", "1000", 2) | st.integers(0, 1000).map(Decimal)


def ranges(ends: st.SearchStrategy[Decimal]) -> st.SearchStrategy[dict[str, Decimal]]:
    """Draw low, likely and high in order."""
    return st.lists(ends, min_size=3, max_size=3).map(lambda found: dict(zip(("low", "likely", "high"), sorted(found), strict=True)))


SHARES = decimals("0", "1", 4)
OPEN_SHARES = decimals("0.001", "0.999", 3)
QUANTITIES = decimals("0", "99999999.999999", 6) | decimals("0", "100", 2)


def charters(kind: str) -> st.SearchStrategy[Charter]:
    """Draw charters of a kind; whether they contradict themselves is another question."""
    return of_any_kind(kind).map(CHARTERS[kind].model_validate)


def of_any_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw plain charters of a kind."""
    own = {"binary": binary, "multiclass": multiclass}.get(kind, amount)
    return st.builds(_put_together, st.just(kind), shared(), own())


def shared() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what every kind has."""
    machine = {"cores": st.integers(1, 256), "memory_mb": st.integers(64, 100_000_000), "monthly_cost": money()}
    named = st.fixed_dictionaries({"name": st.sampled_from(["edge", "cloud", "line-4"]), "architecture": st.just("arm64"), **machine})
    hardware = st.fixed_dictionaries(machine) | st.lists(named, min_size=1, max_size=3, unique_by=lambda each: each["name"])
    limits = {
        "confidence": decimals("0.8", "0.999", 3),
        "latency_p99_ms": decimals("0.01", "3600000", 2),
        "arrivals_per_second": decimals("0.1", "1000000", 1),
        "hardware": hardware,
        "memory_mb": st.integers(1, 100_000_000),
        "model_mb": decimals("0.1", "1000000", 1),
        "monthly_budget": money(),
    }
    return st.fixed_dictionaries(
        {
            "version": st.integers(1, 10**6),
            "value": st.fixed_dictionaries(
                {"decisions_per_period": ranges(money()), "run_cost_per_period": money(), "useful_life_periods": st.integers(1, 120)}
            ),
            "limits": st.fixed_dictionaries(limits),
            "data": st.fixed_dictionaries(
                {"sealed_share": decimals("0.05", "0.8", 3), "dev_share": decimals("0.05", "0.5", 3), "split_seed": st.integers(0, 2**32 - 1)}
            ),
            "timebox": st.fixed_dictionaries({"minimum_value_per_period": money(), "looks": st.integers(1, 10)}),
        }
    )


def binary() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a binary charter has."""
    costs = {name: ranges(money()) for name in ("cost_missed", "cost_false_alarm", "cost_per_catch")}
    return st.fixed_dictionaries(
        {
            "baseline": st.fixed_dictionaries({"missed_share": SHARES, "false_alarm_share": SHARES}),
            "value": st.fixed_dictionaries({"positive_share": ranges(SHARES), **costs}),
            "limits": st.fixed_dictionaries({"missed_share": OPEN_SHARES, "false_alarm_share": OPEN_SHARES}),
        }
    )


def multiclass() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a multiclass charter has: shares that add up, and any cost matrix."""
    row = st.lists(st.integers(1, 1000), min_size=3, max_size=3).map(_shares)
    return st.fixed_dictionaries(
        {
            "baseline": st.fixed_dictionaries({"decided_shares": st.fixed_dictionaries(dict.fromkeys(CLASSES, row))}),
            "value": st.fixed_dictionaries(
                {
                    "class_shares": st.tuples(row, decimals("0", "1", 2)).map(_ranges_around),
                    "costs": st.fixed_dictionaries(dict.fromkeys(CLASSES, st.fixed_dictionaries(dict.fromkeys(CLASSES, ranges(money()))))),
                }
            ),
            "limits": st.fixed_dictionaries({"missed_share": st.fixed_dictionaries({"rework": OPEN_SHARES, "scrap": OPEN_SHARES})}),
        }
    )


def amount() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a charter about amounts has."""
    return st.fixed_dictionaries(
        {
            "baseline": st.fixed_dictionaries({"mean_over": QUANTITIES, "mean_under": QUANTITIES, "beyond_tolerance_share": SHARES}),
            "value": st.fixed_dictionaries({"cost_per_unit_over": ranges(QUANTITIES), "cost_per_unit_under": ranges(QUANTITIES)}),
            "limits": st.fixed_dictionaries({"tolerance": QUANTITIES.filter(bool), "beyond_tolerance_share": OPEN_SHARES}),
        }
    )


def _put_together(kind: str, shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    overrides = {section: {**shared.get(section, {}), **own.get(section, {})} for section in ("baseline", "value", "limits", "data", "timebox")}
    overrides["version"] = shared["version"]
    make = {"binary": a_plain_charter, "multiclass": a_plain_multiclass_charter}.get(kind)
    return make(**overrides) if make else a_plain_amount_charter(problem=kind, **overrides)


def _shares(weights: list[int]) -> dict[str, Decimal]:
    first, second = (round(Decimal(weight) / sum(weights), 3) for weight in weights[:2])
    return dict(zip(CLASSES, (first, second, 1 - first - second), strict=True))


def _ranges_around(drawn: tuple[dict[str, Decimal], Decimal]) -> dict[str, dict[str, Decimal]]:
    row, width = drawn
    return {name: {"low": round(share * width, 4), "likely": share, "high": share + round((1 - share) * width, 4)} for name, share in row.items()}
