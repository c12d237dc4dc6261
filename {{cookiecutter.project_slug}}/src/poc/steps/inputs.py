"""Read what earlier steps wrote: the few lines every step begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.errors import InputRefused
from poc.rules.charter import BinaryCharter, Charter, parse_charter
from poc.rules.params import Params
from poc.tools import files, frames

if TYPE_CHECKING:
    import pandas as pd


def charter_of(agreement: Path) -> BinaryCharter:
    """Read the charter that this run is judged by; see `trainable`."""
    return trainable(files.read_record(agreement / layout.CHARTER_JSON, Charter, parse=parse_charter))


def trainable(agreed: Charter) -> BinaryCharter:
    """Return a charter whose kind of problem the steps know.

    Raises:
        InputRefused: they do not.
    """
    if not isinstance(agreed, BinaryCharter):
        raise InputRefused(
            f"the charter is checked, but this version does not train {agreed.problem} problems",
            where="charter.yaml, problem",
            fix="put the decision as a question of yes or no (problem: binary), or wait for the version that trains it",
        )
    return agreed


def params_of(agreement: Path) -> Params:
    """Read the parameters of this run."""
    return files.read_record(agreement / layout.PARAMS_JSON, Params)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A split's rows as a model takes them, their labels, and which rows belong together; both shape (n_rows,), `labels` int8."""

    tensors: dict[str, NDArray[np.float32] | NDArray[np.object_]]
    labels: NDArray[np.int8]
    groups: NDArray[np.object_] | None = None

    def frame(self) -> pd.DataFrame:
        """Return the rows as the frame that an estimator is fitted on."""
        return frames.model_frame(self.tensors)


def rows_of(data: Path, split: str, charter: Charter) -> Rows:
    """Read an open split, `train` or `dev`."""
    table = frames.read_table(data / layout.SPLIT_FILES[split])
    labels = table[charter.data.target].to_numpy(dtype=np.int8)
    return Rows(tensors=frames.columns(table, charter.features), labels=labels, groups=groups_of(table, charter))


def groups_of(table: pd.DataFrame, charter: Charter) -> NDArray[np.object_] | None:
    """Return which rows belong together, where the charter declares it."""
    return frames.categories_of(table, charter.data.group) if charter.data.group else None
