"""Every guard, where it stands: a step that is given a break refuses, and with the guard taken out it no longer does.

`tests/test_guards.py` is about what a guard says of facts; this is about whether the steps ask it. Each call of a guard has a case here that no other
call of that guard would catch; the cases of one guard in one module stand in the order of its calls there.
"""

from __future__ import annotations

import ast
import json
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from artifacts import NOT_A_NUMBER, Run, a_run, ingested
from builders import a_charter
from mlflow import MlflowClient
from samples import EMPTY, ONLY_TORQUE, TORQUE, a_sample, validated
from small_models import a_candidate, a_model, a_tree_that_converts_wrongly, an_agreement, dev_data

from poc import layout
from poc.errors import Problem, Refused
from poc.rules import guards
from poc.rules.evidence import Candidate, Graphs, Models, Splits, Validation, Verdict
from poc.steps.inputs import charter_of, rows_of
from poc.steps.perform import LOGGED_BY_LAUNCHER
from poc.steps.replay import replay
from poc.tools import files, tracking

pytestmark = [pytest.mark.slow, pytest.mark.server]
STEPS = Path(guards.__file__).parents[1] / "steps"
Case = Callable[[Path], object]
CASES: list[tuple[str, str, Case]] = []


def breaks(guard: str, where: str) -> Callable[[Case], Case]:
    """Enter a case: it performs a step of the module `where` on what `guard` must refuse there."""

    def enter(case: Case) -> Case:
        CASES.append((guard, where, case))
        return case

    return enter


def copied(project: Path, into: str, out_of: Sequence[str], *, jitter: float = 0.0) -> Run:
    """Ingest with rows of one split overwritten by rows of others, label by label, so that every row stays in its split."""
    run = ingested(project)
    keys = {name: pd.read_parquet(run.folder("data") / layout.SPLIT_FILES[name], columns=["UDI"])["UDI"] for name in ("train", "dev", "sealed")}

    def change(parts: pd.DataFrame) -> pd.DataFrame:
        parts = parts.set_index("UDI", drop=False)
        for label in (0, 1):
            taken = parts[parts["Target"] == label]
            sources = [key for name in out_of for key in keys[name] if key in taken.index]
            targets = [key for key in keys[into] if key in taken.index]
            for target, origin in zip(targets[:5], sources, strict=False):
                parts.loc[target, ["Torque [Nm]", "Tool wear [min]", "Type"]] = parts.loc[origin, ["Torque [Nm]", "Tool wear [min]", "Type"]].to_numpy()
                parts.loc[target, "Torque [Nm]"] += jitter  # of a spread of about 50
        return parts

    return ingested(project, change)


def fresh(project: Path) -> Path:
    folder = project / "split"
    folder.mkdir()
    return folder


def by_hand_up_to_train(project: Path) -> Run:
    run = ingested(project)
    run.write("validate", {layout.VALIDATION_JSON: Validation(declared=1, evaluated=1, warnings=[], drift={}, auc_alone={})})
    return run


@breaks("keys_are_unique", "ingest")
def _(project: Path) -> object:
    return ingested(project, lambda parts: parts.assign(UDI=parts["UDI"].clip(lower=1)))


@breaks("split_can_be_judged", "ingest")
def _(project: Path) -> object:
    return ingested(project, lambda parts: parts.assign(Target=(parts["UDI"] == 3).astype(int)))


@breaks("splits_share_no_rows", "ingest")
def _(project: Path) -> object:
    return copied(project, "dev", ["train"])


@breaks("splits_share_no_rows", "ingest")
def _(project: Path) -> object:
    return copied(project, "sealed", ["train"])


@breaks("splits_hold_no_near_duplicates", "ingest")
def _(project: Path) -> object:
    return copied(project, "dev", ["train"], jitter=1e-4)


@breaks("splits_hold_no_near_duplicates", "ingest")
def _(project: Path) -> object:
    return copied(project, "sealed", ["train"], jitter=1e-4)


@breaks("contract_was_checked", "validate")
def _(project: Path) -> object:
    return validated(fresh(project), a_sample(), suite=EMPTY)


@breaks("contract_is_kept", "validate")
def _(project: Path) -> object:
    return validated(fresh(project), a_sample().drop(columns=TORQUE).assign(Other=1.0), suite=ONLY_TORQUE)


@breaks("splits_look_alike", "validate")
def _(project: Path) -> object:
    table = a_sample()
    table.loc[600:, TORQUE] += 30
    return validated(fresh(project), table, suite=ONLY_TORQUE)


@breaks("no_column_gives_the_answer_away", "validate")
def _(project: Path) -> object:
    return validated(fresh(project), a_sample().assign(Target=lambda rows: (rows[TORQUE] > 50).astype("int8")), suite=ONLY_TORQUE)


@breaks("something_was_fitted", "train")
def _(project: Path) -> object:
    run = by_hand_up_to_train(project)
    train = run.folder("data") / layout.SPLIT_FILES["train"]
    pd.read_parquet(train).assign(Target=0).astype({"Target": "int8"}).to_parquet(train, index=False)
    return run.perform("train")


