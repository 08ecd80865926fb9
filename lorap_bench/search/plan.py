"""What a study will cost, worked out before anything runs.

All points of a small finite space are looked at; of a larger one an even sample, drawn from the
study's seed, whose size is stated. Nothing here is guessed: seconds come from this study's own
finished trials or are not given.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.record import Status
from lorap_bench.search.objective import default_planner, violations
from lorap_bench.search.pack import together
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Any

    from lorap_bench.config import TrialConfig
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.record import TrialRecord
    from lorap_bench.search.objective import BlueprintLike, Planner
    from lorap_bench.study.spec import StudySpec

__all__ = ["EXACT_LIMIT", "SAMPLE", "Plan", "check", "refuse_infeasible"]

EXACT_LIMIT = 4096
"""Finite spaces up to this size are looked at whole."""
SAMPLE = 1024
"""Points drawn from larger ones."""
_RANGES = ("average_bits", "overhead", "model_bytes", "bit_operations")
_TRAINED = frozenset({Status.COMPLETE, Status.PRUNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The forecast of a study.

    Attributes:
        size: points of the space; None when a range of floats makes it infinite.
        exact: whether every point was looked at.
        looked_at: how many points the shares and ranges are taken over.
        ranges: static figure → (smallest, largest) over the points that make a configuration.
        infeasible: share of the points that break a static constraint or make no configuration.
        duplicates: share of the feasible points that train like another one.
        clamped: share of the points that make a configuration whose prompt rank is more than it can use.
        reasons: constraint (or ``configuration``) → how many points break it.
        trials: the budget.
        members: trainings of the search, one a seed.
        member_epochs: epochs of all of these, at the mean number of epochs over the feasible points.
        confirm_members: trainings on the test split for each trial of the front, and for each of its baselines.
        seconds: wall seconds for the trials still to come, one after another; None: not measured yet.
        measured: finished trials that ``seconds`` rests on.
        together: trials at most that train as one program here, on this machine's device.
    """

    size: int | None
    exact: bool
    looked_at: int
    ranges: dict[str, tuple[float, float]]
    infeasible: float
    duplicates: float
    trials: int
    members: int
    member_epochs: int
    confirm_members: int
    clamped: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    measured: int = 0
    together: int = 1


def check(
    spec: StudySpec,
    shape: TaskShape | None,
    records: Sequence[TrialRecord] = (),
    *,
    blueprint: Planner | None = None,
) -> Plan:
    """Return the forecast of a study; run nothing.

    Args:
        spec: the study.
        shape: the task's sizes.
        records: finished trials of this study, from which the wall seconds are taken.
        blueprint: what works out a configuration; the models' own by default.

    Raises:
        ConfigError: every point looked at is infeasible, or the base makes no configuration whatever is searched.
    """
    planner = blueprint or default_planner(shape)
    survey = _survey(spec, planner)
    if not survey.digests:
        raise _base_fault(spec, planner, survey) or _nothing_feasible(spec, survey)
    size = spec.parameters.size(spec.base)
    feasible = len(survey.digests)
    members = spec.budget.trials * spec.replicas.search
    trained = [record.seconds for record in records if record.status in _TRAINED]
    left = max(0, spec.budget.trials - sum(record.status.counts for record in records))
    return Plan(
        size=size,
        exact=_is_small(size),
        looked_at=survey.looked_at,
        ranges=survey.ranges,
        infeasible=1 - feasible / survey.looked_at,
        duplicates=1 - len(set(survey.digests)) / feasible,
        trials=spec.budget.trials,
        members=members,
        member_epochs=round(members * survey.epochs / feasible),
        confirm_members=spec.replicas.confirm,
        clamped=survey.clamped / survey.configurations,
        reasons=survey.reasons,
        seconds=left * mean(trained) if trained else None,
        measured=len(trained),
        together=together(spec, shape),
    )


