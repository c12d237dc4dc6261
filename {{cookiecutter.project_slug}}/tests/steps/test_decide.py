"""The end of a run: recorded first, then said by its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from artifacts import A_DIGEST, Run
from builders import a_charter

from poc import layout
from poc.errors import ExitCode, PocError
from poc.rules.evidence import Confusion, LimitVerdict, Outcome, Verdict, Version
from poc.rules.value import worth

ERRORS = Confusion(positives=400, missed=8, negatives=3600, false_alarms=180)


def judged(project: Path, outcome: Outcome, *, says: Outcome | None = None, registered: Outcome | None = None) -> Run:
    """Write a verdict whose missed share came out as `outcome`, and the version that was registered of it; `says` is the verdict's own word."""
    run = Run(root=project / "run")
    limit = LimitVerdict(name="missed_share", verdict=outcome, measured=0.02, low=0.01, high=0.04, limit=0.12, unit="share", why="8 of 400")
    verdict = Verdict(
        overall=says or outcome,
        limits=[limit],
        money=worth(a_charter(), ERRORS, seed=7),
        counted=ERRORS,
        candidate_sha256=A_DIGEST,
        sealed_sha256=A_DIGEST,
        look=1,
        looks_allowed=1,
        repeated=False,
        unproven=["missed_share"] if outcome == "NOT PROVEN" else [],
    )
    version = Version(
        model="a model", version="3", run_id="a run", verdict=registered or outcome, alias=None, model_sha256=A_DIGEST, run_url="", version_url=""
    )
    run.write("gate", {layout.VERDICT_JSON: verdict})
    run.write("register", {layout.VERSION_JSON: version})
    return run


def test_go_ends_without_an_error(project: Path) -> None:
    assert judged(project, "GO").perform("decide").exit_code == 0


@pytest.mark.parametrize(("outcome", "exit_code"), [("NO-GO", ExitCode.REFUSED), ("NOT PROVEN", ExitCode.NOT_PROVEN)])
def test_anything_else_is_recorded_first_and_then_raised(project: Path, outcome: Outcome, exit_code: ExitCode) -> None:
    run = judged(project, outcome)
    with pytest.raises(PocError) as caught:
        run.perform("decide")
    written = json.loads((run.folder("decision") / layout.DECISION_JSON).read_text())
    assert caught.value.exit_code == exit_code
    assert (written["verdict"], written["version"]) == (outcome, "3")
    assert run.report("decide").status == "decided"


def test_the_error_names_the_limit_that_decided(project: Path) -> None:
    with pytest.raises(PocError) as caught:
        judged(project, "NO-GO").perform("decide")
    assert caught.value.problems[0].where == "missed_share"


@pytest.mark.parametrize("words", [{"says": "GO"}, {"registered": "GO"}, {"says": "GO", "registered": "GO"}])
def test_a_go_that_its_limits_or_its_version_do_not_bear_out_is_refused(project: Path, words: dict[str, Outcome]) -> None:
    with pytest.raises(PocError) as caught:
        judged(project, "NO-GO", **words).perform("decide")
    assert caught.value.code == "digests_agree"


def test_a_verdict_that_was_edited_by_hand_is_refused(project: Path) -> None:
    run = judged(project, "NO-GO")
    path = run.folder("verdict") / layout.VERDICT_JSON
    path.write_text(path.read_text().replace("NO-GO", "GO"))
    with pytest.raises(PocError) as caught:
        run.perform("decide")
    assert caught.value.code == "digests_agree"
