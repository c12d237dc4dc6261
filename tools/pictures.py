"""Take the README's pictures of signing: a project that has come to a verdict is signed in a real browser, and MLflow's dialog refuses what is not.

Usage: pictures.py path/to/line-stop, a bake in which `poc run --candidate` ended in GO. Its ledger and its MLflow hold the decisions afterwards.
"""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parent.parent
GENERATED = TEMPLATE / "{{cookiecutter.project_slug}}"
TARGET = TEMPLATE / "docs" / "img"
sys.path[:0] = [str(GENERATED / "src"), str(GENERATED / "tests")]

PEOPLE = {
    "sponsor": "alex.example@example.com",
    "owner": "olga.ortiz@example.com",
    "user_representative": "lee.larsen@example.com",
    "risk": "rana.rahimi@example.com",
}
MODEL, VERSION = "line-stop", "1"


@contextmanager
def guarded(project: Path, settings: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run the guarded server over a project's MLflow, and yield its address."""
    from commands import environment
    from installed import installed_in
    from tracking_server import wait_for

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = {**environment(), **settings, "PYTHONPATH": installed_in(folder)}
    command = [sys.executable, "-m", "poc", "mlflow", "--port", str(port)]
    with (folder / "server.log").open("wb") as log, subprocess.Popen(command, cwd=project, stdout=log, stderr=log, env=where) as server:
        try:
            wait_for(server, port, folder / "server.log")
            yield f"http://localhost:{port}"
        finally:
            server.terminate()


def enrolled(running: Any, project: Path, trust: Path, settings: Mapping[str, str], **screen: Any) -> dict[str, Any]:
    """Let everybody make a passkey, add their lines to the trust files, and return their pages by role."""
    from people_in_browsers import a_page_of, a_person, enrol

    pages = {role: a_person(running, **screen) for role in PEOPLE}
    for role, page in pages.items():
        with a_page_of(["enrol", "--as", PEOPLE[role], "--no-open"], project, **settings) as (link, command):
            enrol(page, link)
            command.wait(timeout=60)
    lines = [(project / "signoffs" / "proposals" / f"{email}.pub-line").read_text() for email in PEOPLE.values()]
    roles = "".join(f"  {role}: [{email}]\n" for role, email in PEOPLE.items())
    (trust / "allowed_signers").write_text("".join(lines))
    (trust / "revoked").touch()
    (trust / "roles.yaml").write_text(f"schema_version: 1\npeople:\n{roles}builders:\n  - email: bo.becker@example.com\npasskeys: [localhost]\n")
    protect(project, trust)
    return pages


def protect(project: Path, trust: Path) -> None:
    """Let the project see the trust files as what lies on its protected branch."""
    as_somebody = ["git", "-c", "user.name=Security", "-c", "user.email=security@example.com"]
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "trust"], ["commit", "--quiet", "--message=Trust"]):
        subprocess.run([*as_somebody, *command], cwd=trust.parent, check=True)
    for command in (["init", "--quiet"], ["fetch", "--quiet", "--force", str(trust.parent), "main:refs/remotes/origin/main"]):
        subprocess.run(["git", *command], cwd=project, check=True)


def small(png: bytes, target: Path) -> None:
    """Write a picture in 128 colours, which is enough for a page."""
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.relative_to(TEMPLATE)}: {target.stat().st_size / 1000:.0f} kB")


def take(project: Path, folder: Path) -> None:
    """Sign up to the pilot, and take a picture of the page on a telephone and on a desk, and of MLflow's dialog."""
    from commands import environment
    from people_in_browsers import a_browser, a_page_of, a_person, sign

    trust = folder / "trust"
    trust.mkdir()
    settings = {"POC_TRUST": "git:origin/main:trust"}
    with a_browser() as running:
        pages = enrolled(running, project, trust, settings)
        for role in ("sponsor", "owner"):
            with a_page_of(["sign", "charter", "--browser"], project, **settings) as (link, command):
                pages[role].goto(link)
                print(sign(pages[role], "charter", PEOPLE[role]))
                command.wait(timeout=60)
        with a_page_of(["sign", "shadow", "--version", VERSION, "--browser"], project, **settings) as (link, command):
            pages["owner"].goto(link)
            print(sign(pages["owner"], "shadow", PEOPLE["owner"], reason="Beside the line, for four weeks."))
            command.wait(timeout=60)
        subprocess.run([sys.executable, "-m", "poc", "promote", "shadow", "--version", VERSION], cwd=project, env={**environment(), **settings}, check=True)
        with guarded(project, settings, folder) as address:
            phone, desk = pages["user_representative"], a_person(running, height=860)
            phone.set_viewport_size({"width": 390, "height": 844})
            phone.goto(f"{address}/signoff/{MODEL}/{VERSION}")
            small(phone.screenshot(full_page=True), TARGET / "signoff-phone.png")
            desk.goto(f"{address}/signoff/{MODEL}/{VERSION}")
            desk.set_viewport_size({"width": 900, "height": 860})
            small(desk.screenshot(full_page=True), TARGET / "signoff-desk.png")
            small(refused(a_person(running, height=720), address), TARGET / "mlflow-refused.png")


def refused(page: Any, address: str) -> bytes:
    """Ask for production in MLflow's dialog, and return what it shows."""
    from people_in_browsers import give_alias

    give_alias(page, f"{address}/#/models/{MODEL}/versions/{VERSION}", "production")
    png: bytes = page.screenshot()
    return png


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        take(Path(sys.argv[1]).resolve(), Path(own))
