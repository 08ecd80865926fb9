"""A cell's search: the study that tunes it, which of its trials is chosen, and what the cell keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.data.load import canonical_name, metric_of
from lorap_bench.metric import metric_in
from lorap_bench.record import Status
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.suite.cell import Cell

__all__ = ["Tuning", "best_of", "search_study", "tuning_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a tuned cell keeps of its search.

    Attributes:
        base: the configuration that the search started from: the cell's own.
        tune: the search as the suite has it.
        trials: how many of its trials count in its budget.
        failed: how many of them did not end well.
        number: the chosen trial; None where none was complete and within the constraints.
        params: its point.
        val: its validation figure, the mean over the search's seeds.
        epochs: of all trials and seeds.
        seconds: of all trials.
    """

    base: dict[str, Any]
    tune: dict[str, Any]
    trials: int
    failed: int
    number: int | None
    params: dict[str, Any]
    val: float | None
    epochs: int
    seconds: float


def search_study(cell: Cell) -> StudySpec:
    """Return the study that tunes a cell: what it is good for on validation is all that it looks for.

    The seeds of its trials are functions of the study's seed and the trial's number; the cell's replicas are others.
    """
    tune = cell.tune
    assert tune is not None
    return StudySpec.from_mapping(
        {
            **cell.config.to_mapping(),
            "version": 1,
            "name": cell.key,
            "description": f"Tunes the cell {cell.name}.",
            "seed": tune.seed,
            "objectives": [metric_of(canonical_name(cell.config.task.dataset)).value],
            **{name: value for name, value in tune.to_mapping().items() if name in {"space", "constraints", "search"}},
            "replicas": {"search": tune.seeds},
            "budget": {"trials": tune.trials},
        }
    )


def best_of(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """Return the complete trial within the constraints that is best on validation; the first of equals."""
    able = [record for record in records if record.status is Status.COMPLETE and record.feasible]
    metric = metric_in(name for record in able for name in record.objectives)
    return max(able, key=lambda record: (metric.quality(record.objectives[metric]), -record.number), default=None)


def tuning_of(cell: Cell, records: Sequence[TrialRecord]) -> Tuning:
    """Return what a cell keeps of the records of its search."""
    assert cell.tune is not None
    best = best_of(records)
    counted = [record for record in records if record.status.counts]
    return Tuning(
        base=cell.config.to_mapping(),
        tune=cell.tune.to_mapping(),
        trials=len(counted),
        failed=sum(record.status.failed for record in counted),
        number=None if best is None else best.number,
        params={} if best is None else dict(best.params),
        val=None if best is None else best.objectives[metric_in(best.objectives)],
        epochs=sum(member.epochs for record in records for member in record.members),
        seconds=sum(record.seconds for record in records),
    )
