"""The protocol, going out: answers and decisions become a reply; in JSON, with binary tensors behind it where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from poc.rules.answers import decide, in_words
from poc.rules.evidence import Deciding
from poc.rules.oip import Output
from poc.tools.web.protocol import LENGTH, Wanted


class Written(NamedTuple):
    """A reply's body, how many of its bytes are JSON where binary tensors follow, and what was decided of each row."""

    body: bytes
    json_bytes: int | None
    decisions: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes replies of one model; what all of them share is written once. `usual` is what is wanted where a request does not say."""

    model: str
    version: str
    deciding: Deciding
    usual: Sequence[Wanted]

    def parameters(self) -> dict[str, Any]:
        """Name the threshold, or the classes in the order of their probabilities; a parameter of the protocol is text, a number or a truth."""
        if self.deciding.threshold is not None:
            return {"parameters": {"threshold": self.deciding.threshold}}
        return {"parameters": {"classes": orjson.dumps(self.deciding.by_cost.classes).decode()}} if self.deciding.by_cost else {}

    def write(self, wanted: Sequence[Wanted], request_id: str | None, answers: NDArray[np.float32]) -> Written:
        """Write the wanted outputs for answers of shape (n_rows,) or (n_rows, n_classes)."""
        if answers.size == 1 and wanted is self.usual and self.deciding.threshold is not None:
            return self.one_row(request_id, answers)
        decisions = decide(self.deciding, answers)
        outputs, behind = list[bytes](), list[bytes]()
        for output, is_binary in wanted:
            values = in_words(self.deciding, decisions) if output.name == "decision" else answers.ravel()
            if is_binary:
                behind.append(_as_bytes(output, values))
                content = b'"parameters":{"binary_data_size":%d}' % len(behind[-1])
            else:
                content = b'"data":' + orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
            outputs.append(_tensor(output, len(answers), content))
        body = b"%b%b%b]}" % (_opened(request_id), self._shared, b",".join(outputs))
        return Written(b"".join([body, *behind]), len(body), decisions) if behind else Written(body, None, decisions)

    def one_row(self, request_id: str | None, answers: NDArray[np.float32]) -> Written:
        """Write what is asked most, a probability and its decision, without the arrays that only many rows are worth."""
        threshold, begin, ends = self._of_one_row
        is_alert = answers.item() >= threshold
        body = b"%b%b%b%b" % (_opened(request_id), begin, orjson.dumps(answers.ravel(), option=orjson.OPT_SERIALIZE_NUMPY), ends[is_alert])
        return Written(body, None, np.array([is_alert]))

    @cached_property
    def _shared(self) -> bytes:
        return orjson.dumps({"model_name": self.model, "model_version": self.version, **self.parameters()})[1:-1] + b',"outputs":['

    @cached_property
    def _of_one_row(self) -> tuple[float, bytes, tuple[bytes, bytes]]:
        """Say from where on one row is an alert, what stands before its probability, and what behind it without an alert and with one."""
        probability, decision = (_tensor(output, 1, b'"data":') for output, _ in self.usual)
        no, yes = (b"},%b%b}]}" % (decision[:-1], said) for said in (b"[false]", b"[true]"))
        return float(np.float32(self.deciding.threshold)), self._shared + probability[:-1], (no, yes)


def _opened(request_id: str | None) -> bytes:
    return b"{" if request_id is None else b'{"id":%b,' % orjson.dumps(request_id)


def _tensor(output: Output, rows: int, content: bytes) -> bytes:
    return b'{"name":"%b","datatype":"%b","shape":[%d,%d],%b}' % (output.name.encode(), output.datatype.encode(), rows, output.width, content)


def _as_bytes(output: Output, values: Any) -> bytes:
    """Write a tensor in binary: little-endian, yes and no as a byte each, text with its length in four bytes before it."""
    if output.datatype != "BYTES":
        return np.asarray(values, "<f4" if output.datatype == "FP32" else bool).tobytes()
    texts = [text.encode() for text in values]
    return b"".join(part for text in texts for part in (LENGTH.pack(len(text)), text))
