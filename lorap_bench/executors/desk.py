"""Who gives out trials and takes back what came of them, as executors see them: a study's broker, or a suite's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import Curves, Outcome, Status, TrialRecord
    from lorap_bench.search.job import Job
    from lorap_bench.search.rungs import Rungs
    from lorap_bench.search.verdicts import Verdicts

__all__ = ["Desk"]


class Desk(Protocol):
    """What an executor asks for trials, and tells how they ended."""

    @property
    def seconds(self) -> float | None:
        """Return how long a trial may take; None: as long as it likes."""
        ...

    @property
    def left(self) -> int:
        """Return how many more trials it may ask for; idle workers share them."""
        ...

    @property
    def elsewhere(self) -> int:
        """Return how many trials other drivers have out."""
        ...

    @property
    def done(self) -> bool:
        """Whether no further trial will be asked for, whatever those out bring."""
        ...

    @property
    def stoppers(self) -> Rungs | None:
        """Return what trials are held against that may be stopped early; None where none may."""
        ...

    def ask_pack(self, most: int | None = None) -> list[Job]:
        """Return trials that may train together, at most so many; empty when there are none now."""
        ...

    def judge(self, jobs: Sequence[Job]) -> Verdicts | None:
        """Return who ends these trials early; None: nobody."""
        ...

    def curves(self, number: int) -> Curves:
        """Return the curves of a finished trial."""
        ...

    def tell(self, job: Job, outcome: Outcome) -> TrialRecord | None:
        """Take what came of a trial; return its record as it is kept, None where it comes again."""
        ...

    def release(self, job: Job, status: Status) -> None:
        """Take back a trial that did not end, so that it runs again later."""
        ...

    def raise_if_failed(self) -> None:
        """Raise if it ended otherwise than it should."""
        ...
