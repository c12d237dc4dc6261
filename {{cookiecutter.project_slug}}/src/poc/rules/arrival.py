"""When features arrive: which come too late, how it can be known what was there at a decision, and in which order rows arrive."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from poc.rules.charter import Charter, Feature

#: How replay finds out what was known of a feature when a row was decided.
Way = Literal["with the request", "as readings arrived", "from earlier rows", "on its owner's word", "not in time"]
#: Where fewer readings than this share take at least `AS_LONG` of the delay that the charter declares, their moments of arrival contradict it. Who
#: declares what is guaranteed, and not what is usual, is not contradicted by readings that come sooner.
SELDOM, AS_LONG = 0.05, 0.5


def never_in_time(charter: Charter) -> list[str]:
    """List features that a decision would use before they arrive, as the charter declares them."""
    return [
        feature.name
        for feature in charter.features
        if feature.available == "after_the_fact"
        or (feature.available == "batch" and (feature.max_age_seconds is None or feature.delay_seconds > feature.max_age_seconds))
    ]


def late_features(charter: Charter) -> list[str]:
    """List features that do not come with the request: each arrives on a way of its own, and can fall silent."""
    return [feature.name for feature in charter.features if feature.available != "at_request"]


def way_to_know(feature: Feature, charter: Charter) -> Way:
    """Say how it can be known what was there of a column of the rows themselves when a row was decided.

    Such a column says what was true at `data.time`. Where it arrives later, the newest earlier row of the same group tells what was there. Without
    time and group nothing tells: then it is its owner's word that a value as old as its delay may be used, and without that word it is not in time.
    """
    if feature.available == "at_request" or feature.delay_seconds == 0:
        return "with the request"
    if feature.why_it_is_known_in_time:
        return "on its owner's word"
    if charter.data.time and charter.data.group:
        return "from earlier rows"
    return "on its owner's word" if feature.max_age_seconds is not None and feature.delay_seconds <= feature.max_age_seconds else "not in time"


def arrives_as_declared(delays: NDArray[np.float64], declared: float) -> bool:
    """Say whether moments of arrival can be believed: some readings took about as long as declared; `delays` in seconds, shape (n_readings,)."""
    return bool(len(delays) == 0 or np.mean(delays >= AS_LONG * declared) >= SELDOM)


def known_from(event: NDArray[Any], arrived: NDArray[Any], declared: float, ticks: float) -> NDArray[Any]:
    """Return from when on each reading is known, shape (n_readings,): since it arrived, or where that cannot be believed, the declared delay after its event.

    All moments count `ticks` a second.
    """
    is_believed = arrives_as_declared((arrived - event) / ticks, declared)
    return arrived if is_believed else np.maximum(arrived, event + np.asarray(declared * ticks, dtype=event.dtype))


def order_of_arrival(charter: Charter) -> str | None:
    """Name the column that orders rows: time where declared, else the key, else None for the order that ingest drew."""
    return charter.data.time or charter.data.key
