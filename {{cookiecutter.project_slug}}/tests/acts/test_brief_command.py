"""`poc brief`: finding the page, opening it only where somebody sits, printing it."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import pytest
from artifacts import Run, a_project
from briefs import a_brief, a_judged, needs_chromium
from click.testing import CliRunner

from poc import cli, layout
from poc.acts.brief import brief_of, open_page, print_brief
from poc.errors import EnvironmentRefused, ExitCode, InputRefused
from poc.tools import browser
from poc.tools.pages import brief_page


@pytest.fixture
def root(repository: Path) -> Path:
    """Stand in a repository with a charter that can be read."""
    return a_project(repository)


def a_judged_run(root: Path) -> Run:
    run = Run(root=layout.new_run(root) / layout.BY_HAND)
    run.write("gate", {layout.VERDICT_JSON: a_judged().verdict})
    run.write("register", {layout.BRIEF_HTML: brief_page(a_brief())})
    return run


def test_the_newest_run_with_a_verdict_has_the_brief(root: Path) -> None:
    a_judged_run(root)
    run = a_judged_run(root)
    Run(root=layout.new_run(root) / layout.BY_HAND).perform("charter")
    assert brief_of(root) == (run.root.parent, run.folder("version") / layout.BRIEF_HTML)


def test_an_older_run_can_be_named(root: Path) -> None:
    run = a_judged_run(root)
    a_judged_run(root)
    assert brief_of(root, run.root.parent)[0] == run.root.parent


def test_before_any_verdict_it_says_how_to_get_one(root: Path) -> None:
    Run(root=layout.new_run(root) / layout.BY_HAND).perform("charter")
    with pytest.raises(InputRefused) as caught:
        brief_of(root)
    assert "no run has come to a verdict" in str(caught.value) and "poc run --candidate" in str(caught.value)


def test_a_named_run_without_a_verdict_is_refused_even_where_another_has_one(root: Path) -> None:
    a_judged_run(root)
    run = layout.new_run(root)
    with pytest.raises(InputRefused, match="this run has no brief"):
        brief_of(root, run)


def test_json_says_where_it_is_and_opens_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("it was opened"))
    run = a_judged_run(root)
    said = json.loads(CliRunner().invoke(cli.poc, ["brief", "--json"]).output)
    assert said == {"run": str(run.root.parent), "verdict": "GO", "brief": str(run.folder("version") / layout.BRIEF_HTML), "pdf": None}


def test_without_a_terminal_the_path_is_printed_and_nothing_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("it was opened"))
    run = a_judged_run(root)
    assert CliRunner().invoke(cli.poc, ["brief"]).output == f"{run.folder('version') / layout.BRIEF_HTML}\n"


def test_a_page_is_opened_where_there_is_a_screen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    page = a_judged_run(root).folder("version") / layout.BRIEF_HTML
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert not open_page(page) and opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_page(page) and opened == [page.resolve().as_uri()]


def test_a_target_without_pdf_is_a_usage_error(root: Path) -> None:
    assert CliRunner().invoke(cli.poc, ["brief", "--to", "brief.pdf"]).exit_code == ExitCode.USAGE


def test_without_a_browser_printing_is_refused_as_the_machines_lack(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "NAMES", ())
    a_judged_run(root)
    assert cli.call(["brief", "--pdf"]) == ExitCode.ENVIRONMENT


@pytest.mark.slow
@needs_chromium
def test_the_print_lies_beside_the_run_and_changes_no_artifact(root: Path) -> None:
    run = a_judged_run(root)
    before = sorted(run.folder("version").iterdir())
    printed = print_brief(*brief_of(root))
    assert printed == run.root.parent / layout.BRIEF_PDF and printed.read_bytes().startswith(b"%PDF")
    assert sorted(run.folder("version").iterdir()) == before and brief_of(root)[1].is_file()


def test_a_print_that_fails_leaves_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "NAMES", ())
    run = a_judged_run(root)
    with pytest.raises(EnvironmentRefused):
        print_brief(*brief_of(root))
    assert not (run.root.parent / layout.BRIEF_PDF).exists()


def test_a_page_about_another_charter_than_todays_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_judged_run(root)
    run.perform("charter")
    assert cli.call(["brief"]) == ExitCode.GO and "charter.yaml has changed" not in capsys.readouterr().err
    charter = root / layout.CHARTER
    charter.write_text(charter.read_text().replace('"looks": 1', '"looks": 2'))
    assert cli.call(["brief"]) == ExitCode.GO
    assert "note: charter.yaml has changed since this run began" in capsys.readouterr().err
