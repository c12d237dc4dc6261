"""The charters that a repository holds: its own, and in the template those of the scenarios too, with its questions answered."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from poc import layout

ROOT = Path(__file__).parents[1]
PLACES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / layout.CHARTER, *ROOT.glob(f"{layout.SCENARIOS}/*/{layout.CHARTER}")))
#: What the template asks for; a project that was made from it holds the answers.
ANSWERS = {
    "project_slug": "line-stop",
    "decision": "Does this part leave the cell, or is it stopped and inspected?",
    "sponsor_name": "Alex Example",
    "sponsor_title": "Plant manager",
    "sponsor_email": "alex.example@example.com",
    "currency": "EUR",
    "target_architecture": "x86_64",
}
BEGINS = date(2026, 1, 5)


def charter_text(place: str) -> str:
    """Read a charter as somebody who owns the repository finds it."""
    text = (ROOT / place).read_text(encoding="utf-8")
    text = re.sub(r"\{\{\s*cookiecutter\W(\w+).*?\}\}", lambda asked: ANSWERS[asked[1]], text)
    return re.sub(r"[{]%\s*now 'utc' ([-+]) 'days=(\d+)'.*?%\}", lambda asked: str(BEGINS + timedelta(days=int(asked[1] + asked[2]))), text)
