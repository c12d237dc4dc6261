"""What steps write down and hand on: every record that lies in a run's folder."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["GO", "NO-GO", "NOT PROVEN"]
Technique = Literal["float32", "graph-optimised", "int8-dynamic", "int8-static", "thinned"]


class Record(BaseModel):
    """A file of evidence; unknown fields are refused, NaN survives so that a gate can see it."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Number(Record):
    """A measured or computed figure and its unit."""

    name: str
    value: float
    unit: str


class Issue(Record):
    """A problem as a report keeps it."""

    what: str
    where: str = ""
    fix: str = ""


class Report(Record):
    """What a step did: written last, so that an artifact with a report is a complete one."""

    step: str
    status: Literal["done", "refused", "failed", "decided"]
    headline: str
    seconds: float
    started_at: str
    numbers: list[Number]
    inputs: dict[str, str]
    outputs: dict[str, str]
    problems: list[Issue]
    refusal_code: str
    exit_code: int
    machine: str


class InGroups(Record):
    """In how many groups rows lie, and as how many rows, each for itself, they count."""

    groups: int
    count_as: int


class Split(Record):
    """Rows of one split, and how many of them there are of each sort that a limit may speak of: positives and negatives, or rows of each class.

    `in_groups` holds the same sorts where rows share groups.
    """

    rows: int
    counts: dict[str, int]
    sha256: str
    in_groups: dict[str, InGroups] = {}

    @property
    def evidence(self) -> dict[str, int]:
        """As how many rows those of each sort count, when a limit is to be shown on them."""
        return self.counts | {sort: shared.count_as for sort, shared in self.in_groups.items()}


class NearDuplicates(Record):
    """Rows of a later split that all but equal a row of an earlier one: of how many, how many were found, and how many chance alone would give."""

    rows: int
    found: int
    by_chance: int


class Splits(Record):
    """What `ingest` made; `sealed_rows_sha256` names the sealed rows by key, or by all that the source says of them, whatever is declared of them.

    `sealed_sketch` asks how many of them an earlier run had, `source_sketch` answers a later one (`rules/sketches.py`). `usual_amount` is the median of
    the train rows' target, where the target is an amount.
    """

    train: Split
    dev: Split
    sealed: Split
    sealed_labels_sha256: str
    sealed_rows_sha256: str
    sealed_sketch: list[str]
    source_sketch: list[str]
    ignored_columns: list[str]
    how: str
    near_duplicates: dict[str, NearDuplicates]
    usual_amount: float | None = None


class Calibration(Record):
    """What `rules.calibration` does to a raw answer: slope and intercept of its logit, of its log probabilities, or of the amount itself."""

    slope: float
    intercept: float


class Confusion(Record):
    """Counts of yes-or-no decisions against the truth; where rows share groups, the same four counts for each group."""

    positives: int
    missed: int
    negatives: int
    false_alarms: int
    by_group: list[tuple[int, int, int, int]] = []


class ClassCounts(Record):
    """Rows of each class (first index) by what they were decided as (second), in the charter's order; and the same for each group."""

    counts: list[list[int]]
    by_group: list[list[list[int]]] = []


class Deviations(Record):
    """Estimates against the truth, one entry per row, or per group of rows that belong together.

    `beyond` counts rows off by more than the tolerance; `over` and `under` add up units too many and too few, `usual_*` those of always
    estimating the median of the train rows.
    """

    rows: list[int]
    beyond: list[int]
    over: list[float]
    under: list[float]
    usual_over: list[float]
    usual_under: list[float]


Counted = Confusion | ClassCounts | Deviations


class Errors(Record):
    """Errors among rows, of one share that the charter limits."""

    errors: int
    rows: int


class ByCost(Record):
    """What it costs to decide a row of one class (first index) as another (second), weighted by how often the class is met in production."""

    classes: list[str]
    costs: list[list[float]]


class Deciding(Record):
    """How an answer becomes a decision: by a threshold, by what each class would cost, or, where neither stands here, not at all: an amount says it itself."""

    threshold: float | None = None
    by_cost: ByCost | None = None


class FittedModel(Deciding):
    """A family as it was fitted: file, calibration and what decides.

    What was counted is out of sample, by cross-fitting on train and as fitted on dev: `limited` by the name of the limit, `skill` of all answers.
    """

    name: str
    family: str
    file: str
    thinned_from: str | None
    is_neural: bool
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
    """One way to run a model, or the reason why there is none."""

    name: str
    model: str
    family: str
    technique: Technique
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
    """What `compress` made; parity is against the float32 graph of the same model."""

    variants: list[Variant]


class Machine(Record):
    """The fingerprint of the machine that measured something."""

    architecture: str
    cpu: str
    instruction_sets: list[str]
    cores: int
    memory_mb: int
    governor: str | None
    hypervisor: bool
    system: str
    python: str
    onnxruntime: str
    digest: str


