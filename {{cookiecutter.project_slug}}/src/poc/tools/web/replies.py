"""The protocol, going out: answers and decisions become a reply; in JSON, with binary tensors behind it where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from poc.rules.answers import in_words
from poc.rules.evidence import Deciding
from poc.rules.oip import Output
from poc.tools.web.protocol import LENGTH, Wanted


@dataclass(frozen=True)
class Writer:
    """Writes replies of one model; what all of them share is written once."""

    model: str
    version: str
    deciding: Deciding

    def parameters(self) -> dict[str, Any]:
        """Name the threshold, or the classes in the order of their probabilities; a parameter of the protocol is text, a number or a truth."""
        if self.deciding.threshold is not None:
            return {"parameters": {"threshold": self.deciding.threshold}}
        return {"parameters": {"classes": orjson.dumps(self.deciding.by_cost.classes).decode()}} if self.deciding.by_cost else {}

    @cached_property
    def _shared(self) -> bytes:
        return orjson.dumps({"model_name": self.model, "model_version": self.version, **self.parameters()})[1:-1]

    def write(self, wanted: Sequence[Wanted], request_id: str | None, answers: NDArray[np.float32], decisions: NDArray[Any]) -> tuple[bytes, int | None]:
        """Return a body, and how many of its bytes are JSON where binary tensors follow: an answer of `width` numbers and a decision for each row."""
        outputs, behind = list[bytes](), list[bytes]()
        for output, is_binary in wanted:
            values = in_words(self.deciding, decisions) if output.name == "decision" else answers.ravel()
            if is_binary:
                behind.append(_as_bytes(output, values))
                content = b'"parameters":{"binary_data_size":%d}' % len(behind[-1])
            else:
                content = b'"data":' + orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
            outputs.append(
                b'{"name":"%b","datatype":"%b","shape":[%d,%d],%b}' % (output.name.encode(), output.datatype.encode(), len(answers), output.width, content)
            )
        said = b'"id":%b,' % orjson.dumps(request_id) if request_id is not None else b""
        body = b'{%b%b,"outputs":[%b]}' % (said, self._shared, b",".join(outputs))
        return (b"".join([body, *behind]), len(body)) if behind else (body, None)


def _as_bytes(output: Output, values: Any) -> bytes:
    """Write a tensor in binary: little-endian, yes and no as a byte each, text with its length in four bytes before it."""
    if output.datatype != "BYTES":
        return np.asarray(values, "<f4" if output.datatype == "FP32" else bool).tobytes()
    texts = [text.encode() for text in values]
    return b"".join(part for text in texts for part in (LENGTH.pack(len(text)), text))
