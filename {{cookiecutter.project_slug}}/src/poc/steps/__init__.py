"""What a run does, in order: the table of contents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step's name, its promise, and the artifacts that it declares."""

    name: str
    does: str
    refuses_when: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    candidate_only: bool = False
    may_be_cached: bool = True


STEPS: tuple[Step, ...] = (
    Step(name="charter", does="load, cross-check and digest the charter", refuses_when="any rule of the charter is broken", inputs=(), outputs=("agreement",)),
    Step(
        name="ingest",
        does="read the source, join what had arrived by each row's time, keep declared features, split; seal the labels of the last split",
        refuses_when="empty, unreadable, duplicate keys, rows shared or all but shared across splits, a split that lacks a class",
        inputs=("agreement",),
        outputs=("data", "sealed_labels"),
    ),
    Step(
        name="validate",
        does="check the data contract, drift between splits, and leaks on train and dev",
        refuses_when="a critical expectation fails, or one column gives the answer away",
        inputs=("agreement", "data"),
        outputs=("validation",),
    ),
    Step(
        name="train",
        does="fit a baseline and every family; calibrate and choose what decides by cross-fitting",
        refuses_when="nothing can be fitted, or the result is too good to be true",
        inputs=("agreement", "data", "validation"),
        outputs=("models",),
    ),
    Step(
        name="export",
        does="write float32 ONNX with preprocessing inside, equal row by row",
        refuses_when="parity is outside tolerance",
        inputs=("agreement", "data", "models"),
        outputs=("graphs",),
    ),
    Step(
        name="compress",
        does="make the variants: graph-optimised, fp16, int8, thinned, pruned",
        refuses_when="a fitted model answers with what is no answer",
        inputs=("agreement", "data", "models", "graphs"),
        outputs=("variants",),
    ),
    Step(
        name="benchmark",
        does="time the variants on the charter's hardware and arrival rate",
        refuses_when="never: it reports",
        inputs=("agreement", "data", "variants"),
        outputs=("timings",),
        may_be_cached=False,
    ),
    Step(
        name="evaluate",
        does="judge money and limits on dev; freeze the cheapest variant expected to pass",
        refuses_when="never: it reports",
        inputs=("agreement", "data", "variants", "timings"),
        outputs=("candidate",),
    ),
    Step(
        name="replay",
        does="build dev rows' features again from what had arrived, send them one at a time through the real server, compare with the batch path",
        refuses_when="any mismatch; a feature used before it arrives",
        inputs=("agreement", "data", "candidate"),
        outputs=("rehearsal",),
    ),
    Step(
        name="gate",
        does="look once at the sealed set; GO, NO-GO or NOT PROVEN per limit",
        refuses_when="past the charter's number of looks",
        inputs=("agreement", "data", "sealed_labels", "validation", "models", "graphs", "variants", "timings", "candidate", "rehearsal"),
        outputs=("verdict",),
        candidate_only=True,
        may_be_cached=False,
    ),
    Step(
        name="register",
        does="write the brief, the model card, and an MLflow version with all evidence",
        refuses_when="evidence is missing or digests differ",
        inputs=("agreement", "data", "validation", "models", "graphs", "variants", "timings", "candidate", "rehearsal", "verdict"),
        outputs=("version",),
        candidate_only=True,
        may_be_cached=False,
    ),
    Step(
        name="decide",
        does="end the run: exit 0 on GO, 4 on NO-GO, 7 on NOT PROVEN",
        refuses_when="the verdict is not GO",
        inputs=("verdict", "version"),
        outputs=("decision",),
        candidate_only=True,
        may_be_cached=False,
    ),
)
STEP = {step.name: step for step in STEPS}
PRODUCER = {artifact: step.name for step in STEPS for artifact in step.outputs}
