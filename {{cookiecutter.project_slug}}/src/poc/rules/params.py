"""What a builder may change without asking: seed, families, search, timing budget."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Family = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Params(BaseModel):
    """The content of `params.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0)]
    families: Annotated[list[Family], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    calibration_rows: Annotated[int, Field(ge=16)] = 512
    benchmark_seconds_per_variant: Annotated[float, Field(gt=0, le=600)] = 1.5
    replay_rows: Annotated[int, Field(ge=1)] = 1000
