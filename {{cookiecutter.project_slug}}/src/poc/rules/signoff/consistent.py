"""Whether a version's evidence is of one piece: the model that was judged, by the charter that was agreed, and a verdict that follows from its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from poc.rules.charter import Charter
from poc.rules.evidence import Candidate, LimitVerdict, Verdict
from poc.rules.signoff.reasons import Finding, Reason, check

#: Bounds that another machine works out anew may differ by rounding.
ROUNDING = 1e-6


@check
def model_is_the_candidate(model_sha256: str, candidate: Candidate) -> list[Finding]:
    """Refuse a model that is not the one that was frozen and judged; `model_sha256` is empty where there is none."""
    if model_sha256 == candidate.model_sha256:
        return []
    what = "model.onnx is not the model that candidate.json names" if model_sha256 else "there is no model.onnx"
    return [Finding(reason=Reason.MODEL_IS_NOT_THE_CANDIDATE, what=what, where="model/model.onnx")]


@check
def candidate_was_judged(candidate_sha256: str, verdict: Verdict) -> list[Finding]:
    """Refuse a verdict about another candidate than lies beside it."""
    if candidate_sha256 == verdict.candidate_sha256:
        return []
    return [Finding(reason=Reason.ANOTHER_CANDIDATE_WAS_JUDGED, what="verdict.json speaks of another candidate than candidate.json", where="evidence/gate")]


@check
def candidate_was_frozen_under(charter_sha256: str, candidate: Candidate) -> list[Finding]:
    """Refuse a candidate that was frozen under another charter than judged it."""
    if charter_sha256 == candidate.charter_sha256:
        return []
    return [Finding(reason=Reason.JUDGED_BY_ANOTHER_CHARTER, what="candidate.json names another charter than charter.json", where="evidence/evaluate")]


@check
def files_are_as_reported(differences: Sequence[str]) -> list[Finding]:
    """Refuse evidence that is not what the step's report says it wrote, or was made from something else than lies there."""
    return [Finding(reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, what=f"the steps' reports do not agree: {each}", where="evidence") for each in differences]


@check
def limits_follow_from_figures(written: Sequence[LimitVerdict], again: Sequence[LimitVerdict]) -> list[Finding]:
    """Refuse limits whose outcomes the counts, the money and the timings do not give."""
    names = [limit.name for limit in written], [limit.name for limit in again]
    if names[0] != names[1]:
        wrong = sorted(set(names[0]) ^ set(names[1])) or names[0]
    else:
        wrong = [limit.name for limit, anew in zip(written, again, strict=True) if not _is_the_same(limit, anew)]
    return [
        Finding(reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, what=f"{name!a} is not judged as its figures say", where="evidence/gate/verdict.json")
        for name in wrong
    ]


@check
def looks_are_agreed(charter: Charter, verdict: Verdict) -> list[Finding]:
    """Refuse a look that the charter does not allow."""
    agreed = charter.timebox.looks
    if verdict.looks_allowed == agreed and 1 <= verdict.look <= agreed:
        return []
    what = f"it is look {verdict.look} of {verdict.looks_allowed}, and the charter allows {agreed}"
    return [Finding(reason=Reason.EVIDENCE_CONTRADICTS_ITSELF, what=what, where="evidence/gate/verdict.json")]


def _is_the_same(written: LimitVerdict, again: LimitVerdict) -> bool:
    figures = ((getattr(written, name), getattr(again, name)) for name in ("measured", "low", "high", "limit"))
    return written.verdict == again.verdict and all(math.isclose(a, b, rel_tol=ROUNDING) or (math.isnan(a) and math.isnan(b)) for a, b in figures)
