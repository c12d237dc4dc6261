"""Whether a feature is there when the decision is taken, and in which order rows arrive."""

from __future__ import annotations

from poc.rules.charter import Charter


def late_features(charter: Charter) -> list[str]:
    """List features that a decision would use before they arrive, as the charter declares them."""
    return [
        feature.name
        for feature in charter.features
        if feature.available == "after_the_fact"
        or (feature.available == "batch" and (feature.max_age_seconds is None or feature.delay_seconds > feature.max_age_seconds))
    ]


def order_of_arrival(charter: Charter) -> str | None:
    """Name the column that orders rows: time where declared, else the key, else None for the order that ingest drew."""
    return charter.data.time or charter.data.key
