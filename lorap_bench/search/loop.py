"""Ask, answer, tell: the broker between the sampler and whatever runs trials. It knows no engine.

A finished trial is written to the study folder first and told to the sampler then, so the folder
is the truth: at any instant a driver may be killed, and the next one adopts what was written,
asks again for what was not, and draws what would have been drawn. A trial is known to the world
by its key, its place among all trials asked for; a retry keeps its key, point and seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, final

from lorap_bench.errors import ConfigError, Fault, LorapBenchError
from lorap_bench.record import Outcome, Status
from lorap_bench.search.answers import Flight, infeasible, lost, named, refused, repeated
from lorap_bench.search.history import History
from lorap_bench.search.objective import default_planner, judged, violations
from lorap_bench.search.pack import Packs, together
from lorap_bench.search.plan import refuse_infeasible
from lorap_bench.search.seeds import member_seeds
from lorap_bench.search.trials import Trials
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from lorap_bench.config import TrialConfig
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.search.objective import Planner
    from lorap_bench.search.trials import Asked
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["FAILURE_LIMIT", "IDLE_LIMIT", "LOST_LIMIT", "Broker", "Job", "StudyFailed"]

IDLE_LIMIT = 1000
"""Points answered without training, in a row, after which a study is exhausted."""
FAILURE_LIMIT = 20
"""Failed trials in a row after which a study stops."""
LOST_LIMIT = 3
"""Workers lost on one trial after which it counts as failed."""
HELD_LIMIT = 8
"""Repeats of running trials that may wait for them; more would be asking in vain."""


class StudyFailed(LorapBenchError):
    """So many trials failed in a row that going on would waste the budget (exit code 1)."""


@dataclass(frozen=True, slots=True)
class Job:
    """A trial to run: everything a trainer needs, and the key and attempt its result comes back with."""

    number: int
    attempt: int
    params: dict[str, Any]
    config: TrialConfig
    seeds: tuple[int, ...]


@final
class Broker:
    """The one driver of a study, from its creation until ``close``. Use it in a ``with`` block.

    Args:
        spec: the study.
        folder: its folder.
        shape: the task's sizes, from which costs follow.
        blueprint: what works out a configuration before training; the models' own by default.
        on_event: called with every record as it is written.

    Raises:
        StoreError: another driver is at work, or the folder is damaged.
        ConfigError: no point of the space satisfies the constraints.
    """

    def __init__(
        self,
        spec: StudySpec,
        folder: StudyFolder,
        shape: TaskShape | None,
        *,
        blueprint: Planner | None = None,
        on_event: Callable[[TrialRecord], None] | None = None,
    ) -> None:
        self.spec = spec
        self._folder = folder
        self._base = spec.base
        self._plan = blueprint or default_planner(shape)
        self._on_event = on_event
        self._flying: dict[int, Flight] = {}
        self._held: dict[str, list[Flight]] = {}
        self._lock = folder.lock()
        try:
            self._history = History(folder.records())
            if not self._history.numbers:
                refuse_infeasible(spec, self._plan)
            self._size = spec.parameters.size(self._base)
            self._trials = Trials(spec, folder)
            self._trials.reap(self._history.numbers, folder.read)
            self._packs = Packs(spec, together(spec, shape), self._trials, self._history)
        except BaseException:
            self._lock.close()
            raise

    @property
    def counted(self) -> int:
        """Return how many finished trials count in the budget."""
        return self._history.counted

    @property
    def in_flight(self) -> int:
        """Return how many trials are out to be trained."""
        return len(self._flying)

    @property
    def exhausted(self) -> str:
        """Return why nothing more will be asked although budget is left; empty while there is no reason."""
        return self._history.exhausted(self._size, idle=IDLE_LIMIT, failures=FAILURE_LIMIT)

    @property
    def done(self) -> bool:
        """Whether no further trial will be asked for, whatever those in flight bring."""
        return self.counted >= self.spec.budget.trials or bool(self.exhausted)

    @property
    def together(self) -> int:
        """Return how many trials a pack has at most."""
        return self._packs.size

    def ask(self) -> Job | None:
        """Return the next trial to train; None when there is none now (``done`` tells if ever)."""
        return next(iter(self.ask_pack(1)), None)

    def ask_pack(self, most: int | None = None) -> list[Job]:
        """Return the next trials to train, which may train together; empty when there is none now.

        Each is told, or released, by itself. A trial on which a worker died comes alone.

        Args:
            most: how many at most; those of the study's rule by default.
        """
        limit = self.together if most is None else min(most, self.together)
        jobs: list[Job] = []
        while len(jobs) < limit and not self.done and not self._full:
            if not jobs:
                self._packs.begin()
            elif self._packs.ends(len(self._flying) + self._waiting):
                break
            suspected = self._trials.suspected
            job = self._next()
            if job is not None:
                jobs.append(job)
                if suspected:
                    break
        if jobs:
            self._packs.close()
        return jobs

    def tell(self, job: Job, outcome: Outcome) -> TrialRecord:
        """Write a trial's outcome, tell the sampler, and return the record as written.

        Raises:
            KeyError: the trial is not in flight, or lacks an objective of the study.
        """
        flight = self._flying[job.number]
        record = replace(named(outcome.record, flight.asked), digest=flight.blueprint.digest)
        record = judged(self.spec, record)
        self._record(flight.asked, record, outcome.curves)
        self._settle(flight)
        return record

    def release(self, job: Job, status: Status) -> None:
        """Take back a trial that did not end (``interrupted`` or ``worker_lost``): it runs again later.

        A trial whose worker was lost too often is recorded as failed. A trial not in flight is left alone.
        """
        flight = self._flying.get(job.number)
        if flight is None:
            return
        times = flight.asked.lost + (status is Status.WORKER_LOST)
        if times >= LOST_LIMIT:
            self._record(flight.asked, lost(self.spec, flight, times), {})
        else:
            self._requeue(flight, lost=status is Status.WORKER_LOST)
        self._settle(flight)

    def raise_if_failed(self) -> None:
        """Raise if the study ended otherwise than by its budget or an exhausted space.

        Raises:
            StudyFailed: too many failures in a row.
            ConfigError: no point asked for satisfied the constraints.
        """
        history = self._history
        if history.failures >= FAILURE_LIMIT:
            message = f"{self.exhausted}; all is saved, and running the study again tries {FAILURE_LIMIT} more"
            raise StudyFailed(message, where=self.spec.name)
        if self.exhausted and not history.feasible:
            message = f"no feasible point: {self.exhausted}"
            raise ConfigError([Fault(path="constraints", message=message)], where=self.spec.name)

    def close(self) -> None:
        """Put what is still out back into the queue and let go of the folder."""
        try:
            for flight in [*self._flying.values(), *(one for held in self._held.values() for one in held)]:
                self._requeue(flight)
        finally:
            self._flying.clear()
            self._held.clear()
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _full(self) -> bool:
        """Whether asking must wait for a trial in flight: for budget, for a repeat, or for want of points."""
        out = len(self._flying)
        untried = self._size is None or self._history.points + out < self._size
        return self.counted + out >= self.spec.budget.trials or self._waiting >= HELD_LIMIT or not untried

    @property
    def _waiting(self) -> int:
        """Return how many repeats wait for the trial they repeat."""
        return sum(len(held) for held in self._held.values())

    def _next(self) -> Job | None:
        """Ask for one point; None when it was answered, or must wait, without training."""
        asked = self._trials.ask(self._packs.stamp)
        try:
            config = overlay(self._base, asked.params)
            flight = Flight(asked, config, self._plan(config))
            broken = violations(self.spec, flight.blueprint.costs)
        except ConfigError as error:
            self._record(asked, refused(self.spec, asked, error), {})
            return None
        digest = flight.blueprint.digest
        answer = self._history.answer(digest)
        if any(value > 0 for value in broken.values()):
            self._record(asked, infeasible(self.spec, flight), {})
        elif answer is not None:
            self._record(asked, repeated(self.spec, flight, answer), {})
        elif any(other.blueprint.digest == digest for other in self._flying.values()):
            self._held.setdefault(digest, []).append(flight)
        else:
            self._flying[asked.key] = flight
            seeds = member_seeds(self.spec.seed, asked.key, self.spec.replicas.search)
            return Job(asked.key, asked.attempt, dict(asked.params), config, seeds)
        return None

    def _settle(self, ended: Flight) -> None:
        """Answer the repeats that waited for a trial, or queue them again if it has no answer for them."""
        digest = ended.blueprint.digest
        answer = self._history.answer(digest)
        for flight in self._held.pop(digest, []):
            if answer is None:
                self._requeue(flight)
            else:
                self._record(flight.asked, repeated(self.spec, flight, answer), {})

    def _requeue(self, flight: Flight, *, lost: bool = False) -> None:
        """Queue a trial again, unless its record is written already: the next driver adopts that."""
        self._flying.pop(flight.asked.key, None)
        if self._folder.read(flight.asked.key) is None:
            self._trials.requeue(flight.asked, lost=lost)

    def _record(self, asked: Asked, record: TrialRecord, curves: Curves) -> None:
        """The order that makes the folder the truth: written, told, counted, announced."""
        self._folder.write(Outcome(record, curves))
        self._trials.tell(asked, record)
        self._flying.pop(asked.key, None)
        self._history.add(record)
        if self._on_event is not None:
            self._on_event(record)
