"""What a study may spend, what it has spent, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.sections import BudgetSpec

__all__ = ["Spending", "gpu_seconds"]

_HOUR = 3600.0


@final
@dataclass(frozen=True, slots=True)
class Spending:
    """What finished trials have cost, or those under way will at most.

    Attributes:
        trials: trials that count.
        epochs: of all their seeds, an epoch of each stage counting alike.
        gpu_seconds: seconds of training times the GPUs, or the share of one, that the trial had.
        seconds: during which a driver was at work.
    """

    trials: int = 0
    epochs: int = 0
    gpu_seconds: float = 0.0
    seconds: float = 0.0

    def over(self, budget: BudgetSpec, *, epochs: int) -> str:
        """Return which limit leaves no room for one more trial; empty while there is room for it.

        Trials and epochs are never overspent. Hours are known when they have passed, and what is under way
        then is finished.

        Args:
            budget: the limits.
            epochs: what one more trial needs.
        """
        if self.trials >= budget.trials:
            return f"{self.trials} of {budget.trials} trials"
        if budget.epochs is not None and self.epochs + epochs > budget.epochs:
            return f"{self.epochs:,} of {budget.epochs:,} epochs, and a trial needs {epochs:,}"
        if budget.gpu_hours is not None and self.gpu_seconds >= budget.gpu_hours * _HOUR:
            return f"{self.gpu_seconds / _HOUR:.2f} of {budget.gpu_hours:g} GPU hours"
        if budget.hours is not None and self.seconds >= budget.hours * _HOUR:
            return f"{self.seconds / _HOUR:.2f} of {budget.hours:g} hours"
        return ""


def gpu_seconds(record: TrialRecord) -> float:
    """Return the GPU seconds of a trial: its share of the training time, times its GPUs."""
    return record.seconds * float(record.provenance.get("gpus", 0.0))
