"""Ask, answer, tell: the broker between the sampler and whatever runs trials. It knows no engine.

A finished trial is written to the study folder first and told to the sampler then, so the folder
is the truth: at any instant a driver may be killed, and the next one adopts what was written,
asks again for what was not, and draws what would have been drawn. A trial is known to the world
by its key, its place among all trials asked for; a retry keeps its key, point and seeds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar, final

from lorap_bench.errors import ConfigError, Fault, LorapBenchError
from lorap_bench.record import Outcome, Status
from lorap_bench.search.account import FAILURE_LIMIT, Account
from lorap_bench.search.answers import infeasible, lost, named, refused, repeated, unaffordable
from lorap_bench.search.flights import Flight, Flights
from lorap_bench.search.job import Job
from lorap_bench.search.log import Overtaken
from lorap_bench.search.objective import default_planner, judged, violations
from lorap_bench.search.others import Others
from lorap_bench.search.pack import Packs, together
from lorap_bench.search.plan import refuse_infeasible
from lorap_bench.search.promotion import joined
from lorap_bench.search.rungs import Rungs
from lorap_bench.search.seat import take_seat
from lorap_bench.search.seeds import member_seeds
from lorap_bench.search.standing import Standing
from lorap_bench.search.trials import Trials
from lorap_bench.search.verdicts import Verdicts
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.search.objective import Planner
    from lorap_bench.search.trials import Asked
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Broker", "Job", "StudyFailed"]

T = TypeVar("T")

HELD_LIMIT = 8
"""Repeats of running trials that may wait for them, if no more run; more would be asking in vain."""


class StudyFailed(LorapBenchError):
    """So many trials failed in a row that going on would waste the budget (exit code 1)."""


@final
class Broker(Standing):
    """A driver of a study, from its creation until ``close``. Use it in a ``with`` block.

    It is the only one, or on PostgreSQL one of several that take turns.

    Args:
        spec: the study.
        folder: its folder.
        shape: the task's sizes, from which costs follow.
        blueprint: what works out a configuration before training; the models' own by default.
        on_event: called with every record as it is written, also by another driver.

    Attributes:
        others: the other drivers of the study, if it can have any.

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
        self._flights = Flights()
        self._seat = take_seat(spec.storage, folder)
        try:
            with self._seat.turn():
                self._begin(shape)
        except BaseException:
            self._seat.close()
            raise

    def _begin(self, shape: TaskShape | None) -> None:
        """Learn what there is, and queue again what a dead driver has left."""
        spec, folder = self.spec, self._folder
        records = folder.records()
        if not records:
            refuse_infeasible(spec, self._plan)
        self._account = Account(spec, folder, records, self._plan)
        self.rungs = Rungs(spec)
        if spec.early_stopping.active:
            for record in records:
                self.rungs.add(record, folder.curves(record.number))
        self._trials = Trials(spec, folder, self._plan, self._seat)
        self.others = Others(spec, folder, self._trials, self._flights)
        if self._seat.owner:
            self._take_in(news=True)
        else:
            self._trials.reap(self._account.history.numbers, folder.read)
        self._packs = Packs(spec, together(spec, shape), self._trials, self._account.history)

    def ask(self) -> Job | None:
        """Return the next trial to train; None when there is none now (``done`` tells if ever)."""
        return next(iter(self.ask_pack(1)), None)

    def ask_pack(self, most: int | None = None) -> list[Job]:
        """Return the next trials to train, which may train together; empty when there is none now.

        Each is told, or released, by itself. A trial on which a worker died comes alone. Screened trials that are to
        have the rest of their seeds come first.

        Args:
            most: how many at most; those of the study's rule by default.
        """
        limit = self.together if most is None else min(most, self.together)
        self._account.beat()
        return self._turn(lambda: self._ask_pack(limit))

    def _ask_pack(self, limit: int) -> list[Job]:
        jobs = self._rest(limit)
        if jobs:
            return jobs
        while len(jobs) < limit and not self.done and not self._full:
            if not jobs:
                self._packs.begin()
            elif self._packs.ends(self.in_flight + self._flights.held):
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

    def judge(self, jobs: Sequence[Job]) -> Verdicts | None:
        """Return who ends trials early while ``jobs`` train; None where the study stops none."""
        return Verdicts(self.rungs, jobs) if self.spec.early_stopping.active else None

    def curves(self, number: int) -> Curves:
        """Return the curves of a finished trial, those of all its seeds."""
        return self._folder.curves(number)

    def tell(self, job: Job, outcome: Outcome) -> TrialRecord | None:
        """Write a trial's outcome, tell the sampler, and return the record as written.

        None is returned for a screened trial that is to have the rest of its seeds: it comes again with them. It is
        returned too for a trial that has become another driver's, for this one was silent for too long.

        Raises:
            KeyError: the trial is not in flight, or lacks an objective of the study.
        """
        record = self._turn(lambda: self._tell(job, outcome))
        self._account.beat()
        return record

    def _tell(self, job: Job, outcome: Outcome) -> TrialRecord | None:
        if self._seat.owner and job.number not in self._flights.out:
            return self._folder.read(job.number)
        flight = self._flights.out[job.number]
        if flight.screened is not None:
            outcome = joined(flight.screened, outcome)
        record = replace(named(outcome.record, flight.asked), digest=flight.digest)
        record = judged(self.spec, record)
        if flight.screened is None and (epochs := self._account.promoted(flight, record, self._flights)) is not None:
            self._flights.promote(replace(flight, epochs=epochs, screened=Outcome(record, outcome.curves)))
            return None
        self._record(flight.asked, record, outcome.curves)
        self._settle(flight.digest)
        return record

    def release(self, job: Job, status: Status) -> None:
        """Take back a trial that did not end, so that it runs again later. One not in flight is left alone.

        Whatever is not ``interrupted`` cost it a worker: ``worker_lost``, or ``timeout`` and ``out_of_memory`` where
        that is known to be why. A trial that cost too many is recorded as it failed last.
        """
        self._turn(lambda: self._release(job, status))

    def _release(self, job: Job, status: Status) -> None:
        flight = self._flights.out.get(job.number)
        if flight is None:
            return
        cost_a_worker = status is not Status.INTERRUPTED
        times = flight.asked.lost + cost_a_worker
        if times > self.spec.budget.retries:
            self._record(flight.asked, lost(self.spec, flight, times, status), {})
        else:
            self._requeue(flight, lost=cost_a_worker)
        self._settle(flight.digest)

    def raise_if_failed(self) -> None:
        """Raise if the study ended otherwise than by its budget or an exhausted space.

        Raises:
            StudyFailed: too many failures in a row.
            ConfigError: no point asked for satisfied the constraints.
        """
        history = self._account.history
        if history.failures >= FAILURE_LIMIT:
            message = f"{self.exhausted}; all is saved, and running the study again tries {FAILURE_LIMIT} more"
            raise StudyFailed(message, where=self.spec.name)
        if self.exhausted and not history.feasible:
            message = f"no feasible point: {self.exhausted}"
            raise ConfigError([Fault(path="constraints", message=message)], where=self.spec.name)

    def close(self) -> None:
        """Put what is still out back into the queue and let go of the folder."""
        try:
            self._turn(self._queue_all)
            self._account.close()
        finally:
            self._flights.clear()
            self._seat.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _turn(self, deed: Callable[[], T]) -> T:
        """Do something in this driver's turn; if another one came between, take in what it did and do it anew."""
        news = False
        while True:
            try:
                with self._seat.turn() as wrote:
                    self._take_in(news=news or wrote)
                    self._seat.flush()  # or what the deed only remembers would be done twice
                    return deed()
            except Overtaken:
                self._trials.restart()
                news = True

    def _take_in(self, *, news: bool) -> None:
        """Take in what other drivers did since the last turn; a driver that is alone knows all."""
        if self._seat.owner and (news or self._trials.deserted):
            for record in self.others.take_in(self._account.history.numbers, self._know, self._plan):
                self._settle(record.digest)

    def _queue_all(self) -> None:
        for flight in self._flights.all:
            self._requeue(flight)

    @property
    def _full(self) -> bool:
        """Whether asking must wait for a trial in flight: for budget, for a repeat, or for want of points."""
        return self._flights.held >= max(HELD_LIMIT, self.in_flight) or not self._account.bears_another(self._flights)

    def _rest(self, limit: int) -> list[Job]:
        """Return promoted trials with the seeds that they were not screened with."""
        jobs: list[Job] = []
        while len(jobs) < limit and (flight := self._flights.next_promoted()) is not None:
            jobs.append(self._job(flight))
        return jobs

    def _next(self) -> Job | None:
        """Ask for one point; None when it was answered, or must wait, without training."""
        asked = self._trials.ask(self._packs.stamp)
        try:
            config = overlay(self._base, asked.params)
            plan = self._plan(config)
            broken = violations(self.spec, plan.costs)
        except ConfigError as error:
            self._record(asked, refused(self.spec, asked, error), {})
            return None
        flight = Flight(asked, config, plan, plan.epochs * self._account.screen)
        answer = self._account.history.answer(flight.digest)
        if any(value > 0 for value in broken.values()):
            self._record(asked, infeasible(self.spec, flight), {})
        elif answer is not None:
            self._record(asked, repeated(self.spec, flight, answer), {})
        elif self._flights.repeats(flight):
            self._flights.hold(flight)
        elif not self._account.bears(self._flights, flight.epochs):
            self._record(asked, unaffordable(self.spec, flight, flight.epochs), {})
        else:
            self._flights.send(flight)
            return self._job(flight)
        return None

    def _job(self, flight: Flight) -> Job:
        """Return what a trainer needs for a trial: the seeds of its screening, or those that come after it."""
        seeds = member_seeds(self.spec.seed, flight.key, self.spec.replicas.search)
        screen, again = self._account.screen, flight.screened is not None
        return Job(
            number=flight.key,
            attempt=flight.asked.attempt,
            params=dict(flight.asked.params),
            config=flight.config,
            seeds=seeds[screen:] if again else seeds[:screen],
            costs=dict(flight.blueprint.costs),
            judged=not again,
        )

    def _settle(self, digest: str) -> None:
        """Answer the repeats that waited for a trial, or queue them again if it has no answer for them."""
        answer = self._account.history.answer(digest)
        for flight in self._flights.freed(digest):
            if answer is None:
                self._requeue(flight)
            else:
                self._record(flight.asked, repeated(self.spec, flight, answer), {})

    def _requeue(self, flight: Flight, *, lost: bool = False) -> None:
        """Queue a trial again, unless its record is written already: the next driver adopts that."""
        self._flights.land(flight.key)
        if self._folder.read(flight.key) is None:
            self._trials.requeue(flight.asked, lost=lost)

    def _record(self, asked: Asked, record: TrialRecord, curves: Curves) -> None:
        """The order that makes the folder the truth: written, told, counted, announced."""
        self._seat.flush()  # no record without its trial
        self._folder.write(Outcome(record, curves))
        self._trials.tell(asked, record)
        self._flights.land(asked.key)
        self._know(record, curves)

    def _know(self, record: TrialRecord, curves: Curves) -> None:
        """Take a finished trial into account and announce it."""
        self._account.add(record)
        self.rungs.add(record, curves)
        if self._on_event is not None:
            self._on_event(record)
