"""A verdict in words: money, people, what is not proven, and where the rows come from."""

from __future__ import annotations

from artifacts import A_DIGEST, an_evaluation, fast_timings
from builders import a_charter

from poc.rules.charter import Charter
from poc.rules.describe import description, for_people, in_one_line, provenance
from poc.rules.evidence import Calibration, Candidate, CandidateInput, Confusion, Verdict
from poc.rules.value import worth
from poc.rules.verdict import judge, overall

ERRORS = Confusion(positives=400, missed=8, negatives=3600, false_alarms=180)
CARD = "# parts.csv\n\n**Synthetic data.** Nobody\nmeasured it.\n\n| a | table |\n"


def a_verdict(charter: Charter, *, differences: list[str] | None = None) -> Verdict:
    timings, money = fast_timings(), worth(charter, ERRORS, seed=7)
    limits = judge(charter, ERRORS, money, timings.timings[0], differences or [])
    return Verdict(
        overall=overall(limits),
        limits=limits,
        money=money,
        counted=ERRORS,
        candidate_sha256=A_DIGEST,
        sealed_sha256=A_DIGEST,
        look=1,
        looks_allowed=1,
        repeated=False,
        unproven=[limit.name for limit in limits if limit.verdict == "NOT PROVEN"],
    )


def a_page(*, data_card: str | None = CARD, differences: list[str] | None = None) -> str:
    charter = a_charter()
    candidate = Candidate(
        project=charter.project,
        charter_sha256=A_DIGEST,
        variant="logistic.float32",
        family="logistic",
        technique="float32",
        model_sha256=A_DIGEST,
        threshold=0.25,
        calibration=Calibration(slope=1.0, intercept=0.0),
        inputs=[CandidateInput(name=feature.name, kind=feature.kind) for feature in charter.features],
    )
    verdict = a_verdict(charter, differences=differences)
    return description(charter, candidate, verdict, an_evaluation(charter), fast_timings(), data_card=data_card)


def test_one_line_says_verdict_money_and_errors_of_a_thousand() -> None:
    line = in_one_line(a_verdict(a_charter()))
    assert line.startswith("GO: every limit of the charter is shown to be met. Against today's process +")
    assert line.endswith("of 1,000 positives 20 are missed, of 1,000 others 50 raise a false alarm.")  # 8 / 400 and 180 / 3,600


def test_what_is_not_proven_is_named() -> None:
    line = in_one_line(a_verdict(a_charter(), differences=["another architecture"]))
    assert line.startswith("NOT PROVEN:") and "latency p99" in line


def test_people_are_told_counts_beside_todays() -> None:
    # 30,000 decisions, 3.4 %: 1,020 positive, 28,980 others; 2 % and 45 % missed, 5 % and 4 % false alarms
    said = for_people(a_charter(), ERRORS)
    assert said == "A month with 30,000 decisions, 1,020 of them positive: about 20 missed (459 today) and 1,449 false alarms (1,159 today)."


def test_a_data_cards_first_paragraph_says_what_the_rows_are() -> None:
    assert provenance(CARD) == "**Synthetic data.** Nobody measured it."


def test_without_a_data_card_the_page_says_so() -> None:
    assert "No data card says what the rows are" in a_page(data_card=None)
    assert "No data card says what the rows are" in a_page(data_card="# only a title\n")


def test_the_page_says_draft_synthetic_and_what_stays_open() -> None:
    page = a_page()
    assert "**DRAFT:**" in page and "**Synthetic data.**" in page and "how the model ages" in page


def test_every_limit_has_a_row_with_its_verdict() -> None:
    lines = [line.replace("\u00a0", "") for line in a_page().splitlines()]
    assert "| missed share | **GO** | 2.0% | 1.0% to 3.6% | at most 12.0% |" in lines
    assert sum("| **GO** |" in line for line in lines) == len(a_verdict(a_charter()).limits)


def test_what_differs_from_the_charters_hardware_stands_in_the_limits() -> None:
    assert "| latency p99\u00a0\u00a0 | **NOT PROVEN**" in a_page(differences=["another architecture"])


def test_a_paragraph_is_one_line_because_mlflow_breaks_at_every_line_end() -> None:
    blocks = a_page().strip().split("\n\n")
    assert [block for block in blocks if "\n" in block and not block.startswith("|")] == []


def test_every_figure_has_a_unit_and_no_chance_is_certain() -> None:
    page = " ".join(a_page().split())
    assert "| 0.3 ms | 0.2 to 0.5 ms | at most 5 ms |" in page
    assert "the chance of a loss is under 0.1%, that of the agreed minimum" in page and "over 99.9%" in page
