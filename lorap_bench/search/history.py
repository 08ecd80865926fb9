"""What is known of a study's finished trials: counts, answers to repeats, points already tried."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.record import Status
from lorap_bench.search.budget import Spending, gpu_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord

__all__ = ["Answer", "History"]

_REMEMBERED = frozenset(
    {Status.COMPLETE, Status.PRUNED, Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIMEOUT, Status.USER_ERROR}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the first trial of a configuration ended: what a repeat of it is told without training."""

    number: int
    status: Status
    reason: str
    objectives: dict[str, float]
    costs: dict[str, float]


@final
class History:
    """Running figures over the records, each added once.

    Attributes:
        numbers: the trials that have a record.
        counted: how many of them count in the budget.
        epochs: that all their seeds were trained for.
        gpu_seconds: that they were trained for.
        feasible: whether any point was fit for training.
        idle: how many in a row, up to now, were answered without training.
        failures: how many trained trials in a row, up to now, failed in this session.
        last_trained: the highest number of a trial that was tried; -1 while there is none.
        told: how many trials the sampler knows as complete.
        ended: how many it knows as ended, well or by a broken constraint: those it learns from.
    """

    def __init__(self, records: Iterable[TrialRecord] = ()) -> None:
        self.numbers: set[int] = set()
        self.counted = 0
        self.epochs = 0
        self.gpu_seconds = 0.0
        self.feasible = False
        self.idle = 0
        self.failures = 0
        self.last_trained = -1
        self.told = 0
        self.ended = 0
        self._answers: dict[str, Answer] = {}
        self._points: set[str] = set()
        for record in records:
            self.add(record)
        self.failures = 0  # whoever runs a failed study again has mended something

    @property
    def points(self) -> int:
        """Return how many distinct points were tried."""
        return len(self._points)

    def spent(self, seconds: float) -> Spending:
        """Return what the trials have cost, of a study that was worked on for so many seconds."""
        return Spending(self.counted, self.epochs, self.gpu_seconds, seconds)

    def exhausted(self, size: int | None, *, idle: int, failures: int) -> str:
        """Return why nothing more is to be asked of a space of ``size`` points; empty while there is no reason.

        Args:
            size: its points; None: infinitely many.
            idle: points answered without training, in a row, that are enough.
            failures: failed trials in a row that are enough.
        """
        if self.failures >= failures:
            return f"{self.failures} trials in a row failed"
        if size is not None and self.points >= size:
            return f"all {size} points of the space were tried" if size > 1 else "its only point was tried"
        if self.idle >= idle:
            return f"the last {self.idle} points were repeats or broke a constraint"
        return ""

    def answer(self, digest: str) -> Answer | None:
        """Return how a configuration of this digest ended before; None if it was not tried."""
        return self._answers.get(digest)

    def add(self, record: TrialRecord) -> None:
        """Take a finished trial in."""
        status = record.status
        self.numbers.add(record.number)
        self.counted += status.counts
        self.epochs += sum(member.epochs for member in record.members)
        self.gpu_seconds += gpu_seconds(record)
        told = status in {Status.COMPLETE, Status.DUPLICATE} and bool(record.objectives)
        self.told += told
        self.ended += told or status in {Status.PRUNED, Status.INVALID}
        self._points.add(json.dumps(record.params, sort_keys=True))
        if status in _REMEMBERED:
            answer = Answer(record.number, status, record.reason, record.objectives, record.costs)
            self._answers.setdefault(record.digest, answer)
        if status is Status.INVALID:
            self.idle += 1
            return
        self.feasible = True
        if status is Status.DUPLICATE:
            self.idle += 1
            return
        self.idle = 0
        self.last_trained = max(self.last_trained, record.number)
        self.failures = self.failures + 1 if status.failed else 0
