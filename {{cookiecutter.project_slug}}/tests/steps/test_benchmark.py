"""The benchmark on small real models: what it measures, what it leaves out and why, and that it never refuses."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifacts import fast_timings
from builders import a_charter, a_money
from measured import HERE, measure, measure_all
from small_models import WEAR, a_model, dev_data, some_rows, some_variants

from poc import layout
from poc.rules.evidence import Confusion, Interval, LimitVerdict, Noise, Technique, Timings, Variants
from poc.rules.hardware import INSTRUCTION_SETS
from poc.rules.verdict import judge
from poc.steps import benchmark as step
from poc.steps import timed_variants, timing
from poc.tools import files, machine

slow = pytest.mark.slow


@slow
def test_a_variant_is_timed_on_the_charters_hardware(tmp_path: Path) -> None:
    found = measure(tmp_path, {"small": a_model()})
    (timed,) = found.timings
    assert (found.not_timed, found.machine.architecture) == ({}, HERE)
    assert 0 < timed.single_p50_us <= timed.single_p95_us <= timed.single_p99_us < 1e6
    assert 0 < timed.open_loop_p50_ms <= timed.open_loop_p95_ms <= timed.open_loop_p99_ms
    assert timed.open_loop_p99_low_ms <= timed.open_loop_p99_ms <= timed.open_loop_p99_high_ms
    assert (timed.open_loop_rate_per_s, timed.latency_verdict in ("PASS", "NOISY", "INCONCLUSIVE")) == (2000.0, True)
    assert (timed.ratio_to, list(timed.rows_per_s)) == ("small", ["1", "16", "256"])
    assert 0 < timed.rss_mb <= timed.memory_mb
    assert 0 <= timed.cost_per_million.low <= timed.cost_per_million.middle <= timed.cost_per_million.high
    assert 10 < timed.memory_mb < 400
    assert timed.load_ms > 0
    assert timed.first_call_ms > 0
    assert timed.size_mb == pytest.approx(len(a_model()) / 1e6)
    if platform.system() == "Linux":
        assert (found.differences, len(found.pinned_cores)) == ([], 1)


@slow
def test_the_benchmark_gives_the_process_its_cores_back(tmp_path: Path) -> None:
    before = machine.available()
    measure(tmp_path, {"small": a_model()})
    assert machine.available() == before


def targets(**cores: int) -> list[dict[str, Any]]:
    """Name machines like this one, but for their cores and their price, which doubles from each to the next."""
    alike = {"architecture": HERE, "memory_mb": 64}
    return [{**alike, "name": name, "cores": n, "monthly_cost": 120 * 2**at} for at, (name, n) in enumerate(cores.items())]


@slow
def test_targets_that_are_pinned_alike_are_timed_once_and_each_has_its_own_price_and_differences(tmp_path: Path) -> None:
    charter = a_charter(limits={"hardware": targets(box=255, rack=256), "arrivals_per_second": 2000, "monthly_budget": 400})
    box, rack = measure_all(tmp_path, {"small": a_model()}, charter=charter)
    [one], [other] = box.timings, rack.timings
    assert (box.target, rack.target) == ("box", "rack")
    assert (one.single_p50_us, one.open_loop_p99_ms, one.cpu_us_per_call) == (other.single_p50_us, other.open_loop_p99_ms, other.cpu_us_per_call)
    assert other.cost_per_million.middle / one.cost_per_million.middle == pytest.approx(2 * 255 / 256)
    assert [report.differences[0].partition(",")[0] for report in (box, rack)] == ["cores: the charter says 255", "cores: the charter says 256"]


@slow
@pytest.mark.skipif(len(machine.available()) < 2, reason="this machine has one core")
def test_targets_that_are_pinned_otherwise_are_timed_each_for_itself(tmp_path: Path) -> None:
    one, two = measure_all(tmp_path, {"small": a_model()}, charter=a_charter(limits={"hardware": targets(one=1, two=2), "arrivals_per_second": 2000}))
    assert [(report.target, len(report.pinned_cores), report.differences) for report in (one, two)] == [("one", 1, []), ("two", 2, [])]
    assert one.timings[0].single_p50_us != two.timings[0].single_p50_us


def test_every_target_has_its_report_where_nothing_is_timed(tmp_path: Path) -> None:
    reports = measure_all(tmp_path, {"small": a_model()}, missed=40, charter=a_charter(limits={"hardware": targets(one=1, rack=256)}))
    assert [(report.target, report.timings, list(report.not_timed)) for report in reports] == [("one", [], ["small"]), ("rack", [], ["small"])]
    assert reports[1].differences[0].startswith("cores: the charter says 256")


def latency_judged(tmp_path: Path, hardware: dict[str, Any]) -> LimitVerdict:
    """Time a model that is well within its limit, on this machine, for a charter that asks for another; judge it as the gate does."""
    charter = a_charter(limits={"hardware": {"architecture": HERE, "cores": 1, "memory_mb": 64, "monthly_cost": 120, **hardware}, "latency_p99_ms": 10_000})
    report = measure(tmp_path, {"small": a_model()}, charter=charter)
    speeds = Timings(confidence=0.95, targets=[report]).speeds("small")
    assert speeds[0].timing is not None
    counted, money = Confusion(positives=136, missed=5, negatives=3864, false_alarms=700), a_money()
    return next(limit for limit in judge(charter, counted, money, speeds) if limit.name == "latency_p99")


@slow
def test_on_a_machine_with_fewer_cores_than_the_charters_nothing_is_proven_and_the_difference_is_named(tmp_path: Path) -> None:
    latency = latency_judged(tmp_path, {"cores": 256})
    assert (latency.verdict, latency.measured < latency.limit) == ("NOT PROVEN", True)
    assert "not on the charter's hardware: cores: the charter says 256, this machine has" in latency.why


@slow
def test_on_a_machine_without_an_instruction_set_of_the_charter_nothing_is_proven_and_it_is_named(tmp_path: Path) -> None:
    lacking = next(name for name in INSTRUCTION_SETS if name not in machine.fingerprint("0").instruction_sets)
    latency = latency_judged(tmp_path, {"instruction_sets": [lacking]})
    assert latency.verdict == "NOT PROVEN"
    assert f"not on the charter's hardware: instruction sets: {lacking} missing on this machine" in latency.why


@slow
def test_a_budget_too_small_for_the_percentile_proves_nothing(tmp_path: Path) -> None:
    (timed,) = measure(tmp_path, {"small": a_model()}, charter=a_charter(limits={"latency_p99_ms": 10_000}), seconds=0.05).timings
    assert (timed.latency_verdict, timed.open_loop_p99_ms < 10_000, timed.open_loop_p99_high_ms) == ("INCONCLUSIVE", True, float("inf"))
    assert "give `benchmark_seconds_per_variant` at least that" in timed.latency_why


@slow
def test_a_model_that_breaks_on_a_later_row_is_left_out_and_the_others_are_timed(tmp_path: Path) -> None:
    rows = some_rows()
    rows[WEAR] = np.float32(range(40))
    models = {"sound": a_model(), "breaks": a_model(breaks_on_wear_from=20), "no model": b"no model"}
    found = measure(tmp_path, models, data=dev_data(tmp_path / "data", rows))
    assert [timed.variant for timed in found.timings] == ["sound"]
    assert set(found.not_timed) == {"breaks", "no model"}
    assert "the timing process ended with 1" in found.not_timed["breaks"]


def test_what_dev_already_rules_out_is_not_timed(tmp_path: Path) -> None:
    # 40 of 100 missed: at least 32 % at 95 % confidence, and the charter allows 12 %.
    found = measure(tmp_path, {"small": a_model()}, missed=40)
    assert found.timings == []
    assert found.not_timed == {"small": "dev rules it out: missed share 40.0%, the charter allows 12%"}
    assert step._headline([found], a_charter()) == "no variant was timed: dev rules it out: missed share 40.0%, the charter allows 12%"


def test_the_headline_counts_verdicts_and_says_how_busy_the_machine_was() -> None:
    [quiet] = fast_timings().targets
    busy = quiet.model_copy(update={"noise": Noise(lost=0.4, stolen=0.0, waiting=0.9), "timings": [*quiet.timings, *quiet.timings]})
    assert step._headline([quiet], a_charter()) == (
        "1 variants, latency 1 PASS; one line, float32 is fastest: p99 0.30 ms (at most 0.50) at 200 requests/s, 50 us CPU; the charter's hardware"
    )
    short = quiet.model_copy(update={"timings": [quiet.timings[0].model_copy(update={"open_loop_p99_high_ms": float("inf")})]})
    assert "p99 0.30 ms (too few calls to bound it) at 200 requests/s" in step._headline([short], a_charter())
    uneven = quiet.model_copy(update={"timings": [quiet.timings[0].model_copy(update={"is_steady": False})]})
    assert "; one line, float32 never ran steadily; the charter's hardware" in step._headline([uneven], a_charter())
    assert "latency 2 PASS" in step._headline([busy], a_charter())
    assert "something else took up to 40% of a round's time; the charter's hardware" in step._headline([busy], a_charter())


@slow
def test_what_dev_does_not_rule_out_is_timed(tmp_path: Path) -> None:
    # 17 of 100 missed: at least 11.1 % at 95 % confidence, so that a limit of 12 % is not shown to be broken.
    assert [timed.variant for timed in measure(tmp_path, {"small": a_model()}, missed=17).timings] == ["small"]


def test_a_variant_is_compared_with_the_float32_of_its_family_or_the_first_that_was_timed(tmp_path: Path) -> None:
    some_variants(tmp_path, {"a": a_model()})
    [plain] = files.read_record(tmp_path / layout.VARIANTS_JSON, Variants).variants
    made: list[tuple[str, str, Technique]] = [
        ("a.int8", "a", "int8-static"),
        ("a.float32", "a", "float32"),
        ("b.thin", "b", "thinned"),
        ("b.fewer", "b", "thinned"),
    ]
    ladder = [plain.model_copy(update={"name": name, "family": family, "technique": technique}) for name, family, technique in made]
    assert timed_variants._compared_with(ladder) == {"a.int8": "a.float32", "a.float32": "a.float32", "b.thin": "b.thin", "b.fewer": "b.thin"}


def test_a_timing_process_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(timed_variants.ChildDied, match="still busy"):
        timed_variants.answer_to({"what": "speed"}, patience_s=0.0)


def test_columns_of_any_name_come_back_as_rows(tmp_path: Path) -> None:
    columns = {"file": np.float32([[1.0], [np.nan]]), "allow_pickle": np.array([["é"], [""]], dtype=object), "a/b [%]": np.float32([[3.0], [4.0]])}
    timing.write_rows(tmp_path / "rows.npz", columns)
    first, second = timing.read_rows(tmp_path / "rows.npz")
    assert list(first) == list(columns)
    assert (first["file"].dtype, first["allow_pickle"].dtype, first["allow_pickle"][0, 0]) == (np.float32, object, "é")
    assert np.isnan(second["file"]).all()


@pytest.mark.parametrize(
    ("figure", "changes"),
    [
        ("ratio", {"ratio": Interval(low=0.0, middle=np.nan, high=np.inf)}),
        ("memory", {"memory_mb": np.nan}),
        ("highest_rate", {"highest_rate_per_s": np.nan}),
        ("cpu_per_call", {"cpu_us_per_call": Interval(low=0.0, middle=np.inf, high=np.inf)}),
    ],
)
def test_what_no_round_or_no_system_could_tell_is_no_figure_of_the_report(figure: str, changes: dict[str, Any]) -> None:
    told = fast_timings().targets[0].timings[0]
    named = [{number.name.removeprefix(f"{told.variant}_") for number in step._numbers(each, "")} for each in (told, told.model_copy(update=changes))]
    assert named[0] - named[1] == {figure}
