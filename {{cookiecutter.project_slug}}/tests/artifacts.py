"""A small run's artifacts: charter and ingest really performed, what lies between them and the gate written by hand, digests and all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from builders import a_charter, a_machine, a_plain_charter
from rehearsals import a_rehearsal

from poc import layout
from poc.rules.charter import Charter
from poc.rules.evidence import (
    Assessment,
    AtHalf,
    Calibration,
    Candidate,
    CandidateInput,
    Confusion,
    CurvePoint,
    Evaluation,
    Graphs,
    Interval,
    Models,
    Noise,
    Number,
    Record,
    Report,
    Split,
    Splits,
    TargetReport,
    Timing,
    Timings,
    Validation,
    Variants,
)
from poc.rules.value import worth
from poc.steps import PRODUCER, STEP
from poc.steps.perform import digest_of_artifact, perform
from poc.tools import files

#: A part is bad exactly when it took more torque than this, so that a model of one line is right every time.
LIMIT_NM = 60.0
#: Slope of the graph's sigmoid for a model that is always right, always wrong, or silent.
RIGHT, WRONG, NOT_A_NUMBER = 1.0, -1.0, float("nan")
A_DIGEST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run's artifact folders below one folder."""

    root: Path

    def folder(self, artifact: str) -> Path:
        """Say where an artifact lies."""
        return self.root / PRODUCER[artifact] / artifact

    def folders(self, artifacts: Sequence[str]) -> dict[str, Path]:
        """Say where several artifacts lie, by name."""
        return {artifact: self.folder(artifact) for artifact in artifacts}

    def perform(self, step: str) -> Report:
        """Perform a step for real."""
        return perform(step, inputs=self.folders(STEP[step].inputs), outputs=self.folders(STEP[step].outputs))

    def read(self, artifact: str, name: str, kind: type[Any]) -> Any:
        """Read a record of an artifact."""
        return files.read_record(self.folder(artifact) / name, kind)

    def report(self, step: str) -> Report:
        """Read a step's report."""
        return files.read_record(self.folder(STEP[step].outputs[0]) / layout.REPORT, Report)

    def write(self, step: str, records: Mapping[str, Record | bytes], *, figure: float = 1.0) -> None:
        """Write a step's first artifact by hand, then a report that agrees with every file of the step."""
        folder = self.folder(STEP[step].outputs[0])
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in records.items():
            files.write_atomically(folder / name, content if isinstance(content, bytes) else content.model_dump_json().encode())
        report = Report(
            step=step,
            status="done",
            headline="by hand",
            seconds=0.1,
            started_at="2026-01-20T08:00:00.000+00:00",
            numbers=[Number(name="figure", value=figure, unit="")],
            inputs={artifact: digest_of_artifact(self.folder(artifact)) for artifact in STEP[step].inputs},
            outputs={
                f"{artifact}/{file}": digest
                for artifact in STEP[step].outputs
                for file, digest in files.sha256_of_files(self.folder(artifact), without=frozenset({layout.REPORT})).items()
            },
            problems=[],
            refusal_code="",
            exit_code=0,
            machine="by hand",
        )
        files.write_record(folder / layout.REPORT, report)


def a_project(root: Path, *, rows: int = 400) -> Path:
    """Write charter.yaml, params.yaml, a data contract and a table of parts, a quarter of them bad."""
    rng = np.random.default_rng(7)
    torque, wear = rng.permutation(np.linspace(20.0, 73.3, rows)), rng.uniform(0, 200, rows)
    lines = [f"{number},{nm:.6f},{minutes:.6f},{'LMH'[number % 3]},{int(nm > LIMIT_NM)}" for number, (nm, minutes) in enumerate(zip(torque, wear, strict=True))]
    torque_decides, *others = a_plain_charter()["features"]
    features = [{**torque_decides, "why_it_may_decide_alone": "In this test a part is bad when it took too much torque."}, *others]
    contents = {
        "charter.yaml": json.dumps(a_plain_charter(data={"source": "data/parts.csv"}, features=features), indent=1),
        "params.yaml": json.dumps({"seed": 7, "families": ["logistic"]}),
        "expectations/suite.json": json.dumps({"name": "data contract", "expectations": []}),
        "data/parts.csv": "\n".join(["UDI,Torque [Nm],Tool wear [min],Type,Target", *lines]) + "\n",
        "data/DATA_CARD.md": "# parts.csv\n\nDrawn at random for a test.\n",
    }
    for name, content in contents.items():
        files.write_atomically(root / name, content.encode())
    return root


