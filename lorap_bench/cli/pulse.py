"""What moves in a study at work: what is under way, what is spent, and how long the rest will take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from lorap_bench.search.budget import Spending

if TYPE_CHECKING:
    from lorap_bench.study.sections import BudgetSpec

__all__ = ["Pace", "Pulse"]

_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A study at one moment.

    Attributes:
        spent: what it has cost.
        running: how many trials are under way.
        trials: which, where a driver of this process knows.
        driven: whether anybody drives it.
    """

    spent: Spending = field(default_factory=Spending)
    running: int = 0
    trials: tuple[int, ...] = ()
    driven: bool = True


@final
class Pace:
    """How fast a study goes, from the moment this was made; until then, from all that came before."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: Spending | None = None

    def left(self, budget: BudgetSpec, spent: Spending) -> float | None:
        """Return the seconds until the first limit of the budget is reached; None while nothing tells."""
        if self._first is None:
            self._first = spent
        elapsed, first = time.monotonic() - self._began, self._first
        if spent.trials == first.trials:
            elapsed, first = spent.seconds, Spending()
        limits = (
            (budget.trials, spent.trials, first.trials),
            (budget.epochs, spent.epochs, first.epochs),
            (None if budget.gpu_hours is None else budget.gpu_hours * _HOUR, spent.gpu_seconds, first.gpu_seconds),
        )
        found = [
            elapsed * max(0.0, limit - now) / (now - before)
            for limit, now, before in limits
            if limit is not None and now > before and elapsed > 0
        ]
        if budget.hours is not None:
            found.append(max(0.0, budget.hours * _HOUR - spent.seconds))
        return min(found, default=None)
