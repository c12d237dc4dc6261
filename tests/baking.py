"""Bake the template the way a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parent.parent
GENERATED = TEMPLATE / "{{cookiecutter.project_slug}}"
CONTEXT: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text())
QUESTIONS = [name for name in CONTEXT if not name.startswith("_")]
SCENARIOS = ("production-line", "own-data")
#: One for every question.
BAD_ANSWERS = {
    "project_slug": "Not A Slug",
    "decision": "Eh?",
    "scenario": "warehouse",
    "sponsor_name": " ",
    "sponsor_title": "",
    "sponsor_email": "nobody",
    "currency": "euro",
    "target_architecture": "sparc",
}
COOKIECUTTER = Path(sys.executable).with_name("cookiecutter")


def start(output: Path, *arguments: str, typed: str = "", template: str = str(TEMPLATE)) -> subprocess.CompletedProcess[str]:
    """Start cookiecutter on the template, by its path or its address; whatever it remembers stays beside the output."""
    output.mkdir(parents=True, exist_ok=True)
    remembered = output.parent / f"{output.name}-remembered"
    environment = os.environ | {"HOME": str(remembered), "COLUMNS": "500", "NO_COLOR": "1"}
    command = [str(COOKIECUTTER), template, "--default-config", "--output-dir", str(output), *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False, env=environment)


def bake(output: Path, *options: str, **answers: str) -> Path:
    """Bake with answers given on the command line; return the project's folder."""
    done = start(output, "--no-input", *options, *(f"{question}={answer}" for question, answer in answers.items()))
    assert done.returncode == 0, done.stderr
    return output / str(answers.get("project_slug", CONTEXT["project_slug"]))


def bake_typed(output: Path, **answers: str) -> Path:
    """Bake with answers typed at the prompts: unlike those on the command line, cookiecutter does not read them as Jinja."""
    done = start(output, typed="".join(f"{answers.get(question, '')}\n" for question in QUESTIONS))
    assert done.returncode == 0, done.stderr
    return output / str(answers.get("project_slug", CONTEXT["project_slug"]))


def poc(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the project's command line with the template's own environment, which holds all that is locked for it."""
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "MLFLOW_DISABLE_TELEMETRY": "true"}
    return subprocess.run([sys.executable, "-m", "poc", *arguments], cwd=project, capture_output=True, text=True, check=False, env=environment)


def files_of(folder: Path) -> set[str]:
    """List every file below a folder, by its path relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
