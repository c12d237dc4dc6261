"""Ask a running server for one prediction, with a real row."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from pathlib import Path

from poc import layout
from poc.errors import EnvironmentRefused, Refused
from poc.rules.answers import output_of
from poc.rules.evidence import Candidate, Record
from poc.tools import files


class Reply(Record):
    """What the server answered: a probability, one for each class, or an estimate; what is decided; and how long the way there and back took."""

    probability: float | None = None
    probabilities: dict[str, float] | None = None
    estimate: float | None = None
    decision: bool | str | None = None
    threshold: float | None = None
    milliseconds: float

    def in_words(self) -> str:
        """Say the answer, and what follows from it, in one line."""
        if self.probability is not None:
            return f"probability {self.probability:.4f}, threshold {self.threshold:.4f}: {'act' if self.decision else 'let it pass'}"
        if self.probabilities is not None:
            return f"probabilities {', '.join(f'{name} {p:.4f}' for name, p in self.probabilities.items())}: {self.decision}"
        return f"estimate {self.estimate:,.6g}"


def ask(candidate: Path, url: str) -> Reply:
    """Send the candidate's sample row to `url`.

    Raises:
        EnvironmentRefused: nobody answers there.
        Refused: the server refused the request, or the candidate has no sample row.
    """
    frozen, sample = files.read_record(candidate / layout.CANDIDATE_JSON, Candidate), candidate / layout.SAMPLE_REQUEST
    if not sample.is_file():
        raise Refused(f"{sample.name} is missing", where=str(candidate), fix="run the step that writes it again: poc run", code="evidence_is_missing")
    started = time.perf_counter()
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/v2/models/{frozen.project}/infer", sample.read_bytes(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            content = response.read()
    except urllib.error.HTTPError as error:
        raise Refused(f"the server refused: {error.read().decode(errors='replace')[:300]}", where=url, fix="serve the newest candidate: poc serve") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EnvironmentRefused(f"nobody answers at {url}", where=url, fix="poc serve, in another terminal") from error
    milliseconds = (time.perf_counter() - started) * 1e3
    try:
        body = json.loads(content)
        outputs, name = {output["name"]: output["data"] for output in body["outputs"]}, output_of(frozen)
        answer = dict(zip(frozen.by_cost.classes, outputs[name], strict=True)) if frozen.by_cost else outputs[name][0]
        said = {} if name == "estimate" else {"decision": outputs["decision"][0]}
        threshold = {} if frozen.threshold is None else {"threshold": body["parameters"]["threshold"]}
        return Reply.model_validate({name: answer, **said, **threshold, "milliseconds": milliseconds})
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise EnvironmentRefused(f"what answers at {url} is not this server", where=url, fix="poc serve, on a port of its own") from error
