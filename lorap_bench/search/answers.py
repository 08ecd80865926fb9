"""Records of trials that were answered without training: refused, infeasible, repeated, lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.config import digest_of
from lorap_bench.record import Status, TrialRecord
from lorap_bench.search.objective import judged, violations

if TYPE_CHECKING:
    from lorap_bench.errors import ConfigError
    from lorap_bench.search.flights import Flight
    from lorap_bench.search.history import Answer
    from lorap_bench.search.trials import Asked
    from lorap_bench.study.spec import StudySpec

__all__ = ["infeasible", "lost", "named", "refused", "repeated", "unaffordable"]

_WHY_LOST = {
    Status.TIMEOUT: ", at last because it hung where no deadline was heard",
    Status.OUT_OF_MEMORY: ", at last for want of memory on its machine",
}


def named(record: TrialRecord, asked: Asked) -> TrialRecord:
    """Return ``record`` with its place in the study."""
    return replace(record, number=asked.key, params=dict(asked.params), attempt=asked.attempt)


def refused(spec: StudySpec, asked: Asked, error: ConfigError) -> TrialRecord:
    """Return the record of a point that makes no possible configuration."""
    mapping = {"base": spec.base.to_mapping(), "params": asked.params}
    broken = {"configuration": float(len(error.faults))}
    record = TrialRecord(
        status=Status.INVALID, config=mapping, digest=digest_of(mapping), reason=str(error), violations=broken
    )
    return named(record, asked)


def infeasible(spec: StudySpec, flight: Flight) -> TrialRecord:
    """Return the record of a point that breaks a constraint by what is known before training."""
    broken = violations(spec, flight.blueprint.costs)
    names = ", ".join(name for name, value in broken.items() if value > 0)
    return _untrained(spec, flight, Status.INVALID, f"breaks the constraint on {names}")


def unaffordable(spec: StudySpec, flight: Flight, needs: int) -> TrialRecord:
    """Return the record of a point that takes more epochs than the budget has left, or ever had."""
    record = _untrained(spec, flight, Status.INVALID, f"needs {needs:,} epochs, more than the budget has left")
    return replace(record, violations=record.violations | {"epochs": float(needs)})


def repeated(spec: StudySpec, flight: Flight, answer: Answer) -> TrialRecord:
    """Return the record of a point whose configuration was trained before, as it ended then."""
    done = answer.status is Status.COMPLETE
    reason = f"the same configuration as trial {answer.number}"
    if not done:
        reason += f", which ended {answer.status}" + (f" ({answer.reason})" if answer.reason else "")
    # Where widths are learned, only the trained trial knows its costs.
    record = replace(_untrained(spec, flight, Status.DUPLICATE, reason), costs=dict(answer.costs))
    objectives = dict(answer.objectives) if done else {}
    broken = violations(spec, {**record.costs, **objectives})
    return replace(record, duplicate_of=answer.number, objectives=objectives, violations=broken)


def lost(spec: StudySpec, flight: Flight, times: int, status: Status = Status.WORKER_LOST) -> TrialRecord:
    """Return the record of a trial that cost a worker each time it was tried, the last time as ``status`` says."""
    return _untrained(spec, flight, status, f"its worker was lost {times} times{_WHY_LOST.get(status, '')}")


def _untrained(spec: StudySpec, flight: Flight, status: Status, reason: str) -> TrialRecord:
    blueprint = flight.blueprint
    record = TrialRecord(
        status=status,
        config=blueprint.config,
        digest=blueprint.digest,
        reason=reason,
        costs=dict(blueprint.costs),
        effective=dict(blueprint.effective),
    )
    return judged(spec, named(record, flight.asked))
