"""People in a real browser, each with an authenticator of their own, which says that it has asked for a finger."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands import environment
from playwright.sync_api import Browser, Page, sync_playwright

from poc.tools import browser

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
#: What a phone or a laptop with a fingerprint reader is to a page.
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Run Chromium as `tools/browser.py` finds it."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=browser.find(), args=[*browser.SETTINGS, *as_root])
        try:
            yield running
        finally:
            running.close()


def a_person(running: Browser, **screen: Any) -> Page:
    """Sit down before an empty page, with an authenticator that knows nothing yet."""
    page = running.new_context(viewport={**DESK, **screen}).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(60_000)
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


@contextmanager
def a_page_of(command: list[str], folder: Path, **settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a command that shows a local page; yield the link that it prints, and the command, which ends by itself or is ended."""
    where = {**environment(), **settings}
    with subprocess.Popen([sys.executable, "-m", "poc", *command], cwd=folder, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stderr
        said = running.stderr.readline()
        link = re.search(r"http://localhost:\S+", said)
        try:
            assert link, said + running.stderr.read()
            yield link[0], running
        finally:
            running.terminate()


def enrol(page: Page, link: str) -> None:
    """Make a passkey on a page for it."""
    page.goto(link)
    page.click("#enrol button")
    page.wait_for_selector("#proposal", state="visible")


def sign(page: Page, stage: str, person: str, *, decision: str = "approve", reason: str = "") -> str:
    """Fill in the page that is open, read what is signed, sign it, and return what is said then."""
    page.select_option("#stage", stage)
    page.select_option("#signer", person)
    page.check(f"input[value={decision}]")
    page.fill("#reason", reason)
    page.click("#choice button")
    page.wait_for_selector("#confirm, #answer", state="visible")
    if page.is_visible("#confirm"):
        page.click("#sign")
        page.wait_for_selector("#answer", state="visible")
    return page.inner_text("#answer")


def give_alias(page: Page, address: str, alias: str) -> str:
    """Give a version an alias in MLflow's dialog, and return what the dialog says against it; nothing once it has closed."""
    page.goto(address)
    page.click('[data-component-id*="modelversionviewaliaseditor"]')
    dialog = page.get_by_role("dialog")
    box = dialog.get_by_role("combobox")
    box.fill(alias)
    box.press("Enter")
    dialog.get_by_role("button", name="Save aliases").click()
    page.wait_for_function("() => document.querySelector('[role=dialog] [role=alert]') || !document.querySelector('[role=dialog]')")
    return dialog.inner_text() if dialog.is_visible() else ""
