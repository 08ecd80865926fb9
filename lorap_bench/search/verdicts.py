"""A study's rungs, seen by whoever trains some of its trials: trials by their place among the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.search.job import Job

__all__ = ["Bench", "Verdicts"]


class Bench(Protocol):
    """Whoever knows a study's rungs: its ``Rungs``, or what asks them in another process."""

    def rungs(self, epochs: int) -> Sequence[int]:
        """Return the rungs of a last stage of ``epochs``."""
        ...

    def judge(
        self, epoch: int, values: Mapping[int, Sequence[float]], costs: Mapping[int, Mapping[str, float]]
    ) -> Mapping[int, str]:
        """Return which trials end at a rung, by number, and why."""
        ...


@final
class Verdicts:
    """Judge the trials of some jobs at the rungs of their study (a ``train.watch.Judge``)."""

    def __init__(self, rungs: Bench, jobs: Sequence[Job]) -> None:
        self._rungs = rungs
        self._jobs = jobs

    def rungs(self, epochs: int) -> Sequence[int]:
        """Return the numbers of finished epochs after which trials are judged."""
        return self._rungs.rungs(epochs)

    def stops(self, epoch: int, values: Mapping[int, Sequence[float]]) -> dict[int, str]:
        """Return which jobs' trials end, by position, and why; the rest of a screened trial always trains on."""
        jobs = {position: self._jobs[position] for position in values if self._jobs[position].judged}
        found = self._rungs.judge(
            epoch,
            {job.number: values[position] for position, job in jobs.items()},
            {job.number: job.costs for job in jobs.values()},
        )
        return {position: found[job.number] for position, job in jobs.items() if job.number in found}
