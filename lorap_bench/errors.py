"""Errors a user can cause or meet, each with where it happened and what to do.

Every error carries the exit code its command ends with; a bug is any other exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ConfigError",
    "Fault",
    "LorapBenchError",
    "MissingResource",
    "StoreError",
    "VerificationError",
    "nearest",
]


class LorapBenchError(Exception):
    """Base of every expected error; ``where`` names the file, key or resource at fault."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class MissingResource(LorapBenchError):
    """A data file, browser, device or optional package is not there (exit code 5)."""

    exit_code = 5


class StoreError(LorapBenchError):
    """A study folder is empty, damaged, or belongs to another study or space (exit code 2)."""

    exit_code = 2


class VerificationError(LorapBenchError):
    """A stored result does not agree with what it should be (exit code 4)."""

    exit_code = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a configuration: where, what was got, what is allowed, the nearest name."""

    path: str
    message: str
    got: Any = None
    allowed: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        if self.got is not None:
            text += f"; got {self.got!r}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.suggestion:
            text += f"; did you mean {self.suggestion!r}?"
        return text


class ConfigError(LorapBenchError):
    """All the faults of one study file or command line at once (exit code 2)."""

    exit_code = 2

    def __init__(self, faults: Sequence[Fault], *, where: str = "") -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        count = f"{len(self.faults)} fault" + ("s" if len(self.faults) != 1 else "")
        super().__init__(f"{count}\n{lines}", where=where)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name most like ``name``, or an empty string when none is near."""
    known = {str(candidate).lower(): str(candidate) for candidate in names}
    matches = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return known[matches[0]] if matches else ""
