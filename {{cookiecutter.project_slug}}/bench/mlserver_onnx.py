"""Serve an ONNX file with MLServer: a runtime of one's own, as its documentation shows. Runs in MLServer's environment, which knows nothing of this project."""

from __future__ import annotations

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput


class OnnxModel(MLModel):
    """One session with one thread, and inputs and outputs as the protocol has them."""

    async def load(self) -> bool:
        """Load the file that `model-settings.json` names."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer one request."""
        columns = {each.name: self._column(each) for each in payload.inputs}
        answers = self._session.run(None, columns)[:1]
        outputs = [NumpyCodec.encode_output(each.name, answer) for each, answer in zip(self._session.get_outputs(), answers, strict=False)]
        return InferenceResponse(model_name=self.name, outputs=outputs)

    def _column(self, given: RequestInput) -> np.ndarray:
        if given.datatype == "BYTES":
            return np.array(StringCodec.decode_input(given), dtype=object).reshape(-1, 1)
        return NumpyCodec.decode_input(given).astype(np.float32)
