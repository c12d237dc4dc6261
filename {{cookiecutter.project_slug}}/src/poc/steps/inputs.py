"""Read what earlier steps wrote: the few lines every step begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poc import layout
from poc.rules.charter import Charter, parse_charter
from poc.rules.evidence import UNSIGNED, Signoff
from poc.rules.params import Params
from poc.steps.target import written_labels
from poc.tools import files, frames

if TYPE_CHECKING:
    import pandas as pd


def charter_of(agreement: Path) -> Charter:
    """Read the charter that this run is judged by."""
    return files.read_record(agreement / layout.CHARTER_JSON, Charter, parse=parse_charter)


def signoff_of(agreement: Path) -> Signoff:
    """Read whether the charter was signed when this run began; unsigned where nothing says so."""
    path = agreement / layout.SIGNOFF_JSON
    return files.read_record(path, Signoff) if path.is_file() else UNSIGNED


def params_of(agreement: Path) -> Params:
    """Read the parameters of this run."""
    return files.read_record(agreement / layout.PARAMS_JSON, Params)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A split's rows as a model takes them, their labels (`steps.target`), and which rows belong together; both shape (n_rows,)."""

    tensors: dict[str, NDArray[np.float32] | NDArray[np.object_]]
    labels: NDArray[Any]
    groups: NDArray[np.object_] | None = None

    def frame(self) -> pd.DataFrame:
        """Return the rows as the frame that an estimator is fitted on."""
        return frames.model_frame(self.tensors)


def rows_of(data: Path, split: str, charter: Charter) -> Rows:
    """Read an open split, `train` or `dev`."""
    table = frames.read_table(data / layout.SPLIT_FILES[split])
    return Rows(tensors=frames.columns(table, charter.features), labels=written_labels(table, charter), groups=groups_of(table, charter))


def groups_of(table: pd.DataFrame, charter: Charter) -> NDArray[np.object_] | None:
    """Return which rows belong together, where the charter declares it."""
    return frames.categories_of(table, charter.data.group) if charter.data.group else None
