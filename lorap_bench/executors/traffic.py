"""Packs between a desk and an engine's workers: which are out, how they came back. It knows no engine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from lorap_bench.executors.worker import pack_jobs, unpack_outcomes
from lorap_bench.record import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lorap_bench.executors.desk import Desk
    from lorap_bench.executors.stop import Stop
    from lorap_bench.search.job import Job

__all__ = ["Traffic"]


@final
class Traffic:
    """At most ``workers`` packs out at a time, each under a name that the engine gives it.

    Args:
        desk: who has the trials.
        stop: whether new packs are given out.
        workers: packs out at a time.
        on_end: called with each trial that ended, after the desk was told.

    Attributes:
        error: the first thing that a trainer or the desk raised, to be raised when the other packs have ended.
    """

    def __init__(
        self, desk: Desk, stop: Stop, workers: int, *, on_end: Callable[[Outcome], None] | None = None
    ) -> None:
        self.error: BaseException | None = None
        self._desk = desk
        self._stop = stop
        self._workers = workers
        self._on_end = on_end
        self._packs: dict[str, list[Job]] = {}
        self._dry = False

    @property
    def over(self) -> bool:
        """Whether nothing is out and nothing more will be given."""
        return not self._packs and (self._closing or self._dry)

    def size(self, name: str) -> int:
        """Return how many trials a pack has."""
        return len(self._packs.get(name, ()))

    def give(self, name: str) -> str | None:
        """Return the next pack as text, now known by ``name``; None if there is none now (``over`` tells if ever)."""
        self._stop.check()
        if self._closing or len(self._packs) >= self._workers:
            return None
        jobs = self._desk.ask_pack(self._share())
        # A driver elsewhere may yet die over its trials.
        self._dry = not jobs and (self._desk.done or not self._desk.elsewhere)
        if not jobs:
            return None
        self._packs[name] = jobs
        return pack_jobs(jobs)

    def arrived(self, name: str, outcomes: str) -> None:
        """Tell the desk how the trials of a pack ended. A pack that is not out any more is left alone."""
        jobs = self._packs.pop(name, [])
        if not jobs:
            return
        with self._kept():
            try:
                found = unpack_outcomes(outcomes)
            except Exception:
                self._release(jobs, Status.INTERRUPTED)
                raise
            for job, outcome in zip(jobs, found, strict=True):
                record = self._desk.tell(job, outcome)
                if record is not None and self._on_end is not None:
                    self._on_end(Outcome(record, self._desk.curves(record.number)))

    def lost(self, name: str, cause: Status) -> None:
        """Queue the trials of a pack again whose worker is gone.

        Args:
            name: the pack.
            cause: ``worker_lost``; ``timeout`` or ``out_of_memory`` where that is known.
        """
        with self._kept():
            self._release(self._packs.pop(name, []), cause)

    def failed(self, name: str, error: Exception) -> None:
        """Queue the trials of a pack again that nobody can train, and end with ``error``."""
        with self._kept():
            self._release(self._packs.pop(name, []), Status.INTERRUPTED)
            raise error

    def release_all(self) -> None:
        """Queue again what the engine never brought to an end."""
        while self._packs:
            _, jobs = self._packs.popitem()
            self._release(jobs, Status.INTERRUPTED)

    @property
    def _closing(self) -> bool:
        # Not where the budget is spent: promoted trials may wait for the rest of their seeds.
        return self._stop.drain or self.error is not None

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep the first error of the block: whoever calls from an engine's loop could not raise it as it is."""
        try:
            yield
        except Exception as problem:  # noqa: BLE001  # raised when the other packs have ended
            self.error = self.error or problem

    def _release(self, jobs: list[Job], status: Status) -> None:
        for job in jobs:
            self._desk.release(job, status)

    def _share(self) -> int:
        """Return what keeps the idle workers equally busy to the end of the budget; at least 1."""
        return max(1, -(-self._desk.left // (self._workers - len(self._packs))))
