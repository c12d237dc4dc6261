"""Errors a person can act on: what, where, fix, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means; the same for every command."""

    GO = 0
    BUG = 1
    USAGE = 2
    INPUT = 3
    REFUSED = 4
    ENVIRONMENT = 5
    SIGNATURE = 6
    NOT_PROVEN = 7


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, said so that its reader can mend it."""

    what: str
    where: str = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [f"error: {self.what}"]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)


class PocError(Exception):
    """Any failure that a person can act on; carries every problem found, not only the first."""

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, problems: Sequence[Problem] | str, *, where: str = "", fix: str = "", code: str = "") -> None:
        found = [Problem(what=problems, where=where, fix=fix)] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(str(problem) for problem in found))
        self.problems = found
        self.code = code or type(self).__name__

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class InputRefused(PocError):
    """The charter, a parameter, the data or an answer is not acceptable."""

    exit_code = ExitCode.INPUT


class Refused(PocError):
    """A gate or guard is not met."""

    exit_code = ExitCode.REFUSED


class EnvironmentRefused(PocError):
    """The machine lacks something that the command needs."""

    exit_code = ExitCode.ENVIRONMENT


class NotSignedOff(PocError):
    """A signature, or what it vouches for, does not hold."""

    exit_code = ExitCode.SIGNATURE


class NotProven(PocError):
    """The evidence neither shows nor refutes what the charter asks."""

    exit_code = ExitCode.NOT_PROVEN