class Timing(Record):
    """One variant's speed, memory and size on one machine; latencies as percentiles."""

    variant: str
    single_p50_us: float
    single_p95_us: float
    single_p99_us: float
    cpu_us_per_call: float
    open_loop_rate_per_s: float
    open_loop_calls: int
    open_loop_p50_ms: float
    open_loop_p95_ms: float
    open_loop_p99_ms: float
    open_loop_p99_low_ms: float
    open_loop_p99_high_ms: float
    load_ms: float
    first_call_ms: float
    memory_mb: float
    size_mb: float


class Timings(Record):
    """What `benchmark` measured, and where."""

    machine: Machine
    pinned_cores: list[int]
    differences: list[str]
    confidence: float
    timings: list[Timing]
    not_timed: dict[str, str]


class Interval(Record):
    """An estimate with its bounds."""

    low: float
    middle: float
    high: float


class Swing(Record):
    """A bar of the tornado: what the money would be if one thing lay at its low or high end and all else where it is expected."""

    name: str
    low: float
    high: float
    unit: str
    at_low: float
    at_high: float


class BreakEven(Record):
    """The value of a cost at which the model is worth exactly what today's process is worth; NaN where none is."""

    name: str
    value: float
    unit: str


#: Names of the limits on money: against today's process, and before the name of each policy that needs no model.
MONEY, MONEY_AGAINST = "money", "money against "


class Money(Record):
    """Money per period by which a model beats today's process, its run cost paid; positive means better.

    `minimum` is the least that was agreed. `against` holds the same against policies that need no model; `level` is the share of draws inside
    each interval. `expected` is the mean, around which `tornado` swings, widest first. `perfect_model` is the mean of a model without errors.
    """

    currency: str
    period: str
    per_period: Interval
    level: float
    chance_of_loss: float
    minimum: float
    chance_of_minimum: float
    against: dict[str, Interval]
    expected: float
    tornado: list[Swing]
    break_even: BreakEven
    perfect_model: float


class CurvePoint(Record):
    """What alerting from a probability on would be worth per period against today's process, and its errors, on open rows."""

    threshold: float
    missed_share: float
    false_alarm_share: float
    money: Interval


class LimitVerdict(Record):
    """One limit of the charter, judged."""

    name: str
    verdict: Outcome
    measured: float
    low: float
    high: float
    limit: float
    unit: str
    why: str


class Assessment(Record):
    """One variant on dev: money, limits as measured, and whether it is expected to meet them all.

    `expected_p99_ms` is what its own speed and the charter's rate predict, whatever else the machine did meanwhile; NaN if it was not timed.
    """

    variant: str
    counted: Counted
    money: Money
    limits: list[LimitVerdict]
    chance_of_go: float
    is_expected_to_pass: bool
    expected_p99_ms: float
    cpu_us_per_call: float


class AtHalf(Record):
    """The frozen variant on dev at the usual threshold of 0.5, judged as if that had been chosen: what accuracy alone would have hidden."""

    accuracy: float
    confusion: Confusion
    limits: list[LimitVerdict]
    money: Interval
    overall: Outcome


class Evaluation(Record):
    """What `evaluate` found and froze.

    Where a threshold decides, `curve` and `at_half` are of the frozen variant on dev, and `threshold_by_costs` is where costs alone would alert.
    """

    assessments: list[Assessment]
    frozen: str
    why: str
    at_half: AtHalf | None
    curve: list[CurvePoint]
    threshold_by_costs: float | None


class CandidateInput(Record):
    """One input tensor of the frozen model."""

    name: str
    kind: Literal["number", "category"]


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


class Rehearsal(Record):
    """What `replay` saw when dev rows went through the real server one at a time; `server_memory_mb` is that process's peak, NaN if unknown."""

    rows: int
    largest_difference: float
    decisions_differing: int
    late_features: list[str]
    request_p50_ms: float
    request_p99_ms: float
    server_memory_mb: float


class Verdict(Record):
    """What `gate` found on the sealed set: per limit, in money, and overall the worst."""

    overall: Outcome
    limits: list[LimitVerdict]
    money: Money
    counted: Counted
    candidate_sha256: str
    sealed_sha256: str
    look: int
    looks_allowed: int
    repeated: bool
    unproven: list[str]


class Version(Record):
    """Where the registered version stands."""

    model: str
    version: str
    run_id: str
    verdict: Outcome
    alias: str | None
    model_sha256: str
    run_url: str
    version_url: str


class Validation(Record):
    """What `validate` found: the contract, drift between splits in bits, and how well each column alone ranks dev: its AUC, for amounts its concordance."""

    declared: int
    evaluated: int
    warnings: list[str]
    drift: dict[str, float]
    auc_alone: dict[str, float]
