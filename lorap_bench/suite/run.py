"""The desk of a suite: gives out the trials of its cells, one cell after the other, and writes down each that is whole.

Where workers are idle, the next cells begin before the first is whole. What the test split shows chooses nothing: which
cells are run, and how, stands in the suite's file.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from lorap_bench.suite.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lorap_bench.record import Curves, Outcome, Status, TrialRecord
    from lorap_bench.search.job import Job
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.plan import Plan
    from lorap_bench.suite.result import CellResult

__all__ = ["Audience", "SuiteDesk"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks on.

    Attributes:
        on_cell: called with a cell and its result once that is written.
        on_pack: called with a cell and the trials of it that are about to train.
    """

    on_cell: Callable[[Cell, CellResult], None]
    on_pack: Callable[[Cell, Sequence[Job]], None]


@final
class SuiteDesk:
    """What executors ask for the trials of the cells that are not ``done``; see ``executors.desk.Desk``.

    Use ``close`` at the end.
    """

    seconds: float | None = None
    left = sys.maxsize  # how many trials the searches will ask for is their own affair
    elsewhere = 0
    stoppers = None

    def __init__(self, plan: Plan, folder: SuiteFolder, done: Mapping[str, CellResult], audience: Audience) -> None:
        self._folder, self._audience = folder, audience
        self._cells = deque(cell for cell in plan.cells if cell.key not in done)
        self._works: list[Work] = []
        self._out: dict[int, tuple[Job, Work]] = {}  # by what the job is, for two cells may have equal ones

    @property
    def done(self) -> bool:
        """Whether every cell is whole."""
        return not self._cells and not self._works

    def ask_pack(self, most: int | None = None) -> list[Job]:
        """Return trials of one cell that may train together, at most so many; empty when there are none now."""
        for work in [*self._works]:
            if jobs := self._asked(work, most):
                return jobs
        while self._cells:
            self._works.append(Work(self._cells[0], self._folder))
            self._cells.popleft()
            if jobs := self._asked(self._works[-1], most):
                return jobs
        return []

    def judge(self, jobs: Sequence[Job]) -> None:
        """Return nobody: no trial here is stopped early."""

    def curves(self, number: int) -> Curves:
        """Return nothing: no trial here is held against others."""
        return {}

    def tell(self, job: Job, outcome: Outcome) -> TrialRecord | None:
        """Take what came of a trial, and write its cell down if that is whole.

        Raises:
            StoreError: the disk refuses.
        """
        _, work = self._out.pop(id(job))
        record = work.tell(job, outcome)
        self._settle(work)
        return record

    def release(self, job: Job, status: Status) -> None:
        """Take back a trial that did not end. One that is not out is left alone."""
        if id(job) in self._out:
            _, work = self._out.pop(id(job))
            work.release(job, status)
            self._settle(work)

    def raise_if_failed(self) -> None:
        """Raise nothing: what fails is a result."""

    def close(self) -> None:
        """Let go of the searches that are under way."""
        for work in self._works:
            work.close()
        self._works.clear()

    def _asked(self, work: Work, most: int | None) -> list[Job]:
        jobs = work.ask(most)
        self._out.update({id(job): (job, work) for job in jobs})
        if jobs:
            self._audience.on_pack(work.cell, jobs)
        else:
            self._settle(work)
        return jobs

    def _settle(self, work: Work) -> None:
        """Write a cell down if it is whole."""
        whole = work.result()
        if whole is None:
            return
        self._folder.write(*whole)
        self._works.remove(work)
        self._audience.on_cell(work.cell, whole[0])
