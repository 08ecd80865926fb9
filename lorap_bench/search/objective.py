"""What the sampler is told about a trial: its objective values and how far it breaks the constraints."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from lorap_bench.record import Status
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lorap_bench.config import TrialConfig
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

__all__ = ["BlueprintLike", "Planner", "default_planner", "directions", "judged", "values", "violations"]


class BlueprintLike(Protocol):
    """What a configuration comes to before training. ``costs`` holds the figures known by then."""

    @property
    def config(self) -> dict[str, Any]:
        """Return the effective configuration, nested plain values."""
        ...

    @property
    def digest(self) -> str:
        """Return what equal trainings have equal."""
        ...

    @property
    def epochs(self) -> int:
        """Return the epochs that one seed trains for, all stages together."""
        ...

    @property
    def costs(self) -> dict[str, float]:
        """Return the figures by name."""
        ...

    @property
    def effective(self) -> dict[str, Any]:
        """Return what the configuration came to: bits a site, ranks a layer."""
        ...


Direction: TypeAlias = Literal["maximize", "minimize"]
Planner: TypeAlias = "Callable[[TrialConfig], BlueprintLike]"
"""What works out a configuration's blueprint; raises ConfigError for an impossible one."""


def directions(spec: StudySpec) -> list[Direction]:
    """Return Optuna's words for the directions of the study's objectives, in their order."""
    return ["maximize" if OBJECTIVES[name] == "max" else "minimize" for name in spec.objectives]


def values(spec: StudySpec, record: TrialRecord) -> list[float]:
    """Return the objective values of a complete record, in the study's order."""
    return [float(record.objectives[name]) for name in spec.objectives]


def violations(spec: StudySpec, figures: Mapping[str, float]) -> dict[str, float]:
    """Return by how much each constraint on a known figure is broken (positive: broken)."""
    return {
        rule.name: float(rule.violation(figures[rule.name])) for rule in spec.constraint_rules if rule.name in figures
    }


def judged(spec: StudySpec, record: TrialRecord) -> TrialRecord:
    """Return ``record`` with its violations, and as diverged when an objective is not a number.

    Raises:
        KeyError: a complete record lacks one of the study's objectives (a fault of the trainer).
    """
    known = {name: value for name, value in record.objectives.items() if math.isfinite(value)}
    status, reason = record.status, record.reason
    if status is Status.COMPLETE:
        bad = [name for name in spec.objectives if not math.isfinite(record.objectives[name])]
        if bad:
            status = Status.DIVERGED
            reason = ", ".join(f"{name} is {record.objectives[name]}" for name in bad)
    broken = violations(spec, {**record.costs, **known})
    return replace(record, status=status, reason=reason, objectives=known, violations=broken)


def default_planner(shape: TaskShape | None) -> Planner:
    """Return the models' own blueprint for tasks of ``shape``."""
    from lorap_bench.models.blueprint import blueprint

    assert shape is not None
    return lambda config: blueprint(config, shape)
