"""By how much a study's budget was extended, beside what its file says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.study.spec import StudySpec

__all__ = ["LIMITS", "Extension", "extended", "parse_more"]

LIMITS: dict[str, type[int | float]] = {"trials": int, "epochs": int, "gpu_hours": float, "hours": float}
"""The limits of a budget, and what each is counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What is added to each limit of a budget."""

    trials: int = 0
    epochs: int = 0
    gpu_hours: float = 0.0
    hours: float = 0.0

    def __add__(self, other: Extension) -> Extension:
        return Extension(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def to_mapping(self) -> dict[str, Any]:
        """Return the limits that grow, in plain values."""
        return {name: more for name, more in asdict(self).items() if more}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Extension:
        """Build from limits in plain values."""
        return cls(**mapping)


def parse_more(limit: str, text: str) -> int | float:
    """Return what ``"+100"`` or ``"100"`` adds to a limit.

    Raises:
        ConfigError: it is no number of the limit's kind, or not more than zero.
    """
    kind = LIMITS[limit]
    try:
        more = kind(text)
    except ValueError:
        more = 0
    if not 0 < more < float("inf"):
        allowed = "a whole number of at least 1, such as +100" if kind is int else "a number above 0, such as +1.5"
        path = f"--{limit.replace('_', '-')}"
        raise ConfigError([Fault(path=path, message="adds nothing to the budget", got=text, allowed=allowed)])
    return more


def extended(spec: StudySpec, by: Extension) -> StudySpec:
    """Return the study with its extended budget; a limit that its file does not set stays unset."""
    limits = {name: getattr(spec.budget, name) for name in LIMITS}
    grown = {name: limit + getattr(by, name) for name, limit in limits.items() if limit is not None}
    return spec.model_copy(update={"budget": spec.budget.model_copy(update=grown)})
