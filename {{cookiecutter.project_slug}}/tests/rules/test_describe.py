"""A verdict in words: as one line, and as the Markdown page that MLflow shows."""

from __future__ import annotations

from briefs import ATTACK, TOO_MANY, a_brief, a_judged, an_attack

from poc.rules.describe import description, in_one_line


def a_page(**changes: object) -> str:
    return description(a_brief(**changes))


def test_one_line_says_verdict_money_and_errors_of_a_thousand() -> None:
    line = in_one_line(a_judged().verdict)
    assert line.startswith("GO: every limit of the charter is shown to be met. Against today's process +")
    assert line.endswith("of 1,000 positives 20 are missed, of 1,000 others 50 raise a false alarm.")  # 8 / 400 and 180 / 3,600


def test_what_is_not_proven_is_named() -> None:
    line = in_one_line(a_judged(differences=("another architecture",)).verdict)
    assert line.startswith("NOT PROVEN:") and "latency p99" in line


def test_the_one_line_and_the_page_name_the_same_money() -> None:
    judged, brief = a_judged(), a_brief()
    assert f"{brief.money.figure} EUR per month" in in_one_line(judged.verdict) and f"{brief.money.figure} EUR a month" in description(brief).replace(
        "&#43;", "+"
    )


def test_the_page_says_draft_synthetic_and_what_stays_open() -> None:
    page = a_page()
    assert "**DRAFT:**" in page and "Synthetic data." in page and "How the model ages" in page


def test_every_limit_has_a_row_with_its_verdict() -> None:
    lines = [" ".join(line.split()) for line in a_page().partition("### Limits")[2].partition("###")[0].splitlines()]
    assert "| cases to catch that are missed | ✓ GO | 2 % | 1 to 3.6 % | at most 12 % |" in lines
    assert sum("| ✓ GO |" in line for line in lines) == len(a_judged().verdict.limits)


def test_a_no_go_says_so_first() -> None:
    assert a_page(confusion=TOO_MANY).startswith("## NO-GO: Stop this part before it leaves the cell?")


def test_a_paragraph_is_one_line_because_mlflow_breaks_at_every_line_end() -> None:
    blocks = a_page().strip().split("\n\n")
    assert [block for block in blocks if "\n" in block and not block.startswith("|")] == []


def test_markup_in_the_charter_is_shown_and_neither_read_nor_breaks_a_table() -> None:
    page = a_page(data_card=f"{ATTACK}\n", **an_attack())
    assert "<script" not in page and "](http" not in page and "**bold**" not in page and "alert(1)" in page
    widths = {line.count("|") for line in page.partition("### Limits")[2].partition("###")[0].splitlines() if line.startswith("|")}
    assert widths == {6}
