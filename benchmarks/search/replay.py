"""Studies on a table of trained configurations: a trainer that looks results up, with our broker and without one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import optuna
from optuna.storages import InMemoryStorage

from lorap_bench.cli.wiring import task_shape
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.metric import Metric
from lorap_bench.models.blueprint import blueprint
from lorap_bench.record import MemberResult, Outcome, Status, TrialRecord
from lorap_bench.search.keyed import KeyedStudy
from lorap_bench.search.loop import Broker
from lorap_bench.search.objective import directions
from lorap_bench.search.samplers import Samplers
from lorap_bench.search.suggest import as_optuna, suggest
from lorap_bench.stats.front import box_hypervolume_history
from lorap_bench.store.folder import StudyFolder
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import objectives_of

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from benchmarks.search.table import Table
    from lorap_bench.config import TrialConfig
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.search.job import Job
    from lorap_bench.search.objective import Planner
    from lorap_bench.study.spec import StudySpec

OBJECTIVES = objectives_of(Metric.ACCURACY)

__all__ = ["Shelf", "run", "run_thin"]


@final
class Shelf:
    """A table in place of training: the planner that knows what is on it, and the trainer that looks it up."""

    def __init__(self, found: Table, spec: StudySpec) -> None:
        self._table, self._shape = found, task_shape(spec)

    def plan(self, config: TrialConfig) -> Blueprint:
        """Return the blueprint of a configuration.

        Raises:
            ConfigError: it is not on the shelf.
        """
        plan = blueprint(config, self._shape)
        if plan.digest not in self._table:
            raise ConfigError([Fault(path="table", message="was never trained", got=plan.digest)])
        return plan

    def values(self, spec: StudySpec, params: dict[str, Any]) -> list[float]:
        """Return the objectives of a point."""
        row = self._table[self.plan(overlay(spec.base, params)).digest]
        return [row.accuracy, row.costs["average_bits"], row.costs["overhead"]]

    def train(self, job: Job) -> Outcome:
        """Return what training would have."""
        plan = self.plan(job.config)
        row = self._table[plan.digest]
        marks = row.marks[:, -1]
        members = tuple(
            MemberResult(seed=seed, status=Status.COMPLETE, val=float(mark), epochs=self._table.epochs)
            for seed, mark in zip(job.seeds, marks, strict=True)
        )
        objectives = {"accuracy": row.accuracy, **row.costs}
        record = TrialRecord(
            status=Status.COMPLETE,
            config=plan.config,
            digest=plan.digest,
            objectives=objectives,
            costs=plan.costs,
            members=members,
        )
        return Outcome(record, {})


def run(spec: StudySpec, shelf: Shelf) -> list[float]:
    """Run a whole study, one trial at a time; return the hypervolume after each.

    The table has every seed of a configuration, so what a study saw is what its points are worth.
    """
    values: list[list[float]] = []
    with tempfile.TemporaryDirectory(dir=_memory()) as runs:
        folder = StudyFolder.create(Path(runs), spec.to_mapping(), spec.identity)
        with Broker(spec, folder, None, blueprint=shelf.plan) as broker:
            while (job := broker.ask()) is not None:
                record = broker.tell(job, shelf.train(job))
                assert record is not None
                values.append([record.objectives[name] for name in OBJECTIVES])
    return box_hypervolume_history(np.array(values), OBJECTIVES)


def run_thin(spec: StudySpec, shelf: Shelf, sampler: BaseSampler | None, planner: Planner | None = None) -> list[float]:
    """Run a study without a broker: every point is trained, also one that was before.

    Args:
        spec: the study.
        shelf: the table.
        sampler: Optuna's; None: the study's own.
        planner: what tells that sampler costs before training.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="study", directions=directions(spec))
    found = KeyedStudy(study_name="study", storage=storage, sampler=sampler)
    samplers = None if sampler else Samplers(spec, planner)
    space, values = spec.parameters, list[list[float]]()
    while len(values) < spec.budget.trials:
        if samplers is not None:
            samplers.set_for(found, len(values))
        trial, params = found.ask(), dict[str, Any]()
        for one in space.parameters:
            if space.active(one, spec.base, params):
                params[one.path] = suggest(trial, one.path, as_optuna(one.distribution))
        trial.set_user_attr("key", len(values))
        values.append(shelf.values(spec, params))
        found.tell(trial, values[-1])
    return box_hypervolume_history(np.array(values), OBJECTIVES)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a folder of our own is made in it
