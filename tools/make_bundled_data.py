"""Write the data that the scenarios bundle: the same bytes of content on every machine, so that a test can compare.

Usage: make_bundled_data.py production-line path/to/ai4i2020.csv
or:    make_bundled_data.py own-data
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

PROJECT = Path(__file__).parent.parent / "{{cookiecutter.project_slug}}"
PRODUCTION_LINE = PROJECT / "data" / "production_line.parquet"
OWN_DATA = PROJECT / "scenarios" / "own-data" / "data" / "your_data.csv"

ROWS = 3_000
REGIONS = ("north", "east", "south", "west")
CHANNELS = ("shop", "web", "phone")


def customers(seed: int = 20260101) -> pd.DataFrame:
    """Make up customers of whom some will leave: about 8 % yes, a signal that a model can find, and gaps in two columns."""
    import pandas as pd

    draw = np.random.default_rng(seed)
    visits = draw.poisson(6, ROWS)
    amount = np.round(draw.lognormal(3.6, 0.7, ROWS), 2)
    days = draw.integers(0, 181, ROWS)
    region = draw.choice(REGIONS, ROWS)
    channel = draw.choice(CHANNELS, ROWS, p=(0.5, 0.35, 0.15))
    # Fewer visits, a longer silence and the telephone make leaving likelier; the constants give 8 % yes and an AUC of about .83.
    logit = -5.75 - 0.30 * (visits - 6) + 0.0255 * days + 0.9 * (channel == "phone") - 0.35 * np.log(amount / 36.6)
    leaves = draw.random(ROWS) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame(
        {
            "id": np.arange(1, ROWS + 1),
            "visits": visits,
            "amount": pd.Series(amount).mask(_gaps(draw)),
            "days_since_last": days,
            "region": region,
            "channel": pd.Series(channel).mask(_gaps(draw)),
            "outcome": np.where(leaves, "yes", "no"),
        }
    )


def _gaps(draw: np.random.Generator) -> NDArray[np.bool_]:
    return draw.random(ROWS) < 0.03


def write_production_line(source: Path, target: Path = PRODUCTION_LINE) -> None:
    """Write AI4I 2020 as Parquet: every row and column, values unchanged; only the format is smaller."""
    import pandas as pd

    target.parent.mkdir(parents=True, exist_ok=True)
    pd.read_csv(source).to_parquet(target, index=False, compression="zstd", compression_level=19)


def write_own_data(target: Path = OWN_DATA) -> None:
    """Write the made-up example that an owner replaces."""
    target.parent.mkdir(parents=True, exist_ok=True)
    customers().to_csv(target, index=False, lineterminator="\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["production-line", source]:
            write_production_line(Path(source))
        case ["own-data"]:
            write_own_data()
        case _:
            sys.exit(__doc__)
