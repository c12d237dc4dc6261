"""Models, from as they were fitted to the one that is frozen."""

from __future__ import annotations

from typing import Literal

from poc.rules.evidence.counted import Counted, Errors
from poc.rules.evidence.record import FittedAs, Number, Record, Technique


class Calibration(Record):
    """What `rules.calibration` does to a raw answer: slope and intercept of its logit, of its log probabilities, or of the amount itself."""

    slope: float
    intercept: float


class ByCost(Record):
    """What it costs to decide a row of one class (first index) as another (second), weighted by how often the class is met in production."""

    classes: list[str]
    costs: list[list[float]]


class Deciding(Record):
    """How an answer becomes a decision: by a threshold, by what each class would cost, or, where neither stands here, not at all: an amount says it itself."""

    threshold: float | None = None
    by_cost: ByCost | None = None


class FittedModel(Deciding):
    """A family as it was fitted: file, calibration and what decides; `parent` is the model of which it is a smaller one.

    What was counted is out of sample, by cross-fitting on train and as fitted on dev: `limited` by the name of the limit, `skill` of all answers.
    """

    name: str
    family: str
    file: str
    technique: FittedAs
    parent: str | None
    calibration: Calibration
    predicted_chance_of_go: float
    skill: Number
    limited: dict[str, Errors]


class Models(Record):
    """What `train` made."""

    models: list[FittedModel]


class Parity(Record):
    """How far a graph is from what it was made from, on real and awkward rows."""

    rows: int
    largest_difference: float
    decisions_flipped: int


class Graph(Record):
    """A float32 ONNX file with preprocessing and calibration inside."""

    model: str
    file: str
    sha256: str
    size_bytes: int
    parity: Parity


class Graphs(Record):
    """What `export` made."""

    graphs: list[Graph]


class Variant(Deciding):
    """One way to run a model, or the reason why there is none.

    Parity is with the variant that `parent` names; float32 has none, it is compared with its estimator.
    """

    name: str
    model: str
    family: str
    technique: Technique
    parent: str | None = None
    reason_not_made: str | None
    file: str | None
    sha256: str | None
    size_bytes: int | None
    calibration: Calibration
    predicted_chance_of_go: float
    parity: Parity | None
    dev: Counted | None

    @property
    def is_made(self) -> bool:
        """Whether there is a file to run."""
        return self.file is not None


class Variants(Record):
    """What `compress` made."""

    variants: list[Variant]


class CandidateInput(Record):
    """One input tensor of the frozen model, and what a request may say in it (`rules/contract.py`); a limit of None is none.

    Numbers are compared as float32, what the model sees. `minimum` and `maximum` are allowed themselves, unless they are said to be strict.
    """

    name: str
    kind: Literal["number", "category"]
    minimum: float | None = None
    maximum: float | None = None
    minimum_is_strict: bool = False
    maximum_is_strict: bool = False
    one_of: list[float] | list[str] | None = None
    may_be_missing: bool = True
    max_age_seconds: float | None = None


class Candidate(Deciding):
    """The frozen candidate: everything that decides what it answers."""

    project: str
    charter_sha256: str
    variant: str
    family: str
    technique: Technique
    model_sha256: str
    calibration: Calibration
    inputs: list[CandidateInput]
