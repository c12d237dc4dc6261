"""The programs that attacks go through, called as people call them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from attack import Outcome, Program
from worlds import GOOD, PROJECT, World

from poc import cli
from poc.errors import PocError
from poc.steps.standing import standing
from poc.steps.trust import load_trust
from poc.tools import tracking

_REASON = re.compile(r"\[([a-z_]+)\]$", re.MULTILINE)


def poc(*arguments: str) -> Program:
    """Call a command; `VERSION` stands for the version that the attack is about."""

    def through(world: World) -> Outcome:
        with world.entered():
            return called(*(world.version if each == "VERSION" else each for each in arguments))

    return through


def called(*arguments: str) -> Outcome:
    """Call a command here and read what it answers to programs."""
    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        code = cli.call([*arguments, "--json"])
    return _read(code, said.getvalue(), complained.getvalue())


def _read(code: int, said: str, complained: str) -> Outcome:
    if code == 0:
        return Outcome(reasons=(), words=said)
    answer: dict[str, Any] = json.loads(said)
    listed = [each["code"] for each in answer.get("differences", [])]
    problems = [reason for each in answer.get("problems", []) for reason in _REASON.findall(each["what"])]
    return Outcome(reasons=tuple(dict.fromkeys([*listed, *([answer["error"]] if "error" in answer else []), *problems])), words=said + complained)


def promote(stage: str, *more: str) -> Program:
    """Put the version on a stage."""
    return poc("promote", stage, "--version", "VERSION", *more)


def promoted_while(happens: Callable[[World], None]) -> Program:
    """Put version GOOD into production, and let something happen at the moment when the alias is moved: behind the verifier's back."""

    def through(world: World) -> Outcome:
        moved = tracking.move_alias

        def move(*args: Any, **more: Any) -> Any:
            happens(world)
            return moved(*args, **more)

        with world.entered():
            tracking.move_alias = move
            try:
                return called("promote", "production", "--version", GOOD)
            finally:
                tracking.move_alias = moved

    return through


def verify(*more: str) -> Program:
    """Hold everything against the ledger."""
    return poc("verify", *more)


def ask_verifier(stage: str = "") -> Program:
    """Ask the one verifier that all programs ask; without a stage, about what the world aims at."""

    def through(world: World) -> Outcome:
        with world.entered(), tempfile.TemporaryDirectory() as folder:
            try:
                found = standing(world.root, PROJECT, stage or world.aim, world.version, load_trust(world.root), into=Path(folder)).found
            except PocError as error:
                return Outcome(reasons=(error.code, *_REASON.findall(str(error))), words=str(error))
            return Outcome(reasons=tuple(str(each.reason) for each in found), words="\n".join(each.what for each in found))

    return through


def serve(*arguments: str) -> Program:
    """Start a server, which must refuse, or answer that it serves; it is stopped then."""

    def through(world: World) -> Outcome:
        with (
            world.entered(),
            subprocess.Popen(
                [sys.executable, "-m", "poc", "serve", *arguments, "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process,
        ):
            assert process.stdout and process.stderr
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            said = "".join(lines)
            if '"url"' in said:
                process.terminate()
                return Outcome(reasons=(), words=said)
            complained = process.stderr.read()
            return _read(process.wait() or 1, said, complained)

    return through
