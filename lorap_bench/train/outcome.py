"""The record and the curves of a trial, from what became of its members."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING

import torch

from lorap_bench.kernels.device import device
from lorap_bench.record import Curves, MemberResult, Outcome, Status, TrialRecord
from lorap_bench.train.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.data.task import GraphTask
    from lorap_bench.metric import Metric
    from lorap_bench.models.blueprint import Blueprint
    from lorap_bench.train.loop import Trainee
    from lorap_bench.train.measure import Measured
    from lorap_bench.train.together import Ended

__all__ = ["Trial", "outcome_of"]

_STATIC_OBJECTIVES = ("average_bits", "overhead")
_CURVES = ("train_loss", "val_loss", "val_metric")
_WORST_FIRST = (Status.USER_ERROR, Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.DIVERGED, Status.PRUNED)


@dataclass(slots=True, eq=False)
class Trial:
    """A trial under way: its position among the requests, and its members that have ended, by place.

    ``lost_seconds`` were spent on attempts that failed.
    """

    position: int
    plan: Blueprint
    task: GraphTask
    seeds: tuple[int, ...]
    started: str = ""
    ended: dict[int, Ended] = field(default_factory=dict)
    lost_seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether all members have ended."""
        return len(self.ended) == len(self.seeds)


def outcome_of(trial: Trial) -> Outcome:
    """Return the record and the curves of a trial whose members have all ended.

    One that was stopped early has what it reached until then: its best validation metric so far among its
    objectives, its curves, no figures of a trained model.
    """
    members = [trial.ended[place] for place in sorted(trial.ended)]
    trainees = [member.trainee for member in members]
    status, reason = _verdict(members)
    if status is Status.PRUNED:
        members = [replace(member, measured=None) for member in members]
    measured = [member.measured for member in members if member.measured is not None]
    costs = _costs(trial.plan, measured)
    record = TrialRecord(
        status=status,
        reason=reason,
        config=trial.plan.config,
        digest=trial.plan.digest,
        objectives=_objectives(trial.task.metric, costs, trainees, status),
        costs=costs,
        effective=trial.plan.effective,
        members=tuple(_result(member) for member in members),
        started=trial.started,
        seconds=trial.lost_seconds + math.fsum(member.seconds for member in members),
        provenance=provenance() | {"cohort": max(member.cohort for member in members)} | _gpus(),
    )
    return Outcome(record, _curves(trainees) | _row_bits(measured, trial.task))


def _gpus() -> dict[str, float]:
    """Return the GPUs that a trial has, for its GPU hours; an executor that gives it a share says so instead."""
    return {"gpus": 1.0} if device().type == "cuda" else {}


def _verdict(members: Sequence[Ended]) -> tuple[Status, str]:
    """Return how a trial ended, and why if not well: as the worst of its members."""
    status = next((each for each in _WORST_FIRST if any(member.status is each for member in members)), Status.COMPLETE)
    ended = [member for member in members if member.status is status]
    epochs = [len(member.trainee.train_loss) for member in ended]
    if status is Status.DIVERGED:
        return status, f"{len(ended)} of {len(members)} members diverged, first at epoch {min(epochs)}"
    if status is Status.PRUNED:
        return status, f"stopped after {max(epochs)} epochs: {ended[0].trainee.stopped}"
    return status, ended[0].reason


def _costs(plan: Blueprint, measured: Sequence[Measured]) -> dict[str, float]:
    """Return the costs; where widths are learned, the mean over the trained members of what each came to."""
    if not plan.scheme.learns_bits or not measured:
        return plan.costs
    found = [plan.costs_at(member.bits) for member in measured]
    return {name: math.fsum(costs[name] for costs in found) / len(found) for name in found[0]}


def _row_bits(measured: Sequence[Measured], task: GraphTask) -> Curves:
    """Return the learned width of every row and, where a row is a node, how many neighbours it gathers from."""
    sites = measured[0].row_bits if measured else ()
    curves: Curves = {f"row_bits:{site}": [member.row_bits[site] for member in measured] for site in sites}
    if curves and task.level == "node":
        in_degree = torch.bincount(task.edge_index[1], minlength=len(task.x))
        curves["in_degree"] = [in_degree.to(torch.get_default_dtype()).tolist()]
    return curves


def _objectives(
    metric: Metric, costs: dict[str, float], trainees: Sequence[Trainee], status: Status
) -> dict[str, float]:
    objectives = {name: costs[name] for name in _STATIC_OBJECTIVES if name in costs}
    values = [trainee.val for trainee in trainees if trainee.val is not None]
    if status in {Status.COMPLETE, Status.PRUNED}:
        objectives = {metric.value: math.fsum(values) / len(values)} | objectives
    return objectives


def _result(member: Ended) -> MemberResult:
    trainee, measured = member.trainee, member.measured
    return MemberResult(
        seed=trainee.member.seed,
        status=member.status,
        val=trainee.val,
        test=trainee.test,
        best_epoch=trainee.best_epoch,
        epochs=len(trainee.train_loss),
        bits=measured.bits if measured else {},
        aggregation_error=measured.aggregation_error if measured else [],
    )


def _curves(trainees: Sequence[Trainee]) -> Curves:
    """Return the curves, cut at the first value that is not finite (JSON has none)."""
    curves: Curves = {name: [] for name in _CURVES}
    for trainee in trainees:
        for name in _CURVES:
            curves[name].append(list(takewhile(math.isfinite, getattr(trainee, name))))
        del curves["val_metric"][-1][len(curves["val_loss"][-1]) :]  # a metric without its loss is no evaluation
    if any(trainee.val_best for trainee in trainees):
        curves["val_best"] = [list(trainee.val_best) for trainee in trainees]
    return curves