@breaks("result_is_believable", "train")
def _(project: Path) -> object:
    run = by_hand_up_to_train(project)
    charter = charter_of(run.folder("agreement"))
    unexcused = [feature.model_copy(update={"why_it_may_decide_alone": None}) for feature in charter.features]
    files.write_record(run.folder("agreement") / layout.CHARTER_JSON, charter.model_copy(update={"features": unexcused}))
    return run.perform("train")


@breaks("graph_equals_estimator", "export")
def _(project: Path) -> object:
    run = by_hand_up_to_train(project)
    run.perform("train")
    rows = rows_of(run.folder("data"), "train", charter_of(run.folder("agreement")))
    tree = a_tree_that_converts_wrongly().fit(rows.frame(), rows.labels)
    joblib.dump(tree, run.folder("models") / run.read("models", layout.MODELS_JSON, Models).models[0].file)
    return run.perform("export")


@breaks("answers_are_valid", "rungs")
def _(project: Path) -> object:
    run = by_hand_up_to_train(project)
    run.perform("train")
    run.perform("export")
    (graph,) = run.read("graphs", layout.GRAPHS_JSON, Graphs).graphs
    (run.folder("graphs") / graph.file).write_bytes(a_model(bias=NOT_A_NUMBER))
    return run.perform("compress")


@breaks("every_row_is_served", "replay")
def _(project: Path) -> object:
    return rehearse(project, candidate=a_candidate(project / "no probability", a_model(bias=float("nan"))))


@breaks("features_arrive_in_time", "replay")
def _(project: Path) -> object:
    feature = a_charter().features[0].model_copy(update={"available": "batch", "delay_seconds": 60, "max_age_seconds": 10})
    late = a_charter().model_copy(update={"features": [feature, *a_charter().features[1:]]})
    rehearse(project, agreement=an_agreement(project / "late", late))
    return None


@breaks("live_features_equal_batch", "replay")
def _(project: Path) -> object:
    # Nothing says that a value an hour old may be used, and nothing tells what was known when each part was decided.
    features = [feature.model_copy(update={"available": "streamed", "max_age_seconds": None}) for feature in a_charter().features[1:2]]
    stale = a_charter().model_copy(update={"features": [a_charter().features[0], *features, a_charter().features[2]]})
    return rehearse(project, agreement=an_agreement(project / "stale", stale))


@breaks("served_equals_batch", "replay")
def _(project: Path) -> object:
    return rehearse(project, candidate=a_candidate(project / "neighbours", a_model(looks_at_its_neighbours=True)))


@breaks("digests_agree", "frozen")
def _(project: Path) -> object:
    candidate = a_candidate(project / "candidate")
    (candidate / layout.CANDIDATE_MODEL).write_bytes(a_model(bias=-3.9))
    return rehearse(project, candidate=candidate)


def rehearse(project: Path, *, agreement: Path | None = None, candidate: Path | None = None) -> object:
    return replay(
        agreement=agreement or an_agreement(project / "agreement"),
        data=dev_data(project / "dev data"),
        candidate=candidate or a_candidate(project / "candidate"),
        rehearsal=project,
    )


@breaks("evidence_is_whole", "judged")
def _(project: Path) -> object:
    run = a_run(project / "run")
    (run.folder("timings") / layout.REPORT).unlink()
    return run.perform("gate")


@breaks("digests_agree", "judged")
def _(project: Path) -> object:
    run = a_run(project / "run")
    frozen = run.read("candidate", layout.CANDIDATE_JSON, Candidate)
    run.write("evaluate", {layout.CANDIDATE_JSON: frozen.model_copy(update={"charter_sha256": "0" * 64})})
    run.write("replay", {})
    return run.perform("gate")


@breaks("digests_agree", "judged")
def _(project: Path) -> object:
    run = a_run(project / "run")
    with (run.folder("timings") / layout.TIMINGS_JSON).open("a") as edited:
        edited.write(" ")
    return run.perform("gate")


@breaks("numbers_are_finite", "judged")
def _(project: Path) -> object:
    return a_run(project / "run", figure=NOT_A_NUMBER).perform("gate")


@breaks("digests_agree", "gate")
def _(project: Path) -> object:
    run = a_run(project / "run")
    splits = run.read("data", layout.SPLITS_JSON, Splits)
    run.write("ingest", {layout.SPLITS_JSON: splits.model_copy(update={"sealed_labels_sha256": "0" * 64})})
    restated(run)
    return run.perform("gate")


@breaks("digests_agree", "gate")
def _(project: Path) -> object:
    a_run(project / "first").perform("gate")
    (look,) = tracking.looks("stop-bad-parts")
    (stored,) = (path for path in (project / ".poc/mlartifacts").rglob(layout.VERDICT_JSON) if look.run_id in path.parts)
    stored.write_text(stored.read_text().replace('"GO"', '"NO-GO"', 1))
    return a_run(project / "second").perform("gate")


