"""What an attack is: one change to a project, in an innocent and in a guilty form, through a program that must let the one pass and stop the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from worlds import World

from poc.rules.signoff import Reason

ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a program answered: every reason against, none where it accepted, and its words."""

    reasons: tuple[str, ...]
    words: str = ""

    def __str__(self) -> str:
        return ", ".join(dict.fromkeys(self.reasons)) or ACCEPTED


Program = Callable[[World], Outcome]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """An attack beside its control: `lay` does the same for both, with another value of one thing.

    `reason` is what has to stop the attack, and `guard` the name of the function that finds it. It begins with a version that is signed through, with one
    that is promoted besides, or on a server.
    """

    name: str
    lay: Callable[[World, Any], None]
    control: Any
    attack: Any
    through: Program
    reason: Reason
    guard: str
    begins: Literal["signed", "promoted", "served"] = "signed"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How an attack and its control ended."""

    attack: Attack
    attacked: Outcome
    controlled: Outcome | None

    @property
    def is_stopped(self) -> bool:
        """Say whether the attack was stopped, by what had to stop it."""
        return str(self.attack.reason) in self.attacked.reasons

    @property
    def is_as_expected(self) -> bool:
        """Say whether it was stopped, and its control was not."""
        return self.is_stopped and self.controlled is not None and not self.controlled.reasons

    @property
    def explained(self) -> str:
        """Return the words in which attack and control were answered."""
        words = [f"attack: {self.attacked.words.strip()}", f"control: {self.controlled.words.strip() if self.controlled else 'not tried'}"]
        return "\n".join(f"    {line[:400]}" for part in words for line in part.splitlines())

    def __str__(self) -> str:
        mark = "stopped" if self.is_as_expected else "WRONG  "
        return f"{mark}  {self.attack.name:<88}  {self._stopped_by:<30}  control: {self.controlled}"

    @property
    def _stopped_by(self) -> str:
        return str(self.attack.reason) if self.is_stopped else f"{self.attacked}, not {self.attack.reason}"
