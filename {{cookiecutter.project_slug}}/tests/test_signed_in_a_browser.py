"""A sponsor's way, in a real browser: make a passkey, have it merged, sign what the page shows, and see the version promoted; and MLflow's dialog saying no."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from briefs import needs_chromium
from commands import environment
from guarded_servers import a_guarded_server
from people_in_browsers import DESK, a_browser, a_page_of, a_person, enrol, give_alias, sign
from playwright.sync_api import Browser
from signed_versions import a_registered_version, facts_of

from poc.rules.signoff.canonical import sha256_of
from poc.steps import vouch
from poc.steps.copies import held_by_mlflow, push
from poc.tools import tracking
from poc.tools.tracking.connection import connect
from signoffs import PROJECT, a_ledger, a_trust_folder, address, lay_down, plain_agreed

pytestmark = [pytest.mark.slow, pytest.mark.server, needs_chromium]


@dataclass(frozen=True, kw_only=True)
class World:
    """A repository, trust files outside of it, and a guarded MLflow that holds a version whose charter is signed."""

    root: Path
    trust: Path
    mlflow: str
    version: str

    @property
    def settings(self) -> dict[str, str]:
        return {"POC_TRUST": str(self.trust), "MLFLOW_TRACKING_URI": self.mlflow}

    @property
    def page(self) -> str:
        return f"{self.mlflow.replace('127.0.0.1', 'localhost')}/signoff/{PROJECT}/{self.version}"

    def poc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        where = {**environment(), **self.settings}
        return subprocess.run([sys.executable, "-m", "poc", *arguments], cwd=self.root, env=where, capture_output=True, text=True, check=False)

    def merge(self, proposal: str) -> None:
        """Do what only whoever keeps the trust files can: add a line."""
        signers = self.trust / "allowed_signers"
        signers.write_text(signers.read_text() + proposal)


@pytest.fixture(scope="module")
def running() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("a world")
    root, trust = folder / "a repository", a_trust_folder(folder / "trust")
    root.mkdir()
    with a_guarded_server(folder / "server", empty_database, trust) as mlflow, pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("MLFLOW_TRACKING_URI", mlflow)
        patch.setenv("POC_TRUST", str(trust))
        version = a_registered_version(root)
        entries = a_ledger(facts_of(version), until="charter")
        lay_down(entries, root)
        push(PROJECT, entries)
        yield World(root=root, trust=trust, mlflow=mlflow, version=version)


def test_an_owner_makes_a_passkey_signs_on_mlflows_page_and_the_version_is_promoted(world: World, running: Browser) -> None:
    olga = a_person(running)
    with a_page_of(["enrol", "--as", address("olga"), "--no-open"], world.root, **world.settings) as (link, command):
        enrol(olga, link)
        assert command.wait(timeout=60) == 0
    proposal = (world.root / "signoffs/proposals" / f"{address('olga')}.pub-line").read_text()

    olga.goto(world.page)
    assert "Nobody who may sign has a passkey for this site" in olga.inner_text("main")  # a proposal alone lets nobody sign
    world.merge(proposal)
    assert world.poc("promote", "shadow", "--version", world.version).returncode == 6

    olga.reload()
    said = sign(olga, "shadow", address("olga"), reason="Beside the line, for four weeks.")
    assert said.startswith("Recorded as decision ") and "shadow is passed" in said
    promoted = world.poc("promote", "shadow", "--version", world.version)
    assert promoted.returncode == 0, promoted.stderr
    assert tracking.holders(PROJECT)["shadow"] == world.version

    last = vouch.verified(vouch.ledger_in(world.root), vouch.load_trust(world.root)).decisions[-1]  # promotion brought it into git
    assert not last.found and last.decision.statement.predicate.assurance == "passkey"
    olga.reload()
    assert f"signed by {address('olga')}" in olga.inner_text("main")


def test_somebody_elses_passkey_signs_nothing(world: World, running: Browser) -> None:
    uma, mallory = a_person(running), a_person(running)
    for person in (uma, mallory):
        with a_page_of(["enrol", "--as", address("uma"), "--no-open"], world.root, **world.settings) as (link, command):
            enrol(person, link)
            command.wait(timeout=60)
        if person is uma:
            world.merge((world.root / "signoffs/proposals" / f"{address('uma')}.pub-line").read_text())
    before = len(tracking.ledger_held(PROJECT))
    mallory.goto(world.page)
    assert "this passkey is not listed for uma@example.com" in sign(mallory, "pilot", address("uma"), decision="reject", reason="No.")
    assert len(tracking.ledger_held(PROJECT)) == before
    uma.goto(world.page)
    assert "Recorded" in sign(uma, "pilot", address("uma"), decision="reject", reason="Too many alarms.")
    assert len(tracking.ledger_held(PROJECT)) == before + 1


def test_the_charter_is_signed_on_a_page_that_one_browser_can_open_once(world: World, running: Browser) -> None:
    sam = a_person(running)
    with a_page_of(["enrol", "--as", address("sam"), "--no-open"], world.root, **world.settings) as (link, _):
        enrol(sam, link)
    world.merge((world.root / "signoffs/proposals" / f"{address('sam')}.pub-line").read_text())
    before = len(vouch.ledger_in(world.root))
    with a_page_of(["sign", "charter", "--browser"], world.root, **world.settings) as (link, command):
        sam.goto(link)
        second = a_person(running)
        assert "this link was opened before" in second.goto(link).text()  # type: ignore[union-attr]
        assert "Recorded as signoffs/" in sign(sam, "charter", address("sam"))
        assert command.wait(timeout=60) == 0
    assert len(vouch.ledger_in(world.root)) > before


def test_a_sponsor_signs_the_charter_on_mlflows_page_before_there_is_any_version(world: World, running: Browser, tmp_path: Path) -> None:
    charter, project = json.dumps({**plain_agreed(), "project": "begun-today"}), "begun-today"
    connect().log_text(tracking.open_run(project, name="a first run", candidate=False), charter, "evidence/charter/charter.yaml")
    sam = a_person(running)
    with a_page_of(["enrol", "--as", address("sam"), "--no-open"], world.root, **world.settings) as (link, _):
        enrol(sam, link)
    world.merge((world.root / "signoffs/proposals" / f"{address('sam')}.pub-line").read_text())

    sam.goto(f"{world.page.rpartition('/signoff/')[0]}/signoff/{project}/charter")
    assert "This is the charter of the run a first run" in sam.inner_text("main") and not tracking.is_registered(project)
    sam.screenshot(path=tmp_path / "charter.png", full_page=True)
    assert "nobody has signed as owner" in sign(sam, "charter", address("sam"))
    (entry,) = held_by_mlflow(project)
    (said,) = vouch.verified([entry], vouch.load_trust(world.root)).decisions
    assert not said.found and said.decision.statement.digests == {"charter": sha256_of(charter.encode())}


@pytest.mark.parametrize(("alias", "refused"), [("production", True), ("Production", True), ("best", False)])
def test_mlflows_own_dialog_says_why_a_stage_is_refused(world: World, running: Browser, alias: str, refused: bool) -> None:
    page = a_person(running)
    said = give_alias(page, f"{world.mlflow}/#/models/{PROJECT}/versions/{world.version}", alias)
    assert ("Refused: " in said) == refused
    assert (alias in tracking.holders(PROJECT)) == (not refused)


def test_the_page_fits_a_telephone_and_loads_nothing_from_elsewhere(world: World, running: Browser) -> None:
    for width in (320, 390, DESK["width"]):
        page = a_person(running, width=width)
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        complaints: list[str] = []
        page.on("console", lambda message, complaints=complaints: complaints.append(message.text))
        page.goto(world.page)
        page.get_by_text("The whole brief").click()
        page.frame_locator("iframe").get_by_text("Decision brief").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert asked and all(url.startswith(world.page.partition("/signoff")[0]) for url in asked) and not complaints
