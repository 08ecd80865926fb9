"""One line of a verification: what was looked at, whether it is as it should be, and in words what is not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Check", "State"]


class State(StrEnum):
    """How a check ended: what is wrong makes figures doubtful, a warning says what to know about them."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name, how it ended, and what was found: one line each."""

    name: str
    state: State
    found: tuple[str, ...]

    @classmethod
    def of(cls, name: str, faults: Iterable[str], fine: str) -> Check:
        """Return a check that is wrong if there are faults; ``fine`` says what was found to be right."""
        found = tuple(faults)
        return cls(name, State.WRONG, found) if found else cls(name, State.OK, (fine,))

    @classmethod
    def noted(cls, name: str, notes: Iterable[str], fine: str) -> Check:
        """Return a check that warns of whatever there is to note."""
        found = tuple(notes)
        return cls(name, State.WARNING, found) if found else cls(name, State.OK, (fine,))
