"""What a check-up finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level"]


class Level(StrEnum):
    """How bad a finding is: a problem keeps something from working, a warning may."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check-up: what was looked at, how it is, and in words what to do."""

    about: str
    level: Level
    text: str

    @classmethod
    def ok(cls, about: str, text: str) -> Finding:
        """Return a finding that is as it should be."""
        return cls(about, Level.OK, text)

    @classmethod
    def warning(cls, about: str, text: str) -> Finding:
        """Return a finding that may do harm."""
        return cls(about, Level.WARNING, text)

    @classmethod
    def problem(cls, about: str, text: str) -> Finding:
        """Return a finding that does harm."""
        return cls(about, Level.PROBLEM, text)