@breaks("looks_are_chained", "gate")
def _(project: Path) -> object:
    a_run(project / "first").perform("gate")
    (look,) = tracking.looks("stop-bad-parts")
    MlflowClient(tracking.tracking_uri()).set_tag(look.run_id, "poc.look_before", "1" * 64)
    return a_run(project / "second").perform("gate")


@breaks("a_look_is_left", "gate")
def _(project: Path) -> object:
    a_run(project / "first").perform("gate")
    return a_run(project / "second", threshold=0.6).perform("gate")


@breaks("split_can_be_judged", "gate")
def _(project: Path) -> object:
    return a_run(project / "run", sealed_rows=0).perform("gate")


@breaks("answers_are_valid", "gate")
def _(project: Path) -> object:
    return a_run(project / "run", slope=NOT_A_NUMBER).perform("gate")


@breaks("digests_agree", "register")
def _(project: Path) -> object:
    run = a_run(project / "run")
    run.perform("gate")
    found = run.read("verdict", layout.VERDICT_JSON, Verdict)
    run.write("gate", {layout.VERDICT_JSON: found.model_copy(update={"candidate_sha256": "0" * 64})})
    return run.perform("register")


@breaks("digests_agree", "register")
def _(project: Path) -> object:
    run = a_run(project / "run")
    run.perform("gate")
    run.perform("register")
    (stored,) = (project / ".poc/mlartifacts").rglob("model.onnx")
    stored.write_bytes(stored.read_bytes() + b" ")
    return run.perform("register")


@breaks("digests_agree", "decide")
def _(project: Path) -> object:
    run = a_run(project / "run", slope=-1.0)
    run.perform("gate")
    run.perform("register")
    found = run.read("verdict", layout.VERDICT_JSON, Verdict)
    run.write("gate", {layout.VERDICT_JSON: found.model_copy(update={"overall": "GO"})})
    registered = json.loads((run.folder("version") / layout.VERSION_JSON).read_text())
    run.write("register", {layout.VERSION_JSON: json.dumps(registered | {"verdict": "GO"}).encode()})
    return run.perform("decide")


def restated(run: Run) -> None:
    """Write the reports after ingest again, so that each speaks of what lies there now."""
    for step in ("validate", "train", "export", "compress", "benchmark", "evaluate", "replay"):
        run.write(step, {})


def code_of(case: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Perform a case; return the refusal's code, or what else came of it."""
    monkeypatch.setenv(LOGGED_BY_LAUNCHER, "1")  # logging every step's report to MLflow takes longer than the steps
    monkeypatch.setenv("MLFLOW_RUN_ID", tracking.open_run("stop-bad-parts", name="a run", candidate=True))
    try:
        case(project)
    except Refused as refused:
        return refused.code
    except Exception as error:  # without its guard a step may well fall over
        return type(error).__name__
    return "not refused"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A place where a step calls a guard."""

    guard: str
    module: str
    lines: range

    def take_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this call find nothing, and every other call of the guard look as before."""
        check = guards.GUARDS[self.guard]

        def elsewhere(*args: Any, **kwargs: Any) -> list[Problem]:
            is_here = any(Path(frame.f_code.co_filename) == STEPS / f"{self.module}.py" and line in self.lines for frame, line in traceback.walk_stack(None))
            return [] if is_here else check(*args, **kwargs)

        monkeypatch.setitem(guards.GUARDS, self.guard, elsewhere)


def calls_in(path: Path) -> list[Call]:
    """List a module's calls of guards, from its first line to its last."""
    found = [
        Call(guard=node.func.attr, module=path.stem, lines=range(node.lineno, (node.end_lineno or node.lineno) + 1))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "guards"
    ]
    return sorted(found, key=lambda call: call.lines.start)


CALLS = [call for path in sorted(STEPS.glob("*.py")) for call in calls_in(path)]


def cases() -> list[Any]:
    """Pair each call with its case: the first of a guard in a module with the first, and so on."""
    left = {key: [case for guard, module, case in CASES if (guard, module) == key] for key in {(guard, module) for guard, module, _ in CASES}}
    return [pytest.param(call, left[call.guard, call.module].pop(0), id=f"{call.module}-{call.guard}") for call in CALLS if left.get((call.guard, call.module))]


@pytest.mark.parametrize(("call", "case"), cases())
def test_the_step_refuses(call: Call, case: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_of(case, project, monkeypatch) == call.guard


@pytest.mark.parametrize(("call", "case"), cases())
def test_with_this_call_taken_out_it_does_not(call: Call, case: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call.take_out(monkeypatch)
    assert code_of(case, project, monkeypatch) != call.guard


def test_every_call_of_a_guard_has_a_case_of_its_own() -> None:
    assert Counter((guard, module) for guard, module, _ in CASES) == Counter((call.guard, call.module) for call in CALLS)
    assert {call.guard for call in CALLS} == set(guards.GUARDS)


def test_no_step_calls_a_guard_by_another_name_where_it_would_not_be_found() -> None:
    assert [path.name for path in STEPS.glob("*.py") if "guards import" in path.read_text() or "guards as" in path.read_text()] == []