def ingested(project: Path, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda parts: parts) -> Run:
    """Perform charter and ingest on the project's parts, changed."""
    source = project / "data/parts.csv"
    change(pd.read_csv(source)).to_csv(source, index=False)
    run = Run(root=project / "run")
    run.perform("charter")
    run.perform("ingest")
    return run


def a_run(
    root: Path,
    *,
    slope: float = RIGHT,
    threshold: float = 0.5,
    figure: float = 1.0,
    labels: bytes | None = None,
    sealed_rows: int | None = None,
    server_memory_mb: float = 90.0,
    replayed_on: str = "x86_64",
    **charter_changes: Any,
) -> Run:
    """Make a run up to the gate's door; `labels` replaces the sealed labels' file, `sealed_rows` cuts the sealed set, and `figure` is replay's."""
    run = Run(root=root)
    run.perform("charter")
    run.perform("ingest")
    if labels is not None or sealed_rows is not None:
        _change_sealed_set(run, labels, sealed_rows)
    charter = a_charter(data={"source": "data/parts.csv"}, **charter_changes)
    model = a_model(charter, slope)
    run.write("validate", {layout.VALIDATION_JSON: Validation(declared=1, evaluated=1, warnings=[], drift={}, auc_alone={})})
    run.write("train", {layout.MODELS_JSON: Models(models=[])})
    run.write("export", {layout.GRAPHS_JSON: Graphs(graphs=[])})
    run.write("compress", {layout.VARIANTS_JSON: Variants(variants=[])})
    run.write("benchmark", {layout.TIMINGS_JSON: fast_timings()})
    candidate: dict[str, Record | bytes] = {
        layout.CANDIDATE_JSON: a_candidate(run, charter, model, threshold),
        layout.CANDIDATE_MODEL: model,
        layout.EVALUATION_JSON: an_evaluation(charter),
    }
    run.write("evaluate", candidate)
    rehearsal = a_rehearsal(server_memory_mb=server_memory_mb, machine=a_machine(architecture=replayed_on))
    run.write("replay", {layout.REHEARSAL_JSON: rehearsal}, figure=figure)
    return run


def killed_at(function: str, run: Run, step: str) -> None:
    """Perform a step in a process of its own that is killed where it would call the function, named with its module and class."""
    owner, name = function.rsplit(".", 1)
    code = (
        "import os, signal; from pathlib import Path; from pkgutil import resolve_name; from artifacts import Run;"
        f"setattr(resolve_name({owner!r}), {name!r}, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL));"
        f"Run(root=Path({str(run.root)!r})).perform({step!r})"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(layout.__file__).parents[1])])
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def a_model(charter: Charter, slope: float) -> bytes:
    """Make the ONNX file probability = sigmoid(slope * (torque - limit)), with one input per declared feature."""
    from onnx import TensorProto, helper

    kinds = {"number": TensorProto.FLOAT, "category": TensorProto.STRING}
    inputs = [helper.make_tensor_value_info(each.name, kinds[each.kind], [None, 1]) for each in charter.features]
    output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])
    constants = [helper.make_tensor(name, TensorProto.FLOAT, [1], [value]) for name, value in (("limit", LIMIT_NM), ("slope", slope))]
    nodes = [
        helper.make_node("Sub", ["Torque [Nm]", "limit"], ["over"]),
        helper.make_node("Mul", ["over", "slope"], ["steep"]),
        helper.make_node("Sigmoid", ["steep"], ["probability"]),
    ]
    graph = helper.make_graph(nodes, "one line", inputs, [output], constants)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


def a_candidate(run: Run, charter: Charter, model: bytes, threshold: float) -> Candidate:
    """Freeze a model under the run's charter."""
    return Candidate(
        project=charter.project,
        charter_sha256=files.sha256_of_file(run.folder("agreement") / layout.CHARTER_JSON),
        variant="one line, float32",
        family="logistic",
        technique="float32",
        model_sha256=files.sha256_of(model),
        threshold=threshold,
        calibration=Calibration(slope=1.0, intercept=0.0),
        inputs=[CandidateInput(name=each.name, kind=each.kind) for each in charter.features],
    )