def refuse_infeasible(spec: StudySpec, blueprint: Planner) -> None:
    """Raise if it is certain that no point is feasible; stops at the first that is.

    Raises:
        ConfigError: every point of a small finite space is infeasible, or the base of any space makes
            no configuration and no point looked at mends it.
    """
    small = _is_small(spec.parameters.size(spec.base))
    if not small and not _refusal(spec.base, blueprint):
        return
    survey = _Survey()
    for params in _points(spec):
        survey.look(spec, blueprint, params)
        if survey.digests:
            return
    fault = _base_fault(spec, blueprint, survey)
    if fault or small:
        raise fault or _nothing_feasible(spec, survey)


@dataclass(slots=True)
class _Survey:
    """Running figures over points; ``digests`` and ``epochs`` are those of the feasible ones."""

    looked_at: int = 0
    configurations: int = 0
    clamped: int = 0
    epochs: int = 0
    digests: list[str] = field(default_factory=list)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    example: str = ""

    def look(self, spec: StudySpec, planner: Planner, params: dict[str, Any]) -> None:
        """Take one point in."""
        self.looked_at += 1
        try:
            config = overlay(spec.base, params)
            blueprint = planner(config)
            broken = [name for name, value in violations(spec, blueprint.costs).items() if value > 0]
        except ConfigError as error:
            self.example = self.example or str(error)
            self._count("configuration")
            return
        self.configurations += 1
        self.clamped += bool(blueprint.effective.get("clamped"))
        for name in broken:
            self._count(name)
        self._widen(blueprint, spec.constraints)
        if not broken:
            self.digests.append(blueprint.digest)
            self.epochs += config.optim.epochs

    def _count(self, name: str) -> None:
        self.reasons[name] = self.reasons.get(name, 0) + 1

    def _widen(self, blueprint: BlueprintLike, constrained: Collection[str]) -> None:
        for name, value in blueprint.costs.items():
            if name in _RANGES or name in constrained:
                low, high = self.ranges.get(name, (math.inf, -math.inf))
                self.ranges[name] = (min(low, value), max(high, value))


def _survey(spec: StudySpec, planner: Planner) -> _Survey:
    survey = _Survey()
    for params in _points(spec):
        survey.look(spec, planner, params)
    return survey


def _points(spec: StudySpec) -> Iterator[dict[str, Any]]:
    space, base = spec.parameters, spec.base.to_mapping()
    if _is_small(space.size(base)):
        return space.points(base)
    rng = random.Random(spec.seed)  # noqa: S311  # a survey, not a secret
    return (space.sample(base, rng) for _ in itertools.repeat(None, SAMPLE))


def _is_small(size: int | None) -> bool:
    return size is not None and size <= EXACT_LIMIT


def _refusal(config: TrialConfig, planner: Planner) -> ConfigError | None:
    """Return why a configuration is impossible; None if it is not."""
    try:
        planner(config)
    except ConfigError as error:
        return error
    return None


def _base_fault(spec: StudySpec, planner: Planner, survey: _Survey) -> ConfigError | None:
    """Return the fault of the base when all points were refused for that very fault: then it is not the space's."""
    refusal = _refusal(spec.base, planner)
    if refusal is None or survey.configurations or str(refusal) != survey.example:
        return None
    return ConfigError(refusal.faults, where=f"{spec.name}: its configuration is impossible")


def _nothing_feasible(spec: StudySpec, survey: _Survey) -> ConfigError:
    """Say for each constraint what the space reaches."""
    points = "point" if survey.looked_at == 1 else "points"
    faults = [
        Fault(
            path=f"constraints.{name}",
            message=f"broken by {count} of {survey.looked_at} {points}",
            got=spec.constraints[name],
            allowed="{:.6g} to {:.6g} in this space".format(*survey.ranges[name]),
        )
        for name, count in survey.reasons.items()
        if name in spec.constraints
    ]
    if survey.example:
        faults.append(Fault(path="space", message=f"points that make no configuration, such as: {survey.example}"))
    where = f"{spec.name}: every point of the space is infeasible"
    return ConfigError(faults, where=where)
