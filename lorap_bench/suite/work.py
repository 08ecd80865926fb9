"""One cell under way: the search that tunes it, if the suite has one, and then its trainings, fold by fold.

A training that ends is kept at once; the cell is whole when all are there. Its chosen epochs, and a tuned cell's
configuration, come from validation alone; the test split is looked at once, by the trainings after the search.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, final

from lorap_bench.config import TrialConfig, digest_of
from lorap_bench.data.load import load_task
from lorap_bench.errors import ConfigError
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.search.job import Job
from lorap_bench.search.loop import Broker
from lorap_bench.search.objective import default_planner
from lorap_bench.search.plan import refuse_infeasible
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.space import overlay
from lorap_bench.suite.result import CellResult
from lorap_bench.suite.tuning import search_study, tuning_of

if TYPE_CHECKING:
    from lorap_bench.record import Curves
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.tuning import Tuning

__all__ = ["KEPT", "RETRIES", "Work"]

KEPT = ("train_loss", "val_loss", "val_metric")
"""The curves that a suite keeps: those that its epochs were chosen by. Widths by node would be most of its bytes."""
RETRIES = 2
"""How often a training is tried again whose worker was lost."""


@final
class Work:
    """A cell that is being worked on. Use ``close`` at the end.

    Args:
        cell: the cell.
        folder: its suite's folder.

    Raises:
        LorapBenchError: its data are not to be had, or the folder is damaged.
    """

    def __init__(self, cell: Cell, folder: SuiteFolder) -> None:
        self.cell = cell
        self._folder = folder
        self._shape = shape_of(load_task(cell.config.task))
        self._search: Broker | None = None
        self._tuning: Tuning | None = None
        self._waiting: deque[Job] = deque()
        self._ended: dict[int, Outcome] = {}
        if cell.tune is None or folder.search(cell.key) is not None:
            self._begin_trainings()
        else:
            self._begin_search()

    def ask(self, most: int | None) -> list[Job]:
        """Return trials that may train together; empty when there are none now."""
        if self._search is not None:
            if self._search.in_flight:  # one pack at a time: else the sampler sees answers in the order of the workers
                return []
            if jobs := self._search.ask_pack(most):
                return jobs
            self._end_search(self._search)
        return [self._waiting.popleft()] if self._waiting else []

    def tell(self, job: Job, outcome: Outcome) -> TrialRecord | None:
        """Take what came of a trial, and keep it."""
        if self._search is not None:
            return self._search.tell(job, outcome)
        self._keep(job, outcome)
        return outcome.record

    def release(self, job: Job, status: Status) -> None:
        """Take back a trial that did not end; a training that cost too many workers has failed."""
        if self._search is not None:
            self._search.release(job, status)
            return
        lost = job.attempt + (status is not Status.INTERRUPTED)
        if lost > RETRIES:
            self._keep(job, self._untrained(job.config, job.seeds, status, f"its worker was lost {lost} times"))
        else:
            self._waiting.append(replace(job, attempt=lost))

    def result(self) -> tuple[CellResult, list[Curves]] | None:
        """Return what the cell came to, with the curves of each training; None while something is left."""
        if self._search is not None or self._left:
            return None
        ended = [self._ended[fold] for fold in self._folds]
        costs = [self._costs(one.record, member) for one in ended for member in one.record.members]
        records = tuple(one.record for one in ended)
        result = CellResult(axes=self.cell.axes, records=records, costs=tuple(costs), tuning=self._tuning)
        return result, [{name: one.curves[name] for name in KEPT if name in one.curves} for one in ended]

    def close(self) -> None:
        """Let go of its search; what is out runs again later."""
        if self._search is not None:
            self._search.close()
            self._search = None

    @property
    def _folds(self) -> list[int]:
        return [config.task.fold for config, _ in self.cell.requests()]

    @property
    def _left(self) -> bool:
        """Whether a training of the cell has not ended."""
        return any(fold not in self._ended for fold in self._folds)

    def _begin_search(self) -> None:
        spec = search_study(self.cell)
        study = StudyFolder.create(self._folder.searches, spec.to_mapping(), spec.identity)
        try:
            self._search = Broker(spec, study, self._shape)
        except ConfigError:  # no point is within the constraints: a result, as a failed training is
            self._folder.write_search(spec.to_mapping(), self.cell.key, [])
            self._begin_trainings()

    def _end_search(self, search: Broker) -> None:
        """Write the search down, and choose."""
        self.close()
        study = StudyFolder(self._folder.searches / self.cell.key)
        self._folder.write_search(search.spec.to_mapping(), self.cell.key, study.records())
        self._begin_trainings()

    def _begin_trainings(self) -> None:
        """Queue what is left to train: the cell's configuration, or the one that its search chose."""
        config = self.cell.config
        if self.cell.tune is not None:
            searched = self._folder.search(self.cell.key)
            records = [] if searched is None else searched[1]
            self._tuning = tuning_of(self.cell, records)
            if self._tuning.number is None:
                self._give_up(self._why_nothing(records))
                return
            config = overlay(config, self._tuning.params)
        costs = dict(blueprint(config, self._shape).costs)
        for number, (one, seeds) in enumerate(self.cell.requests(config)):
            part = self._folder.part(self.cell.key, one.task.fold)
            if part is not None and part.record.config == one.to_mapping():
                self._ended[one.task.fold] = part
                continue
            self._waiting.append(
                Job(number=number, attempt=0, params={}, config=one, seeds=seeds, costs=costs, split="test")
            )

    def _why_nothing(self, records: list[TrialRecord]) -> str:
        """Say why a search chose nothing, from what is kept of it: so it is the same after a crash."""
        try:
            refuse_infeasible(search_study(self.cell), default_planner(self._shape))
        except ConfigError as error:
            return str(error)
        ended = Counter(record.status.value for record in records)
        told = ", ".join(f"{count} {status}" for status, count in ended.most_common())
        example = next((f", such as: {record.reason}" for record in records if record.reason), "")
        return f"no trial of its search is complete and within the constraints ({told}{example})"

    def _give_up(self, reason: str) -> None:
        """End every training of the cell: there is nothing to train."""
        for config, seeds in self.cell.requests():
            self._ended[config.task.fold] = self._untrained(config, seeds, Status.INVALID, reason)

    def _keep(self, job: Job, outcome: Outcome) -> None:
        fold = job.config.task.fold
        self._ended[fold] = outcome
        if self._left:
            self._folder.write_part(self.cell.key, fold, outcome)

    def _untrained(self, config: TrialConfig, seeds: tuple[int, ...], status: Status, reason: str) -> Outcome:
        """Return what became of a training that never was; a cell's own values may make no configuration."""
        mapping = config.to_mapping()
        record = TrialRecord(
            status=status,
            config=mapping,
            digest=digest_of(mapping),
            reason=reason,
            members=tuple(MemberResult(seed=seed, status=status, val=None) for seed in seeds),
        )
        return Outcome(record, {})

    def _costs(self, record: TrialRecord, member: MemberResult) -> dict[str, float]:
        """Return what a replica costs: where widths are learned, with those that it came to, if it came to an end."""
        if not record.costs:
            return {}
        plan = blueprint(TrialConfig.from_mapping(record.config), self._shape)
        learned = plan.scheme.learns_bits and member.status is Status.COMPLETE
        return plan.costs_at(member.bits) if learned else plan.costs