def an_evaluation(charter: Charter) -> Evaluation:
    """Assess the one variant on a dev set where it made no error."""
    confusion = Confusion(positives=25, missed=0, negatives=75, false_alarms=0)
    money = worth(charter, confusion, seed=7)
    assessment = Assessment(
        variant="one line, float32",
        counted=confusion,
        money=money,
        limits=[],
        chance_of_go=0.9,
        expected_p99_ms=1.0,
        is_expected_to_pass=True,
        cpu_us_per_call=50.0,
        monthly_cost=Interval(low=120.0, middle=120.0, high=120.0),
        cost_per_million=Interval(low=0.0045, middle=0.0046, high=0.0048),
    )
    return Evaluation(
        assessments=[assessment],
        frozen="one line, float32",
        why="the only one",
        at_half=AtHalf(accuracy=1.0, confusion=confusion, limits=[], money=money.per_period, overall="GO"),
        curve=a_curve(),
        threshold_by_costs=0.02,
    )


def a_curve() -> list[CurvePoint]:
    """Draw a value curve that rises to the threshold in the middle and falls behind it."""
    return [
        CurvePoint(
            threshold=at / 20,
            missed_share=at / 20,
            false_alarm_share=1 - at / 20,
            money=Interval(low=-200.0 * (at - 10) ** 2 + 5000, middle=-200.0 * (at - 10) ** 2 + 9000, high=-200.0 * (at - 10) ** 2 + 12000),
        )
        for at in range(21)
    ]


def fast_timings() -> Timings:
    """Time the one variant well within the charter's limits, on the charter's hardware."""
    timing = Timing(
        variant="one line, float32",
        single_p50_us=40,
        single_p95_us=50,
        single_p99_us=60,
        cpu_us_per_call=Interval(low=49.0, middle=50.0, high=52.0),
        ratio=Interval(low=1.0, middle=1.0, high=1.0),
        ratio_to="one line, float32",
        cpu_ratio=Interval(low=1.0, middle=1.0, high=1.0),
        rounds_kept=20,
        rounds_dropped=0,
        is_steady=True,
        open_loop_rate_per_s=200,
        open_loop_calls=500,
        open_loop_p50_ms=0.1,
        open_loop_p95_ms=0.2,
        open_loop_p99_ms=0.3,
        open_loop_p99_low_ms=0.2,
        open_loop_p99_high_ms=0.5,
        latency_verdict="PASS",
        latency_why="",
        looks=1,
        null_p99_ms=0.02,
        own_p99_ms=0.06,
        highest_rate_per_s=20_000,
        rows_per_s={"1": 25_000.0, "16": 200_000.0, "256": 1_000_000.0},
        cost_per_million=Interval(low=0.0045, middle=0.0046, high=0.0048),
        rss_mb=70,
        load_ms=5,
        first_call_ms=1,
        memory_mb=80,
        size_mb=0.1,
    )
    report = TargetReport(
        target="", machine=a_machine(), pinned_cores=[0], differences=[], noise=Noise(lost=0.0, stolen=0.0, waiting=0.0), timings=[timing], not_timed={}
    )
    return Timings(confidence=0.95, targets=[report])


def changed(measured: Timings, **changes: Any) -> Timings:
    """Change the one report of timings."""
    return measured.model_copy(update={"targets": [measured.targets[0].model_copy(update=changes)]})


def _change_sealed_set(run: Run, labels: bytes | None, sealed_rows: int | None) -> None:
    rows, truth = run.folder("data") / layout.SPLIT_FILES["sealed"], run.folder("sealed_labels") / layout.SEALED_LABELS
    if sealed_rows is not None:
        for path in (rows, truth):
            pd.read_parquet(path).head(sealed_rows).to_parquet(path, index=False)
    if labels is not None:
        truth.write_bytes(labels)
    splits = run.read("data", layout.SPLITS_JSON, Splits)
    sealed = Split(rows=splits.sealed.rows, counts=splits.sealed.counts, sha256=files.sha256_of_file(rows))
    changed = splits.model_copy(update={"sealed": sealed, "sealed_labels_sha256": files.sha256_of_file(truth)})
    run.write("ingest", {layout.SPLITS_JSON: changed})
