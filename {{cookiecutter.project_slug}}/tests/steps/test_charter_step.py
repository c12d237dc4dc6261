"""Loading the charter: everything that is wrong with a repository at once, and what its limits will need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from artifacts import Run
from builders import a_plain_charter

from poc import layout
from poc.errors import ExitCode, InputRefused
from poc.rules.evidence import Signoff
from poc.rules.signoff import moment
from poc.steps import vouch
from poc.steps.inputs import signoff_of
from poc.tools import files
from signoffs import LOOKED_AT, a_signed_charter, facts, followed, lay_down


def agree(project: Path, **overrides: Any) -> None:
    (project / layout.CHARTER).write_text(json.dumps(a_plain_charter(**{"data": {"source": "data/parts.csv"}, **overrides})))


def refused(project: Path) -> list[str]:
    with pytest.raises(InputRefused) as caught:
        Run(root=project / "run").perform("charter")
    assert caught.value.exit_code == ExitCode.INPUT
    return [problem.what for problem in caught.value.problems]


def test_what_is_wrong_with_charter_parameters_and_folder_comes_at_once(project: Path) -> None:
    (project / layout.SCENARIOS).mkdir()
    (project / layout.SUITE).unlink()
    agree(project, version=0, limits={"missed_share": 45})
    (project / layout.PARAMS).write_text("seed: 7\n")
    assert refused(project) == [
        "the template's hooks were skipped: scenarios/ is still here",
        "there is no data contract",
        "version is 0: input should be greater than or equal to 1",
        "missed_share is 45, but a share lies between 0 and 1",
        "families is missing",
    ]


def test_contradictions_of_the_charter_are_listed_with_the_rest(project: Path) -> None:
    (project / layout.SCENARIOS).mkdir()
    agree(project, limits={"monthly_budget": 1})
    assert refused(project) == ["the template's hooks were skipped: scenarios/ is still here", "one machine costs 120 a month, the budget is 1"]


def test_the_charter_says_how_many_sealed_rows_each_limit_needs(project: Path) -> None:
    agree(project, limits={"missed_share": "0.05", "false_alarm_share": "0.25"})
    report = Run(root=project / "run").perform("charter")
    needed = {number.name: (number.value, number.unit) for number in report.numbers if number.name.startswith("needed")}
    assert needed == {
        **{f"needed_at_{errors}_errors_for_missed_share": (rows, "sealed positives") for errors, rows in enumerate((59, 93, 124, 153))},
        # 0.75**11 = 0.042 and 0.75**10 = 0.056; with two errors 0.75**23 * (1 + 23/3 + 253/9) = 0.0492, of 22 rows it is 0.0607
        **{f"needed_at_{errors}_errors_for_false_alarm_share": (rows, "sealed negatives") for errors, rows in enumerate((11, 18, 23, 29))},
    }
    assert report.headline.endswith("0.05 missed share needs 59, 93, 124 or 153 sealed positives at 0 to 3 errors")


def test_more_looks_need_more_sealed_rows(project: Path) -> None:
    agree(project, limits={"missed_share": "0.05"}, timebox={"looks": 2})
    # 0.95**72 = 0.0249 and 0.95**71 = 0.0262: each of two looks is held to 97.5 %
    assert "needs 72, " in Run(root=project / "run").perform("charter").headline


def test_a_data_card_that_speaks_of_another_file_is_refused(project: Path) -> None:
    (project / "data" / layout.DATA_CARD).write_text("# your_data.csv\n\n**Made up, to be replaced.**\n")
    agree(project)
    assert refused(project) == ["the data card speaks of 'your_data.csv', the charter of 'parts.csv'"]


def test_the_data_card_is_kept_byte_by_byte(project: Path) -> None:
    card = project / "data" / layout.DATA_CARD
    card.write_bytes("# parts.csv\r\n\r\nFr\xe4steile".encode("latin-1"))
    agree(project)
    run = Run(root=project / "run")
    report = run.perform("charter")
    assert (run.folder("agreement") / layout.DATA_CARD_MD).read_bytes() == card.read_bytes()
    assert report.outputs[f"agreement/{layout.DATA_CARD_MD}"] == files.sha256_of_file(card)


def test_the_charter_is_kept_byte_by_byte_for_it_is_what_people_sign(project: Path) -> None:
    (project / layout.CHARTER).write_bytes((project / layout.CHARTER).read_bytes().replace(b"\n", b"\r\n") + b"# a comment\r\n")
    run = Run(root=project / "run")
    report = run.perform("charter")
    assert (run.folder("agreement") / layout.CHARTER_YAML).read_bytes() == (project / layout.CHARTER).read_bytes()
    assert report.outputs[f"agreement/{layout.CHARTER_YAML}"] == files.sha256_of_file(project / layout.CHARTER)


def test_a_source_without_a_card_is_not_refused_for_it(project: Path) -> None:
    (project / "data" / layout.DATA_CARD).unlink()
    agree(project)
    assert Run(root=project / "run").perform("charter").status == "done"


def signed(project: Path, monkeypatch: pytest.MonkeyPatch, **signed: Any) -> Path:
    """Sign this project's charter, and believe the trust files in the folder that is returned."""
    folder = a_signed_charter(project, **signed)
    monkeypatch.setenv("POC_TRUST", str(folder))
    return folder


def begun(project: Path) -> tuple[Signoff, str]:
    """Begin a run; return what it says of the signatures, in a record and in its headline."""
    run = Run(root=project / "run")
    report = run.perform("charter")
    return signoff_of(run.folder("agreement")), report.headline


def test_a_run_under_a_signed_charter_says_who_signed_and_since_when(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(project, monkeypatch)
    signoff, headline = begun(project)
    assert (signoff.mark, signoff.by) == ("", ["sam@example.com as sponsor", "olga@example.com as owner"])
    assert "signed by sam@example.com as sponsor and olga@example.com as owner; " in headline and "DRAFT" not in headline
    assert moment(signoff.signed_at) <= LOOKED_AT


def test_a_run_under_a_charter_that_one_role_has_not_signed_is_a_draft(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(project, monkeypatch, without=[("charter", "owner")])
    signoff, headline = begun(project)
    assert (signoff.mark, signoff.why_not) == ("DRAFT", "charter: nobody has signed as owner") and "unsigned: everything is a DRAFT" in headline


def test_a_charter_that_was_changed_after_it_was_signed_is_unsigned(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(project, monkeypatch)
    with (project / layout.CHARTER).open("ab") as file:
        file.write(b"\n")
    assert begun(project)[0].mark == "DRAFT"


@pytest.mark.parametrize("left", ["nothing", "no trust file"])
def test_where_nothing_can_be_believed_a_run_goes_on_as_a_draft(left: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = signed(project, monkeypatch)
    if left == "nothing":
        monkeypatch.delenv("POC_TRUST")
    else:
        (folder / layout.REVOKED).unlink()
    signoff, headline = begun(project)
    assert signoff.mark == "DRAFT" and "unsigned: everything is a DRAFT" in headline
    assert ("revoked is missing" in signoff.why_not) == (left == "no trust file")


def test_a_signature_that_was_renewed_is_as_old_as_the_first(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(project, monkeypatch)
    before, known = begun(project)[0], vouch.charter_facts(project)
    of = facts(charter=known.charter, charter_sha256=known.charter_sha256)
    lay_down(followed(vouch.ledger_in(project), of, stage="charter", role="sponsor", issued_at=LOOKED_AT), project)
    assert begun(project)[0].signed_at == before.signed_at
