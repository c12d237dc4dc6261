"""ONNX Runtime: load a model file and answer rows with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.float32] | NDArray[np.object_]


class Scorer:
    """A loaded model: one input tensor per feature, one calibrated answer per row, whatever its graph calls it."""

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a spinning thread takes the core that the next request needs
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self.inputs: list[tuple[str, Literal["number", "category"]]] = [
            (each.name, "category" if each.type == "tensor(string)" else "number") for each in self._session.get_inputs()
        ]

        self._outputs = [each.name for each in self._session.get_outputs()][:1]

    def answers(self, columns: Mapping[str, Tensor]) -> NDArray[np.float32]:
        """Return a probability or an amount, shape (n_rows,), or the probability of each class, shape (n_rows, n_classes); `columns` have shape (n_rows, 1)."""
        answer: NDArray[np.float32] = self._session.run(self._outputs, dict(columns))[0]
        return answer.reshape(-1) if answer.ndim < 2 or answer.shape[1] == 1 else answer


def version() -> str:
    """Return ONNX Runtime's version."""
    import onnxruntime

    return str(onnxruntime.__version__)
